"""Whether the daemon runs, and how its unit is. Chips, pins, sound and reader obey one program: who looks while it runs
leaves them alone."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World

PART = "service"
UNIT = "somnisphere.service"
BESIDE = ("somnisphere-page.service", "somnisphere-circle.service")
_ASKED = ("LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "NRestarts")
_WAIT_S = 4.0
MANY_RESTARTS = 3


def daemon_runs(world: World = THIS_MACHINE) -> bool:
    """Whether a daemon has chips, pins and sound of this box now."""
    if world.daemon_runs is not None:
        return world.daemon_runs
    return daemon_pid(world) is not None or unit_state(world).get("ActiveState") == "active"


def daemon_pid(world: World = THIS_MACHINE) -> int | None:
    """Of a ``somnisphere run``, by whomever it was started."""
    for folder in world.at("proc").glob("[0-9]*"):
        words = world.text(f"proc/{folder.name}/cmdline").split("\0")
        if _is_daemon(words):
            return int(folder.name)
    return None


def _is_daemon(words: Sequence[str]) -> bool:
    """``.../somnisphere [--config FILE] run`` or ``python -m somnisphere run``; not ``somnisphere circle run``."""
    program = next((i for i, word in enumerate(words[:4]) if Path(word).name == "somnisphere"), None)
    if program is None:
        return False
    rest = iter(words[program + 1 :])
    for word in rest:
        if word == "--config":
            next(rest, None)
        elif not word.startswith("-"):
            return word == "run"
    return False


def unit_state(world: World = THIS_MACHINE, unit: str = UNIT) -> dict[str, str]:
    """What systemd says of a unit; nothing where there is no systemd."""
    systemctl = shutil.which("systemctl")
    if systemctl is None or not world.at("run/systemd/system").is_dir():
        return {}
    try:
        said = subprocess.run(
            [systemctl, "show", unit, f"--property={','.join(_ASKED)}"],
            capture_output=True, text=True, errors="replace", timeout=_WAIT_S, check=False,
        ).stdout  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return {}
    pairs = (line.partition("=") for line in said.splitlines())
    return {name: value for name, _, value in pairs if name in _ASKED}


def check_service(_config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    state = unit_state(world)
    if state.get("LoadState", "not-found") == "not-found":
        pid = daemon_pid(world)
        yield Finding(PART, True, "not installed as a service" + ("" if pid is None else f"; process {pid} runs"))
        return
    yield _trouble(UNIT, state) or _asleep(state) or Finding(PART, True, f"{UNIT} is {_active(state)}")
    for unit in BESIDE:
        beside = unit_state(world, unit)
        if beside.get("LoadState") == "loaded" and (trouble := _trouble(unit, beside)):
            yield trouble


def _active(state: Mapping[str, str]) -> str:
    return f"{state.get('ActiveState', '?')} ({state.get('SubState', '?')})"


def _trouble(unit: str, state: Mapping[str, str]) -> Finding | None:
    log = f"the log says why: journalctl -u {unit} -n 50"
    restarts = int(state["NRestarts"]) if state.get("NRestarts", "").isdecimal() else 0
    if state.get("LoadState") != "loaded":
        mend = f"systemd-analyze verify {unit} says why"
        return Finding(PART, False, f"{unit} is {state.get('LoadState')}", mend)
    if state.get("ActiveState") == "failed":
        return Finding(PART, False, f"{unit} failed ({state.get('Result', '?')})", log)
    if state.get("SubState") == "auto-restart" or restarts > MANY_RESTARTS:
        return Finding(PART, False, f"{unit} was started anew {restarts} times and is {_active(state)}", log)
    return None


def _asleep(state: Mapping[str, str]) -> Finding | None:
    if state.get("ActiveState") != "active":
        return Finding(PART, True, f"{UNIT} is {_active(state)}", f"to start it: sudo systemctl start {UNIT}")
    if state.get("UnitFileState") == "disabled":
        mend = f"sudo systemctl enable {UNIT}"
        return Finding(PART, False, f"{UNIT} runs but will not start with the box", mend)
    return None
