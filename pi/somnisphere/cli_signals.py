"""The commands that read chips, recordings and nights: their options alone."""

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class Add(Protocol):
    """``cli.py``'s way to add a command: its name, where its function is, what it does, what is logged at least."""

    def __call__(
        self, name: str, module: str, function: str, text: str, level: int = logging.INFO, /
    ) -> argparse.ArgumentParser: ...


def add_commands(add: Add, number: Callable[[float, float], Callable[[str], float]], open_help: str) -> None:
    replay = add(
        "replay",
        "cli_daemon",
        "replay",
        "run a recording through chip registers, driver and all the rest",
        logging.WARNING,
    )
    replay.add_argument("file", type=Path, help="a recording (.npz, .csv or .jsonl.gz)")
    replay.add_argument(
        "--speed", type=number(0, 1e6), default=0.0, help="seconds per second; 0: as fast as it goes (default)"
    )
    replay.add_argument("--broker", metavar="HOST[:PORT]", help="publish to this MQTT broker (default: to none)")
    replay.add_argument(
        "--every", type=number(0, 1e6), default=10.0, metavar="S", help="a row each S seconds (default %(default)g)"
    )

    record = add("record", "cli_daemon", "record", "record this box's chips into a file that replay can play")
    record.add_argument("file", type=Path, help="recording to write (.jsonl.gz); one that exists is continued")
    record.add_argument("--minutes", type=number(0, 1440), default=5.0, help="how long (default %(default)g)")

    beats = add(
        "beats", "cli_files", "beats", "heartbeats of a recording, one JSON object a line, or drawn on its wave"
    )
    beats.add_argument("file", type=Path, help="a recording (.npz, .csv or .jsonl.gz)")
    form = beats.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON lines (default; beside --plot only when named)")
    form.add_argument("--csv", action="store_true", help="CSV in place of JSON lines")
    beats.add_argument("--plot", type=Path, metavar="FILE", help="draw wave, beats and doubts as SVG, in place of rows")
    beats.add_argument(
        "--from", dest="from_s", type=number(0, 1e9), metavar="S", help="draw from this second on (default 0)"
    )
    beats.add_argument(
        "--seconds", type=number(1, 1e9), metavar="S", help="draw so much (default 300, what record records)"
    )

    watch = add(
        "watch", "cli_watch", "watch", "see pulse, beats and what is wrong, live from this box's chips", logging.ERROR
    )
    watch.add_argument("file", type=Path, nargs="?", help="a recording (.npz, .csv or .jsonl.gz) in place of the chips")
    watch.add_argument(
        "--speed", type=number(0, 1e6), default=1.0, help="seconds of recording per second; 0: as fast as it goes"
    )
    watch.add_argument("--plain", action="store_true", help="lines of text in place of the live view")
    watch.add_argument(
        "--every", type=number(0.1, 1e6), default=5.0, metavar="S", help="a line each S seconds (default %(default)g)"
    )

    watch.add_argument(
        "--broker", nargs="?", const="", metavar="HOST[:PORT]", help="every Somnisphere on a broker, from any machine"
    )
    watch.add_argument("--node", metavar="NODE", help="with --broker: this one alone")
    watch.add_argument("--once", action="store_true", help="with --broker: what is known now, then end")

    stage = add("stage", "cli_files", "stage", "sleep stages of a night, one JSON object an epoch")
    stage.add_argument("file", type=Path, help="a night (.npz or .csv) or a recording")
    stage.add_argument(
        "--overnight", action="store_true", help="the morning's answer; else the live one (only the past)"
    )
    form = stage.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON lines (default; beside --plot only when named)")
    form.add_argument("--csv", action="store_true", help="CSV in place of JSON lines")
    stage.add_argument("--plot", type=Path, metavar="FILE", help="draw the night as SVG, in place of rows")

    explain = add("explain", "cli_explain", "explain", "which signals made the stage of one half minute")
    explain.add_argument("night", metavar="NIGHT", help="ISO date of a night in the journal, or a file as for stage")
    explain.add_argument(
        "at", metavar="TIME", help="hh:mm by the clock (of a file: from its start), or +hh:mm from the start"
    )
    explain.add_argument("--json", action="store_true", help="one JSON object for scripts")
    explain.add_argument("--open", action="store_true", help=open_help)
