"""What the home asks of a whole box, and the answers it gets; on a thread they are the same."""

import base64
import json
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.box import Box, box

from somnisphere.home_desk import SHELF_BYTES, SHELF_EVERY_S, HomeDesk, _shortened
from somnisphere_home.messages import Message, Reply


@pytest.fixture
def it(tmp_path: Path) -> Iterator[Box]:
    folder = tmp_path / "stories"
    folder.mkdir()
    make_wave(folder / "Attic.wav")
    make_wave(folder / "Boat.wav")
    with box(tmp_path / "journal.db", stories=folder) as made:
        yield made


def make_wave(path: Path) -> None:
    """Four hundred seconds of silence."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(1000)
        file.writeframes(bytes(400_000))


def ask(it: Box, name: str, body: dict[str, Any] | bytes = b"", reply: Reply | None = None) -> dict[str, Any]:
    """The answer, as it was published."""
    before = len(it.messages)
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    it.daemon.home_said(f"somnisphere/bedside/ask/{name}", payload, retained=False, at_s=it.at_s, reply=reply)
    it.daemon._parts.desk.wait(0.0)
    topic = f"somnisphere/bedside/ask/{name}/result" if reply is None else reply.topic
    (answer,) = [message for message in it.messages[before:] if message.topic == topic]
    assert not answer.retain
    return dict(json.loads(answer.payload))


def result(it: Box, key: str) -> dict[str, Any]:
    return dict(it.states(f"{key}/result")[-1])


def test_a_command_is_answered_when_it_was_obeyed_and_when_not(it: Box) -> None:
    it.command("volume", "20")
    assert result(it, "volume") == {"ok": True, "key": "volume"}
    it.command("volume", "loud")
    assert result(it, "volume")["ok"] is False
    assert "expected a number from 0 to 100 %" in result(it, "volume")["error"]
    it.command("moon", "PRESS")
    assert "nothing here takes commands under that name" in result(it, "moon")["error"]
    it.command("lamp", "x", retained=True)
    assert it.said("lamp/result") == [], "a retained command comes with every connection"


def test_the_shelf_is_told_when_asked_and_kept_on_the_broker(it: Box) -> None:
    answer = ask(it, "shelf", {"id": "1"})
    assert (answer["ok"], answer["id"]) == (True, "1")
    rows = answer["answer"]["stories"]
    assert [(row["key"], row["title"], row["duration_s"]) for row in rows] == [
        ("Attic.wav", "Attic", 400.0),
        ("Boat.wav", "Boat", 400.0),
    ]
    assert it.states("shelf")[-1] == {"stories": rows, "left_out": 0}


def test_the_shelf_is_said_again_when_a_bookmark_moved_but_not_each_time(it: Box) -> None:
    told = len(it.said("shelf"))
    it.command("begin")
    it.live(2 * SHELF_EVERY_S)
    it.command("stop")
    it.live(2 * SHELF_EVERY_S)
    assert told < len(it.said("shelf")) <= told + 4
    assert it.states("shelf")[-1]["stories"][0]["bookmark_s"] > 0


def test_a_story_is_played_from_a_place_and_sought(it: Box) -> None:
    assert ask(it, "seek", {"position_s": 3})["error"] == "no story is playing; play one first"
    assert ask(it, "play", {"title": "boat", "position_s": 30}) == {"ok": True, "id": None, "answer": {}}
    it.live(2.0)
    assert it.states("story")[-1]["story_playing"] == "Boat"
    assert ask(it, "seek", {"position_s": 300})["ok"]
    it.live(20.0)
    assert it.states("story")[-1]["story_position"] == pytest.approx(320, abs=25)
    assert "there is no story 'Moon'" in ask(it, "play", {"key": "Moon"})["error"]
    assert "say which story" in ask(it, "play")["error"]


def test_a_cover_is_a_picture_that_names_the_story(it: Box) -> None:
    answer = ask(it, "cover", {"key": "Boat.wav"}, Reply("me/x", b"mark"))
    assert answer["answer"]["content_type"] == "image/svg+xml"
    assert b"<title>Boat</title>" in base64.b64decode(answer["answer"]["data"])
    assert it.messages[-1].correlation == b"mark"


def test_nights_are_told_once_there_are_some(it: Box) -> None:
    assert ask(it, "nights")["answer"] == {"nights": [], "sealed": []}
    assert ask(it, "night")["error"] == "no night is kept yet"
    it.command("begin")
    it.live(70.0)
    it.command("stop")
    it.live(70.0)
    (night,) = ask(it, "nights")["answer"]["nights"]
    facts = ask(it, "night", {"night_id": night})["answer"]
    assert facts["night"] == night
    assert "not a medical device" in facts["note"]
    assert f"the latest are {night}" in ask(it, "night", {"night_id": "1999-01-01"})["error"]


def test_a_new_text_is_a_story_of_the_household(it: Box, tmp_path: Path) -> None:
    words = {
        "title": "The Lamp: a tale",
        "text": "Once there was a lamp.\n\nIt slept.",
        "teller": "Finn",
        "language": "en",
    }
    assert ask(it, "add_story", words)["answer"] == {"key": "The Lamp a tale.txt"}
    text = (tmp_path / "stories" / "The Lamp a tale.txt").read_text()
    assert text.startswith("---\ntitle: The Lamp: a tale\nteller: Finn\nlanguage: en\n---\n")
    assert "another title" in ask(it, "add_story", words)["error"]
    assert "no words" in ask(it, "add_story", {"title": "Empty", "text": "..."})["error"]
    assert "no letters" in ask(it, "add_story", {"title": "../..", "text": "Up."})["error"]
    assert "no language" in ask(it, "add_story", {"title": "A", "text": "B.", "language": "%"})["error"]
    assert sorted(path.name for path in (tmp_path / "stories").iterdir()) == [
        "Attic.wav",
        "Boat.wav",
        "The Lamp a tale.txt",
    ]


def test_a_disk_that_is_nearly_full_takes_no_more_stories(it: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("somnisphere.library.text_adder.LEAST_FREE_BYTES", 1 << 60)
    assert "nearly full" in ask(it, "add_story", {"title": "A", "text": "B."})["error"]


def test_without_a_folder_of_its_own_a_household_is_told_how_to_name_one(tmp_path: Path) -> None:
    with box(tmp_path / "journal.db") as it:
        assert 'folder = "..."' in ask(it, "add_story", {"title": "A", "text": "B."})["error"]


def test_a_job_that_fails_is_answered_and_the_night_goes_on(it: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("the wolf")

    monkeypatch.setattr("somnisphere.answers.to_svg", crash)
    assert ask(it, "cover", {"key": "Boat.wav"})["error"] == "something went wrong in the box; its log says more"


def test_on_a_thread_the_answer_comes_with_a_later_tick(it: Box) -> None:
    old = it.daemon._parts.desk
    desk = HomeDesk(old._session, old._topics, old._answers, background=True)
    snapshot = it.daemon.snapshot()
    topic = "somnisphere/bedside/ask/cover"
    assert desk.heard(topic, b'{"key": "Boat.wav", "id": "c"}', False, None, snapshot, 0.0) == (None, [])
    answer = desk._finished.get(timeout=30.0)
    desk._finished.put(answer)
    assert desk.finished() == [answer]
    assert desk.finished() == []
    assert json.loads(answer.payload)["id"] == "c"


def test_a_shelf_too_long_for_a_message_says_how_much_is_missing() -> None:
    rows = [{"key": f"{n}", "title": "x" * 100} for n in range(2000)]
    payload = _shortened({"stories": rows})
    told = json.loads(payload)
    assert len(payload) <= SHELF_BYTES
    assert len(told["stories"]) + told["left_out"] == 2000
    assert told["left_out"] > 0


def test_the_box_listens_where_it_is_asked(it: Box) -> None:
    assert "somnisphere/bedside/ask/+" in it.daemon.subscriptions
    assert all(isinstance(message, Message) for message in it.messages)
