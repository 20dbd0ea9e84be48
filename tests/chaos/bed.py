"""What outlives a daemon: body, chips and bus, pins, broker, mpv's sound card, the home, the clock and the disk."""

import datetime
import os
import random
import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.chaos.broker import SimulatedBroker
from tests.chaos.chips import MOTION, PULSE, SETTINGS, BodyInBed, ChaosBus, Taken, TruthfulMax, TruthfulMpu
from tests.chaos.faults import Fault, Kind
from tests.chaos.home import SimulatedHome
from tests.chaos.mpv import Sound
from tests.chaos.schedule import Week

from somnisphere.rehearsal import RehearsalClock
from somnisphere_hardware.simulated.faults import BrownOut, CutRead, Refused, StuckBus, Unplugged, timed_out
from somnisphere_hardware.simulated.pins import SimulatedPins, simulated_pins
from somnisphere_hardware.simulated.pn532 import SimulatedCard, SimulatedPn532
from somnisphere_hardware.simulated.sleeper import Sleeper

CHAOS_BUS = 78
LAMP_PIN, BUTTON_PIN = 18, 17
CARD_READER = 0x24
STORY_S = 900.0
ZONE = "CET-1CEST,M3.5.0,M10.5.0/3"


class Bed:
    """One bedside in one household, for a week. ``at_s`` begins at 100 s: no clock of a machine begins at nothing."""

    def __init__(self, week: Week, folder: Path, pins: SimulatedPins) -> None:
        self.week = week
        self.folder = folder
        self.pins = pins
        self.clock = RehearsalClock(100.0, 0.0)
        self.body = BodyInBed(Sleeper(0, [("absent", 60.0)]))
        self.bus = ChaosBus(CHAOS_BUS, week.seed)
        self.pulse, self.motion = TruthfulMax(self.body, clock_error=0.01), TruthfulMpu(self.body, clock_error=-0.01)
        self.pulse.taken, self.motion.taken = Taken(), Taken()
        self.cards = SimulatedPn532()
        for chip in (self.pulse, self.motion, self.cards):
            self.bus.attach(chip)
        now_s = self.clock.now_s
        self.durations: dict[Path, float | None] = {}
        self.broker = SimulatedBroker(now_s)
        self.sound = Sound(now_s, lambda path: self.durations.get(path, STORY_S))
        self.home = SimulatedHome(now_s, lambda _: STORY_S)
        self.going_on: list[tuple[float, Fault]] = []
        self._rng = random.Random(week.seed)

    # ---- what can be seen and heard in the room

    @property
    def sounding(self) -> bool:
        return self.home.sounding if self.week.by_home else self.sound.sounding

    @property
    def lamp(self) -> float:
        return self.home.brightness / 255.0 if self.week.by_home else self.pins.duty(LAMP_PIN)

    # ---- faults

    def begin(self, fault: Fault, at_s: float) -> None:
        """Faults of everything around the daemon; those of the process itself are the night's own."""
        bus, until_s = self.bus, at_s + fault.for_s
        self.going_on.append((until_s, fault))
        match fault.kind:
            case Kind.NACK:
                bus.add_fault(Refused(121, None, at_s, until_s, chance=fault.size))
            case Kind.TIMEOUT:
                bus.add_fault(timed_out(None, at_s, until_s))
            case Kind.STUCK_HIGH | Kind.STUCK_LOW:
                bus.add_fault(StuckBus(fault.kind is Kind.STUCK_HIGH, at_s, until_s))
            case Kind.CUT:
                for address in (PULSE, MOTION):
                    bus.add_fault(CutRead(address, None, at_s, until_s, chance=fault.size))
            case Kind.CORRUPT:
                bus.flip_chance = fault.size
            case Kind.CABLE_OUT | Kind.PULSE_OUT | Kind.MOTION_OUT | Kind.WRONG_ID:
                out = {Kind.PULSE_OUT: (PULSE,), Kind.MOTION_OUT: (MOTION,)}.get(fault.kind, (PULSE, MOTION))
                for address in out:
                    bus.add_fault(Unplugged(address, at_s, at_s + 4.0 if fault.kind is Kind.WRONG_ID else until_s))
                bus.wrong_id = 0x42 if fault.kind is Kind.WRONG_ID else bus.wrong_id
            case Kind.CARD_READER_GONE:
                bus.add_fault(Unplugged(CARD_READER, at_s, until_s))
            case Kind.CHIP_RESET:
                bus.add_fault(BrownOut(int(fault.size), at_s))
            case Kind.FROZEN:
                bus.frozen = True
            case Kind.GARBLED_REGISTERS:
                address = (PULSE, MOTION)[int(fault.size) & 1]
                register = SETTINGS[address][int(fault.size) >> 1 & 7 if int(fault.size) >> 1 & 7 < 6 else 0]
                (self.pulse if address == PULSE else self.motion).write(bytes([register, int(fault.size) >> 8 & 0xFF]))
            case Kind.LOOSE_CONTACT:
                self.body.away.append((at_s, until_s))
            case Kind.SATURATED:
                self.body.bright.append((at_s, until_s))
            case Kind.BROKER_KILLED | Kind.BROKER_FORGOT:
                self.broker.kill(forget=fault.kind is Kind.BROKER_FORGOT)
            case Kind.BROKER_SLOW:
                self.broker.slow = True
            case Kind.BROKER_HALF_OPEN:
                self.broker.half_open_since_s = at_s
            case Kind.HOME_KILLED:
                self.home.up = False
                self.broker.tell("homeassistant/status", b"offline")
            case Kind.HOME_HUNG:
                self.home.hung = True
            case Kind.MPV_KILLED:
                self.sound.kill()
            case Kind.MPV_HUNG:
                self.sound.hung = True
            case Kind.SOUND_GONE:
                self.sound.gone = True
            case Kind.CLOCK_FORWARD:
                self.clock.wall_start_s += fault.size
            case Kind.CLOCK_BACK:
                self.clock.wall_start_s -= fault.size
            case Kind.CARD:
                self.cards.lay_on(SimulatedCard(bytes.fromhex(fault.what)))
            case Kind.COMMAND:
                key, _, payload = fault.what.partition(" ")
                self.broker.tell(f"somnisphere/bedside/{key}/set", payload.encode())
        if fault.kind in (Kind.LOOSE_CONTACT, Kind.SATURATED):
            self.pulse._stream.forget()

    def end_faults(self, at_s: float) -> None:
        """Those whose time is over."""
        over = [fault for until_s, fault in self.going_on if until_s <= at_s]
        self.going_on = [entry for entry in self.going_on if entry[0] > at_s]
        left = {fault.kind for _, fault in self.going_on}
        for fault in over:
            if fault.kind not in left:
                self._end(fault.kind)

    def _end(self, kind: Kind) -> None:
        match kind:
            case Kind.CORRUPT:
                self.bus.flip_chance = 0.0
            case Kind.WRONG_ID:
                self.bus.wrong_id = None
            case Kind.FROZEN:
                self.bus.frozen = False
            case Kind.BROKER_KILLED | Kind.BROKER_FORGOT:
                self.broker.up = True
            case Kind.BROKER_SLOW:
                self.broker.slow = False
            case Kind.BROKER_HALF_OPEN:
                self.broker.half_open_since_s = None
            case Kind.HOME_KILLED:
                self.home.up = True
                self.broker.tell("homeassistant/status", b"online")
            case Kind.HOME_HUNG:
                self.home.hung = False
            case Kind.MPV_HUNG:
                self.sound.hung = False
            case Kind.SOUND_GONE:
                self.sound.gone = False
            case Kind.CARD:
                self.cards.card = None

    # ---- nights

    def lie_down(self, sleeper: Sleeper, wall_s: float) -> None:
        """Another night begins now, at ``wall_s``."""
        self.body.sleeper, self.body.start_s = sleeper, self.clock.at_s
        self.body.away.clear()
        self.body.bright.clear()
        self.pulse._stream.forget()
        self.motion._stream.forget()
        self.clock.wall_start_s = wall_s - self.clock.at_s


def wall_of(date: tuple[int, int, int], day: int, hour: float) -> float:
    """Unix time of an hour by the household's clock, ``ZONE``, which the process must be in."""
    at = datetime.datetime(*date) + datetime.timedelta(days=day)  # noqa: DTZ001
    return time.mktime((at.year, at.month, at.day, int(hour), round(hour % 1 * 60), 0, 0, 0, -1))


@contextmanager
def full_disk() -> Iterator[None]:
    """The kernel lets nothing be written to any file: what grows fails, and what lies there cannot be changed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def household_clock() -> Iterator[None]:
    """The process lives in central Europe."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = ZONE
    time.tzset()
    try:
        yield
    finally:
        del os.environ["TZ"]
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


@contextmanager
def made_bed(week: Week, folder: Path) -> Iterator[Bed]:
    with ExitStack() as stack:
        stack.enter_context(household_clock())
        pins = stack.enter_context(simulated_pins())
        bed = Bed(week, folder, pins)
        for part in (bed.bus, bed.broker, bed.sound, bed.home):
            stack.enter_context(part.installed())
        yield bed
