"""Watching from another machine: what bedsides say is told in words, and what is not known is told as that."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.box import box
from tests.brokers import free_port, mosquitto
from tests.home.broker import Broker

from somnisphere.cli import main
from somnisphere.watch_home import LONGEST_BYTES, MOST_NODES, Bedsides


def heard(*messages: tuple[str, object]) -> list[str]:
    bedsides = Bedsides()
    for topic, said in messages:
        payload = said if isinstance(said, bytes) else json.dumps(said).encode()
        bedsides.hear(f"somnisphere/{topic}", payload)
    return list(bedsides.lines())


def test_a_bedside_is_told_in_words() -> None:
    assert heard(
        ("attic/status", b"online"),
        ("attic/sensor/status", b"online"),
        ("attic/ritual", {"phase": "story"}),
        ("attic/stage", {"sleep_stage": "light"}),
        ("attic/presence", {"in_bed": True}),
        ("attic/vitals", {"heart_rate": 61, "breathing_rate": None}),
        ("attic/lamp", {"state": "ON", "brightness": 41}),
        ("attic/story", {"story": "Boat", "story_playing": "Boat", "story_position": 201.4}),
        ("attic/sleep_moment/event", {"event_type": "story_began", "at": "2026-03-14T20:31:00+01:00"}),
        ("attic/health", {"sensor_problem_attributes": {"lamp": "no pin", "player": ""}}),
    ) == [
        "attic: story",
        "  sleep    light, in bed",
        "  body     heart 61 bpm, breath not known",
        "  lamp     1.0% of its light",
        "  story    Boat at 3:21",
        "  moment   story_began at 20:31",
        "  trouble  lamp: no pin",
    ]


def test_what_is_not_known_is_not_made_up() -> None:
    assert heard(("attic/status", b"online")) == [
        "attic: not known",
        "  sleep    the sensor is silent",
        "  lamp     not known",
        "  story    not known, at rest",
    ]
    assert heard(("attic/status", b"offline"), ("attic/vitals", {"heart_rate": 60})) == [
        "attic: offline; what it said last may be long ago"
    ]
    assert heard(("attic/vitals", {"heart_rate": 60}), ("house/quiet", b"ON")) == [], "who never said it is there"


@given(
    st.sampled_from(["status", "vitals", "lamp", "story", "health", "sleep_moment/event", "ritual", "presence"]),
    st.binary(max_size=60) | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9),
        lambda inner: st.dictionaries(st.sampled_from(["state", "brightness", "story_position", "event_type", "at",
                                                       "sensor_problem_attributes", "story_playing", "x"]), inner),
    ).map(lambda value: json.dumps(value).encode()),
)  # fmt: skip
def test_nothing_on_the_wire_breaks_the_view_or_moves_the_cursor(topic: str, payload: bytes) -> None:
    for line in heard(("attic/status", b"online"), ("attic/sensor/status", b"online"), (f"attic/{topic}", payload)):
        assert line.isprintable()


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 10**400, True, "5", None])
def test_a_number_that_is_none_is_not_known(odd: object) -> None:
    story = {"story": "Boat", "story_playing": "Boat", "story_position": odd}
    lines = heard(("a/status", b"online"), ("a/story", story), ("a/lamp", {"state": "ON", "brightness": odd}))
    assert lines[-2:] == ["  lamp     on", "  story    Boat"]


def test_the_wire_does_not_fill_the_memory() -> None:
    bedsides = Bedsides()
    assert not bedsides.hear("somnisphere/a/vitals", b" " * (LONGEST_BYTES + 1))
    for number in range(MOST_NODES + 5):
        bedsides.hear(f"somnisphere/n{number}/status", b"offline")
    assert len(list(bedsides.lines())) == MOST_NODES


@pytest.mark.broker
def test_once_tells_what_the_broker_keeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mosquitto() as (host, port), box(tmp_path / "j.db") as it:
        broker = Broker(port)
        it.command("begin")
        it.live(6.0)
        for message in it.messages:
            if message.retain:
                broker.publish(message.topic, message.payload, retain=True)
        assert main(["watch", "--broker", f"{host}:{port}", "--once"]) == 0
        told = capsys.readouterr().out
        assert told.startswith("bedside: wind_down\n  sleep    the sensor is silent\n")
        assert main(["watch", "--broker", f"{host}:{port}", "--once", "--node", "other"]) == 2
        assert "no Somnisphere has said anything" in capsys.readouterr().err


def test_no_broker_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--broker", f"127.0.0.1:{free_port()}"]) == 2
    assert "nothing answers at" in capsys.readouterr().err
    assert main(["watch", "--broker", "box:x"]) == 2
    assert "HOST or HOST:PORT" in capsys.readouterr().err
