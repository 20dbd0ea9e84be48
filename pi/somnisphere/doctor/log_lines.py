"""The log of the service for a support bundle, without what was said in it.

A line of ours is kept as the sentence that stands in the program, each thing that was filled in as “…” unless it is an
error of the operating system's. What is no such sentence is left out: it may be anybody's words.
"""

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from somnisphere.doctor.service import UNIT
from somnisphere.doctor.world import World

MOST_LINES = 500
_WAIT_S = 5.0
_DAY_S = 86_400.0
_OURS = re.compile(r"(?P<level>[A-Z]+) (?P<logger>somnisphere(?:_hardware|_home)?[\w.]*): (?P<said>.*)", re.DOTALL)
_SYSTEMD = re.compile(rf"{re.escape(UNIT)}: [\w ,=/.:()'-]*|(?:Start|Stopp)(?:ing|ed) {re.escape(UNIT)}\b")
_PLACE = r"(?:somnisphere\w*|site-packages|python3\.\d+)/[\w./-]+"
_FRAME = re.compile(rf'\s*File ".*?(?P<file>{_PLACE})", line (?P<line>\d+), in \S+')
_RAISED = re.compile(r"(?:\w+\.)*(?P<name>\w*(?:Error|Exception|Interrupt))(?::.*)?", re.DOTALL)
_FILLED = re.compile(r"%[-#0 +]*[\d.*]*[a-zA-Z%]")
_SYSTEM_ERRORS = frozenset({os.strerror(code) for code in range(1, 134)})
_LOGS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})


def log_lines(world: World) -> list[str]:
    """The newest lines of the unit, the oldest first, each with how many days it is old: no time of any night."""
    journalctl = shutil.which("journalctl")
    if journalctl is None or not world.at("run/systemd/system").is_dir():
        return ["there is no log of a service on this box"]
    try:
        said = subprocess.run(
            [journalctl, f"--unit={UNIT}", f"--lines={MOST_LINES}", "--output=json", "--quiet"],
            capture_output=True, text=True, errors="replace", timeout=_WAIT_S, check=False,
        ).stdout  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ["the log cannot be read"]
    lines = []
    for row in said.splitlines():
        try:
            entry = json.loads(row)
            days = int((world.wall_s() - float(entry["__REALTIME_TIMESTAMP"]) / 1e6) // _DAY_S)
            message, sender = entry["MESSAGE"], entry.get("SYSLOG_IDENTIFIER", "")
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(message, str) and (kept := told(message, sender == "systemd")):
            lines.append(f"{max(0, days)} days ago: {kept}")
    return lines


def told(message: str, of_systemd: bool = False) -> str:
    """One line as it may be shown; "" for one that may not."""
    if of_systemd:
        match = _SYSTEMD.fullmatch(message.strip())
        return match[0] if match else ""
    if match := _OURS.fullmatch(message):
        sentence = next(filter(None, (_filled(one, match["said"]) for one in sentences_of(match["logger"]))), "…")
        return f"{match['level']} {match['logger']}: {sentence}"
    if match := _FRAME.fullmatch(message):
        return f"  {match['file']}, line {match['line']}"
    if match := _RAISED.fullmatch(message):
        return match["name"]
    return ""


@cache
def sentences_of(logger: str) -> tuple[str, ...]:
    """What a module of ours can log, as its text has it; the longest first, so that "%s" does not speak for all."""
    try:
        spec = importlib.util.find_spec(logger)
        tree = ast.parse(Path(spec.origin or "").read_text()) if spec else ast.Module([], [])
    except (ImportError, ValueError, OSError, SyntaxError):
        return ()
    found = {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in _LOGS
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }
    return tuple(sorted(found, key=len, reverse=True))


def _filled(sentence: str, said: str) -> str:
    """``sentence`` with what of ``said`` may be shown; "" when ``said`` is another one."""
    literals = _FILLED.split(sentence)
    match = re.fullmatch("(.*?)".join(re.escape(literal) for literal in literals), said, re.DOTALL)
    if match is None:
        return ""
    shown = [value if value in _SYSTEM_ERRORS else "…" for value in match.groups()]
    return literals[0] + "".join(value + literal for value, literal in zip(shown, literals[1:], strict=True))
