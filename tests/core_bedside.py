"""A core and its clock for tests of the daemon's heart: all real but for the world. Time passes in a ``for`` loop."""

import datetime
from collections.abc import Iterable, Sequence
from heapq import merge
from pathlib import Path
from typing import Any, TypeVar

from tests.pulse_waves import beat_times, light, lying_still, motion_blocks, pulse_blocks

from somnisphere.bedtime.phases import Phase
from somnisphere.bedtime.ritual import Ritual, RitualSettings
from somnisphere.bedtime.shelf import Shelf
from somnisphere.core import Core
from somnisphere.events import Action, ButtonPressed, CommandReceived, Press, Tick
from somnisphere.listeners import Listener
from somnisphere.sleep.pipeline import SleepPipeline
from somnisphere.sleeper import Sleeper
from somnisphere.story import Story
from somnisphere_hardware.samples import MotionBlock, PulseBlock

ATTIC = Story("attic.opus", "The attic", Path("/shelf/attic.opus"), 900.0)
BOAT = Story("boat.opus", "The boat", Path("/shelf/boat.opus"), 600.0)
UTC = datetime.UTC
EVENING_S = datetime.datetime(2026, 3, 14, 20, 30, tzinfo=UTC).timestamp()
HOUR_S = 3600.0
A = TypeVar("A", bound=Action)


class Bedside:
    """A core and its clock: ``at_s`` 0 is ``wall_s``; every action so far is in ``done``."""

    def __init__(
        self,
        wall_s: float = EVENING_S,
        *,
        begin_at: str | None = None,
        offset_s: float = 0.0,
        born: str = "",
        names: Sequence[str] = ("",),
    ) -> None:
        begin_at_s = None if begin_at is None else float(begin_at[:2]) * HOUR_S + float(begin_at[3:]) * 60.0
        shelf = Shelf((ATTIC, BOAT))
        settings = RitualSettings(wind_down_s=60.0)
        ritual = Ritual(settings, shelf)
        sleeper = Sleeper(born)
        listeners = [Listener(name, settings, "", begin_at_s) for name in names]
        self.core = Core(ritual, shelf, SleepPipeline(), sleeper.stager, sleeper.revise, listeners)
        self.wall_s, self.offset_s, self.at_s = wall_s, offset_s, 0.0
        self.done: list[Action] = []

    def in_phase(self, phase: Phase) -> bool:
        return self.core.snapshot().phase is phase

    def tick(self) -> list[Action]:
        return self._note(self.core.receive(Tick(self.at_s, self.wall_s + self.at_s, self.offset_s)))

    def live(self, seconds: float, step_s: float = 1.0) -> list[Action]:
        """Seconds pass in which nobody is at the sensor's cable."""
        done: list[Action] = []
        for _ in range(round(seconds / step_s)):
            self.at_s += step_s
            done += self.tick()
        return done

    def feel(self, blocks: Sequence[PulseBlock | MotionBlock]) -> list[Action]:
        """Samples arrive, with a tick for each."""
        done: list[Action] = []
        for block in blocks:
            done += self._note(self.core.receive(block))
            self.at_s = max(self.at_s, block.end_s)
            done += self.tick()
        return done

    def tap(self) -> list[Action]:
        return self._note(self.core.receive(ButtonPressed(self.at_s, Press.TAP)))

    def wish(self, key: str, value: Any = True) -> list[Action]:
        return self._note(self.core.receive(CommandReceived(self.at_s, key, value)))

    def until_story(self) -> None:
        self.tick()
        self.tap()
        self.live(65.0)
        assert self.in_phase(Phase.STORY)

    def _note(self, actions: list[Action]) -> list[Action]:
        self.done += actions
        return actions


def of(kind: type[A], actions: Sequence[Action]) -> list[A]:
    return [action for action in actions if isinstance(action, kind)]


def somebody(seconds: float, start_s: float) -> list[PulseBlock | MotionBlock]:
    """A still body with a pulse of 58 a minute."""
    ir = light(beat_times(seconds, 58.0), seconds, 50.0, noise=15)
    pulses: Iterable[PulseBlock | MotionBlock] = pulse_blocks(ir, 50.0, start_s=start_s)
    moves: Iterable[PulseBlock | MotionBlock] = motion_blocks(lying_still(seconds, 25.0), 25.0, start_s=start_s)
    return list(merge(pulses, moves, key=lambda block: block.start_s))
