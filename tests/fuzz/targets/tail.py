"""The journal's tail, torn or written by somebody else: what is whole of it joins the night, and the night goes on."""

import json
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.core_bedside import EVENING_S
from tests.fuzz.dough import Dough, flipped
from tests.fuzz.room import room
from tests.fuzz.target import Target

from somnisphere.journal import COMMIT_EVERY_S, Journal
from somnisphere.journal_reader import JournalReader
from somnisphere.journal_tail import beside
from somnisphere.night import EPOCH_S, StageEstimate, unknown_epoch

_NIGHT = "2026-03-14"
_WORDS = (_NIGHT, "2026-03-13", "{}", '[null,null,""]')
_KEPT = 4
"""Epochs that are in the journal already; as many again are in the tail."""


def one(data: bytes) -> None:
    dough = Dough(data)
    journal_bytes, tail_bytes = _good()
    with room() as folder:
        path = folder / "journal.db"
        path.write_bytes(journal_bytes)
        beside(path).write_bytes(_records(dough) if dough.flag() else flipped(dough, tail_bytes))
        seen = _seen_beside(path)
        journal = Journal(path)
        try:
            assert _fine(journal)
            numbers = _numbers(journal)
            assert numbers == seen
            assert numbers[:_KEPT] == list(range(_KEPT))
            journal.night_in_progress(5.0, EVENING_S + 600.0)
            for minute in range(3):  # new epochs are seen, whatever lay there
                _add(journal, 1_000_000 + minute)
                journal.flush(minute * COMMIT_EVERY_S)
                assert _seen_beside(path)[-1] == 1_000_000 + minute
            assert journal.commit() or not beside(path).stat().st_size
            assert _fine(journal)
            assert _numbers(journal)[:-3] == [number for number in numbers if number < 1_000_000]
        finally:
            journal.close()
        assert {entry.name for entry in folder.iterdir()} <= {path.name, beside(path).name, f"{path.name}-wal"}


def _fine(journal: Journal) -> bool:
    return not journal.problem and not journal.mended


def _numbers(journal: Journal) -> list[int]:
    kept = journal.load(_NIGHT)
    assert len(kept.epochs) == len(kept.estimates) == len(kept.live)
    return [epoch.index for epoch in kept.epochs]


def _seen_beside(path: Path) -> list[int]:
    reader = JournalReader(path)
    try:
        return _numbers(reader)
    finally:
        reader.close()
        assert not reader.problem, reader.problem


def _add(journal: Journal, number: int) -> None:
    wall_s = EVENING_S + number * EPOCH_S
    journal.add_epoch(_NIGHT, wall_s, unknown_epoch(number, 0.0), StageEstimate(number, 0.0, None, None, "x"))


def _records(dough: Dough) -> bytes:
    """As the format has it, with rows that are of no kind, of another night, twice, out of order."""
    found = b""
    for _ in range(1 + dough.number(3)):
        rows: Any = [_row(dough) for _ in range(dough.number(4))]
        plain = json.dumps(dough.altered(rows, _WORDS) if dough.flag() else rows).encode()
        packed = zlib.compress(plain if dough.byte() % 8 != 1 else dough.blob(40))
        found += len(packed).to_bytes(4, "little") + zlib.crc32(packed).to_bytes(4, "little") + packed
    return found


def _row(dough: Dough) -> list[Any]:
    number = dough.byte() % 16
    return [dough.choice(_WORDS[:2]), number, EVENING_S + number * EPOCH_S, *_WORDS[2:]]


@cache
def _good() -> tuple[bytes, bytes]:
    """A night that goes on: the journal, and its tail."""
    with room() as folder:
        path = folder / "journal.db"
        journal = Journal(path)
        journal.open_night(_NIGHT, EVENING_S)
        for number in range(_KEPT):
            _add(journal, number)
        journal.commit()
        for minute in range(_KEPT // 2):
            _add(journal, _KEPT + 2 * minute)
            _add(journal, _KEPT + 2 * minute + 1)
            journal.flush(minute * COMMIT_EVERY_S)
        tail = beside(path).read_bytes()
        assert tail
        beside(path).unlink()
        journal.close()
        return path.read_bytes(), tail


def seeds() -> Iterator[bytes]:
    yield b""
    yield b"\x01"
    for kind in range(8):
        yield bytes([1, 2, 3, 1, 4, 0, 5, 0, 6, 1, kind, 0, 2, kind, 3, kind, 9, kind, kind]) + b"0123456789abcdef" * 2
    for place in range(0, 250, 25):
        yield bytes([0, 2, place, 0, place, place, 2, 3, place, 3, 4, 1, 2, 3, 4, 0])


TARGET = Target(one, seeds, words=(*_WORDS, "null", "1e400", '"\\ud800"'), longest_bytes=512, ci_examples=20)
