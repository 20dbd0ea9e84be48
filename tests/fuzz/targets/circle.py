"""What other households may send: signed and unsigned messages, pieces, invitations, offers beside a story, stories."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from tests.circle_house import CIRCLE, NOW_S, House, offer_for
from tests.fuzz.dough import Dough
from tests.fuzz.room import bytes_below, room
from tests.fuzz.target import Target, sentence
from tests.fuzz.targets.story import packed, wav

from somnisphere.circle.acts import Publish, Say
from somnisphere.circle.identity import Identity, load_identity
from somnisphere.circle.known import Member
from somnisphere.circle.manifest import Offer, from_beside, read_offer, shown
from somnisphere.circle.members import Card, Vouched, invitation_text, read_invitation
from somnisphere.circle.pieces import Ask, Piece, piece_bytes
from somnisphere.circle.placing import NotTakenError, place
from somnisphere.circle.signed import RefusedError
from somnisphere.circle.take_back import TakeBack


def _person(seed: int) -> Identity:
    """The same one in each run, as the bytes of a finding must mean the same."""
    with room() as folder:
        path = folder / "key"
        path.touch(0o600)
        path.write_text(bytes([seed] * 32).hex())
        return load_identity(path)


_US, _OTHER, _STRANGER = _person(1), _person(2), _person(3)
_STORY = b"whale" * 100
_OFFER = offer_for(_STORY)
_KEYS = tuple({name for kind in (Offer, Card, Ask, TakeBack) for name in kind.__struct_fields__})
_KINDS = ("card", "offer", "take-back", "ask", "bridge", "piece")
_TOPIC = {"card": "member", "take-back": "take_back"}


def one(data: bytes) -> None:
    dough = Dough(data)
    (_heard, _heard, _heard, _invited, _beside, _placed)[dough.number(5)](dough)


def _bodies(us: str) -> dict[str, Any]:
    bodies = {
        "card": Card(CIRCLE, "Jon", int(NOW_S) + 1, False, "", b"", (Vouched("Mia", _STRANGER.key),)),
        "offer": _OFFER,
        "take-back": TakeBack(CIRCLE, _OFFER.sha256, "2026-11-28"),
        "ask": Ask(CIRCLE, us, _OFFER.sha256, (0,)),
    }
    return {kind: msgspec.to_builtins(body) for kind, body in bodies.items()}


def _said(dough: Dough, us: str) -> tuple[str, bytes]:
    """A topic and a message on it, signed by a member as often as not."""
    kind, who = dough.choice(_KINDS), dough.choice((_OTHER, _OTHER, _OTHER, _STRANGER))
    body = _bodies(us).get(kind, {})
    for _ in range(dough.number(3)):
        body = dough.altered(body, _KEYS)
    strange = re.sub(r"[+#\0]", "", dough.text(40))  # no broker lets those through
    names = (who.household, _OTHER.household, us, _OFFER.sha256, strange)
    first = who.household if dough.byte() % 4 else dough.choice(names)
    second = {"ask": who.household, "piece": who.household}.get(kind, _OFFER.sha256)
    if kind in ("ask", "piece"):
        first = us
    second = second if dough.byte() % 4 else dough.choice(names)
    parts = (first,) if kind in ("card", "bridge") else (first, second)
    topic = "/".join((f"somnisphere-circle/{CIRCLE}", _TOPIC.get(kind, kind), *parts))
    if kind == "piece":
        index = dough.number(3)
        return topic, piece_bytes(Piece(_OFFER.sha256, index, _STORY if dough.flag() else dough.rest())) or b""
    match dough.number(3):
        case 0:
            return topic, dough.rest()
        case _:
            return topic, _signed(who, kind, body)


def _signed(who: Identity, kind: str, body: Any) -> bytes:
    """As ``signed.signed``, of anything at all."""
    try:
        words = msgspec.json.encode(body)
    except (ValueError, msgspec.EncodeError, OverflowError, UnicodeEncodeError):
        words = json.dumps(body).encode()
    signature = who.sign(f"somnisphere circle 1 {kind}\n".encode() + words)
    key, sign = base64.b64encode(who.key).decode(), base64.b64encode(signature).decode()
    return b'{"format":1,"kind":"%s","body":%s,"key":"%s","signature":"%s"}' % (
        kind.encode(), words, key.encode(), sign.encode(),
    )  # fmt: skip


def _heard(dough: Dough) -> None:
    us = House("Us", _US)
    machine = us.protocol
    machine.known.members[_OTHER.household] = Member(_OTHER.household, "Jon", _OTHER.key)
    _check_acts(machine.connected(), us)
    at_s = 0.0
    for _ in range(1 + dough.number(5)):
        topic, payload = _said(dough, us.id)
        at_s += dough.byte()
        _check_acts(machine.receive(topic, payload, at_s, NOW_S + at_s), us)
        _check_acts(machine.tick(at_s), us)
    assert len(machine.known.members) <= 65
    for held in machine.known.offered():
        sentence(shown(held.offer))
    _check_acts(machine.connected(), us)


def _check_acts(acts: list[Any], us: House) -> None:
    for act in acts:
        assert type(act).__module__ == "somnisphere.circle.acts"
        if isinstance(act, Say):
            sentence(act.text)
            assert act.text.isprintable()
        if isinstance(act, Publish):
            assert act.topic.startswith(f"somnisphere-circle/{CIRCLE}/"), act.topic
            assert not any(sign in act.topic for sign in "+#\0")
            assert us.protocol.topics.place(act.topic) is not None


def _invited(dough: Dough) -> None:
    text = dough.rest().decode("utf-8", "replace")
    try:
        key, invitation = read_invitation(text, NOW_S)
    except RefusedError as problem:
        sentence(problem)
        return
    assert len(key) == 32
    assert invitation.host.strip()


def _beside(dough: Dough) -> None:
    """The note that lies beside a story on a stick."""
    try:
        sentence(shown(read_offer(from_beside(dough.rest().decode("utf-8", "replace")), CIRCLE).body))
    except RefusedError as problem:
        sentence(problem)


def _placed(dough: Dough) -> None:
    """A story that came whole, whatever is in it and however it is called, onto the shelf and nowhere else."""
    title = dough.text(100) or "x"
    manifest = f"format = 1\ntitle = {json.dumps(title)}\n".encode() + b'text = "t.txt"\n' + dough.blob(120)
    parts = {"story.toml": manifest, "t.txt": b"s1 Once.\n", dough.text(30) or "x": dough.blob(60), "r.wav": wav(50)}
    data = packed(parts) if dough.byte() % 4 else dough.rest()
    offer = offer_for(data or b"x", title=title, voices=())
    with room() as folder:
        arrived, shelf = folder / "arrived", folder / "shelf"
        shelf.mkdir()
        arrived.write_bytes(data)
        (shelf / "there.story").write_bytes(b"")
        try:
            to = place(arrived, offer, shelf)
            assert to.parent == shelf
            assert hashlib.sha256(to.read_bytes()).hexdigest() == offer.sha256
        except NotTakenError as problem:
            sentence(problem)
        assert bytes_below(folder) <= 2 * len(data)
        assert {path.parent for path in folder.rglob("*") if path.is_file()} <= {folder, shelf}


def seeds() -> Iterator[bytes]:
    for kind in range(len(_KINDS)):
        for altered in (0, 1, 2):
            yield bytes([0, 0, kind, 0, altered, *(0, 0, 3) * altered, 1, 1, 0, 1, 1, 5])
    from somnisphere.circle.members import Invitation

    good = Invitation(bytes(10), "Birch Street", "Us", bytes(16), int(NOW_S) + 60, "broker.local", 8883, True)
    yield b"\x03" + invitation_text(_OTHER, good).encode()
    yield b"\x04" + base64.b64encode(_signed(_OTHER, "offer", msgspec.to_builtins(_OFFER)))
    yield b"\x05\x05whale\0\0\0\x01"


TARGET = Target(one, seeds, words=(*_KEYS, CIRCLE, _OFFER.sha256, "SOMNISPHERE-CIRCLE:", '"format":1'))
