"""Nights of the journal as rows for scripts and researchers: clock times and minutes, each with its range."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from somnisphere.journal import KeptNight
from somnisphere.night import EPOCH_S
from somnisphere.sleep.facts import Range, ranges, summarize
from somnisphere.sleep.regularity import Regularity, regularity

Row = dict[str, Any]

OWN = "somnisphere"
"""The source of what this box sensed itself; imported nights have their tracker's name there."""
RANGES = "low and high: meant to hold the truth on four nights of five; of awakenings and stages they hold on fewer"


def night_row(kept: KeptNight) -> Row:
    """One night. Its epochs must be in Unix seconds; times come out as ISO 8601 in local time."""
    facts, found = summarize(kept.estimates), ranges(kept.estimates)
    times, in_bed_s = kept.times, kept.times.in_bed_s
    asleep_s = times.fell_asleep_s if facts.onset_s is None else facts.onset_s
    awake_s = times.woke_up_s if facts.final_waking_s is None else facts.final_waking_s
    latency = None
    if in_bed_s is not None and facts.onset_s is not None and found.onset_s is not None:
        bounds = found.onset_s
        latency = _number(
            max((facts.onset_s - in_bed_s) / 60.0, 0.0),
            Range(max((bounds.low - in_bed_s) / 60.0, 0.0), max((bounds.high - in_bed_s) / 60.0, 0.0)),
        )
    return {
        "night": times.night_id,
        "in_bed": _clock(in_bed_s),
        "fell_asleep": _moment(asleep_s, found.onset_s),
        "woke_up": _moment(awake_s, found.final_waking_s),
        "left_bed": _clock(times.left_bed_s),
        "onset_latency_min": latency,
        "total_sleep_min": _number(facts.sleep_min, found.sleep_min),
        "waso_min": _number(facts.waso_min, found.waso_min),
        "awakenings": _number(facts.awakenings, found.awakenings),
        "stage_min": {
            stage.value: _number(facts.stage_min[stage], found.stage_min[stage]) for stage in facts.stage_min
        },
        "recorded_min": len(kept.epochs) * EPOCH_S / 60.0,
        "not_told_min": facts.unknown_min,
    }


def night_rows(nights: Iterable[KeptNight]) -> Iterator[Row]:
    """Nights, oldest first, each with how regular the nights up to and with it were."""
    asleep: list[float] = []
    awake: list[float] = []
    for kept in nights:
        row = night_row(kept)
        for so_far, moment in ((asleep, row["fell_asleep"]), (awake, row["woke_up"])):
            if moment is not None:
                so_far.append(clock_seconds(datetime.fromisoformat(moment["about"]).timestamp()))
        row["regularity"] = {
            "fell_asleep": regular(regularity(asleep)),
            "woke_up": regular(regularity(awake)),
        }
        yield row | {"source": OWN}


def clock_seconds(wall_s: float) -> float:
    """Seconds after local midnight of a time in Unix seconds."""
    at = datetime.fromtimestamp(wall_s).astimezone()
    return at.hour * 3600.0 + at.minute * 60.0 + at.second


def hours_and_minutes(clock_s: float) -> str:
    minutes = round(clock_s / 60.0) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def flat(row: Mapping[str, Any]) -> Row:
    """Names joined by an underscore, for CSV: ``total_sleep_min_about``, ``total_sleep_min_low``; all rows alike."""
    found: Row = {}
    for name, value in row.items():
        if name in _MAY_BE_UNKNOWN and value is None:
            value = dict.fromkeys(_BOUNDS)
        if isinstance(value, Mapping):
            found |= {f"{name}_{inner}": held for inner, held in flat(value).items()}
        else:
            found[name] = value
    return found


_BOUNDS = ("about", "low", "high")
_MAY_BE_UNKNOWN = ("fell_asleep", "woke_up", "onset_latency_min")
"""Names whose row has bounds on other nights."""


def regular(found: Regularity | None) -> Row:
    if found is None:
        return {"nights": 0, "usual": None, "spread_min": dict.fromkeys(_BOUNDS)}
    return {
        "nights": found.nights,
        "usual": hours_and_minutes(found.usual_s),
        "spread_min": _number(found.spread_min, found.spread_range_min),
    }


def _number(about: float, bounds: Range) -> Row:
    return {"about": round(about, 1), "low": round(bounds.low, 1), "high": round(bounds.high, 1)}


def _moment(at_s: float | None, bounds: Range | None) -> Row | None:
    if at_s is None:
        return None
    low, high = (None, None) if bounds is None else (bounds.low, bounds.high)
    return {"about": _clock(at_s), "low": _clock(low), "high": _clock(high)}


def _clock(wall_s: float | None) -> str | None:
    return None if wall_s is None else datetime.fromtimestamp(wall_s).astimezone().isoformat(timespec="seconds")
