"""Nights as a watch or a sleep laboratory recorded them: heart rate and motion counts, perhaps with scored stages.

Two layouts. ``.npz``: epoch k is ``[30 k, 30 k + 30)`` seconds; keys ``hr_time_s``, ``hr_bpm`` (or beat to beat:
``rr_time_s``, ``rr_s``, ``rr_normal``), ``motion_time_s``, ``motion_count`` and, where people scored the night,
``stage`` (0 wake, 1 N1, 2 N2, 3 N3, 5 REM, -1 unscored) and ``score``. ``.csv``: a header and one row per reading,
columns ``time_s`` and any of ``heart_bpm``, ``rr_s``, ``motion_count``, ``stage``; an empty cell is no reading.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from somnisphere.columns import Columns, RecordingError, read_csv, read_npz
from somnisphere.night import COUNT_STEP_S, EPOCH_S, HEART_SERIES_STEP_S, Epoch, Stage
from somnisphere.sleep.rhythm import rhythm_of

HEART_WINDOW_S = 10.0
"""Each value of ``Epoch.heart_series_bpm`` speaks of the ten seconds that end then."""

STAGE_OF_CODE = {0: Stage.AWAKE, 1: Stage.LIGHT, 2: Stage.LIGHT, 3: Stage.DEEP, 4: Stage.DEEP, 5: Stage.REM}
"""AASM (and, 4, Rechtschaffen & Kales) codes as the files hold them; any other code is unscored."""

Floats = NDArray[np.float64]

LONGEST_S = 72 * 3600.0
"""Of a night. Times since 1970, or in milliseconds, are seen by it."""


@dataclass(frozen=True, slots=True)
class NightRecording:
    """One night by epochs. ``reference`` and ``score`` have one entry per epoch: what people scored (None: nothing)
    and whether the epoch is to be counted when a stager is judged."""

    dataset: str
    subject: str
    epochs: list[Epoch]
    reference: tuple[Stage | None, ...]
    score: tuple[bool, ...]
    beats: Floats | None = None
    """(b, 2): times in s from the start of epoch 0 and lengths in s of trusted intervals; None: averages alone."""


def read_night(path: Path) -> NightRecording:
    """Read a night's ``.npz`` or ``.csv``. Raises ``RecordingError`` naming what is wrong and how to mend it."""
    path = Path(path)
    if path.name.endswith((".csv", ".csv.gz")):
        return _from_csv(path)
    return _from_npz(path)


def _from_npz(path: Path) -> NightRecording:
    columns = read_npz(path)
    if "hr_time_s" not in columns and "rr_time_s" not in columns:
        raise RecordingError(
            path, "it holds neither 'hr_time_s' nor 'rr_time_s'", "A night needs a heart rate; see pi/README.md."
        )
    beats = "rr_s" in columns
    time_s, value = _pair(path, columns, "rr_time_s", "rr_s") if beats else _pair(path, columns, "hr_time_s", "hr_bpm")
    if beats and "rr_normal" in columns:
        normal = _one_each(path, columns, "rr_normal", len(time_s)).astype(bool)
        time_s, value = time_s[normal], value[normal]
    time_s, value = _in_order(time_s, value)
    motion_s, motion = _in_order(*_pair(path, columns, "motion_time_s", "motion_count"))
    codes = _codes(path, columns) if "stage" in columns else []
    ends = (np.array([len(codes) * EPOCH_S]),) if codes else (time_s, motion_s + COUNT_STEP_S)
    count = _epochs_until(path, *ends)
    reference = tuple(STAGE_OF_CODE.get(code) for code in codes) or (None,) * count
    flags = [stage is not None for stage in reference]
    if "score" in columns:
        flags = _one_each(path, columns, "score", count).astype(bool).tolist()
    return NightRecording(
        dataset=str(columns.get("dataset", path.parent.name)),
        subject=str(columns.get("subject", path.stem)),
        epochs=epochs_of_readings(count, time_s, value, beats, motion_s, motion),
        reference=reference,
        score=tuple(flags),
        beats=np.stack([time_s, value], axis=1) if beats else None,
    )


def _from_csv(path: Path) -> NightRecording:
    columns = read_csv(path, ("time_s", "heart_bpm", "rr_s", "motion_count", "stage"), needed=("time_s",))
    nothing = np.zeros(0)
    beats = "rr_s" in columns
    time_s, value = _readings(columns, "rr_s" if beats else "heart_bpm")
    motion_s, motion = _readings(columns, "motion_count")
    if len(time_s) == 0 and len(motion_s) == 0:
        raise RecordingError(
            path, "it holds no heart rate and no motion", "Give it a column 'heart_bpm', 'rr_s' or 'motion_count'."
        )
    stage_s, codes = _readings(columns, "stage") if "stage" in columns else (nothing, nothing)
    count = _epochs_until(path, time_s, motion_s + COUNT_STEP_S, stage_s + EPOCH_S)
    reference: list[Stage | None] = [None] * count
    for at_s, code in zip(stage_s, codes, strict=True):
        if at_s >= 0:
            reference[int(at_s // EPOCH_S)] = STAGE_OF_CODE.get(int(code))
    return NightRecording(
        dataset="csv",
        subject=path.name.removesuffix(".gz").removesuffix(".csv"),
        epochs=epochs_of_readings(count, time_s, value, beats, motion_s, motion),
        reference=tuple(reference),
        score=tuple(stage is not None for stage in reference),
        beats=np.stack([time_s, value], axis=1) if beats else None,
    )


def _readings(columns: Columns, name: str) -> tuple[Floats, Floats]:
    if name not in columns:
        return np.zeros(0), np.zeros(0)
    return _in_order(columns["time_s"], columns[name])


def _in_order(time_s: Floats, value: Floats) -> tuple[Floats, Floats]:
    """By time, without what has none."""
    there = np.isfinite(time_s) & np.isfinite(value)
    order = np.argsort(time_s[there], kind="stable")
    return time_s[there][order], value[there][order]


def _pair(path: Path, columns: Columns, time_key: str, value_key: str) -> tuple[Floats, Floats]:
    time_s, value = columns.get(time_key, np.zeros(0)), columns.get(value_key, np.zeros(0))
    numbers = time_s.dtype.kind in "iufb" and value.dtype.kind in "iufb"
    if time_s.ndim != 1 or time_s.shape != value.shape or not numbers:
        raise RecordingError(
            path,
            f"{time_key!r} has shape {time_s.shape} and {value_key!r} {value.shape}",
            "Both need one entry per reading, and numbers.",
        )
    return time_s.astype(np.float64), value.astype(np.float64)


def _one_each(path: Path, columns: Columns, key: str, count: int) -> NDArray[Any]:
    values = columns[key]
    if values.shape != (count,) or values.dtype.kind not in "iufb":
        raise RecordingError(path, f"{key!r} has shape {values.shape}", f"It needs {count} numbers, one for each.")
    return values


def _codes(path: Path, columns: Columns) -> list[int]:
    codes = columns["stage"]
    if codes.ndim != 1 or codes.dtype.kind not in "iufb":
        raise RecordingError(path, f"'stage' has shape {codes.shape}", "It needs one code of a stage for each epoch.")
    known = np.isfinite(codes) & (np.abs(codes) < 100)
    return [int(code) if is_known else -1 for code, is_known in zip(codes.tolist(), known.tolist(), strict=True)]


def _epochs_until(path: Path, *times: Floats) -> int:
    last_s = max((float(time_s.max()) for time_s in times if len(time_s)), default=0.0)
    if last_s > LONGEST_S:
        raise RecordingError(
            path,
            f"it goes on for {last_s / 3600:.0f} hours",
            f"Times count in seconds from the night's start, to {LONGEST_S / 3600:.0f} hours at the most.",
        )
    return max(1, int(np.ceil(last_s / EPOCH_S)))


def epochs_of_readings(
    count: int, time_s: Floats, value: Floats, beats: bool, motion_s: Floats, motion: Floats
) -> list[Epoch]:
    """``count`` epochs of what a watch says, epoch 0 from time zero. ``time_s``, ``value`` (n,), in order of time:
    intervals in s when ``beats``, else heart rates in 1/min. ``motion_s``, ``motion`` (m,): counts of 15 s
    and their start.

    A heart rate outside 20..250 1/min, NaN included, is no reading.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate_bpm = 60.0 / value if beats else value
        there = (rate_bpm > 20) & (rate_bpm < 250)
    time_s, value = time_s[there], value[there]
    steps = round(EPOCH_S / HEART_SERIES_STEP_S)
    ends_s = np.arange(1, count * steps + 1) * HEART_SERIES_STEP_S
    series = _mean_rate(time_s, value, ends_s - HEART_WINDOW_S, ends_s, beats)
    starts_s = np.arange(count) * EPOCH_S
    means = _mean_rate(time_s, value, starts_s, starts_s + EPOCH_S, beats)
    seen = np.searchsorted(time_s, starts_s + EPOCH_S) - np.searchsorted(time_s, starts_s)
    counts = _counts(count, motion_s, motion)
    rhythms = [rhythm_of(time_s, value, k) if beats else None for k in range(count)]
    return [
        Epoch(
            index=k,
            start_s=float(starts_s[k]),
            presence=None,
            in_bed=None,
            heart_bpm=means[k],
            heart_series_bpm=tuple(series[k * steps : (k + 1) * steps]),
            rmssd_ms=None,
            beat_count=int(seen[k]) if beats else 0,
            pulse_quality=0.0 if means[k] is None else 1.0,
            breath_bpm=None,
            spo2_pct=None,
            motion_counts=(counts[2 * k], counts[2 * k + 1]),
            rhythm=rhythms[k],
        )
        for k in range(count)
    ]


def _mean_rate(
    time_s: Floats, value: Floats, from_s: NDArray[Any], to_s: NDArray[Any], beats: bool
) -> list[float | None]:
    """Mean heart rate of the readings in each ``(from, to]``; None where there is none."""
    sums = np.concatenate(([0.0], np.cumsum(value)))
    first = np.searchsorted(time_s, from_s, side="right")
    last = np.searchsorted(time_s, to_s, side="right")
    found = last - first
    mean = (sums[last] - sums[first]) / np.maximum(found, 1)
    return [
        None if n == 0 else float(60.0 / m if beats else m) for n, m in zip(found.tolist(), mean.tolist(), strict=True)
    ]


def _counts(count: int, motion_s: Floats, motion: Floats) -> list[float | None]:
    """One count each 15 s; a reading belongs to the 15 s it begins nearest to."""
    slots: list[float | None] = [None] * (2 * count)
    places = np.round(motion_s / COUNT_STEP_S)
    there = (places >= 0) & (places < len(slots)) & np.isfinite(motion)
    for place, value in zip(places[there].astype(int).tolist(), motion[there].tolist(), strict=True):
        slots[place] = value
    return slots
