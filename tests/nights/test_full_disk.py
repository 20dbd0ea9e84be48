"""The disk is full, or cannot be written, in the middle of a night: the night goes on, it is said, and nothing is lost.

A tiny file system in memory is mounted where the rights for it are (root, as in a container); the same night is always
lived with the kernel's errors injected where this program writes: below SQLite, ``os.write``, ``os.pwrite``.
"""

import errno
import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.clock_house import Machine, Running
from tests.nights.test_clock_jumps import EVENING, EVENING_S, assert_whole

from somnisphere.bedtime.phases import Phase
from somnisphere.diary.store import MIGRATIONS
from somnisphere.household_file import connect, household_beside
from somnisphere.night import EPOCH_S

SPELL_S = 1500.0


def said(machine: Machine) -> dict[str, Any]:
    """What the home was last told of the box's troubles."""
    last = next(m.payload for m in reversed(machine.messages) if m.topic.endswith("/health"))
    attributes: dict[str, Any] = json.loads(last)["sensor_problem_attributes"]
    return attributes


@dataclass
class Disk:
    folder: Path
    fills: Callable[[], None]
    is_free_again: Callable[[], None]


@pytest.fixture(params=["mounted", "injected"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "injected":
        monkeypatch = request.getfixturevalue("monkeypatch")
        yield injected(folder, monkeypatch)
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here; the same night is lived with injected errors")
    filler = folder / "filler"

    def fills() -> None:
        def write_on() -> None:
            while True:
                file.write(bytes(4096))

        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            write_on()

    try:
        yield Disk(folder, fills, filler.unlink)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def injected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """No space for any byte more, for SQLite (a table that is asked to grow) and for files."""
    full: list[bool] = []
    write, pwrite, connect = os.write, os.pwrite, sqlite3.connect

    def refuse(real: Callable[..., int]) -> Callable[..., int]:
        def call(handle: int, *rest: Any) -> int:
            if full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(handle, *rest)

        return call

    def connected(*given: Any, **named: Any) -> sqlite3.Connection:
        if full:
            raise sqlite3.OperationalError("database or disk is full")
        opened: sqlite3.Connection = connect(*given, **named)
        return opened

    monkeypatch.setattr(os, "write", refuse(write))
    monkeypatch.setattr(os, "pwrite", refuse(pwrite))
    monkeypatch.setattr(sqlite3, "connect", connected)

    def fills() -> None:
        full.append(True)

    return Disk(folder, fills, full.clear)


def fill_under(it: Running, disk: Disk) -> None:
    """Also SQLite's open connection finds no space any more."""
    disk.fills()
    database = it.journal._db
    if database is not None and not (disk.folder / "filler").exists():
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}")


def test_a_disk_that_is_full_for_a_while(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(disk.folder, EVENING_S)
    machine.network_sets_it()
    with machine.runs() as it:
        it.begin()
        it.live(300.0)
        assert it.daemon.snapshot().phase is Phase.STORY
        fill_under(it, disk)
        it.live(SPELL_S)
        assert "cannot be written" in said(machine)["journal"]
        assert len(it.daemon._core.night_epochs) == pytest.approx((300.0 + SPELL_S) / EPOCH_S, abs=3)
        it.daemon.keeping.light(machine.at_s, now=True)
        it.ends()
        disk.is_free_again()
        it.live(180.0)
        assert said(machine)["journal"] == ""
    lines = [record.getMessage() for record in caplog.records if "journal" in record.getMessage()]
    assert len(lines) <= 4, "said when it changes, not each minute"
    (night,) = machine.nights().values()
    assert night.times.night_id == EVENING
    assert_whole(night, evenly_s=0.001)
    assert len(night.epochs) == pytest.approx((480.0 + SPELL_S) / EPOCH_S, abs=3)
    assert "lights_down" in [moment.type for moment in night.moments]


def test_a_disk_that_can_only_be_read_from_the_start_on(tmp_path: Path) -> None:
    """As after a worn-out card, which the kernel mounts so; then it is mounted anew, and the night is kept whole."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4M", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        machine = Machine(folder, EVENING_S)
        machine.network_sets_it()
        with machine.runs() as it:
            it.live(60.0)
        connect(household_beside(machine.journal_path), "diary", MIGRATIONS).close()
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with machine.runs() as it:
            it.begin()
            it.live(SPELL_S)
            it.daemon.home_said("somnisphere/bedside/sensing/set", b"OFF", retained=False, at_s=machine.at_s)
            it.live(30.0)
            assert "cannot be written" in said(machine)["journal"]
            assert "cannot be written" in said(machine)["sensing"]
            assert set(said(machine)) == {"problem", "player", "journal", "lamp", "sensing", "household", "home"}
            assert it.daemon.snapshot().phase is not Phase.IDLE
            it.daemon.keeping.light(machine.at_s, now=True)
            it.ends()
            subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
            it.live(180.0)
            assert said(machine)["journal"] == ""
        (night,) = machine.nights().values()
        assert_whole(night, evenly_s=0.001)
        assert len(night.epochs) == pytest.approx((210.0 + SPELL_S) / EPOCH_S, abs=3)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
