"""The facts of a staged night, and for each the range that is meant to hold the truth on four nights of five.

Ranges come from hypnograms that might have been: each epoch's stage is drawn with the probabilities it was given, the
draws of neighbours hanging together, because a stager that errs errs for minutes on end and, a little, all night long.
How they hang together (``TOGETHER_EPOCHS``, ``ALL_NIGHT``) was chosen so that the ranges hold on nights the stager had
not learned from; ``tests/bench/staging.py`` prints how often they do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from somnisphere.night import EPOCH_S, STAGES, Stage, StageEstimate
from somnisphere.sleep.features import Floats
from somnisphere.sleep.grid import Flags

ONSET_WINDOW_EPOCHS = 10
ONSET_SLEEP_EPOCHS = 8
"""Sleep begins with the first sleeping epoch that opens five minutes of which at least four are asleep: a nod is not
yet sleep."""
AWAKENING_EPOCHS = 2
"""Waking of a minute or more counts as an awakening; shorter ones nobody remembers."""

TOGETHER_EPOCHS = 10
ALL_NIGHT = 0.25
"""Share of the variance of a draw that is the same for the whole night."""
DRAWS = 200
WITHIN = (10.0, 90.0)
LEAST_S = 180.0
"""A moment is never said to be known better than to three minutes either way,"""
LEAST_AWAKENINGS = 3
"""nor the number of awakenings better than this: many are shorter than what a stager can tell."""
UNKNOWN = -1
_SEED = 1
_MIN = EPOCH_S / 60.0

Stages = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class NightFacts:
    """What happened in one night. Seconds are ``Epoch.start_s`` seconds; None: it did not happen or is not known."""

    onset_s: float | None
    """Start of sleep."""
    final_waking_s: float | None
    """End of the last sleeping epoch."""
    sleep_min: float
    """Total sleep time: minutes in light, deep or REM, from onset to the final waking."""
    waso_min: float
    """Wake after sleep onset, before the final waking."""
    awakenings: int
    """Wakings of a minute or more between onset and the final waking."""
    stage_min: dict[Stage, float]
    """Minutes of each stage over the whole record."""
    unknown_min: float
    """Minutes of the record whose stage is not known."""


@dataclass(frozen=True, slots=True)
class Range:
    """Meant to hold the truth four times of five, in the unit of the fact."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class NightRanges:
    """A range for each of ``NightFacts``; None where the fact is None."""

    onset_s: Range | None
    final_waking_s: Range | None
    sleep_min: Range
    waso_min: Range
    awakenings: Range
    stage_min: dict[Stage, Range]


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """Facts of S hypnograms side by side, each (S,), in epochs; NaN: it did not happen."""

    onset: Floats
    final_waking: Floats
    sleep: Floats
    waso: Floats
    awakenings: Floats
    of_stage: tuple[Floats, ...]


def summarize(estimates: Sequence[StageEstimate]) -> NightFacts:
    """The facts of a staged night. Time between estimates that are missing counts as nothing."""
    stage = stages_of(estimates)
    found = _measure(stage[:, None])
    slept = not np.isnan(found.onset[0])
    return NightFacts(
        onset_s=estimates[int(found.onset[0])].start_s if slept else None,
        final_waking_s=estimates[int(found.final_waking[0]) - 1].start_s + EPOCH_S if slept else None,
        sleep_min=float(found.sleep[0]) * _MIN,
        waso_min=float(found.waso[0]) * _MIN,
        awakenings=int(found.awakenings[0]),
        stage_min={name: float(epochs[0]) * _MIN for name, epochs in zip(STAGES, found.of_stage, strict=True)},
        unknown_min=float((stage == UNKNOWN).sum()) * _MIN,
    )


def stages_of(estimates: Sequence[StageEstimate]) -> Stages:
    """Indices into ``STAGES``, (n,), ``UNKNOWN`` where no stage was named."""
    named = [UNKNOWN if estimate.stage is None else STAGES.index(estimate.stage) for estimate in estimates]
    return np.array(named, dtype=np.int8)


def onset_of(asleep: Flags) -> int | None:
    """Index of the epoch in which sleep began, of sleeping epochs (n,); None: it did not."""
    place = _onset(asleep[:, None])[0]
    return None if np.isnan(place) else int(place)


def ranges(estimates: Sequence[StageEstimate]) -> NightRanges:
    """How far each of ``summarize``'s facts may be off. Takes some tenths of a second and 20 MB for a night.

    Of an epoch without probabilities nothing is drawn: all that could not be told may have been anything, so it widens
    the upper end of every range of minutes.
    """
    stage = stages_of(estimates)
    shares = np.array([estimate.probabilities or (np.nan,) * len(STAGES) for estimate in estimates])
    drawn = _measure(draw_hypnograms(shares.reshape(-1, len(STAGES)), DRAWS, np.random.default_rng(_SEED)))
    facts, unknown_min = summarize(estimates), float((stage == UNKNOWN).sum()) * _MIN
    whole_min = len(stage) * _MIN

    def minutes(value: float, epochs: Floats) -> Range:
        low, high = _around(value, epochs * _MIN)
        return Range(max(low, 0.0), min(high + unknown_min, whole_min))

    def moment(at_s: float | None, epochs: Floats) -> Range | None:
        if at_s is None:
            return None
        low, high = _around(at_s, epochs * EPOCH_S)
        first_s, last_s = estimates[0].start_s, estimates[-1].start_s + EPOCH_S
        return Range(max(min(low, at_s - LEAST_S), first_s), min(max(high, at_s + LEAST_S), last_s))

    low, high = _around(float(facts.awakenings), drawn.awakenings)
    return NightRanges(
        onset_s=moment(facts.onset_s, drawn.onset),
        final_waking_s=moment(facts.final_waking_s, drawn.final_waking),
        sleep_min=minutes(facts.sleep_min, drawn.sleep),
        waso_min=minutes(facts.waso_min, drawn.waso),
        awakenings=Range(
            max(round(min(low, facts.awakenings - LEAST_AWAKENINGS)), 0),
            round(max(high, facts.awakenings + LEAST_AWAKENINGS)),
        ),
        stage_min={
            name: minutes(facts.stage_min[name], epochs) for name, epochs in zip(STAGES, drawn.of_stage, strict=True)
        },
    )


def draw_hypnograms(shares: Floats, count: int, rng: np.random.Generator) -> Stages:
    """(n, 4) probabilities, NaN not known -> (n, ``count``) stages, ``UNKNOWN`` where not known.

    The Gumbel-max trick: the largest of log p + Gumbel noise has exactly the probabilities p. The noise is Gaussian
    noise, smooth over ``TOGETHER_EPOCHS``, bent to that distribution.
    """
    n = len(shares)
    best = np.full((n, count), -np.inf)
    drawn = np.full((n, count), UNKNOWN, dtype=np.int8)
    logs = np.log(np.maximum(shares, 1e-6))
    for k in range(len(STAGES)):
        smooth = np.sqrt(1.0 - ALL_NIGHT) * _smooth_noise(n, count, rng)
        noise = smooth + np.sqrt(ALL_NIGHT) * rng.standard_normal((1, count))
        # The normal distribution by a logistic that is right to 0.0002 (Page 1977, Applied Statistics 26, 75-76).
        below = 0.5 + 0.5 * np.tanh(np.sqrt(2.0 / np.pi) * (noise + 0.044715 * noise**3))
        said = logs[:, k : k + 1] - np.log(-np.log(np.clip(below, 1e-9, 1.0 - 1e-9)))
        better = said > best
        best[better], drawn[better] = said[better], k
    return drawn


def _smooth_noise(n: int, count: int, rng: np.random.Generator) -> Floats:
    """(n, ``count``) of standard normal values whose neighbours within ``TOGETHER_EPOCHS`` are alike."""
    reach = 3 * TOGETHER_EPOCHS
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / TOGETHER_EPOCHS) ** 2)
    kernel /= np.sqrt((kernel**2).sum())
    rows = n + 2 * reach
    spectrum = np.fft.rfft(rng.standard_normal((rows, count)), axis=0) * np.fft.rfft(kernel, rows)[:, None]
    return np.asarray(np.fft.irfft(spectrum, rows, axis=0)[2 * reach :])


def _around(value: float, drawn: Floats) -> tuple[float, float]:
    """``value`` with the spread of what was drawn, which may lie elsewhere as a whole."""
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return value, value
    low, middle, high = np.percentile(known, (WITHIN[0], 50.0, WITHIN[1]))
    return value + float(low - middle), value + float(high - middle)


def _measure(stage: Stages) -> _Measured:
    """Facts of S hypnograms (n, S)."""
    n = len(stage)
    asleep, awake = stage > 0, stage == 0
    onset = _onset(asleep)
    final_waking = np.where(asleep.any(axis=0), n - asleep[::-1].argmax(axis=0), np.nan) if n else onset
    final_waking = np.where(np.isnan(onset), np.nan, final_waking)
    rows = np.arange(n)[:, None]
    within = (rows >= onset) & (rows < final_waking)  # nowhere when there is no onset: NaN compares false
    waking = awake & within
    long = waking.copy()
    for later in range(1, AWAKENING_EPOCHS):
        long[: n - later] &= waking[later:]
        long[n - later :] = False
    begins = long & ~np.concatenate([np.zeros((1, stage.shape[1]), dtype=bool), waking[:-1]])[:n]
    return _Measured(
        onset,
        final_waking,
        (asleep & within).sum(axis=0).astype(np.float64),
        waking.sum(axis=0).astype(np.float64),
        begins.sum(axis=0).astype(np.float64),
        tuple((stage == k).sum(axis=0).astype(np.float64) for k in range(len(STAGES))),
    )


def _onset(asleep: NDArray[np.bool_]) -> Floats:
    """Place of the onset in each column of (n, S), (S,); NaN: none."""
    n, count = asleep.shape
    padded = np.concatenate([np.zeros((1, count)), asleep, np.zeros((ONSET_WINDOW_EPOCHS, count))]).cumsum(axis=0)
    opens = asleep & (padded[ONSET_WINDOW_EPOCHS : ONSET_WINDOW_EPOCHS + n] - padded[:n] >= ONSET_SLEEP_EPOCHS)
    return np.where(opens.any(axis=0), opens.argmax(axis=0), np.nan) if n else np.full(count, np.nan)
