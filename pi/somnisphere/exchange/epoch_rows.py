"""A night half minute by half minute, as rows for scripts. None is *not known*; nothing is filled in."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from somnisphere.journal import KeptNight
from somnisphere.night import STAGES

Row = dict[str, Any]


def epoch_rows(kept: KeptNight) -> Iterator[Row]:
    """Epochs must be in Unix seconds; times come out as ISO 8601 in local time. ``stage``: the morning's answer where
    there is one, ``stage_live``: what was said at the time."""
    for epoch, estimate, live in zip(kept.epochs, kept.estimates, kept.live, strict=True):
        chances = estimate.probabilities or (None,) * len(STAGES)
        yield {
            "night": kept.times.night_id,
            "epoch": epoch.index,
            "start": datetime.fromtimestamp(epoch.start_s).astimezone().isoformat(timespec="milliseconds"),
            "presence": epoch.presence,
            "in_bed": epoch.in_bed,
            "heart_bpm": _rounded(epoch.heart_bpm, 2),
            "rmssd_ms": _rounded(epoch.rmssd_ms, 1),
            "breath_bpm": _rounded(epoch.breath_bpm, 2),
            "spo2_pct_uncalibrated_unless_configured": _rounded(epoch.spo2_pct, 1),
            "motion_counts_1": _rounded(epoch.motion_counts[0], 1),
            "motion_counts_2": _rounded(epoch.motion_counts[1], 1),
            "pulse_quality": _rounded(epoch.pulse_quality, 2),
            "stage": estimate.stage,
            "stage_live": live.stage,
            **{f"p_{stage}": _rounded(p, 4) for stage, p in zip(STAGES, chances, strict=True)},
            "reason": estimate.reason,
        }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
