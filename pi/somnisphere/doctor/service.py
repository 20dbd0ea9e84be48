"""Whether the daemon runs, and how its unit is. Chips, pins, sound and reader obey one program: who looks while it runs
leaves them alone."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World

UNIT = "somnisphere.service"
_ASKED = ("LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "NRestarts")
_WAIT_S = 4.0
_MANY_RESTARTS = 3
_LOG = f"the log says why: journalctl -u {UNIT} -n 50"


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


def unit_state(world: World = THIS_MACHINE) -> dict[str, str]:
    """What systemd says of the unit; nothing where there is no systemd."""
    systemctl = shutil.which("systemctl")
    if systemctl is None or not world.at("run/systemd/system").is_dir():
        return {}
    try:
        said = subprocess.run(
            [systemctl, "show", UNIT, f"--property={','.join(_ASKED)}"],
            capture_output=True, text=True, errors="replace", timeout=_WAIT_S, check=False,
        ).stdout  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return {}
    pairs = (line.partition("=") for line in said.splitlines())
    return {name: value for name, _, value in pairs if name in _ASKED}


def check_service(_config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    state = unit_state(world)
    active = f"{state.get('ActiveState', '')} ({state.get('SubState', '')})"
    restarts = int(state["NRestarts"]) if state.get("NRestarts", "").isdecimal() else 0
    if state.get("LoadState", "not-found") == "not-found":
        pid = daemon_pid(world)
        yield Finding("service", True, "not installed as a service" + ("" if pid is None else f"; process {pid} runs"))
    elif state["LoadState"] != "loaded":
        yield Finding("service", False, f"{UNIT} is {state['LoadState']}", f"systemd-analyze verify {UNIT} says why")
    elif state["ActiveState"] == "failed":
        yield Finding("service", False, f"{UNIT} failed ({state.get('Result', '')})", _LOG)
    elif state["SubState"] == "auto-restart" or restarts > _MANY_RESTARTS:
        yield Finding("service", False, f"{UNIT} was started anew {restarts} times and is {active}", _LOG)
    elif state["ActiveState"] != "active":
        yield Finding("service", True, f"{UNIT} is {active}", f"to start it: sudo systemctl start {UNIT}")
    elif state.get("UnitFileState") == "disabled":
        mend = f"sudo systemctl enable {UNIT}"
        yield Finding("service", False, f"{UNIT} runs but will not start with the box", mend)
    else:
        yield Finding("service", True, f"{UNIT} is {active}")
