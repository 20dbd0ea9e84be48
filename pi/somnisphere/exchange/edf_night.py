"""A night as the signals and annotations of an EDF+ file. Pure; ``edf.py`` writes them.

What a laboratory reads
    * Signals as the journal keeps them: heart and breathing rate and oxygen once in 30 s, movement once in 15 s. EDF
      has no word for *not known*: such a sample is -1, which none of these signals can be, the header of each signal
      says so, and annotations name the stretches. Nothing is filled in.
    * The stages as annotations in EDF+'s own words (edfplus.info/specs/edftexts.html): W, N2, N3, R, and ? where the
      box does not know. It tells light sleep from deep and does not tell N1 from N2: light sleep is written as N2,
      and the first annotation says what that means.
    * When things happened, as the journal has it. The start is local time, rounded to the second.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from somnisphere.journal import KeptNight
from somnisphere.night import COUNT_STEP_S, EPOCH_S, Epoch, Stage

T = TypeVar("T")

UNKNOWN = -1.0
DIGITAL_STEPS = 65535
MOST_EPOCHS = 6000
"""Two days: a night that is longer is none."""
STAGE_TEXTS = {
    Stage.AWAKE: "Sleep stage W",
    Stage.LIGHT: "Sleep stage N2",
    Stage.DEEP: "Sleep stage N3",
    Stage.REM: "Sleep stage R",
    None: "Sleep stage ?",
}
MEANING = (
    "Somnisphere: stages are guessed from pulse and movement by a program; no person looked at them. N2 stands for "
    "light sleep: N1 or N2, not told apart. N3 stands for deep sleep. ? is not known. Samples of -1 are not known. "
    "Not a medical device."
)


@dataclass(frozen=True, slots=True)
class Signal:
    """``samples``: physical values, ``UNKNOWN`` where none is known; ``largest``: what the file can hold."""

    label: str
    unit: str
    transducer: str
    rate_hz: float
    resolution: float
    samples: tuple[float, ...]

    @property
    def largest(self) -> float:
        return round(UNKNOWN + DIGITAL_STEPS * self.resolution, 3)


@dataclass(frozen=True, slots=True)
class Annotation:
    """``onset_s`` from the file's start; ``duration_s`` None: a moment."""

    onset_s: float
    duration_s: float | None
    text: str


@dataclass(frozen=True, slots=True)
class EdfNight:
    """``start_s``: Unix seconds."""

    night_id: str
    start_s: float
    signals: tuple[Signal, ...]
    annotations: tuple[Annotation, ...]


def edf_night(kept: KeptNight, *, oxygen: bool, utc_offset_s: float) -> EdfNight:
    """``oxygen``: this unit was calibrated, so that its numbers may be shown. Epochs must be in Unix seconds.
    ``ValueError``: the night has no half minutes, or they make no night."""
    if not kept.epochs:
        raise ValueError("nothing was recorded in it")
    first, last = kept.epochs[0], kept.epochs[-1]
    count = last.index + 1
    if not 0 < count <= MOST_EPOCHS or first.index < 0:
        raise ValueError("its half minutes are not those of one night")
    start_s = float(round(first.start_s - first.index * EPOCH_S))
    grid: list[Epoch | None] = [None] * count
    for epoch in kept.epochs:
        grid[epoch.index] = epoch
    stages: list[Stage | None] = [None] * count
    for estimate in kept.estimates:
        stages[estimate.index] = estimate.stage
    signals = tuple(_signals(grid, oxygen=oxygen))
    annotations = [
        Annotation(0.0, None, MEANING),
        Annotation(0.0, None, f"Local time is UTC{utc_offset_s / 3600.0:+g} h"),
        *(Annotation(from_s, length_s, STAGE_TEXTS[stage]) for from_s, length_s, stage in _runs(stages, EPOCH_S)),
        *_not_known(signals),
        *_moments(kept, start_s, count * EPOCH_S),
    ]
    return EdfNight(
        kept.times.night_id, start_s, signals, tuple(sorted(annotations, key=lambda one: (one.onset_s, one.text)))
    )


def _signals(grid: Sequence[Epoch | None], *, oxygen: bool) -> Iterator[Signal]:
    def once(value: Callable[[Epoch], float | None]) -> tuple[float, ...]:
        return tuple(_sample(None if epoch is None else value(epoch)) for epoch in grid)

    light = "reflected light at the bed"
    yield Signal("Heart rate", "1/min", light, 1 / EPOCH_S, 0.01, once(lambda epoch: epoch.heart_bpm))
    yield Signal("Breathing rate", "1/min", light, 1 / EPOCH_S, 0.01, once(lambda epoch: epoch.breath_bpm))
    moved = tuple(
        _sample(count) for epoch in grid for count in ((None, None) if epoch is None else epoch.motion_counts)
    )
    yield Signal("Movement", "counts", "accelerometer at the bed", 1 / COUNT_STEP_S, 0.1, moved)
    if oxygen:
        yield Signal("SpO2", "%", light, 1 / EPOCH_S, 0.01, once(lambda epoch: epoch.spo2_pct))


def _sample(value: float | None) -> float:
    return UNKNOWN if value is None or value < 0.0 else value


def _runs(values: Sequence[T], step_s: float) -> Iterator[tuple[float, float, T]]:
    at_s = 0.0
    for value, run in groupby(values):
        length_s = step_s * sum(1 for _ in run)
        yield at_s, length_s, value
        at_s += length_s


def _not_known(signals: Sequence[Signal]) -> Iterator[Annotation]:
    for signal in signals:
        for from_s, length_s, known in _runs([sample != UNKNOWN for sample in signal.samples], 1 / signal.rate_hz):
            if not known:
                yield Annotation(from_s, length_s, f"Not known: {signal.label}")
        if any(sample > signal.largest for sample in signal.samples):
            yield Annotation(0.0, None, f"{signal.label}: above {signal.largest:g} is written as {signal.largest:g}")


def _moments(kept: KeptNight, start_s: float, length_s: float) -> Iterator[Annotation]:
    times = kept.times
    said = [
        (times.in_bed_s, "Went to bed"),
        (times.fell_asleep_s, "Fell asleep, about"),
        (times.woke_up_s, "Woke up, about"),
        (times.left_bed_s, "Left the bed"),
        *((moment.wall_s, f"Said at the time: {moment.type.replace('_', ' ')}") for moment in kept.moments),
    ]
    for wall_s, text in said:
        if wall_s is not None and 0.0 <= wall_s - start_s <= length_s:
            yield Annotation(round(wall_s - start_s, 1), None, text)
