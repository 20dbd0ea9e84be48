"""Names in a second language: one for every entity, none twice, and nothing but the name changes."""

from dataclasses import replace
from pathlib import Path

from tests.box import box

from somnisphere.assemble import home_session
from somnisphere.config import Config
from somnisphere.config_keys import Box, Mqtt, Sleeper
from somnisphere.entities import ENTITIES
from somnisphere.entity_names import GERMAN, is_the_sleepers, named


def test_every_entity_has_a_german_name_of_its_own() -> None:
    assert set(GERMAN) == {entity.key for entity in ENTITIES}
    assert len(set(GERMAN.values())) == len(GERMAN)
    assert all(0 < len(name) <= 24 for name in GERMAN.values())


def test_nothing_but_the_name_is_another() -> None:
    for entity, german in zip(ENTITIES, named(ENTITIES, "de"), strict=True):
        assert german.name == GERMAN[entity.key]
        assert replace(german, name=entity.name) == entity
    assert named(ENTITIES, "en") == list(ENTITIES)


def test_the_box_keeps_what_is_of_the_box() -> None:
    theirs = {entity.key for entity in ENTITIES if is_the_sleepers(entity.key)}
    assert {"heart_rate", "sleep_moment", "last_distress", "night"} <= theirs
    assert theirs.isdisjoint({"lamp", "story", "volume", "sensing", "last_published", "update", "sensor_problem"})


def test_the_configuration_decides(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        snapshot = it.daemon.snapshot()
    lila = Config(box=Box(language="de"), sleeper=Sleeper(name="Lila"))
    texts = [m.payload.decode() for m in home_session(lila).connected(snapshot, 0.0) if m.topic.endswith("/config")]
    assert len(texts) == 2
    assert '"name": "Puls"' in texts[1]
    assert '"name": "Lila"' in texts[1]
    silent = home_session(Config(mqtt=Mqtt(discovery="off"))).connected(snapshot, 0.0)
    assert [m for m in silent if m.topic.endswith("/config")] == []
