"""One network of ``model.Network``, fitted with JAX: dilated convolutions over whole nights, AdamW, one cycle of rates.

Every number that is drawn comes from the seed; on one thread the same nights and seed give the same weights.
"""

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped]

from somnisphere.sleep.model import DILATIONS, HIDDEN, TAPS

Weights = NDArray[np.float32]
Parameters = dict[str, Any]

STEPS = 300
CROPS = 12
CROP_EPOCHS = 500
"""Each step looks at this many stretches of this many epochs; a shorter night is filled up with unlabelled epochs."""
FROM_THE_START = 0.25
"""Share of stretches that begin where the night begins, so that beginnings are learned as well."""
PEAK_RATE = 4e-3
DECAY = 0.05
DROPPED = 0.3
NOISE = 0.1
"""Standard deviation of what is added to each standard score."""
SMOOTHED = 0.05
"""Share of each label spread over all stages: people who score disagree about one epoch in five."""


def fit_network(nights: Sequence[tuple[Weights, NDArray[np.int64]]], seed: int, *, ahead: bool) -> dict[str, Weights]:
    """The weights of one network from standard scores (n, F) and labels (n,), -1 not counted, of several nights.

    Keys ``entry`` (F, H), ``entry_bias`` (H,), ``mix`` (L, 3, H, H), ``mix_bias`` (L, H), ``output`` (H, 4),
    ``output_bias`` (4,).
    """
    length = max(CROP_EPOCHS, max(len(stage) for _, stage in nights))
    scores = np.zeros((len(nights), length, nights[0][0].shape[1]), dtype=np.float32)
    stages = np.full((len(nights), length), -1, dtype=np.int32)
    for row, (night, stage) in enumerate(nights):
        scores[row, : len(stage)], stages[row, : len(stage)] = night, stage
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(nights), (STEPS, CROPS))
    room = np.array([max(len(stage) - CROP_EPOCHS, 0) for _, stage in nights])[chosen]
    begins = (rng.random((STEPS, CROPS)) * room * (rng.random((STEPS, CROPS)) >= FROM_THE_START)).astype(np.int32)
    fitted = _train(begin(scores.shape[2], rng), scores, stages, chosen, begins, jax.random.key(seed), ahead=ahead)
    return {name: np.asarray(value) for name, value in fitted.items()}


def begin(features: int, rng: np.random.Generator) -> Parameters:
    """What a network begins as: uniform within 1 / sqrt(number of inputs), the usual beginning of rectifiers."""

    def drawn(*shape: int, inputs: int) -> Weights:
        bound = inputs**-0.5
        return rng.uniform(-bound, bound, shape).astype(np.float32)

    layers, taps = len(DILATIONS), len(TAPS)
    return {
        "entry": drawn(features, HIDDEN, inputs=features),
        "entry_bias": drawn(HIDDEN, inputs=features),
        "mix": drawn(layers, taps, HIDDEN, HIDDEN, inputs=taps * HIDDEN),
        "mix_bias": drawn(layers, HIDDEN, inputs=taps * HIDDEN),
        "output": drawn(HIDDEN, 4, inputs=HIDDEN),
        "output_bias": drawn(4, inputs=HIDDEN),
    }


def _keep(values: Any, key: Any) -> Any:
    """Drop a share of values, so that none is relied on."""
    return jnp.where(jax.random.bernoulli(key, 1.0 - DROPPED, values.shape), values / (1.0 - DROPPED), 0.0)


def logits(weights: Parameters, scores: Any, key: Any, *, ahead: bool) -> Any:
    """(B, n, F) -> (B, n, 4), as ``Network.members`` computes it, with dropping."""
    keys = jax.random.split(key, len(DILATIONS) + 2)
    state = _keep(jax.nn.relu(_keep(scores, keys[0]) @ weights["entry"] + weights["entry_bias"]), keys[1])
    length = scores.shape[1]
    for layer, dilation in enumerate(DILATIONS):
        lead = dilation if ahead else 2 * dilation
        padded = jnp.pad(state, ((0, 0), (lead, 2 * dilation - lead), (0, 0)))
        mixed = weights["mix_bias"][layer]
        for tap in TAPS:
            mixed = mixed + padded[:, tap * dilation : tap * dilation + length] @ weights["mix"][layer, tap]
        state = state + _keep(jax.nn.relu(mixed), keys[layer + 2])
    return state @ weights["output"] + weights["output_bias"]


@partial(jax.jit, static_argnames="ahead")
def _train(
    weights: Parameters, scores: Any, stages: Any, chosen: Any, begins: Any, key: Any, *, ahead: bool
) -> Parameters:
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.adamw(optax.cosine_onecycle_schedule(STEPS, PEAK_RATE), weight_decay=DECAY),
    )

    def loss(weights: Parameters, scores: Any, stages: Any, key: Any) -> Any:
        noisy, dropping = jax.random.split(key)
        seen = scores + NOISE * jax.random.normal(noisy, scores.shape)
        logs = jax.nn.log_softmax(logits(weights, seen, dropping, ahead=ahead))
        wanted = jax.nn.one_hot(stages, 4) * (1.0 - SMOOTHED) + SMOOTHED / 4.0
        counted = stages >= 0
        return -((logs * wanted).sum(axis=-1) * counted).sum() / jnp.maximum(counted.sum(), 1)

    def cut(night: Any, begin: Any) -> tuple[Any, Any]:
        return (
            jax.lax.dynamic_slice(scores, (night, begin, 0), (1, CROP_EPOCHS, scores.shape[2]))[0],
            jax.lax.dynamic_slice(stages, (night, begin), (1, CROP_EPOCHS))[0],
        )

    def step(carried: Any, drawn: Any) -> tuple[Any, None]:
        weights, state, key = carried
        key, used = jax.random.split(key)
        crops, labels = jax.vmap(cut)(*drawn)
        slope = jax.grad(loss)(weights, crops, labels, used)
        change, state = optimizer.update(slope, state, weights)
        return (optax.apply_updates(weights, change), state, key), None

    (weights, _, _), _ = jax.lax.scan(step, (weights, optimizer.init(weights), key), (chosen, begins))
    return weights
