"""How a night's epochs, answers and times are written as text in the journal's rows, and read back."""

import json
from dataclasses import asdict
from typing import Any

from somnisphere.night import Epoch, NightTimes, Presence, Stage, StageEstimate

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


def read_epoch(number: int, start_s: float, body: str) -> Epoch:
    plain = json.loads(body)
    for name in ("heart_series_bpm", "motion_counts", "rhythm"):
        if plain.get(name) is not None:  # an older version kept no rhythm
            plain[name] = tuple(plain[name])
    plain["presence"] = None if plain["presence"] is None else Presence(plain["presence"])
    return Epoch(index=number, start_s=start_s, **plain)


def read_times(night_id: str, times: str) -> NightTimes:
    return NightTimes(**(json.loads(times) | {"night_id": night_id}))


def answer_row(estimate: StageEstimate) -> str:
    return json.dumps([estimate.stage, _short(estimate.probabilities), estimate.reason], separators=(",", ":"))


def read_estimate(number: int, start_s: float, answer: str) -> StageEstimate:
    stage, probabilities, reason = json.loads(answer)
    return StageEstimate(
        index=number,
        start_s=start_s,
        stage=None if stage is None else Stage(stage),
        probabilities=None if probabilities is None else tuple(probabilities),
        reason=reason,
    )
