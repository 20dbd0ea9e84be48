"""What can be wrong with the box itself: disk and files, clock and power, its service."""

import os
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest
from tests.doctor_box import DoctorBox
from tests.doctor_faults.fault import fault

# ---- disk and files --------------------------------------------------------------------------------------------------


def _disk(box: DoctorBox, **changes: int) -> None:
    values = {"f_bavail": 10**6, "f_frsize": 4096, "f_flag": 0, "f_files": 10**6, "f_favail": 10**5, **changes}
    box.lives_in(disk=lambda _: SimpleNamespace(**values))


@fault("disk", "4 MB free", "free some space")
def full_disk(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _disk(box, f_bavail=1000)


@fault("disk", "read-only", "remount")
def read_only_disk(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _disk(box, f_flag=os.ST_RDONLY)


@fault("disk", "no file can be made")
def disk_without_inodes(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _disk(box, f_favail=0)


@fault("journal", "is broken", "keeps it aside")
def broken_journal(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    data = bytearray(box.journal.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    box.journal.write_bytes(data)


@fault("journal", "is broken")
def journal_that_is_no_database(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.journal.write_bytes(b"Dear diary" * 500)


@fault("journal", "newer Somnisphere")
def journal_of_the_future(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(box.journal)) as db:
        db.execute("PRAGMA user_version=1000")


@fault("rights", "token can be opened by others (0644)", "chmod 0600")
def token_for_everybody(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    (box.folder / "token").chmod(0o644)


@fault("rights", "journal.db can be opened by others (0640)")
def journal_for_the_group(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.journal.chmod(0o640)


# ---- clock and power -------------------------------------------------------------------------------------------------


@fault("clock", "it was never set", "set-ntp")
def clock_never_set(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.lives_in(wall_s=lambda: 1_000_000.0)


def program(box: DoctorBox, monkeypatch: pytest.MonkeyPatch, name: str, says: str) -> None:
    """A program of systemd's, as a box with these words has it."""
    programs = box.folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / name).write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\n")
    (programs / name).chmod(0o755)
    (box.root / "run/systemd/system").mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


def unit(box: DoctorBox, monkeypatch: pytest.MonkeyPatch, active: str, sub: str, **more: str) -> None:
    """A box whose unit is so."""
    state = {"LoadState": "loaded", "ActiveState": active, "SubState": sub, "UnitFileState": "enabled"} | more
    program(box, monkeypatch, "systemctl", "\n".join(f"{name}={value}" for name, value in state.items()))


@fault("clock", "not set by the network", "set-ntp")
def clock_not_synchronised(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    (box.root / "run/systemd/timesync/synchronized").unlink()
    program(box, monkeypatch, "timedatectl", "no")


@fault("time zone", "UTC: evenings would begin", "set-timezone")
def time_zone_never_set(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    (box.root / "etc/localtime").unlink()
    (box.root / "etc/localtime").symlink_to("/usr/share/zoneinfo/Etc/UTC")
    box.home.configuration["time_zone"] = "Africa/Abidjan"  # whose hands are those of UTC


@fault("time zone", "not there", "set-timezone")
def time_zone_gone(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    (box.root / "etc/localtime").unlink()
    box.home.configuration["time_zone"] = "Africa/Abidjan"


@fault("time zone", "Europe/Atlantis", "tzdata")
def time_zone_of_nowhere(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Atlantis")
    box.home.configuration["time_zone"] = "Africa/Abidjan"


@fault("time zone", "America/New_York, this box in Europe/Vienna")
def time_zone_of_another_house(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.home.configuration["time_zone"] = "America/New_York"


@fault("power", "voltage is too low now", "supply")
def weak_supply(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.put("sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n")


@fault("power", "too hot", "air")
def hot_box(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.put("sys/devices/platform/soc/soc:firmware/get_throttled", "e0008\n")


@fault("service", "failed (exit-code)", "journalctl")
def service_failed(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    unit(box, monkeypatch, "failed", "failed", Result="exit-code")


@fault("service", "started anew 7 times", "journalctl")
def service_in_a_loop(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    unit(box, monkeypatch, "activating", "auto-restart", NRestarts="7")


@fault("service", "masked")
def service_masked(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    unit(box, monkeypatch, "inactive", "dead", LoadState="masked")


@fault("service", "will not start with the box", "systemctl enable")
def service_not_enabled(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    unit(box, monkeypatch, "active", "running", UnitFileState="disabled")
    box.home.rendered = "41"
