"""A household whose home runs blueprints: the box as its session alone tells it, the house, and what was done in it."""

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.home.broker import Broker
from tests.home.client import wait_until
from tests.home.harness import HomeAssistant
from tests.home.house import (
    BEDROOM,
    BELL,
    DOOR,
    FLOOR,
    KITCHEN,
    PATH,
    SEEN,
    SHIPPED,
)
from tests.home.recorder import Recorder

from somnisphere.events import MOMENTS
from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.entity import Entity
from somnisphere_home.messages import Message, Topics
from somnisphere_home.session import HomeSession

TOPICS = Topics("prints")
MOMENT, STAGE = "event.prints_sleep_moment", "sensor.prints_sleep_stage"
IN_BED, QUIET = "binary_sensor.prints_in_bed", "binary_sensor.prints_house_quiet"
QUIET_S = 0.5
"""A run that is to come has begun by then: a few milliseconds after the message, most of the time."""

Calls = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Room:
    stage: str | None = "deep"
    in_bed: bool | None = True
    quiet: bool | None = False


ENTITIES: tuple[Entity[Room], ...] = (
    Entity(key="sleep_moment", platform="event", name="Moment", options=MOMENTS),
    Entity(key="sleep_stage", platform="sensor", name="Stage", group="stage", value=lambda room: room.stage),
    Entity(key="in_bed", platform="binary_sensor", name="In bed", group="bed", value=lambda room: room.in_bed),
    Entity(key="house_quiet", platform="binary_sensor", name="Quiet", group="house", value=lambda room: room.quiet),
)


class Household:
    """The box, the house, and what was done in it."""

    def __init__(self, broker: Broker, home: HomeAssistant) -> None:
        self.home = home
        self.recorder: Recorder
        self._broker = broker
        self._session = HomeSession(ENTITIES, TOPICS, DeviceInfo(name="Prints", sw_version="1"))
        self._at_s = 0.0
        self._mark = 0
        self._numbers = itertools.count()
        self.room = Room()

    def send(self, messages: list[Message]) -> None:
        for message in messages:
            self._broker.publish(message.topic, message.payload, message.retain)

    def show(self, **changed: Any) -> None:
        """The room is so now; waits until Home Assistant shows it."""
        self.room = replace(self.room, **changed)
        self._at_s += 3600.0
        self.send(self._session.connected(self.room, self._at_s))
        shown = {
            STAGE: self.room.stage or "unknown",
            IN_BED: {True: "on", False: "off", None: "unknown"}[self.room.in_bed],
            QUIET: {True: "on", False: "off", None: "unknown"}[self.room.quiet],
        }
        self.until(lambda: self.states(*shown) == list(shown.values()), f"{shown}")

    def states(self, *entity_ids: str) -> list[str]:
        every = self.home.client.states()
        return [every[each]["state"] if each in every else "absent" for each in entity_ids]

    def until(self, condition: Callable[[], object], what: str) -> None:
        wait_until(condition, what, 15, 0.02)

    def say(self, kind: str, at: datetime | None = None, latency_s: float = 0.0) -> dict[str, Any]:
        """A moment, as the box says it; waits until Home Assistant has it."""
        at = at or datetime.now(UTC) - timedelta(seconds=latency_s)
        return self.repeat({"event_type": kind, "night_id": "2026-03-14", "at": at.isoformat(), "latency_s": latency_s})

    def repeat(self, moment: dict[str, Any]) -> dict[str, Any]:
        before = self.states(MOMENT)
        rest = {key: value for key, value in moment.items() if key != "event_type"}
        self.send(self._session.moment(moment["event_type"], rest, self._at_s))
        self.until(lambda: self.states(MOMENT) != before, "the moment")
        return moment

    def leave_and_return(self) -> None:
        """The box is away, and back as it was."""
        self.send([self._session.will])
        watched = (MOMENT, STAGE, IN_BED, QUIET)
        self.until(lambda: self.states(*watched) == ["unavailable"] * 4, "the box to be away")
        self.show()
        self.until(lambda: "unavailable" not in self.states(*watched), "the box to be back")

    def load(self, blueprint: str, **inputs: object) -> str:
        """One automation of this blueprint, new to Home Assistant, in place of all before."""
        name = f"{blueprint} {next(self._numbers)}"
        path = self.home.put_blueprint(SHIPPED / f"{blueprint}.yaml")
        given = {"path": path, "input": inputs}
        self.home.put_automations([{"id": name, "alias": name, "use_blueprint": given}])
        entity_id = "automation." + name.replace(" ", "_")
        self.until(lambda: self.states(entity_id) == ["on"], f"{name} to be loaded")
        return entity_id

    def dark(self) -> None:
        """Every light off, the door open, the bell off, nothing plays; what follows is counted from here."""
        call = self.home.client.call
        call("light.turn_off", entity_id=[FLOOR, PATH])
        call("lock.unlock", entity_id=DOOR)
        call("switch.turn_off", entity_id=BELL)
        call("media_player.media_stop", entity_id=[BEDROOM, KITCHEN])
        self.volumes(0.5, 0.4)
        self.until(lambda: self.states(FLOOR, PATH, DOOR, BELL) == ["off", "off", "unlocked", "off"], "a dark house")
        self.count_from_here()

    def volumes(self, bedroom: float, kitchen: float) -> None:
        for player, level in ((BEDROOM, bedroom), (KITCHEN, kitchen)):
            self.home.client.call("media_player.volume_set", entity_id=player, volume_level=level)

    def count_from_here(self) -> None:
        """Calls of the test itself are told to the recorder within this time, too."""
        time.sleep(0.15)
        self._mark = len(self.recorder.actions())

    def calls(self) -> Calls:
        """Since ``count_from_here``; a single entity in place of a list of one."""
        found = []
        for action, data in self.recorder.actions()[self._mark :]:
            if action.partition(".")[0] in SEEN:
                ids = data.get("entity_id")
                found.append(
                    (action, {**data, "entity_id": ids[0]} if isinstance(ids, list) and len(ids) == 1 else data)
                )
        return found

    def does(self, *expected: tuple[str, Mapping[str, Any]]) -> None:
        """Exactly these calls, in this order, and no more after them."""
        wanted = [(action, dict(data)) for action, data in expected]
        self.until(lambda: len(self.calls()) >= len(wanted), f"{wanted}, not {self.calls()}")
        self.stays(wanted)

    def stays(self, wanted: Calls) -> None:
        time.sleep(QUIET_S)
        assert self.calls() == wanted

    def idle(self, automation: str) -> None:
        self.until(lambda: self.home.client.states()[automation]["attributes"]["current"] == 0, f"{automation} to end")
