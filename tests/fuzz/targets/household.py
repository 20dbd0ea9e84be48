"""The household's file with flipped bytes or foreign rows: what people said is read, or it is said why not."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from tests.circle_house import CIRCLE
from tests.fuzz.dough import Dough, flipped
from tests.fuzz.room import room
from tests.fuzz.target import Target, sentence

from somnisphere.circle.known import Circle, Member, OpenInvitation, Take
from somnisphere.circle.store import CircleStore, in_trouble
from somnisphere.coach.store import CoachStore
from somnisphere.diary.door import Door
from somnisphere.diary.seal import Step
from somnisphere.diary.store import Diary, DiaryError
from somnisphere.diary.telling import Telling
from somnisphere.dreams.store import DreamStore
from somnisphere.dreams.telling import Dream
from somnisphere.household_file import mend
from somnisphere.weaver.store import WeaverStore
from somnisphere.weaver.table import Line, Table

_TODAY = date(2026, 11, 28)
_TABLE = Table("The sea", "de", ("Mia", "Jon"), (Line("Mia", "Once."),), ("moon",))
_TABLES = (
    *("seal", "telling", "dream", "weaving", "weaving_version", "coach_welcome", "coach_given", "coach_consent"),
    *("circle", "circle_member", "circle_invitation", "circle_offer", "circle_owner", "circle_take", "part"),
)


def one(data: bytes) -> None:
    dough = Dough(data)
    with room() as folder:
        path = folder / "household.db"
        path.write_bytes(_good() if dough.flag() else flipped(dough, _good(), 40))
        if dough.flag():
            _change(path, dough)
        for use in (_door, _diary, _dreams, _weaver, _coach, _circle, _mended):
            use(path)
        assert {entry.name for entry in folder.iterdir()} <= {path.name, f"{path.name}-wal", f"{path.name}-shm"}


@cache
def _good() -> bytes:
    """A file with something in each of its parts."""
    with room() as folder:
        path = folder / "household.db"
        diary = Diary(path)
        for night in ("2026-11-26", "2026-11-27"):
            diary.tell(night, Telling("adult", {"slept": "well"}), 1.7e9, 300.0)
        diary.step("2026-11-25", Step.SHOW, 1.7e9)
        DreamStore(path).keep(Dream("a", "b", "c", "d"), "key", "The sea", "hand", _TODAY)
        weaver = WeaverStore(path)
        weaver.keep(weaver.new(Table("The sea", "de", ("Mia",)), 1.7e9), 1, _TABLE, 1.8e9)
        coach = CoachStore(path)
        coach.say_welcome(welcome=True, today=_TODAY)
        coach.grant("coach", "Ada", "us", _TODAY, date(2027, 1, 1), 1.7e9)
        _circle_of(CircleStore(path))
        db = sqlite3.connect(path)
        db.execute("PRAGMA journal_mode=DELETE")
        db.close()
        return path.read_bytes()


def _circle_of(store: CircleStore) -> None:
    store.keep_circle(Circle(CIRCLE, "Birch Street", "Us", serial=3))
    store.keep_member(Member("x", "Jon", bytes(32)))
    store.keep_invitation(OpenInvitation(bytes(16), 1_800_000_000))
    store.keep_take(Take("ab", "x"))
    store.close()


def _change(path: Path, dough: Dough) -> None:
    """Rows as another program, or another version, may have written them."""
    db = sqlite3.connect(path)
    try:
        for _ in range(1 + dough.number(4)):
            table = dough.choice(_TABLES)
            columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            if not columns:
                continue
            db.execute("PRAGMA ignore_check_constraints=ON")
            column = dough.choice(columns)
            if dough.byte() % 4 == 1:
                values = [_value(dough) for _ in columns]
                db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(columns))})", values)
            else:
                db.execute(f"UPDATE OR REPLACE {table} SET {column} = ?", (_value(dough),))
            db.commit()
    except (sqlite3.Error, UnicodeError):
        return  # it does not even open: good enough to be read
    finally:
        db.close()


def _value(dough: Dough) -> Any:
    match dough.number(5):
        case 0:
            return dough.blob(20)
        case 1:
            return dough.choice((0, 1, -1, 2**62, 1e308, float("inf"), None, "", "x", "2026-02-30", "-", "2026-11-27"))
        case 2:
            return json.dumps(dough.odd(("title", "lines", "words", "tellers", "cards", "feeling", "slept")))
        case 3:
            return dough.float_()
        case 4:
            return dough.text()
        case _:
            return dough.number(3)


def _quietly(use: Callable[[], object]) -> None:
    """The documented trouble with the file is the caller's to say."""
    try:
        use()
    except (sqlite3.Error, OSError) as problem:
        sentence(problem)


def _door(path: Path) -> None:
    door = Door(path, tell_first=True)
    door.look()
    door.shows("2026-11-27")
    assert isinstance(door.learned.shift_s, float)
    assert abs(door.learned.shift_s) <= 300.0
    if door.problem:
        sentence(door.problem)
    door.close()


def _diary(path: Path) -> None:
    diary = Diary(path)
    for use in (diary.seals, diary.tellings, diary.differences_s):
        try:
            use()
        except DiaryError as problem:
            sentence(problem)


def _dreams(path: Path) -> None:
    store = DreamStore(path)
    _quietly(lambda: [str(kept.dream) for kept in store.all()])
    _quietly(lambda: store.offered(_TODAY))


def _weaver(path: Path) -> None:
    store = WeaverStore(path)
    _quietly(lambda: [store.versions(version.weaving) for version in store.latest()])


def _coach(path: Path) -> None:
    store = CoachStore(path)
    _quietly(store.welcome)
    _quietly(store.history)
    _quietly(store.consents)
    _quietly(lambda: store.suggestion(_TODAY, lambda _: None))


def _circle(path: Path) -> None:
    try:
        store = CircleStore(path)
    except (sqlite3.Error, OSError) as problem:
        sentence(in_trouble(problem, path))
        return
    try:
        _quietly(lambda: [shown.offered() for shown in (store.load(),) if shown is not None])
    finally:
        store.close()


def _mended(path: Path) -> None:
    """What a program that starts does with a broken one: it lies aside, and that is said."""
    said = mend(path)
    aside = [entry for entry in path.parent.iterdir() if "broken" in entry.name]
    if said:
        sentence(said)
    assert bool(said) == bool(aside)
    for entry in aside:
        entry.unlink()


def seeds() -> Iterator[bytes]:
    yield b"\x01"
    for table in range(len(_TABLES)):
        for kind in range(0, 6, 2):
            yield bytes([1, 1, 0, table, 3 * kind % 7, 0, kind, kind]) + b"abcdefgh"
    for k in range(6):
        yield bytes(
            [0, 3, *(byte for n in range(4) for byte in (k * 3 % 251, n * 90 % 256, k % 5, k * 11 % 256)), 0, 0]
        )


TARGET = Target(one, seeds, words=("2026-11-27", '{"a":1}', "[]", "null"), longest_bytes=512, ci_examples=30)
