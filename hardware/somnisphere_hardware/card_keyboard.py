"""Card readers that pretend to be a USB keyboard: the card's number comes as key events, then Enter.

The kernel's events are read as they are (``struct input_event`` of linux/input.h: two longs of time, type, code, value;
24 bytes where a long has 64 bits, 16 where it has 32). The ``evdev`` package would need kernel headers and a compiler
on every Pi for these few lines, so it is not used. The device is grabbed (EVIOCGRAB): nothing is typed into a terminal.

Key codes stand for places on the keyboard, so no layout of the system matters; readers type as on an American one.
"""

import errno
import fcntl
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from somnisphere_hardware.card_reader import CardSeen, CardSign, ReaderState

POLL_S: Final = 0.1
_PAUSE_S: Final = 2.0
"""Between two tries to open a device that is not there."""
_GAP_S: Final = 1.0
"""A number is typed within a few hundredths of a second; what was begun longer ago was cut off."""
_LENGTHS: Final = range(4, 33)

_EVENT: Final = struct.Struct("@llHHi")
_READ_EVENTS: Final = 64
_READS: Final = 16
"""At most so many reads in one poll: a key that a book lies on must not hold us."""
_EV_SYN: Final = 0
_EV_KEY: Final = 1
_SYN_DROPPED: Final = 3
_RELEASE_OR_REPEAT: Final = (0, 2)
_EVIOCGRAB: Final = 0x40044590

# linux/input-event-codes.h
_DIGITS: Final[dict[int, str]] = {
    **{2 + k: digit for k, digit in enumerate("1234567890")},
    **dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73), "0123456789", strict=True)),  # the number pad
    **dict(zip((30, 48, 46, 32, 18, 33), "ABCDEF", strict=True)),
}
_ENTER: Final = frozenset({28, 96})
_SILENT: Final = frozenset({42, 54, 58, 69})
"""Shift (for A to F), caps lock, num lock."""


class Typed:
    """Key events in, card numbers out. Pure but for what it remembers of a number begun."""

    def __init__(self) -> None:
        self._rest = b""
        self._number = ""
        self._spoiled = False
        self._last_s = 0.0

    def feed(self, data: bytes, at_s: float) -> list[str]:
        """Numbers completed by ``data``, which may end within an event."""
        if at_s - self._last_s > _GAP_S:
            self._number, self._spoiled = "", False
        self._last_s = at_s
        data = self._rest + data
        whole = len(data) - len(data) % _EVENT.size
        self._rest = data[whole:]
        numbers: list[str] = []
        for _, _, kind, code, value in _EVENT.iter_unpack(data[:whole]):
            if kind == _EV_SYN and code == _SYN_DROPPED:
                self._spoiled = True  # the kernel had no room: keys are missing
            if kind != _EV_KEY or value in _RELEASE_OR_REPEAT or code in _SILENT:
                continue
            if code in _ENTER:
                if not self._spoiled and len(self._number) in _LENGTHS:
                    numbers.append(self._number)
                self._number, self._spoiled = "", False
            elif code in _DIGITS and len(self._number) < _LENGTHS.stop:
                self._number += _DIGITS[code]
            else:
                self._spoiled = True
        return numbers


def grab(descriptor: int) -> None:
    """This device's events are for us alone. ``OSError``: EBUSY when another program has it, ENOTTY for no device."""
    fcntl.ioctl(descriptor, _EVIOCGRAB, 1)


class CardKeyboard:
    """A reader at ``path``, best one of /dev/input/by-id. Never says that a card is gone: it cannot know."""

    def __init__(self, path: str, grab: Callable[[int], None] = grab) -> None:
        self._path = path
        self._grab = grab
        self._descriptor: int | None = None
        self._typed = Typed()
        self._due_s = 0.0
        self._said: tuple[bool, str] | None = None

    @property
    def due_s(self) -> float:
        """When ``poll`` wants to be called next; 0 means at once."""
        return self._due_s

    def poll(self, at_s: float) -> list[CardSign]:
        """What was typed since. Never waits; trouble is a ``ReaderState``."""
        if at_s < self._due_s - 0.001:
            return []
        self._due_s = at_s + POLL_S
        try:
            signs = self._open(at_s) if self._descriptor is None else []
            return signs + self._read(at_s)
        except OSError as error:
            self.close()
            self._due_s = at_s + _PAUSE_S
            return self._say(at_s, False, self._sentence(error))

    def close(self) -> None:
        """Gives the device back; the next poll opens it again."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)  # which ends the grab
            self._descriptor = None

    def _open(self, at_s: float) -> list[CardSign]:
        self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._typed = Typed()
        self._grab(self._descriptor)
        return self._say(at_s, True, "")

    def _read(self, at_s: float) -> list[CardSign]:
        assert self._descriptor is not None
        signs: list[CardSign] = []
        for _ in range(_READS):
            try:
                data = os.read(self._descriptor, _EVENT.size * _READ_EVENTS)
                if not data:
                    raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            except BlockingIOError:
                break
            except OSError:
                if not signs:
                    raise
                self.close()  # the card that was read before it went away counts; the next poll says the rest
                break
            signs += [CardSeen(at_s, number) for number in self._typed.feed(data, at_s)]
        return signs

    def _say(self, at_s: float, ok: bool, problem: str) -> list[CardSign]:
        if self._said == (ok, problem):
            return []
        self._said = (ok, problem)
        return [ReaderState(at_s, ok, os.path.basename(self._path), problem)]

    def _sentence(self, error: OSError) -> str:
        match error.errno:
            case errno.ENOENT | errno.ENODEV | errno.ENXIO | errno.EIO:
                mend = "is it plugged in? `ls /dev/input/by-id` shows what is"
            case errno.EACCES | errno.EPERM:
                mend = "this user may not read it: the rule in hardware/README.md, or `sudo usermod -aG input $USER`"
            case errno.EBUSY:
                mend = "another program has taken it; stop that one"
            case errno.ENOTTY | errno.EINVAL | errno.EISDIR:
                mend = "this is no input device; `ls /dev/input/by-id` shows which there are"
            case _:
                mend = error.strerror or "it cannot be read"
        return f"The card reader {self._path} cannot be used: {mend}."
