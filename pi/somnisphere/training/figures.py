"""Figures of merit of staging, from arrays. Stages are indices into ``STAGES``: 0 awake, 1 light, 2 deep, 3 REM."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]


def kappa(truth: Labels, said: Labels) -> float:
    """Cohen's kappa: agreement beyond chance, 1 is perfect, 0 is chance (and 0 where all is one class)."""
    if len(truth) == 0:
        return 0.0
    classes = int(max(truth.max(), said.max())) + 1
    table = np.zeros((classes, classes))
    np.add.at(table, (truth, said), 1.0)
    table /= table.sum()
    chance = float(table.sum(axis=0) @ table.sum(axis=1))
    return 0.0 if chance >= 1.0 else (float(np.trace(table)) - chance) / (1.0 - chance)


def wake_nrem_rem(stage: Labels) -> Labels:
    """Four stages -> 0 wake, 1 NREM, 2 REM."""
    return np.asarray(np.array([0, 1, 1, 2])[stage])


def asleep(stage: Labels) -> Labels:
    """Four stages -> 0 wake, 1 sleep."""
    return (stage > 0).astype(np.int64)


def specificity_at(truth_asleep: Labels, sleep_probability: NDArray[np.float64], sensitivity: float) -> float:
    """Share of wake epochs found at the threshold where ``sensitivity`` of the sleep epochs are."""
    if not truth_asleep.any() or truth_asleep.all():
        return float("nan")
    threshold = np.quantile(sleep_probability[truth_asleep == 1], 1.0 - sensitivity)
    return float((sleep_probability[truth_asleep == 0] < threshold).mean())


def calibration_error(truth: Labels, probabilities: NDArray[np.float64], bins: int = 15) -> float:
    """Expected calibration error: mean distance of confidence and accuracy over equal-width bins, weighted by size."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = [abs(float(confidence[place == b].sum() - right[place == b].sum())) for b in range(bins)]
    return sum(gaps) / len(truth)


def bootstrap_interval(
    subjects: int, figure: Callable[[Labels], float], seed: int = 0, draws: int = 300
) -> tuple[float, float]:
    """95 % interval of a figure of the chosen subjects (indices), resampling subjects."""
    rng = np.random.default_rng(seed)
    drawn = [figure(rng.integers(0, subjects, subjects)) for _ in range(draws)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
