"""How a night's epochs, answers and times are written as text in the journal's rows, and read back.

What a disk made of a row is not believed: a half minute whose row makes no sense is unknown, and says so. A number that
is another one now cannot be told from a true one.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from math import isfinite
from operator import itemgetter
from typing import Any, TypeGuard

import msgspec

from somnisphere.night import EPOCH_S, Epoch, NightTimes, Stage, StageEstimate, unknown_epoch

UNREADABLE = "what the journal kept of it cannot be read"
_Answer = tuple[Stage | None, tuple[float, float, float, float] | None, str]
_NOT_OURS = (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError)

DECIMALS = 5
"""Far finer than anything here is known; more would only fill the SD card."""


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    return [_short(one) for one in value] if isinstance(value, tuple) else value


def body_row(epoch: Epoch) -> str:
    plain = asdict(epoch)
    del plain["index"], plain["start_s"]
    return json.dumps({name: _short(value) for name, value in plain.items()}, separators=(",", ":"))


def read_epoch(number: int, start_s: float, body: Any) -> Epoch | None:
    """None: it cannot be read. An older version kept no rhythm."""
    like = unknown_epoch(number, 0.0)
    try:
        plain = msgspec.json.decode(body)
        epoch = msgspec.convert(plain | {"index": number, "start_s": start_s}, Epoch)
    except _NOT_OURS:
        return None
    series = ((epoch.heart_series_bpm, like.heart_series_bpm), (epoch.motion_counts, like.motion_counts))
    return epoch if all(len(found) == len(wanted) for found, wanted in series) else None


def read_times(night_id: str, times: Any) -> NightTimes:
    """Those that cannot be read are not known."""
    try:
        return msgspec.convert(msgspec.json.decode(times) | {"night_id": night_id}, NightTimes)
    except _NOT_OURS:
        return NightTimes(night_id)


def answer_row(estimate: StageEstimate) -> str:
    return json.dumps([estimate.stage, _short(estimate.probabilities), estimate.reason], separators=(",", ":"))


def read_estimate(number: int, start_s: float, answer: Any) -> StageEstimate:
    try:
        stage, probabilities, reason = msgspec.convert(msgspec.json.decode(answer), _Answer)
    except _NOT_OURS:
        return StageEstimate(number, start_s, None, None, UNREADABLE)
    return StageEstimate(number, start_s, stage, probabilities, reason)


def read_rows(
    rows: Sequence[tuple[Any, ...]], wall_minus_at_s: float
) -> tuple[list[Epoch], list[StageEstimate], list[StageEstimate]]:
    """Epochs, the answers that hold, and the live ones, by number, of rows (number, wall_s, body, live, revised)."""
    epochs, estimates, live = list[Epoch](), list[StageEstimate](), list[StageEstimate]()
    whole = [row for row in rows if isinstance(row[0], int) and is_time(row[1])]
    for number, wall_s, body, answer, revised in sorted(whole, key=itemgetter(0)):
        start_s = wall_s - wall_minus_at_s
        epoch = read_epoch(number, start_s, body)
        epochs.append(epoch or replace(unknown_epoch(number, start_s - number * EPOCH_S), start_s=start_s))
        live.append(read_estimate(number, start_s, answer))
        estimates.append(live[-1] if revised is None else read_estimate(number, start_s, revised))
    return epochs, estimates, live


def is_time(value: object) -> TypeGuard[float]:
    """Whether this is a point in time, Unix seconds: a column holds whatever it was damaged to."""
    return isinstance(value, int | float) and isfinite(value) and 0.0 <= value < 1e11


def time_or(value: object, otherwise: float | None) -> float | None:
    return value if is_time(value) else otherwise
