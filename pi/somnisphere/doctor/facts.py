"""What a box is made of, for a support bundle: versions, chips, the shape of its files. Nothing of what is in them."""

import platform
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from somnisphere import __version__
from somnisphere.config import Config
from somnisphere.doctor.bus import look
from somnisphere.doctor.journal import opened
from somnisphere.doctor.world import World
from somnisphere.household_file import household_beside
from somnisphere_hardware import max30102
from somnisphere_hardware.bus import Bus, BusError

_WAIT_S = 5.0
_REVISION = 0xFE
"""Of a MAX30102: REVISION_ID."""


def versions(world: World) -> dict[str, Any]:
    system = "?"
    with suppress(OSError):
        system = platform.freedesktop_os_release().get("PRETTY_NAME", "?")
    return {
        "somnisphere": __version__,
        "board": world.text("proc/device-tree/model") or "?",
        "system": system,
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "mpv": _first_line("mpv", "--version"),
        "packages": dict(sorted((one.metadata["Name"], one.version) for one in distributions())),
    }


def _first_line(program: str, option: str) -> str:
    found = shutil.which(program)
    if found is None:
        return "not installed"
    try:
        done = subprocess.run([found, option], capture_output=True, text=True, timeout=_WAIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    return done.stdout.partition("\n")[0].partition(" Copyright")[0]


def chips(config: Config) -> list[dict[str, Any]]:
    """Which answer, by their identities."""
    try:
        bus = Bus.open(config.sensor.bus)
    except BusError as problem:
        return [{"problem": problem.errno_name}]
    with closing(bus):
        seen = look(bus)
        rows: list[dict[str, Any]] = [
            {"address": chip.address, "chip": chip.chip, "id": chip.chip_id, "problem": chip.problem}
            for chip in seen.found
        ]
        for row in rows:
            if row["address"] == max30102.ADDRESS:
                with suppress(BusError):
                    row["revision"] = bus.read(max30102.ADDRESS, _REVISION, 1)[0]
    failed = [*seen.refused, *([] if seen.stuck is None else [(seen.stuck.address, seen.stuck)])]
    return [*rows, *({"address": address, "problem": error.errno_name} for address, error in failed)]


def files(config: Config) -> dict[str, Any]:
    """The tables of both files and how many rows each has."""
    journal = Path(config.journal.path)
    return {name: _tables(path) for name, path in (("journal", journal), ("household", household_beside(journal)))}


def _tables(path: Path) -> dict[str, Any]:
    try:
        if not path.exists():
            return {"is": "not there"}
        with closing(opened(path)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            schema = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
            counts = {name: db.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0] for name, _ in schema}
    except (sqlite3.Error, OSError) as problem:
        return {"is": f"not readable: {type(problem).__name__}"}
    return {
        "is": "readable",
        "bytes": path.stat().st_size,
        "version": version,
        "rows": counts,
        "schema": [sql for _, sql in schema],
    }


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
