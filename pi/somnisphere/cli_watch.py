"""``somnisphere watch``: what the sensor says, live, from this box's chips or from a recording."""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from somnisphere.assemble import bedside_settings
from somnisphere.cli import needs_extra
from somnisphere.clock import SystemClock
from somnisphere.config import load
from somnisphere.errors import UserError
from somnisphere.watch import Watched, Watcher
from somnisphere.watch_words import plain_line
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.samples import PartState, Sample

LONGEST_REST_S = 0.25
"""So often is looked at the time, whether or not a chip is due."""


class View(Protocol):
    def wants(self, watcher: Watcher) -> bool: ...

    def show(self, watched: Watched) -> None: ...


class PlainView:
    """One line every few seconds of what is watched."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._due_s = every_s
        self._said = ""
        self._lost: tuple[PartState, ...] = ()

    def wants(self, watcher: Watcher) -> bool:
        """In time, and whenever a part is lost or back."""
        changed, self._lost = watcher.lost != self._lost, watcher.lost
        return changed or watcher.since_s >= self._due_s

    def show(self, watched: Watched) -> None:
        self._due_s = watched.since_s + self._every_s
        line = plain_line(watched)
        if line != self._said:
            self._said = line
            print(line, flush=True)


def watch(arguments: argparse.Namespace) -> int:
    """Until Ctrl-C, or the recording's end. However it ends, the LEDs are off."""
    if arguments.broker is not None:
        from somnisphere.cli_watch_home import watch_home

        return watch_home(arguments)
    file: Path | None = arguments.file
    view: AbstractContextManager[View]
    if arguments.plain or not sys.stdout.isatty():
        view = nullcontext(PlainView(arguments.every))
    else:
        with needs_extra("view", "The live view (there is also --plain)"):
            from somnisphere.watch_view import WatchView
        view = WatchView("Somnisphere" if file is None else file.name)
    try:
        if file is not None:
            samples, is_own = samples_of(file)
            with view as shown:
                watch_recording(Watcher(leds_known=is_own), samples, arguments.speed, shown, time.monotonic, time.sleep)
            return 0
        config = load(arguments.config)
        bedside = Bedside(lambda: Bus.open(config.sensor.bus), bedside_settings(config))
        with ended_like_control_c(), view as shown:
            try:
                watch_box(bedside, shown, SystemClock().now_s, time.sleep)
            finally:
                bedside.close()
    except KeyboardInterrupt:
        pass  # the usual way to stop looking
    return 0


def samples_of(path: Path) -> tuple[Iterator[Sample], bool]:
    """The samples of a recording, and whether it is of our own kind, which tells LEDs and faults too."""
    from somnisphere.recorder import SUFFIX, read_samples
    from somnisphere.recordings import blocks_of, read_recording

    recording = read_recording(path)  # whole, so that what is wrong with it is said before anything is drawn
    is_own = path.name.endswith(SUFFIX)
    return (read_samples(path) if is_own else blocks_of(recording)), is_own


def watch_recording(
    watcher: Watcher,
    samples: Iterable[Sample],
    speed: float,
    view: View,
    now_s: Callable[[], float],
    rest: Callable[[float], None],
) -> None:
    """Show ``samples`` at ``speed`` seconds per second of ``now_s``; 0: without a rest."""
    began_s = now_s()
    first_s: float | None = None
    for sample in samples:
        watcher.take(sample)
        if not isinstance(sample, PartState):
            first_s = sample.start_s if first_s is None else first_s
            watcher.advance(sample.end_s)
            if speed > 0:
                rest(max(0.0, began_s + (sample.end_s - first_s) / speed - now_s()))
        if view.wants(watcher):
            view.show(watcher.watched())
    view.show(watcher.watched())


def watch_box(bedside: Bedside, view: View, now_s: Callable[[], float], rest: Callable[[float], None]) -> None:
    """Show the chips for ever. Raises ``UserError`` when none of them was ever there."""
    watcher = Watcher()
    while True:
        for sample in bedside.poll(now_s()):
            watcher.take(sample)
        if not watcher.heard_anything and len(watcher.lost) == 2:
            # Both usually have one reason, such as a bus that is off: said once, of the first.
            one, other = (state.problem for state in watcher.lost)
            alike = one.replace("pulse", "motion") == other.replace("pulse", "motion")
            raise UserError(f"{one if alike else f'{one} {other}'} Look closer with: somnisphere doctor")
        at_s = now_s()
        watcher.advance(at_s)
        if view.wants(watcher):
            view.show(watcher.watched())
        rest(max(0.0, min(bedside.due_s - at_s, LONGEST_REST_S)))


@contextmanager
def ended_like_control_c() -> Iterator[None]:
    """Being stopped, or the terminal closing, ends us as Ctrl-C does: with the LEDs off."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
