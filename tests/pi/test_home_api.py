"""The AsyncAPI document: as shipped it is as made now, and every message of a box is as it says."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.box import box
from tests.payloads import Payloads

from somnisphere.answers import QUESTIONS
from somnisphere.cli import main
from somnisphere.entities import ENTITIES
from somnisphere.events import MOMENTS
from somnisphere.home_api import ANSWERS, asyncapi, channels
from somnisphere.snapshot import Snapshot
from somnisphere_home.entity import Entity
from somnisphere_home.messages import Topics
from somnisphere_home.release import TOPIC as RELEASE_TOPIC
from somnisphere_home.states import attributes_key

SHIPPED = Path(__file__).resolve().parents[2] / "integrations" / "asyncapi.json"
TOPICS = Topics("bedside")


def test_the_shipped_document_is_the_one_made_now() -> None:
    """Else: somnisphere reference --asyncapi --write integrations/asyncapi.json"""
    assert json.loads(SHIPPED.read_text()) == asyncapi()


def test_it_is_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference", "--asyncapi"]) == 0
    assert json.loads(capsys.readouterr().out) == asyncapi()
    assert main(["reference", "--asyncapi", "--write", str(tmp_path / "a.json")]) == 0
    assert json.loads((tmp_path / "a.json").read_text()) == asyncapi()


def test_no_name_and_no_topic_is_there_twice_and_every_question_is_answered() -> None:
    declared = channels()
    for words in ([channel.name for channel in declared], [channel.address for channel in declared]):
        assert len(set(words)) == len(words)
    assert set(ANSWERS) == set(QUESTIONS)
    assert {channel.answered_by for channel in declared if channel.answered_by} <= {c.name for c in declared}


def test_every_command_topic_of_an_entity_is_in_it() -> None:
    payloads = Payloads()
    for entity in ENTITIES:
        if entity.command is not None:
            channel = payloads.channel(TOPICS.command(entity.key))
            assert channel is not None
            assert channel.action == "receive"


def test_all_that_a_box_says_and_answers_is_as_the_document_says(tmp_path: Path) -> None:
    payloads = Payloads()
    with box(tmp_path / "journal.db") as it:

        def ask(name: str, body: dict[str, Any]) -> None:
            payload = json.dumps(body).encode()
            assert payloads.fault(f"somnisphere/bedside/ask/{name}", payload) == ""
            it.daemon.home_said(f"somnisphere/bedside/ask/{name}", payload, retained=False, at_s=it.at_s)

        for entity in ENTITIES:
            if entity.command is not None:
                word = {"press": "PRESS", "switch": "ON", "number": "20", "choice": "?", "light": '{"state":"ON"}'}
                it.command(entity.key, word[entity.command.kind])
                it.live(1.0)
        it.command("begin")
        it.live(90.0)
        it.daemon.home_said(
            RELEASE_TOPIC, b'{"version": "99.0", "url": "https://example.org"}', retained=True, at_s=0.0
        )
        title = it.daemon.snapshot().story_titles[0]
        for name, body in (
            ("shelf", {"id": "1"}), ("cover", {"key": title}), ("play", {"title": title}), ("seek", {"position_s": 2}),
            ("nights", {}), ("night", {}), ("add_story", {"title": "A", "text": "B."}),
        ):  # fmt: skip
            ask(name, body)
        it.command("stop")
        it.live(70.0)
        ask("night", {})
        faults = {payloads.fault(m.topic, m.payload, retained=m.retain) for m in it.messages} - {""}
        assert faults == set()
        said = {channel.name for m in it.messages if (channel := payloads.channel(m.topic)) is not None}
        assert said >= {
            "status", "story", "update", "sleep_moment_event", "sleep_moment_trigger", "volume_result", "shelf",
            "ask_night_result", "story_cover_image", "discovery", "house_quiet",
        }  # fmt: skip
        nights = it.states("ask/night/result")
        assert [night["ok"] for night in nights] == [True, True]


@pytest.mark.parametrize(
    ("topic", "payload", "words"),
    [
        ("weather", b"{}", "no such topic"),
        ("status", b"here", "is not one of"),
        ("vitals", b"{}", "is a required property"),
        (
            "presence",
            b'{"in_bed": true, "worn": "pulse", "in_bed_attributes": {"presence": null}, "score": 85}',
            "score",
        ),
        ("sleep_moment/trigger", b"snored", "is not one of"),
        ("volume/result", b'{"ok": true}', "is not valid under any"),
        ("night", b'{"went_to_bed": "ten", "fell_asleep": null, "woke_up": null, "left_bed": null}', "date-time"),
    ],
)
def test_what_the_document_does_not_know_is_found(topic: str, payload: bytes, words: str) -> None:
    assert words in Payloads().fault(f"somnisphere/bedside/{topic}", payload)


@pytest.mark.parametrize(
    "entity", [each for each in ENTITIES if each.attributes is not None], ids=lambda each: each.key
)
def test_an_attribute_that_is_not_as_declared_is_found(entity: Entity[Snapshot], tmp_path: Path) -> None:
    """Planted into what a box really says: one nobody declared, one of another kind, and one that is missing."""
    payloads, topic = Payloads(), TOPICS.state(entity.group)
    with box(tmp_path / "journal.db") as it:
        said = it.states(entity.group)[-1]
    assert payloads.fault(topic, json.dumps(said).encode()) == ""
    told = said[attributes_key(entity.key)]
    assert set(told) == set(entity.attribute_schema)
    first = next(iter(told))
    missing = {name: value for name, value in told.items() if name != first}
    for planted, words in ((told | {"score": 85}, "score"), (told | {first: ["?"]}, first), (missing, "required")):
        wrong = json.dumps(said | {attributes_key(entity.key): planted}).encode()
        assert words in payloads.fault(topic, wrong)


def test_every_moment_is_in_the_document() -> None:
    payloads = Payloads()
    for moment in MOMENTS:
        assert payloads.fault("somnisphere/bedside/sleep_moment/trigger", moment.encode()) == ""


def test_a_cover_is_told_in_base64() -> None:
    picture = {"content_type": "image/svg+xml", "data": base64.b64encode(b"<svg/>").decode()}
    answer = json.dumps({"ok": True, "id": None, "answer": picture}).encode()
    assert Payloads().fault("somnisphere/bedside/ask/cover/result", answer) == ""
