"""One chip as an unbroken stream of timed blocks, or as a gap and a sentence about why.

    searching --found--> resetting --settled--> running --trouble, three times--> searching (after a pause)
                             ^------- lost its settings ------'

Nothing here waits: a reset's pause is a state, and ``due_s`` says when to come again. In ``running``, every trouble of
a read empties the FIFO before the next one (a burst that broke off may have left the chip in the middle of a sample),
restarts the clock and so marks a gap.
"""

from abc import ABC, abstractmethod
from collections import deque
from enum import Enum

from somnisphere_hardware.bus import Bus, BusError
from somnisphere_hardware.chip import Chip, ChipError, Fetched, LostSettingsError, MisreadError
from somnisphere_hardware.detect import find
from somnisphere_hardware.rate import Placed, SampleClock
from somnisphere_hardware.samples import Part, PartState, Sample

VERIFY_EVERY_S = 10.0
_AHEAD_S = 0.5
"""So far samples may lie in the future: a poll's time-stamp may be that old."""
_PATIENCE = 3
"""Reads in a row that may fail before the part is said to be in trouble."""
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_SETTLE_TRY_S = 0.05
_SETTLE_TRIES = 20
_RELAPSES = 4
"""Times a minute that a chip may lose its settings before that is said aloud."""
_STALL_SAMPLES = 5.0
"""So many overdue samples mean that the chip stands still, not that the poll came early."""

_NOUNS: dict[Part, str] = {"pulse": "The pulse sensor", "motion": "The motion sensor"}


SWITCHED_OFF = "Sensing is switched off."


class _State(Enum):
    SEARCHING = 0
    RESETTING = 1
    RUNNING = 2


class Stream(ABC):
    """Owns one part's chip, its clock and its troubles."""

    part: Part

    def __init__(self) -> None:
        self.due_s = 0.0
        self.samples_lost = 0
        self._state = _State.SEARCHING
        self._chip: Chip | None = None
        self._clock: SampleClock | None = None
        self._said: tuple[bool, str, str] | None = None
        self._read_s = 0.0
        self._verify_s = 0.0
        self._must_clear = False
        self._failures = 0
        self._pause_s = _FIRST_PAUSE_S
        self._settle_tries = 0
        self._good_since_s: float | None = None
        self._relapses: deque[float] = deque(maxlen=_RELAPSES)
        self._end_s: float | None = None
        self.bus_is_stuck = False
        self.adapter_is_gone = False

    @abstractmethod
    def _driver(self, chip_id: int, address: int) -> Chip:
        """The driver for a chip that was found."""

    @abstractmethod
    def _blocks(self, placed: Placed, fetched: Fetched) -> list[Sample]:
        """The samples as blocks of the vocabulary."""

    def _after(self, bus: Bus, at_s: float, fetched: Fetched) -> None:  # noqa: B027
        """What is to be done once the samples are safe."""

    def _forget(self) -> None:  # noqa: B027
        """The FIFO was emptied or the chip reset: nothing waits there any more."""

    def step(self, bus: Bus, at_s: float) -> list[Sample]:
        """Does what is due. Trouble in the world comes back as a PartState, and as ``gap_before`` of the next block."""
        self.bus_is_stuck = self.adapter_is_gone = False
        try:
            if self._state is _State.RUNNING:
                return self._run(bus, at_s)
            if self._state is _State.SEARCHING:
                return self._search(bus, at_s)
            return self._settle(bus, at_s)
        except (BusError, ChipError) as error:
            return self._failed(bus, at_s, error)

    def bus_lost(self, at_s: float, error: BusError) -> list[Sample]:
        """The bus itself cannot be opened or is gone."""
        return self._give_up(at_s, f"{_NOUNS[self.part]} cannot be reached: {error.hint}.")

    def switched_off(self, at_s: float) -> list[Sample]:
        """A person wants nothing read: no fault, and what is not taken meanwhile is not lost."""
        self._end_s = None
        return self._say(at_s, False, SWITCHED_OFF)

    def rest(self, bus: Bus) -> None:
        """Puts the chip to sleep, whoever configured it; the next step wakes it by a fresh search."""
        self._state = _State.SEARCHING
        self.due_s = 0.0
        self._lose_time()
        chip = self._chip
        if chip is None:
            found = find(bus, self.part)
            if found is None or not found.usable or found.chip_id is None:
                return
            chip = self._driver(found.chip_id, found.address)
        chip.sleep(bus)

    def _search(self, bus: Bus, at_s: float) -> list[Sample]:
        found = find(bus, self.part)
        if found is None:
            return self._give_up(at_s, self._nobody())
        if not found.usable or found.chip_id is None:
            self._chip = None
            return self._give_up(at_s, found.problem)
        self._chip = self._driver(found.chip_id, found.address)
        self._reset(bus, at_s)
        return []

    def _nobody(self) -> str:
        return f"{_NOUNS[self.part]} does not answer: check its SDA, SCL, 3.3 V and ground wires."

    def _reset(self, bus: Bus, at_s: float) -> None:
        assert self._chip is not None
        self._chip.reset(bus)
        self._lose_time()
        self._forget()
        self._state = _State.RESETTING
        self._settle_tries = 0
        self.due_s = at_s + self._chip.reset_wait_s

    def _settle(self, bus: Bus, at_s: float) -> list[Sample]:
        chip = self._chip
        assert chip is not None
        if not chip.is_reset(bus):
            self._settle_tries += 1
            if self._settle_tries > _SETTLE_TRIES:
                raise ChipError(f"{_NOUNS[self.part]} does not come out of its reset: take its power off and on.")
            self.due_s = at_s + _SETTLE_TRY_S
            return []
        chip.start(bus)
        if self._clock is None or self._clock.nominal_hz != chip.rate_hz:
            self._clock = SampleClock(chip.rate_hz, not_before_s=self._end_s)
        self._state = _State.RUNNING
        self._must_clear = False
        self._read_s = at_s
        self._verify_s = at_s + VERIFY_EVERY_S
        self.due_s = at_s + chip.poll_s
        return []

    def _run(self, bus: Bus, at_s: float) -> list[Sample]:
        chip, clock = self._chip, self._clock
        assert chip is not None
        assert clock is not None
        self.due_s += chip.poll_s
        if self.due_s <= at_s:
            self.due_s = at_s + chip.poll_s
        if self._must_clear:
            self._clear(bus, at_s)
            return []
        if at_s >= self._verify_s:
            chip.verify(bus)
            self._verify_s = at_s + VERIFY_EVERY_S
        expected = (at_s - self._read_s) * clock.rate_hz
        fetched = chip.fetch(bus, expected)
        count = len(fetched.values)
        if count == 0:
            if expected < _STALL_SAMPLES:
                return []
            chip.verify(bus)
            raise MisreadError(f"{_NOUNS[self.part]} answers but takes no samples.")
        if not clock.anchored and (fetched.lost_after or count > 1.1 * expected + 3.0):
            # More than can have come since the FIFO was emptied: it was not, or its samples are of unknown age.
            raise MisreadError(f"{_NOUNS[self.part]} was not read in time, or does not take what it is told.")
        if clock.ahead_s(at_s) > _AHEAD_S or count > 1.5 * expected + _AHEAD_S * clock.rate_hz:
            chip.verify(bus)  # a rate of its own is a setting lost
        if clock.ahead_s(at_s) > _AHEAD_S:
            # Placed after those before, they would lie in the future, and so would all that follow.
            raise MisreadError(f"{_NOUNS[self.part]} takes more samples than it is told.")
        self._failures = 0
        samples: list[Sample] = self._say(at_s, True, "")
        samples += self._blocks(self._place(clock, at_s, count, fetched), fetched)
        self._read_s = at_s
        if self._good_since_s is None:
            self._good_since_s = at_s
        elif at_s - self._good_since_s > 60.0:
            self._pause_s = _FIRST_PAUSE_S
        try:
            self._after(bus, at_s, fetched)
        except (BusError, ChipError) as error:
            samples += self._failed(bus, at_s, error)
        return samples

    def _place(self, clock: SampleClock, at_s: float, count: int, fetched: Fetched) -> Placed:
        if fetched.lost_before:
            clock.restart()
        if fetched.lost_after:
            # A FIFO that filled up and refused more holds old samples: they join the last block, the present is lost.
            placed = clock.extrapolate(count)
            clock.restart()
        else:
            placed = clock.place(at_s, count)
        if placed.gap and self._end_s is not None:
            self.samples_lost += max(0, round((placed.start_s - self._end_s) * placed.rate_hz))
        self._end_s = placed.start_s + count / placed.rate_hz
        return placed

    def _clear(self, bus: Bus, at_s: float) -> None:
        assert self._chip is not None
        self._must_clear = True
        self._chip.clear(bus)
        self._must_clear = False
        self._forget()
        self._read_s = at_s

    def _lose_time(self) -> None:
        self._good_since_s = None
        if self._clock is not None:
            self._clock.restart()

    def _failed(self, bus: Bus, at_s: float, error: BusError | ChipError) -> list[Sample]:
        self._lose_time()
        if isinstance(error, BusError):
            self.bus_is_stuck, self.adapter_is_gone = error.bus_is_stuck, error.adapter_is_gone
        if self._state is _State.SEARCHING:
            return self._give_up(at_s, self._sentence(error))
        if self._state is _State.RESETTING:
            self._failures += 1
            if self._failures >= _PATIENCE:
                return self._give_up(at_s, self._sentence(error))
            self.due_s = at_s + 2.0 * _SETTLE_TRY_S
            return []
        self._must_clear = True
        self._verify_s = at_s  # whatever broke off may have been a setting
        try:
            if isinstance(error, LostSettingsError):
                often = len(self._relapses) == _RELAPSES and at_s - self._relapses[0] < 60.0
                self._relapses.append(at_s)
                if often:
                    return self._give_up(
                        at_s, f"{_NOUNS[self.part]} keeps losing its power or its settings: check its supply and wires."
                    )
                self._reset(bus, at_s)
                return []
            self._failures += 1
            if self._failures < _PATIENCE:
                if not self.bus_is_stuck:
                    self._clear(bus, at_s)
                return []
        except (BusError, ChipError) as again:
            self.bus_is_stuck = self.bus_is_stuck or (isinstance(again, BusError) and again.bus_is_stuck)
            if self._failures < _PATIENCE:
                return []
        return self._give_up(at_s, self._sentence(error))

    def _sentence(self, error: BusError | ChipError) -> str:
        if isinstance(error, ChipError):
            return str(error)
        return self._nobody() if error.nobody_answered else f"{_NOUNS[self.part]} cannot be read: {error.hint}."

    def _give_up(self, at_s: float, problem: str) -> list[Sample]:
        """For a while: searches anew after a pause that doubles each time."""
        self._lose_time()
        self._state = _State.SEARCHING
        self._failures = 0
        self.due_s = at_s + self._pause_s
        self._pause_s = min(2.0 * self._pause_s, _LONGEST_PAUSE_S)
        return self._say(at_s, False, problem)

    def _say(self, at_s: float, ok: bool, problem: str) -> list[Sample]:
        chip = "" if self._chip is None else self._chip.name
        if self._said == (ok, chip, problem):
            return []
        self._said = (ok, chip, problem)
        return [PartState(self.part, at_s, ok, chip, problem)]
