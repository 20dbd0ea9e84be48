"""What was saved for a restart: the evening, what light and comfort learned, the cards, in files of any shape."""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.core_bedside import EVENING_S, Bedside
from tests.fuzz.dough import Dough, as_json
from tests.fuzz.room import room
from tests.fuzz.target import Target, sentence

from somnisphere import card_file, comfort_file, evening_file, light_memory
from somnisphere.entities import ENTITIES
from somnisphere.events import ButtonPressed, Press
from somnisphere_home.states import encode, group_values, groups

_HEAD = "{:08x} {:08d} {:016d}\n"
_LIGHT = {
    "version": 1,
    "led_ma": {"6.4": {"skin": {"counts": 9e4, "known_s": 200}, "empty": {"counts": 5.0, "known_s": 0}}},
}
_COMFORT = {"version": 1, "comfort": {"strikes": {"glow": 1}, "notes": [[1.7e9, "glow", "woke"]], "lit": False}}
_CARDS = {"version": 1, "cards": {"04A1B2C3": {"story": "attic.opus"}, "04A1B2C4": {"word": "begin"}}}


def _evening() -> dict[str, Any]:
    it = Bedside(names=("Mia", "Jon"))
    it.until_story()
    return it.core.ritual_state()


_EVENING: dict[str, Any] = {"wall_minus_at_s": EVENING_S, "state": _evening()}
_NAMES = tuple(_EVENING["state"]["state"]) + tuple(_EVENING["state"]["fade"]) + ("state", "fade", "stretches", "chosen")


def one(data: bytes) -> None:
    dough = Dough(data)
    way = dough.number(7)
    with room() as folder:
        if way < 4:
            _carried_on(folder, dough)
        else:
            raw = dough.flag()
            good = (_LIGHT, _COMFORT, _CARDS, _CARDS)[way - 4]
            content = dough.rest() if raw else as_json(dough.altered(good, ("version", "skin", "notes", "story")))
            (_light, _comfort, _cards, _cards)[way - 4](folder, content)


def _carried_on(folder: Path, dough: Dough) -> None:
    """The box begins with this evening, and the next minutes are lived; whatever it was, the home can be told."""
    kept: Any = dough.altered(_EVENING, _NAMES)
    for _ in range(dough.number(3)):
        kept = dough.altered(kept, _NAMES)
    path = folder / "evening"
    path.write_bytes(_slot(as_json(kept)) if dough.byte() % 8 else dough.rest())
    saved = evening_file.EveningFile(path).load(5.0, EVENING_S + 5.0)
    if saved is None:
        return
    assert isinstance(saved.last_s, float)
    it = Bedside(names=("Mia", "Jon"))
    it.at_s = 5.0
    it.tick()
    done = it.core.restore_ritual(saved.state, saved.shift_s, it.at_s)
    assert all(type(action).__module__ == "somnisphere.events" for action in done)
    for at in (0, 1):
        it.live(3.0)
        _shown(it)
        it.done += it.core.receive(ButtonPressed(it.at_s, (Press.DOUBLE, Press.TAP)[at]))
        it.live(90.0, 15.0)
        _shown(it)
    again = evening_file.EveningFile(folder / "again")
    again.save(it.core.ritual_state(), it.at_s, EVENING_S)
    assert again.load(it.at_s, EVENING_S) is not None


def _shown(it: Bedside) -> None:
    snapshot = it.core.snapshot()
    assert 0.0 <= snapshot.volume_pct <= 100.0
    assert 0.0 <= snapshot.lamp_target_pct <= 100.0
    for members in groups(ENTITIES).values():
        json.loads(encode(group_values(members, snapshot)), parse_constant=_no_number)
    json.dumps(it.core.ritual_state(), default=str)


def _no_number(name: str) -> float:
    raise AssertionError(f"the home is told {name}")


def _slot(body: bytes) -> bytes:
    return _HEAD.format(zlib.crc32(body), len(body), 1).encode() + body


def _light(folder: Path, content: bytes) -> None:
    path = folder / "j.light.json"
    path.write_bytes(content)
    memory = light_memory.LightMemory(path)
    counts = memory.light.skin_counts(6.4)
    assert counts is None or 0.0 <= counts < 1e9
    _said(folder, path, content, memory.mended, memory.problem)


def _comfort(folder: Path, content: bytes) -> None:
    path = folder / "j.comfort.json"
    path.write_bytes(content)
    assert comfort_file.remembered(path).notes is not None
    file = comfort_file.ComfortFile(path)
    json.dumps(file.memory.to_dict())
    assert isinstance(file.memory.retired("glow"), bool)
    _said(folder, path, content, file.mended, file.problem)


def _cards(folder: Path, content: bytes) -> None:
    path = folder / "j.cards.json"
    path.write_bytes(content)
    file = card_file.CardFile(path)
    json.dumps(file.book.to_dict())
    _said(folder, path, content, file.mended, file.problem)


def _said(folder: Path, path: Path, content: bytes, mended: str, problem: str) -> None:
    """A file is taken, or lies aside as it was, and that is said."""
    assert not problem
    if mended:
        sentence(mended)
        assert not path.exists()
    assert [entry.read_bytes() for entry in folder.iterdir()] == [content]


def seeds() -> Iterator[bytes]:
    for way, good in enumerate((_LIGHT, _COMFORT, _CARDS), 4):
        yield bytes([way, 1]) + json.dumps(good).encode()
    for k in range(40):
        yield bytes([0, 0, (7 * k) % 60, 0, k, 0, 3 * k % 60, 0, k, 2, 0, k])
    yield bytes([0, 1, 1, 0, 0, 0]) + _slot(json.dumps(_EVENING).encode())


TARGET = Target(
    one, seeds, words=(*_NAMES, "wall_minus_at_s", "1e400", "NaN", "known_s", "strikes"), longest_bytes=8192
)
