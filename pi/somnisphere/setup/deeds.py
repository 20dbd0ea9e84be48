"""What the dialogue has done in the world, as data: each deed, and the shape of what comes of it. Pure."""

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from somnisphere.doctor.finding import Finding
from somnisphere.setup.draft import Draft
from somnisphere.setup.questions import YES, Offer, Question

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Say:
    """A line for the person."""

    text: str


class Deed(Generic[T]):
    """Something to be done whose outcome is a ``T``."""

    __slots__ = ()


Step = Say | Question | Deed[Any]
Dialogue = Generator[Step, Any, T]


def do(deed: Deed[T]) -> Dialogue[T]:
    outcome: T = yield deed
    return outcome


def ask(question: Question) -> Dialogue[str]:
    answer: str = yield question
    return answer


def ask_yes(question: Question) -> Dialogue[bool]:
    return (yield from ask(question)) == YES


# ---- the house -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BrokerPlace:
    host: str
    port: int
    tls: bool
    words: str
    """Who says so."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """``homes``: addresses of Home Assistant. ``problem``: why the network could not be asked, else ""."""

    brokers: tuple[BrokerPlace, ...] = ()
    homes: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LookAround(Deed[Neighbourhood]):
    """Who announces itself in this house, and whether a broker is on this box."""


BrokerFault = Literal["", "place", "tls", "login"]
"""What is to be asked anew."""


@dataclass(frozen=True, slots=True)
class BrokerAnswer:
    """``words`` for a person: that it lets us in, or what exactly is wrong and how to mend it. ``bedsides``: the nodes
    of every Somnisphere that this broker knows to be there."""

    fault: BrokerFault
    words: str
    bedsides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetBroker(Deed[BrokerAnswer]):
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: bool
    ca_file: str


@dataclass(frozen=True, slots=True)
class GreetHome(Deed[str]):
    """ "" where Home Assistant takes the token, else what is wrong."""

    url: str
    token: str = field(repr=False)


# ---- the box ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SeenChip:
    part: str
    words: str
    usable: bool


@dataclass(frozen=True, slots=True)
class SeenBus:
    """``problem``: why it could not be looked at, else ""."""

    number: int
    chips: tuple[SeenChip, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ScanBuses(Deed[tuple[SeenBus, ...]]):
    """The configured bus first, then every other one of this box."""

    first: int


@dataclass(frozen=True, slots=True)
class LightLamp(Deed[str]):
    """ "" once the lamp was lit for a moment and went out, else why it could not be."""

    pin: int
    hardware_pwm: bool


@dataclass(frozen=True, slots=True)
class Press:
    seen: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class WaitForPress(Deed[Press]):
    pin: int


@dataclass(frozen=True, slots=True)
class PlaySound(Deed[str]):
    """ "" once a sound was played, else why it could not be."""

    ao: str
    device: str
    volume_pct: float


@dataclass(frozen=True, slots=True)
class Sounds:
    """``problem``: why there are none, else ""."""

    offers: tuple[Offer, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ListSounds(Deed[Sounds]):
    """The audio devices that mpv knows."""


@dataclass(frozen=True, slots=True)
class LocalTime:
    """``words`` such as ``21:03 on Saturday, Europe/Vienna``."""

    words: str


@dataclass(frozen=True, slots=True)
class TellTime(Deed[LocalTime]):
    """What this box takes for the time."""


@dataclass(frozen=True, slots=True)
class LookAtStories(Deed[str]):
    """What stands in a folder of stories, or what is wrong with it, as a sentence."""

    folder: str


# ---- the end ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """``files``: what was written. ``by_hand``: lines that a person has to paste, because of ``problem``."""

    files: tuple[Path, ...] = ()
    problem: str = ""
    by_hand: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Write(Deed[Written]):
    draft: Draft


@dataclass(frozen=True, slots=True)
class Examine(Deed[tuple[Finding, ...]]):
    """All that the doctor finds, with the configuration that was written."""
