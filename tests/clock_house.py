"""A whole daemon under clocks that go astray: a machine that starts, is restarted, loses its power, and is set."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from somnisphere.assemble import assemble
from somnisphere.config import Config
from somnisphere.config_keys import Ritual
from somnisphere.daemon import Daemon
from somnisphere.dating import latest_seen_s
from somnisphere.household_clock import ClockSetter, HouseholdClock
from somnisphere.journal import Journal, KeptNight
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.lamp import open_lamp
from somnisphere_hardware.simulated.pins import simulated_pins
from somnisphere_hardware.simulated.speaker import SimulatedSpeaker
from somnisphere_home.messages import Message

NO_BUS = 250
STEP_S = 30.0


@dataclass
class Machine:
    """``true_s``: what a good clock would show. ``off_s``: by how much this one's is ahead. ``root``: its files."""

    folder: Path
    true_s: float
    off_s: float = 0.0
    at_s: float = 100.0
    starts: int = 1
    messages: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "run/systemd/timesync").mkdir(parents=True, exist_ok=True)

    @property
    def journal_path(self) -> Path:
        return self.folder / "journal.db"

    def now_s(self) -> float:
        return self.at_s

    def wall_s(self) -> float:
        return self.true_s + self.off_s

    def passes(self, seconds: float) -> None:
        self.at_s += seconds
        self.true_s += seconds

    def network_sets_it(self) -> None:
        self.off_s = 0.0
        (self.folder / "run/systemd/timesync/synchronized").touch()

    def starts_again(self, away_s: float, shows_s: float) -> None:
        """The power was cut for so long; then the clock shows ``shows_s``, and nobody has set it."""
        (self.folder / "run/systemd/timesync/synchronized").unlink(missing_ok=True)
        self.true_s += away_s
        self.at_s, self.off_s, self.starts = 50.0, shows_s - self.true_s, self.starts + 1

    @contextmanager
    def runs(self) -> Iterator["Running"]:
        """The daemon, from its start to a kill: nothing is told to it before it ends."""
        with simulated_pins() as pins:
            lamp, _ = open_lamp(18)
            journal = Journal(self.journal_path)
            clock = HouseholdClock(self, ClockSetter(self.folder), last_seen_s=latest_seen_s(journal))
            config = Config(ritual=Ritual(wind_down_min=1.0))
            bedside, speaker = Bedside(lambda: Bus.open(NO_BUS)), SimulatedSpeaker(lambda _: 900.0)
            made = assemble(config, clock.tick(), journal, bedside, lamp, speaker, boot=f"start {self.starts}")
            made.daemon.publish_through(self.messages.append)
            made.daemon.home_connected(self.at_s)
            try:
                yield Running(self, made.daemon, journal, clock)
            finally:
                made.door.close()
                journal.close()
                lamp.close()
                assert pins is not None

    def nights(self) -> dict[str, KeptNight]:
        journal = Journal(self.journal_path)
        try:
            return {night_id: journal.load(night_id) for night_id in journal.nights()}
        finally:
            journal.close()


@dataclass
class Running:
    machine: Machine
    daemon: Daemon
    journal: Journal
    clock: HouseholdClock

    def begin(self) -> None:
        topic = "somnisphere/bedside/begin/set"
        self.daemon.home_said(topic, b"PRESS", retained=False, at_s=self.machine.at_s)

    def live(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.machine.passes(STEP_S)
            self.daemon.handle(self.clock.tick())

    def ends(self) -> None:
        """Cleanly, for a restart."""
        tick = self.clock.tick()
        self.daemon.keeping.evening(tick.at_s, tick.wall_s)
