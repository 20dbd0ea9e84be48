"""Files that come from elsewhere: nights of other trackers as CSV, and a backup, which a stranger may have written."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from tests.fuzz.dough import Dough
from tests.fuzz.room import bytes_below, room
from tests.fuzz.target import Target, sentence
from tests.fuzz.targets.story import packed

from somnisphere.errors import UserError
from somnisphere.exchange.tracker_rows import LONGEST_S
from somnisphere.exchange.trackers import read_tracker
from somnisphere.safekeeping.manifest import BackupError
from somnisphere.safekeeping.unpack import unpack

_FITBIT = b"Sleep\nStart Time,End Time,Minutes Asleep,Minutes Awake,Minutes REM Sleep\n"
_ANDROID = b"Id,Tz,From,To,Sched,Hours,Rating,Event,Event\n"
_TABLES = (
    _FITBIT + b"2026-03-14 11:05PM,2026-03-15 6:05AM,400,20,N/A\n",
    _ANDROID + b"1773526000000,Europe/Berlin,,,,7.5,,LIGHT_START-1773526000000,DEEP_START-1773530000000\n",
    b'start,duration,value\n2026-03-14T23:05:00+01:00,"[60,60,120]","[0,1,2]"\n',
    b"start,end,stage\n2026-03-14T23:05:00+01:00,2026-03-14T23:20:00+01:00,awake\n",
)
_NAMES = (
    "journal.db",
    "household.db",
    "light.json",
    "voices/a.wav",
    "circle/x",
    "shelf/a.txt",
    "../x",
    "/x",
    "voices/../x",
)


def one(data: bytes) -> None:
    dough = Dough(data)
    if dough.number(2):
        _tracker(dough.rest())
    else:
        _backup(dough)


def _tracker(data: bytes) -> None:
    with room() as folder:
        path = folder / "a.csv"
        path.write_bytes(data)
        try:
            nights = read_tracker(path)
        except UserError as problem:
            sentence(problem)
            return
        for night in nights:
            assert 0.0 < night.ended_s - night.began_s <= LONGEST_S
            assert all(night.began_s <= span.start_s < span.end_s for span in night.spans)
            json.dumps([night.source, night.night_id, dict(night.minutes)], allow_nan=False)


def _backup(dough: Dough) -> None:
    with room() as folder:
        path, to = folder / "a.backup", folder / "to"
        to.mkdir()
        path.write_bytes(dough.rest() if dough.byte() % 8 == 1 else _packed(dough))
        try:
            manifest = unpack(path, to, 10**9)
            assert all((to / file.name).is_file() for file in manifest.files)
        except (BackupError, OSError) as problem:
            sentence(problem)
        assert {entry.name for entry in folder.iterdir()} == {"a.backup", "to"}
        assert bytes_below(to) <= 5_000_000


def _packed(dough: Dough) -> bytes:
    parts = {
        dough.choice(_NAMES) if dough.byte() % 4 else dough.text(20): dough.blob(40) for _ in range(dough.number(4))
    }
    if dough.byte() % 4 == 1:
        parts["shelf/b.txt"] = bytes(dough.number(30) * 100_000)
    files = [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in parts.items()
    ]
    manifest: Any = {
        "somnisphere_backup": 1,
        "version": "1",
        "made": "2026-11-28T20:00:00+01:00",
        "box": "bedside",
        "journal_schema": 4,
        "household_schema": {"diary": 1},
        "files": files,
    }
    for _ in range(dough.number(2)):
        manifest = dough.altered(manifest, ("name", "bytes", "sha256", "../x", "files"))
    parts["manifest.json"] = json.dumps(manifest).encode()
    return packed(parts, dough.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))


def seeds() -> Iterator[bytes]:
    for table in _TABLES:
        yield b"\x01" + table
    for k in range(10):
        yield bytes([0, 0, 3, *(k * 7 % 256, k % 9, 5, 1, 2, 3, 4, 5) * 3, k % 4, k, 0, 0])


_WORDS = (
    "Start Time",
    "End Time",
    "Minutes Asleep",
    "Id",
    "Hours",
    "Event",
    "start",
    "end",
    "stage",
    "duration",
    "value",
)

TARGET = Target(
    one, seeds, words=(*_WORDS, "N/A", "LIGHT_START-", "2026-03-14T23:05:00", "rem", "source", "9" * 400, "1e400")
)
