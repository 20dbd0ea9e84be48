"""What a week costs: seven nights and days of the real daemon over simulated chips, at full rate, on a real disk.

    python tests/bench/week.py [--days 7] [--folder DIR] [--trace]

Only the I2C bus, the pins, the speaker and time are simulated; what is published is encoded and counted, and goes to no
broker. Each evening a hand presses the button, each night somebody sleeps, each day the bed is empty.

Printed of each night, noon to noon, and of the week:

- bytes that go to the disk: ``write_bytes`` of proc(5), which counts a page each time it becomes dirty. Every half
  minute of the rehearsed time what is dirty is written out, as a kernel does, for otherwise a week that passes in
  minutes would write each page once. A folder in memory (tmpfs) counts nothing: choose one on a disk.
- bytes handed to the kernel: ``wchar`` of proc(5), every ``write`` of this process.
- CPU seconds, without those of the simulated bed, beside what a Pi Zero 2 W has.
- memory: the slopes of lines through one sample an hour after the second night, by least squares: of what is resident,
  and of what is held, that is in use by malloc (glibc's ``mallinfo2``) or in Python's small blocks (taken at 96 bytes
  each). What is resident and not held are holes that come and go. With ``--trace`` also what grew, by line of code;
  that takes far longer.
- lines of the log at ``info`` and above.
"""

import argparse
import gc
import json
import logging
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.memory import held_mib, of_proc, slope_mb_per_day

from somnisphere.config import Config
from somnisphere.rehearsal import RehearsalClock
from somnisphere.simulation import BUTTON_PIN, Simulation, simulate
from somnisphere_hardware.simulated.sleeper import Sleeper
from somnisphere_home.messages import Message

DAY_S, HOUR_S = 86400.0, 3600.0
NOON_S = datetime(2026, 3, 2, 12, 0).astimezone().timestamp()
"""The week begins on this noon of the machine's zone; no clock is changed in it."""
TO_BED_S = 10.5 * HOUR_S
"""The sleeper comes to bed at half past ten and presses the button five minutes later."""
WRITE_BACK_S = 30.0
"""Linux writes out what has been dirty for so long (vm.dirty_expire_centisecs is 3000)."""

PI_SLOWER = 12.0
"""How many times the CPU seconds of this machine a Pi Zero 2 W is taken to need: an estimate, no measurement. sysbench
1.0.20 (``sysbench cpu --threads=1``) gives 687 events/s on a Pi 3B+ (https://leoncode.co.uk/articles/raspberry-pi-benchmarks),
whose core is the Zero 2 W's at 1.4 instead of 1.0 GHz: 491 events/s; where this was written it gives 3908.
That is 8 times; an interpreter, which waits for memory more than sysbench does, is taken to be slower still."""
NIGHT_BUDGET_MB = 5.0
PI_MEMORY_MIB = 512.0


class Week:
    """A body that sleeps every night, and is away by day. One night at a time is kept in memory."""

    def __init__(self, seed: int, hours: float) -> None:
        self._seed = seed
        self._hours = hours
        self._night = -1
        self._sleeper = self._of(0)

    def _of(self, night: int) -> Sleeper:
        if night != self._night:
            self._night = night
            self._sleeper = Sleeper.usual_night(
                self._seed + night,
                hours=self._hours,
                fall_asleep_min=20.0,
                absent_before_min=1.0,
                absent_after_min=1.0,
            )
        return self._sleeper

    def _at(self, times_s: NDArray[np.float64]) -> tuple[Sleeper, NDArray[np.float64]]:
        night = max(0, int(times_s[-1] // DAY_S))
        sleeper = self._of(night)
        return sleeper, np.clip(times_s - night * DAY_S - TO_BED_S + 60.0, 0.0, sleeper.end_s - 1.0)

    def light_na_per_ma(self, times_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        sleeper, at_s = self._at(times_s)
        return sleeper.light_na_per_ma(at_s)

    def acceleration_g(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        sleeper, at_s = self._at(times_s)
        return sleeper.acceleration_g(at_s)

    def present(self, times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        sleeper, at_s = self._at(times_s)
        return sleeper.present(at_s)


class WriteBack:
    """Writes out what is dirty in a folder. Files stay open: to close one would drop the locks SQLite holds on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[int, int] = {}

    def now(self) -> None:
        for path in self._folder.iterdir():
            try:
                inode = path.stat().st_ino
                if inode not in self._open:
                    self._open[inode] = os.open(path, os.O_RDONLY)
                os.fdatasync(self._open[inode])
            except FileNotFoundError:
                continue

    def close(self) -> None:
        for number in self._open.values():
            os.close(number)


class Counter(logging.Handler):
    """Of lines, by the words that begin them."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines = 0
        self.kinds: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1
        kind = str(record.msg if record.args and record.msg != "%s" else record.getMessage())[:60]
        self.kinds[kind] = self.kinds.get(kind, 0) + 1


@dataclass
class Bill:
    """Counted from the process's start."""

    disk_bytes: int = 0
    handed_bytes: int = 0
    cpu_s: float = 0.0
    bed_cpu_s: float = 0.0
    messages: int = 0
    published_bytes: int = 0
    log_lines: int = 0

    def since(self, before: "Bill") -> "Bill":
        return Bill(*(getattr(self, name) - getattr(before, name) for name in Bill.__annotations__))


@dataclass
class Lived:
    nights: list[Bill] = field(default_factory=list)
    dark_bytes: list[int] = field(default_factory=list)
    """To the disk, from ten in the evening to eight in the morning."""
    resident_mib: list[tuple[float, float]] = field(default_factory=list)
    held_mib: list[tuple[float, float]] = field(default_factory=list)
    """(day, MiB), one an hour."""
    traced: list[tracemalloc.Snapshot] = field(default_factory=list)
    """After each night."""
    kinds: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    collections: dict[str, list[int]] = field(default_factory=dict)
    wall_s: float = 0.0


class Running:
    """One simulation, lived through in pieces."""

    def __init__(self, simulation: Simulation, folder: Path, counter: Counter) -> None:
        self._simulation = simulation
        self._counter = counter
        self._sent = [0, 0]
        self._bed_cpu_s = 0.0
        self.write_back = WriteBack(folder)
        transfer: Callable[[int, bytes, int], bytes] = simulation.bus.transfer

        def timed(address: int, data: bytes, count: int) -> bytes:
            began_s = time.thread_time()
            try:
                return transfer(address, data, count)
            finally:
                self._bed_cpu_s += time.thread_time() - began_s

        vars(simulation.bus)["transfer"] = timed
        simulation.daemon.publish_through(self._publish)
        simulation.daemon.home_connected(0.0)

    def _publish(self, message: Message) -> None:
        self._sent[0] += 1
        self._sent[1] += len(message.topic) + len(message.payload)

    def bill(self) -> Bill:
        self.write_back.now()
        return Bill(
            of_proc("io", "write_bytes"),
            of_proc("io", "wchar"),
            time.process_time(),
            self._bed_cpu_s,
            self._sent[0],
            self._sent[1],
            self._counter.lines,
        )

    def until(self, at_s: float) -> None:
        clock, rehearsal = self._simulation.clock, self._simulation.rehearsal
        while clock.at_s < at_s:
            rehearsal.run(min(at_s, clock.at_s + WRITE_BACK_S))
            self.write_back.now()

    def press(self) -> None:
        pins = self._simulation.pins
        pins.press(BUTTON_PIN)
        self._simulation.rehearsal.run(self._simulation.clock.at_s + 0.3)
        pins.release(BUTTON_PIN)


@contextmanager
def counted() -> Iterator[Counter]:
    root, counter = logging.getLogger(), Counter()
    was = root.level
    root.setLevel(logging.INFO)
    root.addHandler(counter)
    try:
        yield counter
    finally:
        root.removeHandler(counter)
        root.setLevel(was)


def live(
    folder: Path,
    days: int,
    *,
    hours: float = 7.5,
    trace: bool = False,
    config: Config | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Lived:
    lived, began_s = Lived(), time.perf_counter()
    clock = RehearsalClock(0.0, NOON_S)
    body = Week(2, hours)
    with counted() as counter, simulate(
        config or Config(), body, clock, folder / "journal.db", until_s=days * DAY_S
    ) as simulation:  # fmt: skip
        running = Running(simulation, folder, counter)
        if trace:
            tracemalloc.start(8)
        for day in range(days):
            noon_s, before = day * DAY_S, running.bill()
            pressed, dark_from = False, 0
            for hour_s in np.arange(HOUR_S, DAY_S + 1.0, HOUR_S):
                press_s = noon_s + TO_BED_S + 300.0
                if not pressed and noon_s + hour_s > press_s:
                    running.until(press_s)
                    running.press()
                    pressed = True
                running.until(noon_s + float(hour_s))
                if hour_s == 10 * HOUR_S:
                    dark_from = of_proc("io", "write_bytes")
                elif hour_s == 20 * HOUR_S:
                    lived.dark_bytes.append(of_proc("io", "write_bytes") - dark_from)
                at_day = (noon_s + float(hour_s)) / DAY_S
                lived.resident_mib.append((at_day, of_proc("status", "VmRSS") / 1024))
                lived.held_mib.append((at_day, held_mib()))
            lived.nights.append(running.bill().since(before))
            simulation.pins.forget()
            gc.collect()
            if trace:
                lived.traced.append(tracemalloc.take_snapshot())
            tell(
                night_line(day + 1, lived.nights[-1], lived.resident_mib[-1][1])
                + f", {lived.held_mib[-1][1]:.2f} MiB held"
            )
        running.write_back.close()
    lived.files = {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.is_file()}
    lived.kinds = counter.kinds
    lived.wall_s = time.perf_counter() - began_s
    return lived


def night_line(number: int, bill: Bill, resident_mib: float) -> str:
    ours_s = bill.cpu_s - bill.bed_cpu_s
    return (
        f"day {number}: {bill.disk_bytes / 1e6:6.2f} MB to the disk ({bill.handed_bytes / 1e6:.2f} MB handed over),"
        f" {ours_s:6.1f} s CPU (and {bill.bed_cpu_s:.1f} s the simulated bed),"
        f" {bill.messages} messages, {bill.published_bytes / 1e6:.2f} MB published,"
        f" {bill.log_lines} log lines, {resident_mib:.1f} MiB resident"
    )


def say(lived: Lived, days: int) -> None:
    ours_s = np.array([night.cpu_s - night.bed_cpu_s for night in lived.nights])
    disk_mb = np.array([night.disk_bytes for night in lived.nights]) / 1e6
    print(f"a week of {days} days took {lived.wall_s:.0f} s")
    print(f"disk:   {disk_mb.mean():.2f} MB a day and night, {disk_mb.max():.2f} at most")
    if lived.dark_bytes:
        dark_mb = np.array(lived.dark_bytes) / 1e6
        print(
            f"        {dark_mb.mean():.2f} MB of them at night, {dark_mb.max():.2f} at most; budget {NIGHT_BUDGET_MB:g}"
        )
    print(
        f"CPU:    {ours_s.mean():.1f} s a day and night; taken {PI_SLOWER:g} times on a Pi Zero 2 W: "
        f"{ours_s.mean() * PI_SLOWER / DAY_S:.1%} of one of its four cores"
    )
    peak = max(mib for _, mib in lived.resident_mib)
    print(
        f"memory: held {slope_mb_per_day(lived.held_mib):+.3f} MB a day after the second, resident "
        f"{slope_mb_per_day(lived.resident_mib):+.3f}; {peak:.1f} MiB at the most, simulated bed included, of "
        f"{PI_MEMORY_MIB:g}"
    )
    print(f"log:    {np.mean([night.log_lines for night in lived.nights]):.0f} lines a day and night")
    print("files:  " + json.dumps(lived.files))
    for kind, count in sorted(lived.kinds.items(), key=lambda item: -item[1])[:8]:
        print(f"        {count:5d} x {kind}")


def say_traced(lived: Lived, top: int = 25) -> None:
    """What grew from the second night to the last, by line."""
    first, last = lived.traced[min(1, len(lived.traced) - 1)], lived.traced[-1]
    print("grown from the second night to the last:")
    for difference in last.compare_to(first, "lineno")[:top]:
        if difference.size_diff > 0:
            print(f"  {difference.size_diff / 1e3:9.1f} kB {difference.count_diff:+7d}  {difference.traceback[0]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a disk, not in memory")
    parser.add_argument("--trace", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        lived = live(
            Path(folder), chosen.days, trace=chosen.trace, tell=lambda line: print(line, file=sys.stderr, flush=True)
        )
    say(lived, chosen.days)
    if chosen.trace:
        say_traced(lived)


if __name__ == "__main__":
    main()
