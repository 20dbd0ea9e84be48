"""Every byte string on a command topic becomes a checked wish or a refusal that helps."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.integrations.bedroom import ENTITIES, ROOM, TOPICS

from somnisphere_home.commands import Refusal, Wish, decode
from somnisphere_home.entity import LightWish


def said(key: str, payload: bytes, retained: bool = False) -> Wish | Refusal:
    return decode(ENTITIES, ROOM, TOPICS, TOPICS.command(key), payload, retained)


def light(**keys: Any) -> bytes:
    return json.dumps(keys).encode()


@pytest.mark.parametrize(
    ("key", "payload", "value"),
    [
        ("begin", b"PRESS", True),
        ("begin", b" press\n", True),
        ("quiet", b"ON", True),
        ("quiet", b"off", False),
        ("volume", b"35", 35.0),
        ("volume", b"36.9", 35.0),
        ("volume", b"0", 0.0),
        ("volume", b"100.0", 100.0),
        ("book", b"Moby-Dick", "Moby-Dick"),
        ("lamp", light(state="ON"), LightWish(on=True)),
        ("lamp", light(state="ON", brightness=4095), LightWish(on=True, level_pct=100.0)),
        ("lamp", light(state="ON", brightness=819, transition=600.0), LightWish(True, 20.0, 600.0)),
        ("lamp", light(state="ON", brightness=0), LightWish(on=False, level_pct=0.0)),
        ("lamp", light(state="OFF", transition=5), LightWish(on=False, level_pct=0.0, over_s=5.0)),
        ("lamp", light(state="ON", effect="rainbow"), LightWish(on=True)),
    ],
)
def test_a_good_command_is_a_wish(key: str, payload: bytes, value: object) -> None:
    wish = said(key, payload)
    assert wish == Wish(key, value)
    assert type(wish.value) is type(value)


@pytest.mark.parametrize(
    ("key", "payload", "words"),
    [
        ("begin", b"", "got nothing, expected PRESS"),
        ("begin", b"ON", "got 'ON', expected PRESS"),
        ("begin", b"\xff\xfe", "as UTF-8 text"),
        ("quiet", b"true", "expected ON or OFF"),
        ("volume", b"loud", "got 'loud', expected a number from 0 to 100 %"),
        ("volume", b"101", "expected a number from 0 to 100 %"),
        ("volume", b"nan", "expected a number from 0 to 100 %"),
        ("volume", b"-inf", "expected a number from 0 to 100 %"),
        ("book", b"Ulysses", "expected one of: The Snow Queen, Moby-Dick"),
        ("lamp", b"ON", "expected JSON such as"),
        ("lamp", b"[1]", '"state" being "ON" or "OFF"'),
        ("lamp", light(brightness=5), '"state" being "ON" or "OFF"'),
        ("lamp", light(state="ON", brightness=5000), '"brightness" to be a number from 0 to 4095'),
        ("lamp", light(state="ON", brightness=True), '"brightness" to be a number'),
        ("lamp", light(state="ON", transition=-1), '"transition" to be a number from 0 to 3600'),
        ("lamp", b'{"state":"ON","transition":NaN}', '"transition" to be a number'),
        ("lamp", b"[" * 4000, "expected JSON"),
        ("begin", b"x" * 5000, "5000 bytes are too many"),
        ("warmth", b"20", "nothing here takes commands under that name; there are lamp, book, volume"),
    ],
)
def test_a_bad_command_is_refused_with_what_would_do(key: str, payload: bytes, words: str) -> None:
    refusal = said(key, payload)
    assert isinstance(refusal, Refusal)
    assert refusal.topic == f"somnisphere/attic/{key}/set"
    assert words in refusal.text
    assert len(refusal.text) < 250


def test_a_retained_command_is_refused_whatever_it_says() -> None:
    refusal = said("begin", b"PRESS", retained=True)
    assert isinstance(refusal, Refusal)
    assert refusal.text.startswith("ignored: retained")
    assert "mosquitto_pub -r -n -t somnisphere/attic/begin/set" in refusal.text


@given(st.sampled_from(["begin", "quiet", "volume", "book", "lamp", "warmth", "x"]), st.binary(max_size=200))
def test_no_payload_is_a_crash(key: str, payload: bytes) -> None:
    answer = said(key, payload)
    assert answer.topic if isinstance(answer, Refusal) else answer.key == key


ODD = st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["ON", "OFF"]) | st.just([1])


@given(st.dictionaries(st.sampled_from(["state", "brightness", "transition"]), ODD))
def test_a_lamp_is_never_asked_for_nonsense(keys: dict[str, Any]) -> None:
    answer = said("lamp", json.dumps(keys).encode())
    if isinstance(answer, Wish):
        wish = answer.value
        assert wish.level_pct is None or 0 <= wish.level_pct <= 100
        assert wish.over_s is None or 0 <= wish.over_s <= 3600
        assert keys["state"] in ("ON", "OFF")
