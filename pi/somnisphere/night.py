"""The vocabulary of a night: beats, epochs, stages. Frozen; a unit in every numeric name; None means *not known*."""

from dataclasses import dataclass
from enum import StrEnum

EPOCH_S = 30.0
DAY_S = 86400.0
"""Length of a scoring epoch (AASM manual: sleep is staged in 30-second epochs)."""

HEART_SERIES_STEP_S = 5.0
"""Spacing of ``Epoch.heart_series_bpm``; a consumer watch reports about this often."""

COUNT_STEP_S = 15.0
"""Length of one motion count in ``Epoch.motion_counts``."""


class Stage(StrEnum):
    """What sleep is scored as: wake, N1+N2, N3, REM. An unknown stage is ``None`` with a reason, never a fifth word."""

    AWAKE = "awake"
    LIGHT = "light"
    DEEP = "deep"
    REM = "rem"


STAGES: tuple[Stage, ...] = tuple(Stage)
"""The order of every probability vector in this project."""


class Presence(StrEnum):
    """Who the light sensor sees."""

    NOBODY = "nobody"
    SOMEBODY = "somebody"  # skin, but no usable pulse
    PULSE = "pulse"
    SATURATED = "saturated"  # too much light to tell


@dataclass(frozen=True, slots=True)
class Beat:
    """One heartbeat seen in the pulse wave. ``ibi_s`` is None after a gap or a doubtful beat (an interval across a gap
    is not an interval). ``quality`` 0..1: how sure we are that a heart beat then. ``still``: the body lay still, so the
    interval is fine enough for variability."""

    at_s: float
    ibi_s: float | None
    quality: float
    still: bool = True


@dataclass(frozen=True, slots=True)
class Epoch:
    """Thirty seconds of a body: ``[start_s, start_s + 30)``. Every field may be None: not known."""

    index: int
    start_s: float
    presence: Presence | None
    in_bed: bool | None
    heart_bpm: float | None
    """60 / mean inter-beat interval of the epoch's good beats."""
    heart_series_bpm: tuple[float | None, ...]
    """Six values, one each 5 s: 60 / mean interval of the 10 s ending then. The series a watch would show, which is
    what the stager learned from."""
    rmssd_ms: float | None
    """From pulse, over the last 5 minutes or fewer; not ECG."""
    beat_count: int
    pulse_quality: float
    """0..1, share of the epoch that carries a trusted pulse."""
    breath_bpm: float | None
    spo2_pct: float | None
    """Uncalibrated unless the household calibrated its unit."""
    motion_counts: tuple[float | None, ...]
    """Two values, one each 15 s, in the activity counts of Walch et al. 2019 (doi 10.1093/sleep/zsz180)."""
    rhythm: tuple[float | None, ...] | None = None
    """What the intervals between beats say, as ``sleep.rhythm.RHYTHM`` names it; None: no intervals are trusted, or
    movement is known and nobody asks."""


def unknown_epoch(index: int, first_s: float) -> Epoch:
    """An epoch of which nothing is known. ``first_s``: start of the night's epoch 0."""
    return Epoch(
        index=index,
        start_s=first_s + index * EPOCH_S,
        presence=None,
        in_bed=None,
        heart_bpm=None,
        heart_series_bpm=(None,) * round(EPOCH_S / HEART_SERIES_STEP_S),
        rmssd_ms=None,
        beat_count=0,
        pulse_quality=0.0,
        breath_bpm=None,
        spo2_pct=None,
        motion_counts=(None, None),
    )


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """What the stager thinks of one epoch. ``probabilities`` follow ``STAGES`` and sum to 1. ``stage`` None: it does
    not know, and ``reason`` says why in words for a person; beside a stage, what to bear in mind about it."""

    index: int
    start_s: float
    stage: Stage | None
    probabilities: tuple[float, float, float, float] | None
    reason: str = ""
    drowsiness: float | None = None
    """Live only: the slow probability that sleep has come, which a fade can follow; None: not known."""

    @property
    def sleep_probability(self) -> float | None:
        """P(not awake), or None when nothing is known."""
        return None if self.probabilities is None else 1.0 - self.probabilities[0]

    @property
    def likelihood_of_sleep(self) -> float | None:
        """What a fade follows: drowsiness where it is known, else ``sleep_probability``."""
        return self.sleep_probability if self.drowsiness is None else self.drowsiness


@dataclass(frozen=True, slots=True)
class NightTimes:
    """When things happened in one night, Unix seconds; None means not known or not yet."""

    night_id: str
    in_bed_s: float | None = None
    fell_asleep_s: float | None = None
    woke_up_s: float | None = None
    left_bed_s: float | None = None
