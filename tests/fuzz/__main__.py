"""``python -m tests.fuzz TARGET --minutes 60``: hours of guided fuzzing, by hand; ``all`` is each target in turn.

``bash tests/fuzz/run.sh all --minutes 10`` makes the environment first. Each run continues from what earlier ones kept
(``out/fuzz/TARGET/corpus``), prints executions, edges and findings, and adds a line to ``out/fuzz/figures.jsonl``. A
finding lies in ``out/fuzz/TARGET/found`` with its traceback; mend it, then move its bytes to
``tests/fuzz/findings/TARGET`` as ``NAME.bin``: ``tests/fuzz/test_fuzz.py`` replays them all.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.fuzz.target import HERE, names

OUT = HERE.parent.parent / "out" / "fuzz"
_STATE = re.compile(r"#(\d+)\s+(\w+)\s+cov: (\d+)")
_LAST_LINES = 15
PROCESS_S = 240
"""A new process takes over then: the fuzzer's own memory grows by some 40 KB an execution, up to its limit."""


@dataclass(slots=True)
class Figures:
    """Of one target's run. ``edges``: of our packages; ``new_edges``: more than the inputs it began with reach."""

    target: str
    wall_s: float = 0.0
    cpu_s: float = 0.0
    executions: int = 0
    edges: int = 0
    new_edges: int = 0
    findings: int = 0
    ended_early: int = 0
    """How often an input hung, or took too much memory, and a new process was begun."""


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run_once(name: str, seconds: int, folder: Path, figures: Figures) -> bool:
    """One process. False when it ended by itself before its time."""
    executions, first_edges, last = 0, 0, list[str]()
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(seconds), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        for line in child.stderr:
            last = [*last[-_LAST_LINES:], line]
            if line.startswith("FINDING"):
                figures.findings += 1
                print(f"{name}: {line}", end="", flush=True)
            if found := _STATE.match(line):
                executions, figures.edges = int(found[1]), int(found[3])
                first_edges = first_edges or (figures.edges if found[2] == "INITED" else 0)
    figures.executions += executions
    figures.new_edges += max(0, figures.edges - first_edges) if first_edges else 0
    if child.returncode != 0:
        print(f"{name}: ended early ({child.returncode}):\n{''.join(last)}", flush=True)
    return child.returncode == 0


def run(name: str, seconds: int) -> Figures:
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    figures = Figures(name)
    began_s, cpu_s = time.monotonic(), _cpu_s()
    while (left_s := seconds - (time.monotonic() - began_s)) > 1:
        tried_s = time.monotonic()
        if _run_once(name, max(1, min(int(left_s), PROCESS_S)), folder, figures):
            continue
        figures.ended_early += 1
        if time.monotonic() - tried_s < 2:  # it does not even begin
            break
    figures.wall_s, figures.cpu_s = round(time.monotonic() - began_s, 1), round(_cpu_s() - cpu_s, 1)
    with (OUT / "figures.jsonl").open("a") as file:
        file.write(json.dumps(asdict(figures)) + "\n")
    return figures


def _print(all_figures: list[Figures]) -> None:
    print(f"{'target':14}{'wall min':>9}{'CPU min':>9}{'executions':>12}{'edges':>7}{'new':>6}{'found':>6}{'early':>6}")
    for one in all_figures:
        print(
            f"{one.target:14}{one.wall_s / 60:9.1f}{one.cpu_s / 60:9.1f}{one.executions:12}{one.edges:7}"
            f"{one.new_edges:6}{one.findings:6}{one.ended_early:6}"
        )


def _all_runs() -> list[Figures]:
    """Every run so far, one row a target."""
    found: dict[str, Figures] = {}
    kept = OUT / "figures.jsonl"
    for line in kept.read_text().splitlines() if kept.exists() else ():
        said = json.loads(line)
        row = found.setdefault(said["target"], Figures(said["target"]))
        for key in ("wall_s", "cpu_s", "executions", "findings", "ended_early", "new_edges"):
            setattr(row, key, getattr(row, key) + said[key])
        row.edges = max(row.edges, said["edges"])
    rows = sorted(found.values(), key=lambda row: row.target)
    whole = Figures("all")
    for row in rows:
        for key in ("wall_s", "cpu_s", "executions", "findings", "ended_early"):
            setattr(whole, key, getattr(whole, key) + getattr(row, key))
    return [*rows, whole]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "targets", nargs="+", choices=[*names(), "all", "figures"], metavar="TARGET", help=", ".join(names())
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="for each target (default %(default)g)")
    arguments = parser.parse_args()
    if arguments.targets == ["figures"]:
        _print(_all_runs())
        return
    wanted = names() if "all" in arguments.targets else arguments.targets
    _print([run(name, round(arguments.minutes * 60)) for name in wanted])


if __name__ == "__main__":
    main()
