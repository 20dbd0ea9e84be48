"""Imported nights as rows beside our own: the same names, without ranges, for nobody here knows how sure they are."""

from datetime import datetime
from typing import Any

from somnisphere.exchange.imported import ImportedNight
from somnisphere.night import Stage
from somnisphere.night_export import regular

Row = dict[str, Any]


def imported_row(night: ImportedNight) -> Row:
    """What its tracker did not say is not known."""
    asleep = [night.minutes[stage] for stage in (Stage.LIGHT, Stage.DEEP, Stage.REM) if stage in night.minutes]
    return {
        "night": night.night_id,
        "in_bed": _clock(night.began_s),
        "fell_asleep": None if night.fell_asleep_s is None else _number(_clock(night.fell_asleep_s)),
        "woke_up": None if night.woke_up_s is None else _number(_clock(night.woke_up_s)),
        "left_bed": _clock(night.ended_s),
        "onset_latency_min": None,
        "total_sleep_min": _number(round(sum(asleep), 1) if asleep else None),
        "waso_min": _number(None),
        "awakenings": _number(None),
        "stage_min": {stage.value: _number(night.minutes.get(stage)) for stage in Stage},
        "recorded_min": round((night.ended_s - night.began_s) / 60.0, 1),
        "not_told_min": None,
        "regularity": {"fell_asleep": regular(None), "woke_up": regular(None)},
        "source": night.source,
    }


def _number(about: float | str | None) -> Row:
    return {"about": about, "low": None, "high": None}


def _clock(wall_s: float) -> str:
    return datetime.fromtimestamp(wall_s).astimezone().isoformat(timespec="seconds")
