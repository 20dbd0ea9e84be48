"""What the home sees: one tuple of ``Entity`` over ``Snapshot``. Discovery, states, commands and the reference table
are pure functions of it. A body is told as it is and never judged: a test reads this file for words that would.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from somnisphere.entities_box import BOX_ENTITIES, MOMENT_ENTITIES, time_of
from somnisphere.entities_evening import EVENING_ENTITIES
from somnisphere.entities_house import HOUSE_ENTITIES
from somnisphere.night import STAGES, NightTimes, Presence
from somnisphere.snapshot import Snapshot
from somnisphere_home.entity import Entity
from somnisphere_home.json_schema import NUMBER, TEXT, TRUE_FALSE, Schema, or_null, record

NIGHT_ENTITY = "night"

EXPIRE_S = 600
"""A live value that has not been said for this long reads unavailable, never old. Twice the heartbeat."""


PROBABILITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def _last(night: Snapshot, field: str) -> datetime | None:
    times: NightTimes | None = night.last_night
    return None if times is None else time_of(getattr(times, field))


def _stage_attributes(s: Snapshot) -> Mapping[str, Any]:
    if s.stage is None:
        reason = s.stage_reason if s.sensing else "sensing is switched off"
        return {"reason": reason, "confidence": None, "probabilities": None}
    return {
        "reason": s.stage_reason,
        "confidence": None if s.confidence is None else round(s.confidence, 2),
        "probabilities": None
        if s.probabilities is None
        else {stage.value: round(p, 2) for stage, p in zip(STAGES, s.probabilities, strict=True)},
    }


def _vitals_attributes(s: Snapshot) -> Mapping[str, Any]:
    return {"source": "from pulse, not ECG", "rmssd_ms": None if s.rmssd_ms is None else round(s.rmssd_ms)}


def _oxygen_note(s: Snapshot) -> str:
    calibrated = s.health.oxygen_calibrated
    return (
        f"calibrated {calibrated}; no medical device"
        if calibrated
        else "uncalibrated; follow its course, not its value"
    )


SENSOR = ("sensor",)

ENTITIES: tuple[Entity[Snapshot], ...] = (
    # ---- the body
    Entity(
        key="sleep_stage",
        platform="sensor",
        name="Sleep stage",
        group="stage",
        value=lambda s: s.stage,
        attributes=_stage_attributes,
        attribute_schema={
            "reason": {**TEXT, "description": "Why there is no stage, or what speaks for this one."},
            "confidence": or_null(PROBABILITY),
            "probabilities": or_null(record({stage.value: PROBABILITY for stage in STAGES})),
        },
        device_class="enum",
        options=tuple(stage.value for stage in STAGES),
        icon="mdi:sleep",
        expire_after_s=EXPIRE_S,
        parts=SENSOR,
    ),
    Entity(
        key="asleep",
        platform="binary_sensor",
        name="Asleep",
        group="stage",
        value=lambda s: s.asleep,
        attributes=lambda s: {"likelihood": None if s.likelihood is None else round(s.likelihood, 1)},
        attribute_schema={"likelihood": or_null({**PROBABILITY, "description": "Of sleep; what the fade follows."})},
        icon="mdi:sleep",
        expire_after_s=EXPIRE_S,
        parts=SENSOR,
    ),
    Entity(
        key="heart_rate",
        platform="sensor",
        name="Heart rate",
        group="vitals",
        value=lambda s: s.heart_bpm,
        attributes=_vitals_attributes,
        attribute_schema={"source": TEXT, "rmssd_ms": or_null({**NUMBER, "minimum": 0})},
        unit="bpm",
        state_class="measurement",
        icon="mdi:heart-pulse",
        precision=0,
        deadband=1.0,
        expire_after_s=EXPIRE_S,
        parts=SENSOR,
    ),
    Entity(
        key="breathing_rate",
        platform="sensor",
        name="Breathing rate",
        group="vitals",
        value=lambda s: s.breath_bpm,
        unit="br/min",
        state_class="measurement",
        icon="mdi:lungs",
        precision=0,
        deadband=1.0,
        expire_after_s=EXPIRE_S,
        parts=SENSOR,
    ),
    Entity(
        key="oxygen",
        platform="sensor",
        name="Oxygen",
        group="vitals",
        value=lambda s: s.spo2_pct,
        attributes=lambda s: {"calibrated": bool(s.health.oxygen_calibrated), "note": _oxygen_note(s)},
        attribute_schema={"calibrated": TRUE_FALSE, "note": TEXT},
        unit="%",
        state_class="measurement",
        icon="mdi:water-percent",
        precision=0,
        deadband=1.0,
        expire_after_s=EXPIRE_S,
        parts=SENSOR,
    ),
    Entity(
        key="movement",
        platform="sensor",
        name="Movement",
        group="vitals",
        value=lambda s: s.motion_count,
        unit="counts",
        state_class="measurement",
        icon="mdi:motion",
        precision=0,
        deadband=5.0,
        expire_after_s=EXPIRE_S,
        parts=SENSOR,
    ),
    Entity(
        key="signal_quality",
        platform="sensor",
        name="Signal quality",
        group="vitals",
        value=lambda s: s.pulse_quality,
        state_class="measurement",
        entity_category="diagnostic",
        icon="mdi:signal",
        precision=2,
        deadband=0.1,
        expire_after_s=EXPIRE_S,
        parts=SENSOR,
    ),
    Entity(
        key="in_bed",
        platform="binary_sensor",
        name="In bed",
        group="presence",
        value=lambda s: s.in_bed,
        attributes=lambda s: {"presence": None if s.presence is None else s.presence.value},
        attribute_schema={"presence": or_null({**TEXT, "enum": [presence.value for presence in Presence]})},
        device_class="occupancy",
        expire_after_s=EXPIRE_S,
        parts=SENSOR,
    ),
    Entity(
        key="worn",
        platform="sensor",
        name="Skin contact",
        group="presence",
        value=lambda s: s.presence,
        device_class="enum",
        options=tuple(presence.value for presence in Presence),
        entity_category="diagnostic",
        icon="mdi:hand-back-left",
        expire_after_s=EXPIRE_S,
        enabled_by_default=False,
        parts=SENSOR,
    ),
    *EVENING_ENTITIES,
    # ---- the night
    Entity(
        key=NIGHT_ENTITY,
        platform="image",
        name="Night",
        icon="mdi:chart-timeline",
        config={"content_type": "image/svg+xml"},
    ),
    Entity(
        key="went_to_bed",
        platform="sensor",
        name="Went to bed",
        group="night",
        value=lambda s: _last(s, "in_bed_s"),
        device_class="timestamp",
        icon="mdi:bed",
    ),
    Entity(
        key="fell_asleep",
        platform="sensor",
        name="Fell asleep",
        group="night",
        value=lambda s: _last(s, "fell_asleep_s"),
        device_class="timestamp",
        icon="mdi:sleep",
    ),
    Entity(
        key="woke_up",
        platform="sensor",
        name="Woke up",
        group="night",
        value=lambda s: _last(s, "woke_up_s"),
        device_class="timestamp",
        icon="mdi:weather-sunset-up",
    ),
    Entity(
        key="left_bed",
        platform="sensor",
        name="Left bed",
        group="night",
        value=lambda s: _last(s, "left_bed_s"),
        device_class="timestamp",
        icon="mdi:bed-empty",
    ),
    *MOMENT_ENTITIES,
    # ---- the house
    Entity(
        key="house_quiet",
        platform="binary_sensor",
        name="Somebody sleeps",
        group="house",
        value=lambda s: s.health.house_quiet,
        icon="mdi:home-sound-off-outline",
    ),
    *HOUSE_ENTITIES,
    # ---- the box
    Entity(
        key="sensor_problem",
        platform="binary_sensor",
        name="Sensor problem",
        group="health",
        value=lambda s: bool(s.sensor_problem),
        attributes=lambda s: {
            "problem": s.sensor_problem,
            "player": s.player_problem,
            "journal": s.health.journal_problem,
            "lamp": s.health.lamp_problem,
            "sensing": s.health.sensing_problem,
            "household": s.health.household_problem,
            "home": s.health.home_problem,
        },
        attribute_schema={
            part: {**TEXT, "description": "What is wrong, in words; empty when nothing is."}
            for part in ("problem", "player", "journal", "lamp", "sensing", "household", "home")
        },
        device_class="problem",
        entity_category="diagnostic",
    ),
    *BOX_ENTITIES,
)
