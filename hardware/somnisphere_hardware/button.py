"""The bedside button: raw edges in, presses out. The only file that asks gpiozero for an input.

gpiozero's own debounce and hold run on threads and real time, so none of it is used: ``Button`` hands over bare edges
and ``PressDecoder``, which is pure, makes sense of them.
"""

import math
import warnings
from collections.abc import Callable
from typing import Literal

from gpiozero import DigitalInputDevice
from gpiozero.exc import BadPinFactory, PinFactoryFallback

from somnisphere_hardware.lamp import NO_GPIO

PressWord = Literal["tap", "double", "hold"]

DEBOUNCE_S = 0.02
HOLD_S = 1.0
DOUBLE_S = 0.4
STUCK_S = 30.0


class PressDecoder:
    """Presses out of a train of edges, time an argument.

    A level counts once it has lasted ``debounce_s`` (all times below count from then). Held for ``hold_s`` is a
    ``hold``, said while still down. Two presses, the second beginning within ``double_s`` of the end of the first, are
    a ``double``, said at the second press; what follows until its release means nothing. Otherwise it was a ``tap``,
    said when no second press can follow. Held for more than ``stuck_s`` is a fault (``problem``), not a press.

    What comes out depends on the edges and their times alone, not on when ``tick`` is called.
    """

    def __init__(
        self,
        debounce_s: float = DEBOUNCE_S,
        hold_s: float = HOLD_S,
        double_s: float = DOUBLE_S,
        stuck_s: float = STUCK_S,
    ) -> None:
        self._debounce_s = debounce_s
        self._hold_s = hold_s
        self._double_s = double_s
        self._stuck_s = stuck_s
        self._now_s = -math.inf
        self._raw = False
        self._raw_since_s = -math.inf
        self._down_since_s: float | None = None  # None: up
        self._meaning_s: float | None = None  # while down: since when this press could still be a tap or a hold
        self._tap_since_s: float | None = None  # a tap that may yet become a double
        self._stuck = False

    @property
    def problem(self) -> str:
        """A sentence for a person while the button is stuck, else ""."""
        if not self._stuck:
            return ""
        return f"The button has been down for over {self._stuck_s:.0f} s: it is stuck, or its wire touches ground."

    @property
    def due_s(self) -> float | None:
        """When ``tick`` wants to be called if no edge comes before, or None."""
        return min((at_s for at_s, _ in self._deadlines()), default=None)

    def edge(self, pressed: bool, at_s: float) -> list[PressWord]:
        """The line changed to ``pressed`` at ``at_s`` (or was read again: an equal level changes nothing)."""
        presses = self.tick(at_s)
        if pressed != self._raw:
            self._raw = pressed
            self._raw_since_s = self._now_s
        return presses

    def tick(self, at_s: float) -> list[PressWord]:
        """All that became certain up to ``at_s``. Times that run backwards are taken as now."""
        presses: list[PressWord] = []
        while deadlines := [deadline for deadline in self._deadlines() if deadline[0] <= at_s]:
            due_s, happen = min(deadlines, key=lambda deadline: deadline[0])
            self._now_s = max(self._now_s, due_s)
            presses += happen()
        self._now_s = max(self._now_s, at_s)
        return presses

    def _deadlines(self) -> list[tuple[float, Callable[[], list[PressWord]]]]:
        """What will happen if the line stays as it is; where two fall together, the first listed goes first."""
        deadlines: list[tuple[float, Callable[[], list[PressWord]]]] = []
        if self._raw != (self._down_since_s is not None):
            deadlines.append((self._raw_since_s + self._debounce_s, self._press if self._raw else self._release))
        if self._tap_since_s is not None:
            deadlines.append((self._tap_since_s + self._double_s, self._tap))
        if self._meaning_s is not None:
            deadlines.append((self._meaning_s + self._hold_s, self._hold))
        if self._down_since_s is not None and not self._stuck:
            deadlines.append((self._down_since_s + self._stuck_s, self._stick))
        return deadlines

    def _press(self) -> list[PressWord]:
        self._down_since_s = self._now_s
        if self._tap_since_s is None:
            self._meaning_s = self._now_s
            return []
        self._tap_since_s = None
        return ["double"]

    def _release(self) -> list[PressWord]:
        if self._meaning_s is not None:
            self._tap_since_s = self._now_s
        self._down_since_s = self._meaning_s = None
        self._stuck = False
        return []

    def _tap(self) -> list[PressWord]:
        self._tap_since_s = None
        return ["tap"]

    def _hold(self) -> list[PressWord]:
        self._meaning_s = None
        return ["hold"]

    def _stick(self) -> list[PressWord]:
        self._stuck = True
        return []


class Button:
    """A push button between a GPIO pin and ground. ``on_edge(pressed)`` runs in gpiozero's thread: only hand it over.

    Edges are hints (lgpio may miss or invent one: gpiozero issues 1090, 1131), so the line itself is read at each, and
    ``is_pressed`` may be fed to ``PressDecoder.edge`` at leisure to catch a missed one.
    """

    def __init__(self, pin: int, on_edge: Callable[[bool], None]) -> None:
        self._input = DigitalInputDevice(pin, pull_up=True, bounce_time=None)
        self._on_edge = on_edge
        self._input.when_activated = self._changed
        self._input.when_deactivated = self._changed

    def _changed(self) -> None:
        self._on_edge(self.is_pressed)

    @property
    def is_pressed(self) -> bool:
        return bool(self._input.is_active)

    def close(self) -> None:
        if not self._input.closed:
            self._input.close()


def open_button(pin: int | None, on_edge: Callable[[bool], None]) -> tuple[Button | None, str]:
    """The button on GPIO ``pin`` (None: none), and a sentence for a person when it could not be had, else ""."""
    if pin is None:
        return None, ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PinFactoryFallback)  # said better below
            return Button(pin, on_edge), ""
    except BadPinFactory:
        return None, f"There is no button: {NO_GPIO}"
    except Exception as error:  # a pin factory raises whatever its library does (lgpio.error is a bare Exception)
        return None, f"The button on GPIO {pin} cannot be used: {error}."
