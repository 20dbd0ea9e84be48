"""Questions and answers as bytes: what is taken, what is refused in words, and where an answer may go."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere_home.commands import Refusal
from somnisphere_home.messages import Reply, Topics
from somnisphere_home.questions import (
    ANSWER_EXPIRY_S,
    MAX_QUESTION_BYTES,
    Field,
    Question,
    answer_message,
    asked_id,
    command_answer,
    read_question,
)

TOPICS = Topics("attic")
KNOWN = {
    "shelf": {},
    "seek": {"position_s": Field("number", required=True), "why": Field("text", most=5)},
}
SHELF, SEEK = "somnisphere/attic/ask/shelf", "somnisphere/attic/ask/seek"


def read(topic: str, payload: bytes | dict[str, Any], *, retained: bool = False) -> Question | Refusal:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return read_question(KNOWN, TOPICS, topic, data, retained)


@pytest.mark.parametrize("payload", [b"", b"  ", b"{}"])
def test_a_question_without_fields_may_be_empty(payload: bytes) -> None:
    assert read(SHELF, payload) == Question("shelf", {})


def test_a_question_carries_what_it_says_and_its_id() -> None:
    assert read(SEEK, {"position_s": 12, "why": "again", "id": "7"}) == Question(
        "seek", {"position_s": 12, "why": "again"}, "7"
    )


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"\xff", "no JSON"),
        (b"[1]", "a JSON object with"),
        (b"{}", '"position_s" is missing'),
        (b'{"position_s": null}', '"position_s" is missing'),
        (b'{"position_s": "far"}', '"position_s" is a number, 0 or more'),
        (b'{"position_s": true}', '"position_s" is a number, 0 or more'),
        (b'{"position_s": -1}', '"position_s" is a number, 0 or more'),
        (b'{"position_s": NaN}', '"position_s" is a number, 0 or more'),
        (b'{"position_s": 1, "why": 2}', '"why" is a text'),
        (b'{"position_s": 1, "why": "for ever"}', '"why" is longer than 5 characters'),
        (b'{"position_s": 1, "speed": 2}', '"speed" is not known here'),
        (b'{"position_s": 1, "id": 2}', '"id" is a text'),
        (b" " * MAX_QUESTION_BYTES + b"{}", "bytes are too many"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words(payload: bytes, words: str) -> None:
    refusal = read(SEEK, payload)
    assert isinstance(refusal, Refusal)
    assert words in refusal.text


def test_an_unknown_question_names_those_there_are_and_a_retained_one_how_to_clear_it() -> None:
    unknown, retained = read("somnisphere/attic/ask/weather", b""), read(SHELF, b"", retained=True)
    assert isinstance(unknown, Refusal)
    assert "there are shelf, seek" in unknown.text
    assert isinstance(retained, Refusal)
    assert f"mosquitto_pub -r -n -t {SHELF}" in retained.text


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_a_question_or_a_refusal(payload: bytes) -> None:
    assert isinstance(read(SEEK, payload), Question | Refusal)
    assert asked_id(payload) is None or isinstance(asked_id(payload), str)


def test_an_answer_goes_to_the_response_topic_with_its_mark_else_to_the_result() -> None:
    asked = answer_message(TOPICS, "shelf", "7", Reply("me/here", b"\x01"), {"stories": []})
    assert (asked.topic, asked.correlation, asked.expiry_s, asked.qos, asked.retain) == (
        "me/here",
        b"\x01",
        ANSWER_EXPIRY_S,
        1,
        False,
    )
    assert json.loads(asked.payload) == {"ok": True, "id": "7", "answer": {"stories": []}}
    plain = answer_message(TOPICS, "shelf", None, None, "not now")
    assert (plain.topic, plain.correlation) == ("somnisphere/attic/ask/shelf/result", None)
    assert json.loads(plain.payload) == {"ok": False, "id": None, "error": "not now"}


def test_a_command_is_answered_in_the_same_way() -> None:
    done, refused = command_answer(TOPICS, "volume", None), command_answer(TOPICS, "volume", Reply("me"), "too loud")
    assert (done.topic, json.loads(done.payload)) == ("somnisphere/attic/volume/result", {"ok": True, "key": "volume"})
    assert (refused.topic, json.loads(refused.payload)) == ("me", {"ok": False, "key": "volume", "error": "too loud"})


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\0b", "somnisphere/attic/volume/set", SHELF])
def test_no_answer_goes_where_it_would_be_a_wish_or_could_not_be_sent(topic: str) -> None:
    assert command_answer(TOPICS, "volume", Reply(topic, b"x")).topic == "somnisphere/attic/volume/result"
