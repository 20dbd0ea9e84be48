"""The journal with flipped bytes or foreign rows: its nights are read, or it lies aside, said so; nights go on."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.core_bedside import EVENING_S, Bedside
from tests.fuzz.dough import Dough, flipped
from tests.fuzz.room import room
from tests.fuzz.target import Target, sentence

from somnisphere.answers import Answers, Job, NoAnswerError, Places
from somnisphere.bedtime.shelf import Shelf
from somnisphere.cli_export import with_journal
from somnisphere.config import Config
from somnisphere.doctor.journal import check_journal
from somnisphere.journal import Journal, Told
from somnisphere.journal_reader import JournalReader
from somnisphere.night import EPOCH_S, Epoch, NightTimes, Presence, Stage, StageEstimate, unknown_epoch
from somnisphere.night_export import flat, night_rows
from somnisphere.sleep.person import Person
from somnisphere_home.questions import Question

_TABLES = ("night", "epoch", "moment", "bookmark", "ritual", "person", "told")
_NIGHTS = ("2026-03-12", "2026-03-13", "2026-03-14")
_KEYS = (
    "presence",
    "in_bed",
    "heart_bpm",
    "heart_series_bpm",
    "motion_counts",
    "rhythm",
    "beat_count",
    "fell_asleep_s",
)


def one(data: bytes) -> None:
    dough = Dough(data)
    with room() as folder:
        path = folder / "journal.db"
        path.write_bytes(_good() if dough.flag() else flipped(dough, _good(), 40))
        if dough.flag():
            _change(path, dough)
        _asked(path)
        journal = Journal(path)
        try:
            _read(journal)
            _carried_on(journal)
            _written(journal)
        finally:
            journal.close()
        if journal.mended:
            sentence(journal.mended)
        ours = {"journal.db", "journal.db-wal", "journal.db-shm"}
        beside = {entry.name for entry in folder.iterdir()} - ours
        assert bool(beside) == bool(journal.mended), f"{beside} and {journal.mended!r}"
        assert all(name.startswith("journal.db.broken-1") for name in beside)


def _read(journal: Journal) -> None:
    """All that is asked of it."""
    for night_id in journal.nights():
        try:
            kept = journal.load(night_id)
        except KeyError:  # it broke meanwhile
            continue
        assert len(kept.epochs) == len(kept.estimates) == len(kept.live)
        for row in night_rows([kept]):
            json.dumps(flat(row))
    journal.past_nights()
    journal.last_moments()
    assert all(place.position_s >= 0.0 for place in journal.places().values())
    journal.bookmarks()
    times = journal.last_times()
    assert times is None or isinstance(times.night_id, str)
    Person.from_dict(journal.saved_person() or {})
    saved = journal.saved_ritual(5.0, EVENING_S)
    assert saved is None or isinstance(saved.last_s, float)


def _carried_on(journal: Journal) -> None:
    night = journal.night_in_progress(5.0, EVENING_S + 600.0)
    saved = journal.saved_ritual(5.0, EVENING_S + 600.0)
    it = Bedside(EVENING_S + 595.0)
    it.at_s = 5.0
    it.tick()
    if night is not None:
        it.core.carry_on(night.times, night.epochs)
    if saved is not None:
        it.core.restore_ritual(saved.state, saved.shift_s, it.at_s)
    it.live(2.0)
    it.core.snapshot()


def _written(journal: Journal) -> None:
    """The next night is kept, whatever the last ones were."""
    night_id = journal.free_id("2026-03-15")
    journal.open_night(night_id, EVENING_S + 86_400.0)
    journal.add_epoch(night_id, EVENING_S + 86_400.0, unknown_epoch(0, 0.0), StageEstimate(0, 0.0, None, None, "x"))
    written = journal.commit()
    if journal.problem:
        sentence(journal.problem)
        assert not written
        return
    if not written:  # it broke only now: what waited goes into the new one
        written = journal.commit()
    assert written
    if len(journal.load(night_id).epochs) != 1:  # damage that SQLite notices only where all of it is looked at
        assert not next(check_journal(with_journal(Config(), journal.path))).ok, "and the doctor finds"


def _asked(path: Path) -> None:
    """What the home may ask of it, beside the daemon."""
    reader = JournalReader(path)
    reader.nights()
    reader.close()
    answers = Answers(Shelf(()), (), Places(path), lambda _: None)
    for name, said in (("nights", {}), ("night", {}), ("night", {"night_id": _NIGHTS[0]})):
        job = answers.to(Question(name, said), has_story=False)
        assert callable(job)
        _done(job)


def _done(job: Job) -> None:
    try:
        json.dumps(job())
    except NoAnswerError as problem:
        sentence(problem)


@cache
def _good() -> bytes:
    """Two nights that are over, and one that goes on; stories, bookmarks, an evening."""
    with room() as folder:
        path = folder / "journal.db"
        journal = Journal(path)
        for number, night_id in enumerate(_NIGHTS):
            began_s = EVENING_S - 86_400.0 * (len(_NIGHTS) - 1 - number)
            journal.open_night(night_id, began_s)
            for k in range(12):
                stage = (Stage.AWAKE, Stage.LIGHT, Stage.DEEP, Stage.REM)[k // 3]
                estimate = StageEstimate(k, 0.0, stage, (0.1, 0.6, 0.2, 0.1), "")
                journal.add_epoch(night_id, began_s + k * EPOCH_S, _epoch(k), estimate)
                if k % 2:
                    journal.revise(night_id, [replace(estimate, stage=Stage.LIGHT)])
            journal.add_moment(night_id, began_s, "in_bed", 0.9)
            journal.add_told(night_id, Told(began_s, "The attic", "Ilse", "Mia"))
            if number < 2:
                times = NightTimes(night_id, began_s, began_s + 600.0, began_s + 7200.0)
                journal.close_night(night_id, began_s + 7200.0, times)
        journal.save_bookmark("attic.opus", 30.0, "Mia", 20.0)
        it = Bedside()
        it.until_story()
        journal.save_ritual(it.core.ritual_state(), it.at_s, EVENING_S)
        journal.save_person(Person().to_dict())
        journal.close()
        db = sqlite3.connect(path)
        db.execute("PRAGMA journal_mode=DELETE")
        db.close()
        return path.read_bytes()


def _epoch(index: int) -> Epoch:
    rates = (60.0, 61.0, 60.5, None, 60.0, 59.0)
    return Epoch(index, 0.0, Presence.PULSE, True, 60.0, rates, 40.0, 30, 0.9, 14.0, 97.0, (0.0, 3.0))


def _change(path: Path, dough: Dough) -> None:
    db = sqlite3.connect(path)
    try:
        db.execute("PRAGMA ignore_check_constraints=ON")
        for _ in range(1 + dough.number(4)):
            table = dough.choice(_TABLES)
            columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            if not columns:
                continue
            if dough.byte() % 8 == 1:
                values = [_value(dough) for _ in columns]
                db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(columns))})", values)
            else:
                some = " WHERE number % 3 = 0" if table == "epoch" else ""
                db.execute(f"UPDATE OR REPLACE {table} SET {dough.choice(columns)} = ?{some}", (_value(dough),))
            db.commit()
    except (sqlite3.Error, UnicodeError):
        return
    finally:
        db.close()


_BODY: dict[str, Any] = json.loads(
    '{"presence":"pulse","in_bed":true,"heart_bpm":60.0,"heart_series_bpm":[60.0,61.0,60.5,null,60.0,59.0],'
    '"rmssd_ms":40.0,"beat_count":30,"pulse_quality":0.9,"breath_bpm":14.0,"spo2_pct":97.0,'
    '"motion_counts":[0.0,3.0],"rhythm":null}'
)


def _value(dough: Dough) -> Any:
    match dough.number(6):
        case 0:
            return dough.blob(20)
        case 1:
            return dough.choice((0, 1, -1, 2**62, 1e308, float("inf"), None, "", "x", "-", _NIGHTS[0], EVENING_S))
        case 2:
            return json.dumps(dough.odd(_KEYS))
        case 3:
            return json.dumps(dough.altered(_BODY, _KEYS))
        case 4:
            return json.dumps(dough.altered(["light", [0.1, 0.6, 0.2, 0.1], "x"], ("awake", "rem")))
        case 5:
            return dough.text()
        case _:
            return dough.float_()


def seeds() -> Iterator[bytes]:
    yield b"\x01"
    for table in range(len(_TABLES)):
        for kind in range(0, 7, 3):
            yield bytes([1, 1, 0, table, 0, 3 * kind % 5, kind, kind]) + b"\1\3abcdefgh"
    for k in range(6):
        yield bytes(
            [0, 3, *(byte for n in range(4) for byte in (k * 3 % 251, n * 90 % 256, k % 5, k * 11 % 256)), 0, 0]
        )


TARGET = Target(
    one, seeds, words=(*_NIGHTS, *_KEYS, "[]", "null", "SQLite format 3"), longest_bytes=512, ci_examples=20
)
