"""Thirty seconds of a body, put together from what each sense knows by then."""

import numpy as np

from somnisphere.night import COUNT_STEP_S, EPOCH_S, HEART_SERIES_STEP_S, Epoch, Presence
from somnisphere.sleep.heart import Heart
from somnisphere.sleep.motion import Motion
from somnisphere.sleep.rhythm import RHYTHM_S, rhythm

HEART_WINDOW_S = 10.0
SERIES = round(EPOCH_S / HEART_SERIES_STEP_S)
COUNTS = round(EPOCH_S / COUNT_STEP_S)


def make_epoch(
    index: int,
    start_s: float,
    heart: Heart,
    motion: Motion,
    *,
    breath_bpm: float | None,
    spo2_pct: float | None,
    presence: Presence | None,
    in_bed: bool | None,
) -> Epoch:
    """Epoch ``index`` of ``[start_s, start_s + 30)``; motion counts in steps of 15 s from the night's start."""
    end_s = start_s + EPOCH_S
    beats = heart.within(start_s, end_s)
    trusted = any(beat.ibi_s is not None for beat in beats)
    series = tuple(
        heart.rate_bpm(at_s - HEART_WINDOW_S, at_s)
        for at_s in (start_s + HEART_SERIES_STEP_S * k for k in range(1, SERIES + 1))
    )
    counts = tuple(motion.count(index * COUNTS + k) for k in range(COUNTS))
    return Epoch(
        index=index,
        start_s=start_s,
        presence=presence,
        in_bed=in_bed,
        heart_bpm=heart.rate_bpm(start_s, end_s),
        heart_series_bpm=series,
        rmssd_ms=heart.rmssd_ms(end_s) if trusted else None,
        beat_count=len(beats),
        pulse_quality=heart.share(start_s, end_s),
        breath_bpm=breath_bpm,
        spo2_pct=spo2_pct,
        motion_counts=counts,
        rhythm=_rhythm(heart, end_s) if all(count is None for count in counts) else None,
    )


def _rhythm(heart: Heart, end_s: float) -> tuple[float | None, ...] | None:
    """Only asked for where movement is not known: nobody listens to it otherwise (``rhythm_answer.py``)."""
    timed = [(b.at_s, b.ibi_s) for b in heart.within(end_s - RHYTHM_S, end_s) if b.still and b.ibi_s is not None]
    at_s, interval_s = np.array(timed, dtype=np.float64).reshape(-1, 2).T
    return rhythm(at_s, interval_s, end_s)
