"""The household's clock: what is believed, since when, and in which zone."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from somnisphere.clock import utc_offset_s
from somnisphere.events import Tick
from somnisphere.household_clock import ClockSetter, HouseholdClock, Zone, boot_id
from somnisphere.listeners import BeginClock, Listener, Listeners
from somnisphere.night import DAY_S

NOW_S = datetime(2026, 3, 14, 20, 30, tzinfo=UTC).timestamp()
HOUR_S = 3600.0


@dataclass
class Hands:
    at_s: float = 0.0
    minus_at_s: float = NOW_S

    def now_s(self) -> float:
        return self.at_s

    def wall_s(self) -> float:
        return self.at_s + self.minus_at_s


def battery(root: Path, since_epoch_s: float) -> None:
    folder = root / "sys/class/rtc/rtc0"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "since_epoch").write_text(f"{since_epoch_s:.0f}\n")


def network(root: Path, *, synchronized: bool) -> None:
    folder = root / "run/systemd/timesync"
    folder.mkdir(parents=True, exist_ok=True)
    if synchronized:
        (folder / "synchronized").touch()


def clock(root: Path, hands: Hands, last_seen_s: float | None = None) -> HouseholdClock:
    return HouseholdClock(hands, ClockSetter(root), Zone(root / "localtime"), last_seen_s)


def test_a_machine_of_which_nothing_is_known_is_believed(tmp_path: Path) -> None:
    tick = clock(tmp_path, Hands()).tick()
    assert (tick.wall_s, tick.clock_problem) == (NOW_S, "")


def test_network_time_and_a_battery_clock_are_believed(tmp_path: Path) -> None:
    network(tmp_path, synchronized=False)
    assert "was not set" in clock(tmp_path, Hands()).tick().clock_problem
    battery(tmp_path, NOW_S + 2.0)
    assert clock(tmp_path, Hands()).tick().clock_problem == ""
    battery(tmp_path, 70.0)  # as on a Raspberry Pi 5 without a battery
    assert "was not set" in clock(tmp_path, Hands()).tick().clock_problem
    network(tmp_path, synchronized=True)
    assert clock(tmp_path, Hands()).tick().clock_problem == ""


def test_an_unset_clock_goes_on_from_what_the_journal_saw(tmp_path: Path) -> None:
    hands = Hands(minus_at_s=10.0)
    it = clock(tmp_path, hands, last_seen_s=NOW_S)
    hands.at_s = 60.0
    tick = it.tick()
    assert tick.wall_s == NOW_S + 60.0
    assert "1970" in tick.clock_problem
    hands.minus_at_s = NOW_S + HOUR_S
    assert it.tick().wall_s == NOW_S + HOUR_S + 60.0
    assert it.tick().clock_problem == ""


def test_a_clock_that_lags_behind_the_journal_does_not_go_back(tmp_path: Path) -> None:
    network(tmp_path, synchronized=False)
    it = clock(tmp_path, Hands(minus_at_s=NOW_S - HOUR_S), last_seen_s=NOW_S)
    assert it.tick().wall_s == NOW_S
    ahead = clock(tmp_path, Hands(minus_at_s=NOW_S + HOUR_S), last_seen_s=NOW_S)
    assert ahead.tick().wall_s == NOW_S + HOUR_S


def test_a_clock_that_is_lost_after_it_was_known_is_not_followed(tmp_path: Path) -> None:
    hands = Hands()
    it = clock(tmp_path, hands)
    it.tick()
    hands.at_s, hands.minus_at_s = 100.0, 0.0
    tick = it.tick()
    assert tick.wall_s == NOW_S + 100.0, "monotonic time goes on from it"
    assert tick.clock_problem


def test_the_zone_file_changes_while_the_daemon_runs() -> None:
    """In a process whose zone file is its own, for the machine's is not to be touched."""
    program = """
import os, sys, time
from pathlib import Path
from somnisphere.household_clock import Zone
file, zones = Path("/etc/localtime"), Path("/usr/share/zoneinfo")
os.environ.pop("TZ", None)
zone, offsets = Zone(), []
for name in ("Asia/Tokyo", "America/New_York", "Etc/UTC"):
    new = file.with_name("localtime.new")
    new.symlink_to(zones / name)
    new.replace(file)
    zone.follow()
    offsets.append(time.localtime(1773520200).tm_gmtoff)
print(offsets)
"""
    inside = 'mount -t tmpfs tmpfs /etc && exec "$@"'
    unshare = ["unshare", "--mount", "--user", "--map-root-user", "sh", "-ec", inside, "sh"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode or not zones().exists():
        pytest.skip("no namespace of one's own can be had here, or no zones are installed")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [*unshare, sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "[32400, -14400, 0]\n", done.stderr


def zones() -> Path:
    return Path("/usr/share/zoneinfo/Asia/Tokyo")


def test_a_zone_file_that_changes_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, read = tmp_path / "localtime", list[bool]()
    monkeypatch.setattr(time, "tzset", lambda: read.append(True))
    it = clock(tmp_path, hands := Hands())
    it.tick()
    assert read == []
    file.write_bytes(b"TZif2")
    hands.at_s = 11.0
    it.tick()
    it.tick()
    assert read == [True]


def test_the_machines_start_has_a_name() -> None:
    assert boot_id() == boot_id() != ""
    assert boot_id(Path("/nowhere")) == ""


# ---- begin_at -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone_day", "begin_at_s", "begins"),
    [
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), 2.5 * HOUR_S, 1),  # 02:30 does not exist on 29 March in Berlin
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), 2.5 * HOUR_S, 1),  # 02:30 comes twice on 25 October
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), 20.0 * HOUR_S, 1),
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), 20.0 * HOUR_S, 1),
    ],
)
def test_an_hour_that_is_left_out_or_comes_twice_begins_one_evening(
    monkeypatch: pytest.MonkeyPatch, zone_day: datetime, begin_at_s: float, begins: int
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        it, found = BeginClock(begin_at_s), 0
        for second in range(0, 24 * 3600, 30):
            wall_s = zone_day.timestamp() + second
            found += it.is_due(Tick(float(second), wall_s, utc_offset_s(wall_s)))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found == begins


def test_a_clock_that_is_not_set_begins_no_evening() -> None:
    from somnisphere.bedtime.ritual import Ritual, RitualSettings
    from somnisphere.bedtime.shelf import Shelf

    shelf = Shelf(())
    listeners = Listeners(Ritual(RitualSettings(), shelf), shelf, [Listener("", RitualSettings(), "", 20.5 * HOUR_S)])
    day_s = NOW_S - NOW_S % DAY_S

    def begins(hour: float, problem: str = "") -> bool:
        tick = Tick(hour * HOUR_S, day_s + hour * HOUR_S, 0.0, problem)
        return listeners.begins(tick, free=True, up=False)[0] is not None

    assert not begins(20.4, "not set")
    assert not begins(20.6, "not set")
    assert not begins(20.7)
    assert begins(20.6 + 24.0)
