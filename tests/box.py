"""A whole daemon without a thread: real core, lamp on a mock pin, silent speaker, journal and home session."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from somnisphere.assemble import assemble, home_echo
from somnisphere.config import Config
from somnisphere.config_keys import Cards, Mqtt, Ritual, Sensor, Sleeper, Stories
from somnisphere.daemon import Daemon
from somnisphere.events import Tick
from somnisphere.journal import Journal
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.lamp import open_lamp
from somnisphere_hardware.simulated.pins import SimulatedPins, simulated_pins
from somnisphere_hardware.simulated.speaker import SimulatedSpeaker
from somnisphere_home.messages import Message

LAMP_PIN = 18
EVENING_S = datetime(2026, 3, 14, 20, 30, tzinfo=UTC).timestamp()
NO_BUS = 250


@dataclass
class Box:
    """``live`` lets time pass; ``messages`` is all that was published."""

    daemon: Daemon
    speaker: SimulatedSpeaker
    journal: Journal
    pins: SimulatedPins
    wall_s: float
    offset_s: float
    at_s: float = 0.0
    messages: list[Message] = field(default_factory=list)

    def tick(self) -> None:
        self.daemon.handle(Tick(self.at_s, self.wall_s + self.at_s, self.offset_s))
        self.daemon.step_lamp(self.at_s)

    def live(self, seconds: float, step_s: float = 0.5) -> None:
        for _ in range(round(seconds / step_s)):
            self.at_s += step_s
            self.tick()

    def command(self, key: str, payload: str = "PRESS", *, retained: bool = False) -> None:
        self.daemon.home_said(f"somnisphere/bedside/{key}/set", payload.encode(), retained=retained, at_s=self.at_s)

    def said(self, topic: str) -> list[bytes]:
        return [message.payload for message in self.messages if message.topic == f"somnisphere/bedside/{topic}"]

    def states(self, group: str) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.said(group)]

    @property
    def moments(self) -> list[dict[str, Any]]:
        return self.states("sleep_moment/event")

    @property
    def lamp_duty(self) -> float:
        return self.pins.duty(LAMP_PIN)


@contextmanager
def box(
    journal_path: Path,
    *,
    wall_s: float = EVENING_S,
    offset_s: float = 3600.0,
    stories: Path | None = None,
    story_s: float | None = 900.0,
    connected: bool = True,
    sensor: Sensor = Sensor(),  # noqa: B008
    cards: Cards = Cards(),  # noqa: B008
    sleeper: Sleeper = Sleeper(),  # noqa: B008
    mqtt: Mqtt = Mqtt(),  # noqa: B008
    listens_to_itself: bool = False,
) -> Iterator[Box]:
    """``story_s``: how long every story is; None: no story can be played. There is no I2C."""
    folder = str(stories) if stories else None
    stories_of = Stories(folder=folder)
    config = Config(
        ritual=Ritual(wind_down_min=1.0), stories=stories_of, sensor=sensor, cards=cards, sleeper=sleeper, mqtt=mqtt
    )
    with simulated_pins() as pins:
        lamp, problem = open_lamp(LAMP_PIN)
        assert not problem
        speaker = SimulatedSpeaker(lambda _: story_s)
        journal = Journal(journal_path)
        tick, bedside = Tick(0.0, wall_s, offset_s), Bedside(lambda: Bus.open(NO_BUS))
        echo = home_echo(config) if listens_to_itself else None
        made = assemble(config, tick, journal, bedside, lamp, speaker, echo=echo)
        made_box = Box(made.daemon, speaker, journal, pins, wall_s, offset_s)
        made.daemon.publish_through(made_box.messages.append)
        if connected:
            made.daemon.home_connected(0.0)
        made_box.tick()
        try:
            yield made_box
        finally:
            made.door.close()
            journal.close()
            lamp.close()
