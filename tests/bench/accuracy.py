"""How right a list of heartbeats is, beside what people and an ECG found in the same recording.

The same judge for our own beats (``beats.py``) and for other people's detectors (``peers.py``). Beats match an ECG beat
within 150 ms after one constant lag per recording, for the pulse comes later than the ECG. Heart rate over 30 s, RMSSD
over 60 s, breath over 60 s; on bidmc only where its two annotators agree within 2 a minute.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from somnisphere.recordings import Recording

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
TOLERANCE_S = 0.15
HEART_WINDOW_S, RMSSD_WINDOW_S, BREATH_WINDOW_S = 30.0, 60.0, 60.0
STEP_S = 15.0
BREATH_STEP_S = 30.0
HIT_S = 0.06
"""Near enough to speak for a lag."""
BESIDE_S = 0.3
"""Beats this near a span without a reference, or near the recording's ends, are not judged."""


@dataclass
class Figures:
    """Of one recording; errors one per window that was answered, ``asked`` how many windows had a reference."""

    name: str
    moving: bool
    f1: float = float("nan")
    ibi_rmse_ms: float = float("nan")
    rmssd_ms: list[float] = field(default_factory=list)
    rmssd_asked: int = 0
    heart_bpm: list[float] = field(default_factory=list)
    heart_asked: int = 0
    breath_bpm: list[float] = field(default_factory=list)
    breath_asked: int = 0


class Rates(Protocol):
    """What a listener says of the heart and of the breath; asked in order of time. None: no answer."""

    def heart_bpm(self, from_s: float, to_s: float) -> float | None: ...

    def breath_bpm(self, at_s: float) -> float | None:
        """Over the minute that ends at ``at_s``."""
        ...


def recordings_folder() -> Path:
    """``ppg`` of the development recordings: in SOMNISPHERE_DATA, or in shared/data beside the checkout."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("SOMNISPHERE_DATA", beside)) / "ppg"


def at_rate(recording: Recording, rate_hz: float) -> Recording:
    """The recording at another rate: low-passed by a windowed sinc, then by straight lines."""
    if recording.rate_hz == rate_hz:
        return recording
    old_hz = recording.rate_hz
    time_s = np.arange(len(recording.ir)) / old_hz
    grid_s = np.arange(0, time_s[-1], 1 / rate_hz)

    def moved(y: Floats) -> Floats:
        y = np.where(np.isfinite(y), y, np.nanmedian(y))
        if old_hz > rate_hz:
            half = round(4 * old_hz / rate_hz)
            kernel = np.sinc(np.arange(-half, half + 1) * 0.9 * rate_hz / old_hz) * np.hamming(2 * half + 1)
            y = np.convolve(np.pad(y, half, mode="edge"), kernel / kernel.sum(), "valid")
        return np.asarray(np.interp(grid_s, time_s, y), dtype=np.float64)

    accel = recording.accel_g
    if accel is not None:
        accel = np.stack([moved(accel[:, axis]) for axis in range(3)], axis=1)
    return replace(
        recording,
        rate_hz=rate_hz,
        ir=moved(recording.ir),
        red=None if recording.red is None else moved(recording.red),
        accel_g=accel,
        accel_rate_hz=rate_hz,
    )


# ---- beats ----------------------------------------------------------------------------------------------------------


def matched(found_s: Floats, ecg_s: Floats) -> tuple[float, NDArray[np.intp]]:
    """The constant lag, and for each found beat the ECG beat it is, or -1."""
    best, lag_s = -1, 0.0
    for guess_s in np.arange(-0.2, 0.8, 0.02):
        near = np.clip(np.searchsorted(ecg_s, found_s - guess_s), 1, len(ecg_s) - 1)
        away = np.minimum(np.abs(found_s - guess_s - ecg_s[near]), np.abs(found_s - guess_s - ecg_s[near - 1]))
        if (hits := int((away < HIT_S).sum())) > best:
            best, lag_s = hits, float(guess_s)
    # The first guess with the most hits lies at the edge of what hits; the middle of the hits is the lag.
    if best > 0:
        nearest = np.argmin(np.abs(found_s[:, None] - lag_s - ecg_s), axis=1)
        off_s = found_s - lag_s - ecg_s[nearest]
        lag_s += float(np.median(off_s[np.abs(off_s) < HIT_S]))
    pairs = np.full(len(found_s), -1, dtype=np.intp)
    used: set[int] = set()
    for k, at_s in enumerate((found_s - lag_s).tolist()):
        place = int(np.argmin(np.abs(ecg_s - at_s)))
        if abs(ecg_s[place] - at_s) <= TOLERANCE_S and place not in used:
            used.add(place)
            pairs[k] = place
    return lag_s, pairs


def in_spans(times_s: Floats, spans_s: Floats) -> Flags:
    inside = np.zeros(len(times_s), dtype=bool)
    for begin_s, end_s in spans_s:
        inside |= (times_s >= begin_s - BESIDE_S) & (times_s <= end_s + BESIDE_S)
    return inside


def judge_beats(figures: Figures, found_s: Floats, ibi_s: Floats, recording: Recording) -> tuple[Flags, Flags]:
    """Writes F1, interval and RMSSD errors into ``figures``.

    ``found_s`` (n,): times of beats, rising. ``ibi_s`` (n,): the interval that ends at each, NaN where none is told.
    Returns two flags per beat: whether it is right, and whether it was judged at all.
    """
    ecg_s = recording.reference["beat_times_s"]
    spans_s = recording.reference["ref_bad_spans_s"]
    lag_s, pairs = matched(found_s, ecg_s)
    due_s = ecg_s + lag_s
    skipped = in_spans(ecg_s, spans_s) | (due_s < BESIDE_S) | (due_s > recording.seconds - BESIDE_S)
    moved_s = found_s - lag_s
    aside = in_spans(moved_s, spans_s) | (moved_s < ecg_s[0] - 0.2) | (moved_s > ecg_s[-1] + 0.2)
    aside |= (pairs >= 0) & skipped[pairs]
    right = (pairs >= 0) & ~aside
    wrong = (pairs < 0) & ~aside
    missed = int((~skipped).sum()) - int(right.sum())
    figures.f1 = float(2 * right.sum() / max(1, 2 * right.sum() + wrong.sum() + missed))
    follows = right[1:] & right[:-1] & (np.diff(pairs) == 1)
    errors_s = (np.diff(found_s) - (ecg_s[pairs[1:]] - ecg_s[pairs[:-1]]))[follows]
    if len(errors_s):
        figures.ibi_rmse_ms = 1e3 * float(np.sqrt(np.mean(errors_s**2)))
    for from_s in np.arange(0, recording.seconds - RMSSD_WINDOW_S, RMSSD_WINDOW_S):
        here = (ecg_s >= from_s) & (ecg_s < from_s + RMSSD_WINDOW_S)
        intervals = np.diff(ecg_s[here])
        if len(intervals) < 20 or in_spans(ecg_s[here], spans_s).any():
            continue
        figures.rmssd_asked += 1
        steps = np.diff(ibi_s[(moved_s >= from_s) & (moved_s < from_s + RMSSD_WINDOW_S)])
        steps = steps[np.isfinite(steps)]
        if len(steps) > 15:
            true_ms = 1e3 * np.sqrt(np.mean(np.diff(intervals) ** 2))
            figures.rmssd_ms.append(abs(1e3 * float(np.sqrt(np.mean(steps**2))) - float(true_ms)))
    return right, ~aside


# ---- rates ----------------------------------------------------------------------------------------------------------


def series_mean(recording: Recording, key: str, from_s: float, to_s: float) -> float:
    times_s, values = recording.reference["ref_t_s"], recording.reference[key]
    here = values[(times_s >= from_s) & (times_s < to_s)]
    here = here[np.isfinite(here) & (here > 0)]
    return float(here.mean()) if len(here) else float("nan")


def true_heart_bpm(recording: Recording, from_s: float, to_s: float) -> float:
    """Reference heart rate; NaN where there is none."""
    reference = recording.reference
    if "ref_ecg_hr_bpm" not in reference and "beat_times_s" in reference:
        ecg_s = reference["beat_times_s"]
        ecg_s = ecg_s[(ecg_s >= from_s) & (ecg_s < to_s)]
        return 60.0 / float(np.diff(ecg_s).mean()) if len(ecg_s) > 5 else float("nan")
    return series_mean(recording, "ref_ecg_hr_bpm" if "ref_ecg_hr_bpm" in reference else "ref_hr_bpm", from_s, to_s)


def true_breath_bpm(recording: Recording, from_s: float, to_s: float) -> float:
    """Reference breathing rate; NaN where there is none or two people disagree."""
    rates: list[float] = []
    for key in ("breath_times_s", "breath_times2_s"):
        breaths_s = recording.reference.get(key, np.zeros(0))
        breaths_s = breaths_s[(breaths_s >= from_s) & (breaths_s < to_s)]
        if len(breaths_s) > 3:
            rates.append(60.0 / float(np.diff(breaths_s).mean()))
    if rates:
        return float(np.mean(rates)) if max(rates) - min(rates) <= 2 else float("nan")
    if "ref_resp_bpm" in recording.reference:
        return series_mean(recording, "ref_resp_bpm", from_s, to_s)
    return float("nan")


def judge_rates(figures: Figures, rates: Rates, recording: Recording) -> None:
    """Asks every ``STEP_S``, in order of time, and writes the errors where there is a reference."""
    for at_s in np.arange(STEP_S, recording.seconds + 0.1, STEP_S).tolist():
        if at_s >= HEART_WINDOW_S and at_s % HEART_WINDOW_S == 0:
            truth = true_heart_bpm(recording, at_s - HEART_WINDOW_S, at_s)
            if np.isfinite(truth):
                figures.heart_asked += 1
                rate = rates.heart_bpm(at_s - HEART_WINDOW_S, at_s)
                if rate is not None:
                    figures.heart_bpm.append(abs(rate - truth))
        rate = rates.breath_bpm(at_s)
        if at_s >= BREATH_WINDOW_S and at_s % BREATH_STEP_S == 0:
            truth = true_breath_bpm(recording, at_s - BREATH_WINDOW_S, at_s)
            if np.isfinite(truth):
                figures.breath_asked += 1
                if rate is not None:
                    figures.breath_bpm.append(abs(rate - truth))


# ---- together -------------------------------------------------------------------------------------------------------


def middle(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else float("nan")


def mean(values: Iterable[float]) -> float:
    """Of those that are numbers; NaN when there are none."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def calibration_error(chances: Floats, right: Flags, bins: int = 10) -> float:
    """Expected calibration error: how far a told chance (0..1) is from the share that came true, over even bins, each
    weighted by how many fall into it."""
    which = np.minimum((chances * bins).astype(int), bins - 1)
    return float(
        sum(abs(chances[which == b].mean() - right[which == b].mean()) * (which == b).mean() for b in np.unique(which))
    )
