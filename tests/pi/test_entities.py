"""What the home is told, held against what Home Assistant 2024.12 to 2026.11 accepts (read in its source and seen in
live runs) and against our own vocabulary."""

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere.bedtime.phases import Phase
from somnisphere.entities import ENTITIES, EXPIRE_S, NIGHT_ENTITY
from somnisphere.entities_evening import MOMENT_ENTITY
from somnisphere.events import MOMENTS
from somnisphere.night import STAGES, NightTimes, Presence, Stage
from somnisphere.snapshot import Health, Snapshot
from somnisphere_home.discovery import DeviceInfo, device_message
from somnisphere_home.entity import Entity
from somnisphere_home.messages import Topics
from somnisphere_home.session import HomeSession
from somnisphere_home.states import attributes_key, encode, group_values, groups

NOTHING = Snapshot(at_s=0.0, wall_s=0.0, phase=Phase.IDLE)
"""Nobody knows anything."""

FULL = Snapshot(
    at_s=5000.0,
    wall_s=1_773_520_200.0,
    phase=Phase.DRIFTING,
    night_id="2026-03-14",
    stage=Stage.LIGHT,
    probabilities=(0.1, 0.7, 0.15, 0.05),
    asleep=True,
    heart_bpm=57.4,
    rmssd_ms=41.2,
    pulse_quality=0.934,
    breath_bpm=13.6,
    spo2_pct=96.8,
    motion_count=12.0,
    presence=Presence.PULSE,
    in_bed=True,
    pulse_ok=True,
    motion_ok=True,
    story_titles=("The attic", "The boat"),
    story_title="The boat",
    story_playing=True,
    story_position_s=312.6,
    volume_pct=50.0,
    fade_min=10.0,
    lamp_lightness_pct=18.0,
    last_night=NightTimes("2026-03-14", 1.77352e9, 1.773521e9, 1.77354e9, 1.773541e9),
    health=Health(2, 30, 4, ""),
)
TOPICS = Topics("bedside")
BY_KEY = {entity.key: entity for entity in ENTITIES}

SENSOR_CLASSES = {"enum", "duration", "timestamp", "data_size"}
BINARY_CLASSES = {"occupancy", "problem"}
COMPONENT_KEYS = {
    "platform", "unique_id", "name", "default_entity_id", "object_id", "icon", "availability", "availability_mode",
    "entity_category", "enabled_by_default", "json_attributes_topic", "json_attributes_template", "qos",
}  # fmt: skip
OF_PLATFORM = {
    "update": {"state_topic", "value_template"},
    "sensor": {
        "state_topic", "value_template", "device_class", "state_class", "unit_of_measurement", "options",
        "suggested_display_precision", "expire_after",
    },
    "binary_sensor": {"state_topic", "value_template", "device_class", "payload_on", "payload_off", "expire_after"},
    "button": {"command_topic", "payload_press"},
    "select": {"state_topic", "value_template", "command_topic", "options"},
    "number": {"state_topic", "value_template", "command_topic", "unit_of_measurement", "min", "max", "step", "mode"},
    "light": {
        "state_topic", "command_topic", "schema", "brightness", "brightness_scale", "supported_color_modes",
        "transition", "flash",
    },
    "switch": {"state_topic", "value_template", "command_topic", "payload_on", "payload_off", "state_on", "state_off"},
    "event": {"state_topic", "event_types"},
    "image": {"image_topic", "content_type"},
}  # fmt: skip


def components(snapshot: Snapshot = FULL) -> dict[str, dict[str, Any]]:
    device = DeviceInfo(name="Bedside", sw_version="1")
    found: dict[str, dict[str, Any]] = json.loads(device_message(ENTITIES, snapshot, TOPICS, device).payload)
    return found["components"]


ENTITY_COMPONENTS = {key: c for key, c in components().items() if c["platform"] != "device_automation"}


def payloads(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    return {
        TOPICS.state(group): json.loads(encode(group_values(members, snapshot)))
        for group, members in groups(ENTITIES).items()
    }


# ---- names -----------------------------------------------------------------------------------------------------------


def test_no_two_entities_share_a_name_or_an_id() -> None:
    for names in (
        [entity.key for entity in ENTITIES],
        [entity.name for entity in ENTITIES],
        [entity.default_id("bedside") for entity in ENTITIES],
        [component["unique_id"] for component in ENTITY_COMPONENTS.values()],
    ):
        assert len(names) == len(set(names))


def test_no_topic_has_two_meanings() -> None:
    """A group named like a part or an event would put two things on one topic."""
    said = {TOPICS.state(entity.group) for entity in ENTITIES if entity.group}
    said |= {TOPICS.status, *(TOPICS.part_status(part) for entity in ENTITIES for part in entity.parts)}
    said |= {TOPICS.image(NIGHT_ENTITY), TOPICS.event(MOMENT_ENTITY), TOPICS.trigger(MOMENT_ENTITY)}
    taken = {TOPICS.command(entity.key) for entity in ENTITIES if entity.command}
    groups_and_parts = [e.group for e in ENTITIES if e.group] + [p for e in ENTITIES for p in e.parts]
    assert not said & taken
    assert not set(groups_and_parts) & {"status", "doctor"}


def test_everything_the_home_should_have_is_there() -> None:
    assert {
        "sleep_stage", "heart_rate", "breathing_rate", "oxygen", "movement", "signal_quality", "in_bed", "asleep",
        "phase", "story", "story_position", "lamp", "begin", "stop", "one_more_page", "volume", "fade_time",
        "sleep_moment", "night", "sensor_problem", "went_to_bed", "fell_asleep", "woke_up", "left_bed",
    } <= BY_KEY.keys()  # fmt: skip


# ---- our own vocabulary ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "field", "words"),
    [("phase", "phase", list(Phase)), ("sleep_stage", "stage", list(Stage)), ("worn", "presence", list(Presence))],
)
def test_every_word_of_an_enum_is_an_option_and_arrives(key: str, field: str, words: list[Any]) -> None:
    """A word that is no option leaves the last one on the home's screen."""
    assert set(components()[key]["options"]) == {word.value for word in words}
    for word in words:
        snapshot = replace(FULL, **{field: word})
        assert payloads(snapshot)[TOPICS.state(BY_KEY[key].group)][key] == word.value


def test_every_moment_is_an_event_and_a_trigger() -> None:
    found = components()
    assert tuple(found[MOMENT_ENTITY]["event_types"]) == MOMENTS
    triggers = [c for c in found.values() if c["platform"] == "device_automation"]
    assert [trigger["payload"] for trigger in triggers] == list(MOMENTS)
    assert len({(trigger["type"], trigger["subtype"]) for trigger in triggers}) == len(MOMENTS)


def test_nothing_known_is_null_everywhere_and_never_an_invented_word() -> None:
    said = payloads(NOTHING)
    for entity in ENTITIES:
        if entity.expire_after_s is not None:  # all that is live
            value = said[TOPICS.state(entity.group)][entity.key]
            assert value is None, entity.key
    for key in ("went_to_bed", "fell_asleep", "woke_up", "left_bed", "story", "story_playing", "story_position"):
        assert said[TOPICS.state(BY_KEY[key].group)][key] is None
    assert said[TOPICS.state("lamp")] == {"state": "OFF"}


def test_a_stage_comes_with_its_chances_and_an_unknown_one_with_its_reason() -> None:
    known = payloads(FULL)[TOPICS.state("stage")][attributes_key("sleep_stage")]
    assert known["confidence"] == 0.7
    assert list(known["probabilities"]) == [stage.value for stage in STAGES]
    unknown = replace(FULL, stage=None, probabilities=None, stage_reason="nobody in bed")
    said = payloads(unknown)[TOPICS.state("stage")][attributes_key("sleep_stage")]
    assert said == {"reason": "nobody in bed", "confidence": None, "probabilities": None}


def test_times_carry_their_zone() -> None:
    night = payloads(FULL)[TOPICS.state("night")]
    assert len(night) == 4
    for moment in night.values():
        assert datetime.fromisoformat(moment).tzinfo is not None


# ---- Home Assistant --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("snapshot", [NOTHING, FULL], ids=["nothing", "full"])
@pytest.mark.parametrize("key", ENTITY_COMPONENTS)
def test_what_a_template_reads_is_always_there(key: str, snapshot: Snapshot) -> None:
    """A template on a missing key is a warning in the home's log."""
    component, said = components(snapshot)[key], payloads(snapshot)
    for topic_key, template_key in (
        ("state_topic", "value_template"),
        ("json_attributes_topic", "json_attributes_template"),
    ):
        if template_key in component:
            read = re.findall(r"value_json\['(\w+)'\]", component[template_key])
            assert len(read) == 1
            assert read[0] in said[component[topic_key]]
    if component["platform"] == "light":
        assert "state" in said[component["state_topic"]]
    if "state_topic" in component and component["platform"] != "event":
        assert component["state_topic"] in said


@pytest.mark.parametrize("key", ENTITY_COMPONENTS)
def test_a_component_has_only_keys_that_its_platform_knows(key: str) -> None:
    component = ENTITY_COMPONENTS[key]
    assert set(component) <= COMPONENT_KEYS | OF_PLATFORM[component["platform"]]
    assert component["unique_id"] == f"somnisphere_bedside_{key}"
    assert component["default_entity_id"].startswith(f"{component['platform']}.")
    assert "retain" not in component, "a command is never kept"


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.key)
def test_an_entity_is_one_that_the_home_takes(entity: Entity[Snapshot]) -> None:
    if entity.platform == "sensor":
        assert entity.device_class in {None, *SENSOR_CLASSES}
        assert entity.entity_category != "config"
        if entity.device_class in ("enum", "timestamp"):
            assert (entity.unit, entity.state_class, entity.precision) == (None, None, None)
        if entity.state_class is not None:
            assert entity.precision is not None, "a number is shown as sharply as it is known"
    elif entity.platform == "binary_sensor":
        assert entity.device_class in {None, *BINARY_CLASSES}
    if entity.platform == "event":
        assert entity.device_class is None, "the classes there are for buttons and doorbells"
    assert entity.icon is None or re.fullmatch(r"mdi:[a-z-]+", entity.icon)
    assert entity.device_class or entity.icon, "something to be known by"
    assert len(entity.name) <= 20
    assert not entity.name.lower().startswith("bedside"), "the home puts the device's name before it"


def test_what_is_live_expires_and_what_was_does_not() -> None:
    live = {e.key for e in ENTITIES if e.parts == ("sensor",)}
    assert {e.key for e in ENTITIES if e.expire_after_s is not None} == live
    assert {BY_KEY[key].expire_after_s for key in live} == {EXPIRE_S}
    assert EXPIRE_S >= 2 * 300, "twice the heartbeat"


def test_a_part_that_fails_takes_only_its_own_along() -> None:
    assert {part for entity in ENTITIES for part in entity.parts} == {"sensor", "player"}
    for key in ("lamp", "begin", "stop", "phase", "story", "volume", "night", "went_to_bed", "sensor_problem"):
        assert BY_KEY[key].parts == (), f"{key} works without sensor and player"


def test_a_session_takes_the_whole_tuple() -> None:
    session = HomeSession(ENTITIES, TOPICS, DeviceInfo(name="Bedside", sw_version="1"))
    messages = session.connected(FULL, 0.0)
    assert {m.topic for m in messages} >= {TOPICS.state(group) for group in groups(ENTITIES)}
    assert all(m.retain for m in messages)
    assert all(len(m.payload) < 40_000 for m in messages)


def test_only_the_story_depends_on_the_household() -> None:
    assert [e.key for e in ENTITIES if callable(e.options)] == ["listener", "story"]
    assert components(NOTHING)["story"]["options"] == []
    assert components(FULL)["story"]["options"] == ["The attic", "The boat"]


@given(
    numbers=st.tuples(*[st.one_of(st.none(), st.floats())] * 4),
    lamp_pct=st.floats(0, 100),
    title=st.text(max_size=400),
)
def test_no_number_and_no_title_breaks_a_message(
    numbers: tuple[float | None, ...], lamp_pct: float, title: str
) -> None:
    heart_bpm, quality, breath_bpm, spo2_pct = numbers
    snapshot = replace(
        FULL,
        heart_bpm=heart_bpm,
        pulse_quality=quality,
        breath_bpm=breath_bpm,
        spo2_pct=spo2_pct,
        lamp_lightness_pct=lamp_pct,
        story_titles=(title,),
        story_title=title,
    )

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    for members in groups(ENTITIES).values():
        json.loads(encode(group_values(members, snapshot)), parse_constant=refuse)
