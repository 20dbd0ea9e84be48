"""The clock and its time zone: evenings begin, and nights are dated, by the household's time."""

import os
import shutil
import subprocess
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World

NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
"""This was written then: a clock before it was never set. A Pi has none of its own and wakes in the past."""
UTC_NAMES = frozenset({"UTC", "Etc/UTC", "UCT", "Etc/UCT", "Universal", "Etc/Universal", "Zulu", "Etc/Zulu"})
_WAIT_S = 3.0


def check_clock(_config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    now = datetime.fromtimestamp(world.wall_s(), UTC)
    set_it = "is the network up? sudo timedatectl set-ntp true; without a network: sudo date -s '2026-03-14 20:00'"
    if now < NOT_BEFORE:
        yield Finding("clock", False, f"it says {now:%Y-%m-%d}: it was never set", set_it)
        return
    synchronised = _synchronised(world)
    if synchronised is False and not world.at("dev/rtc0").exists():
        yield Finding("clock", False, "it is not set by the network, and this box has no clock that runs on", set_it)
        return
    words = {True: "set by the network", False: "kept by this box's own clock", None: "who sets it is not known"}
    yield Finding("clock", True, words[synchronised])


def _synchronised(world: World) -> bool | None:
    """Whether the network has set it; None where nobody says."""
    if world.at("run/systemd/timesync/synchronized").exists():
        return True
    timedatectl = shutil.which("timedatectl")
    if timedatectl is None or not world.at("run/systemd/system").is_dir():
        return None
    try:
        said = subprocess.run(
            [timedatectl, "show", "--property=NTPSynchronized", "--value"],
            capture_output=True, text=True, errors="replace", timeout=_WAIT_S, check=False,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(said)


def check_time_zone(_config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    mend = "sudo timedatectl set-timezone Europe/Vienna (yours), then restart the daemon"
    name = zone_name(world)
    if not name:
        yield Finding("time zone", False, "/etc/localtime is not there: the box reckons in UTC", mend)
    elif zone(name) is None:
        where = "$TZ" if os.environ.get("TZ") else "/etc/localtime"
        verdict = f"{where} names {name}, which this box does not know: it reckons in UTC"
        yield Finding("time zone", False, verdict, f"sudo apt install tzdata; {mend}")
    elif name in UTC_NAMES:
        verdict = f"{name}: evenings would begin, and nights be dated, by the time of no household"
        yield Finding("time zone", False, verdict, mend)
    else:
        yield Finding("time zone", True, name)


def zone_name(world: World = THIS_MACHINE) -> str:
    """By $TZ, else by where /etc/localtime leads (localtime(5)), else by Debian's /etc/timezone; "" without any."""
    if named := os.environ.get("TZ", "").lstrip(":"):
        return named
    link = world.at("etc/localtime")
    if link.is_symlink():
        return str(Path(os.readlink(link))).partition("zoneinfo/")[2]
    return world.text("etc/timezone") if link.exists() else ""


def zone(name: str) -> zoneinfo.ZoneInfo | None:
    """None: this box does not know it."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None
