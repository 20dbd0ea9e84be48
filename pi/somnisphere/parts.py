"""What the daemon speaks to."""

from collections.abc import Callable
from dataclasses import dataclass, field

from somnisphere.card_desk import CardDesk
from somnisphere.comfort_file import ComfortFile
from somnisphere.covers import Covers
from somnisphere.dating import Dating
from somnisphere.evening_file import EveningFile
from somnisphere.home_desk import HomeDesk
from somnisphere.home_lamp import HomeLamp
from somnisphere.journal import Journal
from somnisphere.light_memory import LightMemory
from somnisphere.machine import Machine
from somnisphere.machine_signs import MachineSigns
from somnisphere.moments import Moments
from somnisphere.night_screen import NightScreen
from somnisphere.sensing_switch import SensingSwitch
from somnisphere.snapshot import Snapshot
from somnisphere.story import Story
from somnisphere.strain import Strain
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.lamp import Lamp
from somnisphere_hardware.speaker import Speaker
from somnisphere_home.echo import Echo
from somnisphere_home.house import House
from somnisphere_home.messages import Message
from somnisphere_home.release import ReleaseDesk
from somnisphere_home.session import HomeSession

Publish = Callable[[Message], None]


def _nowhere(_: Message) -> None:
    """No broker was given."""


@dataclass(slots=True)
class Parts:
    """What the daemon speaks to. All of them answer trouble in the world with a state, not with an exception."""

    bedside: Bedside
    lamp: Lamp | HomeLamp
    speaker: Speaker
    journal: Journal
    session: HomeSession[Snapshot]
    desk: HomeDesk
    house: House
    moments: Moments
    sensing: SensingSwitch
    covers: Covers
    comfort: ComfortFile
    screen: NightScreen
    dating: Dating
    publish: Publish = _nowhere
    blocks_dropped: Callable[[], int] = int
    rescan: Callable[[], tuple[Story, ...] | None] = lambda: None
    """Reads the story folder again; None when it did not change."""
    boot: str = ""
    """The machine's start, in all of which monotonic time means the same; "" when it is not known."""
    light_memory: LightMemory | None = None
    evening_file: EveningFile | None = None
    cards: CardDesk | None = None
    announces: bool = True
    """False: the home is not told that we are there."""
    oxygen_calibrated: str = ""
    echo: Echo = field(default_factory=Echo)
    release: ReleaseDesk = field(default_factory=ReleaseDesk)
    strain: Strain = field(default_factory=Strain)
    signs: MachineSigns | None = None
    """None: a machine whose strain is not looked at, as in a rehearsal."""
    put_off: Callable[[bool], object] = bool
    """Whether work ahead of time is to wait."""
    machine: Machine | None = None
    """None: a machine that is not looked at, as in a rehearsal."""
