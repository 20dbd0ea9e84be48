"""The seal on a night, and the one table that says how it is opened.

Rules of this file
    1. A night begins sealed: what the sensor thinks of it goes through no door until somebody opens it.
    2. Nothing opens a night but a person: telling it and then looking, or "just show me". Time does not.
    3. "Not today" is an answer: the night stays sealed, nobody asks again, and it can be told or opened any day.
    4. A pair without a row changes nothing.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Seal(StrEnum):
    """How a night is closed."""

    SEALED = "sealed"  # and waits to be told
    PUT_OFF = "put_off"  # sealed; not today
    TOLD = "told"  # told, and not looked at yet
    OPENED = "opened"


class Step(StrEnum):
    """What a person did."""

    TELL = "tell"  # told something of the night
    OPEN = "open"  # has told, and looks now
    SHOW = "show"  # just show me
    NOT_TODAY = "not_today"


TRANSITIONS: Mapping[tuple[Seal, Step], Seal] = MappingProxyType(
    {
        (Seal.SEALED, Step.TELL): Seal.TOLD,
        (Seal.SEALED, Step.SHOW): Seal.OPENED,
        (Seal.SEALED, Step.NOT_TODAY): Seal.PUT_OFF,
        (Seal.PUT_OFF, Step.TELL): Seal.TOLD,
        (Seal.PUT_OFF, Step.SHOW): Seal.OPENED,
        (Seal.TOLD, Step.OPEN): Seal.OPENED,
        (Seal.TOLD, Step.SHOW): Seal.OPENED,
    }
)


def after(seal: Seal, step: Step) -> Seal:
    return TRANSITIONS.get((seal, step), seal)


def lets_through(seal: Seal) -> bool:
    """Whether the sensor's night may be shown."""
    return seal is Seal.OPENED


def asks(seal: Seal) -> bool:
    """Whether the page asks for the night of its own accord."""
    return seal is Seal.SEALED


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Seal.SEALED}"]
    lines += [f"    {seal} --> {to}: {step}" for (seal, step), to in TRANSITIONS.items()]
    return "\n".join(lines) + "\n"
