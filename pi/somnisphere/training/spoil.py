"""Copies of a labelled night as a bedside would have seen it: begun earlier or later, with gaps, spikes, lost sensors.

A laboratory night starts at lights-out with an eager sensor; ours starts when somebody sits down to read. Every change
uses the night's own data and the generator it is given, so that nothing of one subject reaches another.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from somnisphere.night import EPOCH_S, STAGES
from somnisphere.sleep.features import HEARTS_PER_EPOCH, STEPS_PER_EPOCH, Floats

AWAKE = 0
UNLABELLED = -1


@dataclass(frozen=True, slots=True, eq=False)
class LabelledNight:
    """One night as arrays. ``heart_bpm``: (n, 6), ``counts``: (n, 2), NaN not known. ``stage``: (n,) index into STAGES,
    -1 not scored. ``added``: how many leading epochs of waking were put before the recording. ``beats``: (b, 2), times
    in s from the start of epoch 0 and lengths in s of the intervals between normal beats, None where none are known."""

    dataset: str
    subject: str
    heart_bpm: Floats
    counts: Floats
    stage: NDArray[np.int64]
    added: int = 0
    beats: Floats | None = None

    def __post_init__(self) -> None:
        assert self.stage.max(initial=-1) < len(STAGES)


def with_waking_before(night: LabelledNight, minutes: float, rng: np.random.Generator) -> LabelledNight:
    """Put ``minutes`` of waking before the night: pieces of its own waking, livelier, at a heart rate that settles."""
    n = round(minutes * 2)
    if n == 0:
        return night
    own = np.flatnonzero(night.stage == AWAKE)
    if len(own) < 6:
        own = np.arange(min(10, len(night.stage)))
    pieces: list[int] = []
    while len(pieces) < n:
        start = int(rng.choice(own))
        length = int(rng.integers(4, 20))
        piece = [i for i in range(start, min(start + length, len(night.stage))) if i in own]
        pieces.extend(piece[:: int(rng.choice([-1, 1]))])
    taken = np.array(pieces[:n])
    heart = night.heart_bpm[taken].copy()
    own_mean = _mean(night.heart_bpm[own])
    drop_bpm = rng.uniform(0.0, 10.0)
    settling = drop_bpm * np.linspace(1.0, 0.0, n * HEARTS_PER_EPOCH) ** rng.uniform(0.5, 2.0)
    pull = rng.uniform(0.3, 1.0)  # pieces from the small hours are slow hearts: move them towards the waking mean
    levels = np.array([_mean(night.heart_bpm[max(i - 5, 0) : i + 6]) for i in taken])
    heart += (pull * (own_mean - np.where(np.isnan(levels), own_mean, levels)))[:, None]
    heart += settling.reshape(n, HEARTS_PER_EPOCH)
    counts = night.counts[taken].copy()
    restless = rng.random(counts.shape) < rng.uniform(0.0, 0.35)
    bursts = np.exp(rng.normal(3.8, 1.1, counts.shape))
    counts = np.where(restless & ~np.isnan(counts), np.maximum(counts, bursts), counts)
    return replace(
        night,
        heart_bpm=np.concatenate([heart, night.heart_bpm]),
        counts=np.concatenate([counts, night.counts]),
        stage=np.concatenate([np.zeros(n, dtype=np.int64), night.stage]),
        added=n,
        beats=_later(night.beats, n * EPOCH_S),
    )


def begun_late(night: LabelledNight, minutes: float) -> LabelledNight:
    """Leave out the first ``minutes`` (at most half of the night)."""
    cut = min(round(minutes * 2), len(night.stage) // 2)
    return replace(
        night,
        heart_bpm=night.heart_bpm[cut:],
        counts=night.counts[cut:],
        stage=night.stage[cut:],
        added=0,
        beats=_later(night.beats, -cut * EPOCH_S),
    )


def with_random_start(night: LabelledNight, rng: np.random.Generator) -> LabelledNight:
    """0 to 90 minutes of waking before (two times in three), or 0 to 60 minutes cut off."""
    if rng.random() < 2 / 3:
        return with_waking_before(night, rng.uniform(0.0, 90.0), rng)
    return begun_late(night, rng.uniform(0.0, 60.0))


def with_gaps(night: LabelledNight, rng: np.random.Generator) -> LabelledNight:
    """About a quarter of heart rate missing in stretches of half a minute to ten, and a little motion."""
    heart, counts = night.heart_bpm.copy(), night.counts.copy()
    n = len(heart)
    while np.isnan(heart).mean() < 0.25 + np.isnan(night.heart_bpm).mean() * 0.75:
        start, length = int(rng.integers(0, n)), int(np.exp(rng.uniform(0.0, 3.0)))
        heart[start : start + length] = np.nan
        if rng.random() < 0.2:
            counts[start : start + length] = np.nan
    return replace(night, heart_bpm=heart, counts=counts, beats=_where_known(night.beats, heart))


def with_spikes(night: LabelledNight, rng: np.random.Generator) -> LabelledNight:
    """Three values in a hundred halved, doubled or far off: missed and doubled beats."""
    heart = night.heart_bpm.copy()
    hit = rng.random(heart.shape) < 0.03
    heart[hit] *= rng.choice([0.5, 0.67, 1.5, 2.0], size=int(hit.sum()))
    return replace(night, heart_bpm=heart)


def heart_once_a_minute(night: LabelledNight) -> LabelledNight:
    """Keep the first heart rate of every second epoch alone."""
    heart = np.full_like(night.heart_bpm, np.nan)
    heart[::2, 0] = night.heart_bpm[::2, 0]
    return replace(night, heart_bpm=heart, beats=None)


def every_second_minute_missing(night: LabelledNight) -> LabelledNight:
    """Both signals come and go by the minute."""
    heart, counts = night.heart_bpm.copy(), night.counts.copy()
    missing = np.arange(len(heart)) % 4 >= 2
    heart[missing], counts[missing] = np.nan, np.nan
    return replace(night, heart_bpm=heart, counts=counts, beats=_where_known(night.beats, heart))


def with_counts_times(night: LabelledNight, factor: float) -> LabelledNight:
    """A motion sensor of another sensitivity."""
    return replace(night, counts=np.floor(night.counts * factor))


def without_motion(night: LabelledNight) -> LabelledNight:
    return replace(night, counts=np.full_like(night.counts, np.nan))


def without_heart(night: LabelledNight) -> LabelledNight:
    return replace(night, heart_bpm=np.full_like(night.heart_bpm, np.nan), beats=None)


def with_other_rounding(night: LabelledNight, rng: np.random.Generator) -> LabelledNight:
    """Our own chip rounds elsewhere and jitters: up to half a bpm and a little noise before the whole-bpm rounding."""
    noise = rng.uniform(-0.5, 0.5, night.heart_bpm.shape) + rng.normal(0.0, 0.3, night.heart_bpm.shape)
    return replace(night, heart_bpm=night.heart_bpm + noise)


def training_copies(night: LabelledNight, rng: np.random.Generator) -> list[LabelledNight]:
    """The night itself and its spoiled copies, most of them with a random start.

    Of nights whose movement was never recorded there are few: they are of sick sleepers, and a bedside whose motion
    sensor is missing must not take everybody for one.
    """
    early = [with_random_start(night, rng) for _ in range(8)]
    rounded, minutely = with_other_rounding(early[0], rng), heart_once_a_minute(early[3])
    if bool(np.isnan(night.counts).all()):
        return [night, rounded, minutely]
    return [
        night,
        rounded,
        with_gaps(early[1], rng),
        with_spikes(early[2], rng),
        minutely,
        with_counts_times(early[4], float(rng.choice([1 / 3, 3.0]))),
        without_motion(early[5]),
        without_heart(early[6]),
        without_motion(night),
        without_motion(with_other_rounding(early[7], rng)),
    ]


def _later(beats: Floats | None, by_s: float) -> Floats | None:
    """The same beats on a clock that began ``by_s`` earlier; none before its zero."""
    if beats is None:
        return None
    moved = beats + np.array([by_s, 0.0])
    return np.asarray(moved[moved[:, 0] >= 0.0])


def _where_known(beats: Floats | None, heart: Floats) -> Floats | None:
    """Without those in epochs whose heart rate is gone."""
    if beats is None:
        return None
    place = np.clip((beats[:, 0] // EPOCH_S).astype(np.intp), 0, len(heart) - 1)
    known = np.asarray(~np.isnan(heart).all(axis=1))
    return np.asarray(beats[known[place]])


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


assert STEPS_PER_EPOCH == 2
