"""What anybody on the broker may say: commands, questions, the house's word, a release, old announcements."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from tests.fuzz.dough import Dough, as_json
from tests.fuzz.target import Target, sentence

from somnisphere.answers import QUESTIONS
from somnisphere.bedtime.phases import Phase
from somnisphere.entities import ENTITIES
from somnisphere.snapshot import Snapshot
from somnisphere_home.commands import Refusal, Wish
from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.entity import LightWish
from somnisphere_home.house import House
from somnisphere_home.messages import Message, Reply, Topics
from somnisphere_home.questions import Question, answer_message, asked_id, command_answer, read_question
from somnisphere_home.release import TOPIC, ReleaseDesk
from somnisphere_home.session import HomeSession

_TOPICS = Topics("bedside")
_SNAPSHOT = Snapshot(1.0, 1.7e9, Phase.IDLE, story_titles=("The attic", "Der Wal"), listeners=("Mia", "Jon"))
_TAKERS = {entity.key: entity for entity in ENTITIES if entity.command is not None}
_FIELDS = tuple(
    {name for fields in QUESTIONS.values() for name in fields} | {"id", "state", "brightness", "transition"}
)
_KNOWN = (
    *(_TOPICS.command(key) for key in _TAKERS),
    *(f"{_TOPICS.base}/ask/{name}" for name in (*QUESTIONS, "x")),
    *(_TOPICS.birth, TOPIC, _TOPICS.quiet, _TOPICS.quiet_of("attic"), _TOPICS.quiet_of("bedside")),
    *(_TOPICS.discovery, _TOPICS.discovery_of("_sleeper"), _TOPICS.single_discovery("sensor", "stage")),
    *(f"{_TOPICS.prefix}/sensor/{_TOPICS.device_id}/gone/config", f"{_TOPICS.prefix}/number/x/volume/config"),
)


def one(data: bytes) -> None:
    dough = Dough(data)
    topic = dough.choice(_KNOWN) if dough.byte() % 8 else re.sub(r"[+#\0]", "", dough.text(80))  # as a broker has it
    retained, how = dough.byte() % 8 == 1, dough.number(2)
    reply = Reply(dough.text(40), dough.blob(8)) if dough.flag() else None
    payload = dough.rest() if how else as_json(dough.odd(_FIELDS))
    _session(topic, payload, retained, reply)
    _question(topic, payload, retained, reply)
    house, desk = House(_TOPICS), ReleaseDesk()
    house.heard(topic, payload, 5.0)
    for message in house.update(asleep=False, at_s=6.0):
        assert message.payload in (b"ON", b"OFF")
    assert desk.heard(topic, payload) is (topic == TOPIC)
    assert len(desk.problem) < 4000
    assert len(desk.newest.summary) <= 255


def _session(topic: str, payload: bytes, retained: bool, reply: Reply | None) -> None:
    session = HomeSession(ENTITIES, _TOPICS, DeviceInfo(name="x", sw_version="1"), birth_wait_s=lambda: 1.0)
    session.connected(_SNAPSHOT, 0.0)
    found = session.received(topic, payload, retained, _SNAPSHOT, 1.0)
    for message in session.update(_SNAPSHOT, 3.0):
        _sendable(message)
    key = _TOPICS.command_key(topic)
    if isinstance(found, Refusal):
        sentence(found.text)
        assert found.text.isprintable()
        _sendable(command_answer(_TOPICS, key or "", reply, found.text))
    elif isinstance(found, Wish):
        assert not retained
        assert found.key == key
        _obeyable(found)


def _obeyable(wish: Wish) -> None:
    command, value = _TAKERS[wish.key].command, wish.value
    assert command is not None
    match command.kind:
        case "press":
            assert value is True
        case "switch":
            assert isinstance(value, bool)
        case "number":
            assert isinstance(value, float)
            assert command.min <= value <= command.max
        case "choice":
            assert value in _TAKERS[wish.key].options_for(_SNAPSHOT)
        case "light":
            assert isinstance(value, LightWish)
            assert value.level_pct is None or 0.0 <= value.level_pct <= 100.0
            assert value.over_s is None or 0.0 <= value.over_s <= command.max_transition_s


def _question(topic: str, payload: bytes, retained: bool, reply: Reply | None) -> None:
    found = read_question(QUESTIONS, _TOPICS, topic, payload, retained)
    name = _TOPICS.ask_name(topic) or "x"
    if isinstance(found, Refusal):
        sentence(found.text)
        assert found.text.isprintable()
        _sendable(answer_message(_TOPICS, name, asked_id(payload), reply, found.text))
        return
    assert isinstance(found, Question)
    for field, value in found.said.items():
        assert field in QUESTIONS[found.name]
        assert isinstance(value, str) or math.isfinite(float(value))
    _sendable(answer_message(_TOPICS, name, found.id, reply, {"said": dict(found.said)}))


def _sendable(message: Message) -> None:
    """A broker takes it, and it never goes where we would take it for somebody's wish."""
    assert not any(sign in message.topic for sign in "+#\0")
    assert 0 < len(message.topic.encode()) < 65_536
    if message.topic.endswith("/result") or message.correlation is not None:
        assert _TOPICS.command_key(message.topic) is None
        body: Any = json.loads(message.payload)
        assert isinstance(body["ok"], bool)


def _whole(number: int, payload: bytes) -> bytes:
    """A message on the nth known topic, not retained, its payload as it is, without a reply."""
    return bytes([1, number, 0, 1, 0]) + payload


def seeds() -> Iterator[bytes]:
    payloads = (b"PRESS", b"ON", b"40", b"The attic", b'{"state":"ON","brightness":25,"transition":60}')
    questions = (b'{"id":"a","key":"x","position_s":3}', b'{"title":"A","text":"B c.","language":"en"}', b"{}", b"")
    others = (b"online", b'{"version":"1.2.0","url":"https://x","summary":"s"}', b'{"cmps":{"a":{"p":"sensor"}}}')
    for number in range(len(_KNOWN)):
        for payload in (*payloads, *questions, *others):
            yield _whole(number, payload)


TARGET = Target(one, seeds, words=(*_KNOWN, *_FIELDS, "PRESS", "1e400", "NaN", "9" * 400, '{"id":'))
