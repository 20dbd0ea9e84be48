"""A whole evening of hands, commands, players and clocks in any order: what comes out can always be obeyed and told."""

import json
import math
from collections.abc import Iterator
from typing import Literal

from tests.core_bedside import ATTIC, BOAT, Bedside
from tests.fuzz.dough import Dough
from tests.fuzz.target import Target

from somnisphere.bedtime.state import SILENT_DB
from somnisphere.entities import ENTITIES
from somnisphere.events import (
    Action,
    ButtonPressed,
    DimLamp,
    HomeReported,
    KeepBookmark,
    PlayerReported,
    PlayStory,
    Press,
    SetGain,
    ShelfChanged,
)
from somnisphere.snapshot import Snapshot
from somnisphere_home.commands import Refusal, Wish, decode
from somnisphere_home.messages import Topics
from somnisphere_home.states import encode, group_values, groups

_TOPICS = Topics("bedside")
_FAINTEST_DB = 3 * SILENT_DB
_KEYS = tuple(entity.key for entity in ENTITIES if entity.command is not None)
_PAYLOADS = (
    *("PRESS", "ON", "OFF", "0", "100", "50", "37.5", "The attic", "The boat", "Mia", "Jon"),
    *(
        '{"state":"ON","brightness":255}',
        '{"state":"OFF","transition":3600}',
        '{"state":"ON","brightness":1,"transition":9}',
    ),
)
_State = Literal["playing", "paused", "stopped", "ended", "failed"]
_STATES: tuple[_State, ...] = ("playing", "paused", "stopped", "ended", "failed")
_STEPS_S = (0.0, 0.5, 1.0, 5.0, 29.9, 60.0, 600.0)


def one(data: bytes) -> None:
    dough = Dough(data)
    it = Bedside(names=("Mia", "Jon"), begin_at="20:45" if dough.flag() else None)
    it.tick()
    for _ in range(60):
        if dough.over:
            break
        _check(_step(it, dough), it)
    _restarted(it)


def _step(it: Bedside, dough: Dough) -> list[Action]:
    match dough.number(9):
        case 0 | 1:
            return _commanded(it, dough)
        case 2:
            return it.core.receive(ButtonPressed(it.at_s, dough.choice(tuple(Press))))
        case 3:
            story = dough.choice((ATTIC, BOAT))
            state = dough.choice(_STATES)
            at_s = dough.byte() * dough.choice((0.1, 4.0, 100.0))
            problem = "It cannot be told." if state == "failed" else ""
            return it.core.receive(PlayerReported(it.at_s, state, story.path, at_s, problem))
        case 4:
            way = dough.choice(("play", "seek"))
            place_s = dough.choice((None, 0.0, 30.0, 1e9))
            key = dough.choice((ATTIC.key, BOAT.key, "gone.opus"))
            return it.wish(way, (key, place_s) if way == "play" else place_s or 0.0)
        case 5:
            return it.core.receive(HomeReported(it.at_s, dough.flag(), dough.choice((None, True, False)), None))
        case 6 if dough.byte() % 8 == 1:
            return it.core.receive(ShelfChanged(it.at_s, dough.choice(((), (ATTIC,), (BOAT, ATTIC)))))
        case _:
            it.at_s += dough.choice(_STEPS_S)
            if dough.byte() % 16 == 1:  # somebody, or a server, set the clock
                it.wall_s += dough.choice((-3600.0, 3600.0, -86_400.0, 1e7))
            return it.tick()


def _commanded(it: Bedside, dough: Dough) -> list[Action]:
    topic = _TOPICS.command(dough.choice(_KEYS))
    payload = dough.choice(_PAYLOADS).encode() if dough.byte() % 8 else dough.blob(20)
    found = decode(ENTITIES, it.core.snapshot(), _TOPICS, topic, payload, retained=False)
    assert isinstance(found, Wish | Refusal)
    return it.wish(found.key, found.value) if isinstance(found, Wish) else []


def _check(actions: list[Action], it: Bedside) -> None:
    for action in actions:
        match action:
            case DimLamp():
                assert 0.0 <= action.lightness_pct <= 100.0
                assert 0.0 <= action.over_s <= 86_400.0
            case PlayStory():
                assert 0.0 <= action.position_s < 1e10
                assert _FAINTEST_DB <= action.gain_db <= 0.0
            case SetGain():
                assert _FAINTEST_DB <= action.gain_db <= 0.0
            case KeepBookmark():
                assert 0.0 <= action.position_s < 1e10
    snapshot = it.core.snapshot()
    assert 0.0 <= snapshot.volume_pct <= 100.0
    assert 0.0 <= snapshot.lamp_target_pct <= 100.0
    assert math.isfinite(snapshot.fade_db)


def _restarted(it: Bedside) -> None:
    """What is saved of any evening can be taken up again, and all of it can be told to the home."""
    _told(it.core.snapshot())
    saved = json.loads(json.dumps(it.core.ritual_state(), default=str))
    again = Bedside(names=("Mia", "Jon"))
    words = [getattr(action, "text", "") for action in again.core.restore_ritual(saved, 0.0, it.at_s)]
    assert not any("cannot be read" in word for word in words), words


def _told(snapshot: Snapshot) -> None:
    for members in groups(ENTITIES).values():
        json.loads(encode(group_values(members, snapshot)), parse_constant=_no_number)


def _no_number(name: str) -> float:
    raise AssertionError(f"the home is told {name}")


def seeds() -> Iterator[bytes]:
    for k in range(8):
        yield bytes([k % 2, *((k * 37 + n * (11 + k)) % 256 for n in range(150))])


TARGET = Target(one, seeds, words=_PAYLOADS, longest_bytes=1024, ci_examples=25)
