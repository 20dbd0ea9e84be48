"""PN532 card reader on an I2C bus: which card lies on it, asked in short transfers that never wait.

Frames and commands, with their sources, are in ``pn532_frames.py``. On I2C each read begins with a status byte whose
bit 0 says that a frame is ready (UM0701-02, chapter 6.2, I2C dialogue).

    searching --abort--> setting up --> scanning: list, field off, pause
        ^------------- any trouble ------------'   said in a sentence after three in a row, then a pause that doubles

    each command:  send  ->  is its ACK ready?  ->  is its answer ready?   (bad checksum: ask for it again, once)

One poll is one of these arrows: at most a status byte and one frame, ``LONGEST_POLL_BYTES`` on the wire with their
addresses. That is 0.7 ms at 400 kHz and 2.7 ms at 100 kHz, after which the bus is free again; the pulse sensor on the
same bus holds 640 ms of samples.
"""

from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Final

from somnisphere_hardware.bus import Bus, BusError, BusTraffic
from somnisphere_hardware.card_reader import CardGone, CardSeen, CardSign, ReaderState
from somnisphere_hardware.chip import ALL_FF, ChipError
from somnisphere_hardware.pn532_frames import (
    ACK,
    FIELD_OFF,
    FIRMWARE,
    LIST,
    NACK,
    SCAN,
    SETUP,
    Command,
    FrameError,
    Kind,
    answer_to,
    card_of,
    unpack,
    version_of,
)

ADDRESS: Final = 0x24

LONGEST_POLL_BYTES: Final = 2 + 1 + 1 + LIST.answer_bytes
"""Address and status; address, status and the longest frame."""

SCAN_EVERY_S: Final = 0.5
_EARLY_S: Final = 0.001
_WAKE_S: Final = 0.005
_AGAIN_S: Final = 0.005
_ACK_S: Final = 0.1
"""The manual gives the chip 15 ms for its ACK."""
_ANSWER_S: Final = 1.0
_RETRY_S: Final = 0.05
_PATIENCE: Final = 3
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0
_GOOD_S: Final = 60.0
"""After so long without trouble the next pause is a short one again."""
_SCANS_GONE: Final = 2
"""So many listings without the card, and it was taken off: a single one may miss it."""

_NOBODY: Final = (
    "The card reader does not answer: check its SDA, SCL, 3.3 V and ground wires, and that its switches stand at I2C "
    "(1 on, 2 off)."
)


class _State(Enum):
    SEARCHING = 0
    SENDING = 1
    ACKNOWLEDGING = 2
    ANSWERING = 3
    ASKING_AGAIN = 4


class Pn532:
    """Opens the bus when first polled and keeps at it for as long as it is polled. Belongs to one thread; another
    ``Bus`` of the same number may be used by another, the kernel lets one transfer after the other through."""

    def __init__(self, open_bus: Callable[[], Bus]) -> None:
        self._open_bus = open_bus
        self._bus: Bus | None = None
        self._traffic = BusTraffic()
        self._due_s = 0.0
        self._state = _State.SEARCHING
        self._commands: tuple[Command, ...] = SETUP
        self._deadline_s = 0.0
        self._scan_s = 0.0
        self._asked_again = False
        self._failures = 0
        self._pause_s = _FIRST_PAUSE_S
        self._good_since_s: float | None = None
        self._said: tuple[bool, str] | None = None
        self._name = ""
        self._card = ""
        self._missed = 0

    @property
    def due_s(self) -> float:
        """When ``poll`` wants to be called next; 0 means at once."""
        return self._due_s

    @property
    def traffic(self) -> BusTraffic:
        """Since the first poll, over all times the bus was opened."""
        now = BusTraffic() if self._bus is None else self._bus.traffic
        past = self._traffic
        return BusTraffic(past.transactions + now.transactions, past.bytes + now.bytes, past.errors + now.errors)

    def poll(self, at_s: float) -> list[CardSign]:
        """What is new at ``at_s`` (monotonic seconds). Never raises for trouble in the world, never waits.

        While the reader is in trouble, the card last seen counts as lying there.
        """
        if at_s < self._due_s - _EARLY_S:
            return []
        try:
            return self._step(at_s)
        except (BusError, ChipError) as error:
            return self._failed(at_s, error)

    def close(self) -> None:
        """Switches the field off, if that can be done, and gives the bus back."""
        if self._bus is not None:
            with suppress(BusError):
                self._bus.send(ADDRESS, ACK)
                self._bus.send(ADDRESS, FIELD_OFF.frame)
        self._close_bus()

    # -- one arrow a poll --------------------------------------------------------------------------------------------

    def _step(self, at_s: float) -> list[CardSign]:
        if self._bus is None:
            self._bus = self._open_bus()
        bus = self._bus
        match self._state:
            case _State.SEARCHING:
                if driver := bus.kernel_driver(ADDRESS):
                    raise ChipError(
                        f"The kernel driver {driver} owns the card reader's address 0x{ADDRESS:02x}: remove its "
                        "dtoverlay line from /boot/firmware/config.txt and reboot."
                    )
                bus.send(ADDRESS, ACK)  # an ACK of ours ends whatever the chip was still busy with
                self._commands = SETUP
                self._go(_State.SENDING, at_s + _WAKE_S)
            case _State.SENDING:
                if self._commands is SCAN:
                    self._scan_s = at_s
                bus.send(ADDRESS, self._commands[0].frame)
                self._asked_again = False
                self._deadline_s = at_s + _ACK_S
                self._go(_State.ACKNOWLEDGING, at_s + _AGAIN_S)
            case _State.ACKNOWLEDGING:
                self._acknowledge(bus, at_s)
            case _State.ANSWERING:
                return self._answer(bus, at_s)
            case _State.ASKING_AGAIN:
                bus.send(ADDRESS, NACK)
                self._deadline_s = at_s + _ANSWER_S
                self._go(_State.ANSWERING, at_s + _AGAIN_S)
        return []

    def _acknowledge(self, bus: Bus, at_s: float) -> None:
        data = self._frame(bus, at_s, len(ACK))
        if data is None:
            return
        kind, _ = unpack(data)
        if kind is not Kind.ACK:
            raise FrameError(f"{self._commands[0].name} is not acknowledged")
        self._deadline_s = at_s + _ANSWER_S
        self._go(_State.ANSWERING, at_s + self._commands[0].takes_s)

    def _answer(self, bus: Bus, at_s: float) -> list[CardSign]:
        command = self._commands[0]
        data = self._frame(bus, at_s, command.answer_bytes)
        if data is None:
            return []
        try:
            kind, content = unpack(data)
            if kind is not Kind.ANSWER:
                raise FrameError(f"{command.name} is not answered")
            answer = answer_to(command, content)
            card_id = card_of(answer) if command is LIST else ""
        except FrameError:
            if self._asked_again:
                raise
            self._asked_again = True
            self._go(_State.ASKING_AGAIN, at_s + _AGAIN_S)
            return []
        if command is FIRMWARE:
            self._name = version_of(answer)
        self._commands = self._commands[1:]
        self._go(_State.SENDING, at_s)
        if not self._commands:
            if command is FIELD_OFF:
                self._due_s = max(at_s, self._scan_s + SCAN_EVERY_S)
            self._commands = SCAN
        return self._listed(at_s, card_id) if command is LIST else []

    def _frame(self, bus: Bus, at_s: float, length: int) -> bytes | None:
        """A frame if the chip has one ready, else None and another look soon."""
        status = bus.receive(ADDRESS, 1)[0]
        if status == 0xFF:
            raise FrameError(ALL_FF.rstrip("."))
        if status & 1:
            data = bus.receive(ADDRESS, 1 + length)
            if data[0] & 1:
                return data[1:]
        if at_s >= self._deadline_s:
            raise FrameError(f"{self._commands[0].name} gets no answer")
        self._due_s = at_s + _AGAIN_S
        return None

    def _go(self, state: _State, due_s: float) -> None:
        self._state, self._due_s = state, due_s

    # -- cards -------------------------------------------------------------------------------------------------------

    def _listed(self, at_s: float, card_id: str) -> list[CardSign]:
        self._failures = 0
        if self._good_since_s is None:
            self._good_since_s = at_s
        elif at_s - self._good_since_s > _GOOD_S:
            self._pause_s = _FIRST_PAUSE_S
        signs = self._say(at_s, True, "")
        self._missed = 0 if card_id else self._missed + 1
        if card_id == self._card or (not card_id and self._missed < _SCANS_GONE):
            return signs
        if self._card:
            signs.append(CardGone(at_s, self._card))
        if card_id:
            signs.append(CardSeen(at_s, card_id))
        self._card = card_id
        return signs

    # -- trouble -----------------------------------------------------------------------------------------------------

    def _failed(self, at_s: float, error: BusError | ChipError) -> list[CardSign]:
        self._good_since_s = None
        self._failures += 1
        opened = self._bus is not None
        hopeless = not opened or (isinstance(error, BusError) and (error.bus_is_stuck or error.adapter_is_gone))
        if isinstance(error, BusError) and error.adapter_is_gone:
            self._close_bus()
        if self._failures < _PATIENCE and not hopeless:
            self._go(_State.SEARCHING, at_s + _RETRY_S)
            return []
        self._failures = 0
        self._go(_State.SEARCHING, at_s + self._pause_s)
        self._pause_s = min(2.0 * self._pause_s, _LONGEST_PAUSE_S)
        return self._say(at_s, False, _sentence(error))

    def _say(self, at_s: float, ok: bool, problem: str) -> list[CardSign]:
        if self._said == (ok, problem):
            return []
        self._said = (ok, problem)
        return [ReaderState(at_s, ok, self._name, problem)]

    def _close_bus(self) -> None:
        if self._bus is not None:
            self._traffic = self.traffic
            self._bus.close()
            self._bus = None
        self._state = _State.SEARCHING


def _sentence(error: BusError | ChipError) -> str:
    if isinstance(error, FrameError):
        return (
            f"What answers at address 0x{ADDRESS:02x} does not speak as a card reader: {error}. Check the wires, keep "
            "them short, and let nothing else have this address."
        )
    if isinstance(error, ChipError):
        return str(error)
    return _NOBODY if error.nobody_answered else f"The card reader cannot be reached: {error.hint}."
