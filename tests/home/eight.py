"""All eight blueprints in one household of the real box, each with its own things, and what each does in its time."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

from tests.home.client import wait_until
from tests.home.house import (
    BEDROOM,
    BELL,
    DAWN,
    FLOOR,
    HEATING,
    HOUSE,
    KITCHEN,
    NIGHT,
    PATH,
    SEEN,
    SHIPPED,
    SOUND,
    clock,
    house,
    note,
)
from tests.home.kept_events import deeds, mark
from tests.home.restarts import TOPICS, Household

MOMENT, STAGE, PHASE = "event.bedside_sleep_moment", "sensor.bedside_sleep_stage", "sensor.bedside_phase"
IN_BED, QUIET = "binary_sensor.bedside_in_bed", "binary_sensor.bedside_house_quiet"
LAMP = "light.bedroom_lamp"

Done = dict[str, list[tuple[str, Any]]]
NOTE = ("persistent_notification.create", None)

ALL_OF_IT: Done = {
    "evening": [
        ("light.turn_on", LAMP),
        ("media_player.volume_set", BEDROOM),
        ("media_player.play_media", BEDROOM),
        ("light.turn_off", LAMP),
        *[("media_player.volume_set", BEDROOM)] * 10,
        ("media_player.media_pause", BEDROOM),
        ("media_player.volume_set", BEDROOM),
    ],
    "fell_asleep": [("climate.set_temperature", HEATING), NOTE],
    "stirring": [("light.turn_on", FLOOR), ("light.turn_off", FLOOR)],
    "comfort": [
        ("light.turn_on", NIGHT),
        ("media_player.volume_set", KITCHEN),
        ("media_player.play_media", KITCHEN),
        NOTE,
        ("media_player.media_stop", KITCHEN),
        ("media_player.volume_set", KITCHEN),
        ("light.turn_off", NIGHT),
    ],
    "up_at_night": [("light.turn_on", PATH), ("light.turn_off", PATH)],
    "out_of_bed": [NOTE],
    "dawn": [*[("light.turn_on", DAWN)] * 20, NOTE],
    "quiet_house": [
        ("media_player.volume_set", KITCHEN),
        ("homeassistant.turn_on", BELL),
        ("media_player.volume_set", KITCHEN),
        ("homeassistant.turn_off", BELL),
    ],
}
"""What each calls when its moment comes, to its end."""


class Eight:
    """The blueprints at work in ``household``; ``slow``: so that a restart comes in the middle of their work."""

    def __init__(self, household: Household) -> None:
        self._home, self._broker, self._box = household.home, household.broker, household.box
        self._broker.publish(HOUSE, json.dumps(house()), retain=True)
        self._instead: dict[str, tuple[bytes, bytes]] = {}
        self.there()

    def there(self) -> None:
        """Waits for the things of the house."""
        things = (FLOOR, PATH, NIGHT, DAWN, BELL, HEATING)
        wait_until(lambda: "unavailable" not in self.states(*things), "the house", 60)

    def states(self, *entity_ids: str) -> list[str]:
        every = self._home.client.states()
        return [every[each]["state"] if each in every else "unavailable" for each in entity_ids]

    def load(self, beside: list[dict[str, object]], dawn: int = 1, slow: bool = False) -> None:
        """All of them and what is ``beside``, in a dark house. ``dawn``: which, as each comes once in twelve hours."""
        s, minutes = (600, 10.0) if slow else (0.3, 0.005)
        night = {"night_from": clock(-60), "night_until": clock(60)}
        morning = {"morning_from": clock(-60), "morning_until": clock(60)}
        window = {"window_from": clock(-60), "window_until": clock(60)}
        inputs: dict[str, dict[str, object]] = {
            "evening": {
                "light": {"entity_id": LAMP}, "player": BEDROOM, "story": SOUND, "dim_minutes": 0, "phase": PHASE,
                "sink_seconds": s, "out_seconds": 0,
            },
            "fell_asleep": {"thermostats": [HEATING], "temperature": 16, "more": note("asleep")},
            "stirring": {"light": FLOOR, "glow_seconds": s, "fade_seconds": 0},
            "comfort": {
                "lights": [NIGHT], "player": KITCHEN, "sound": SOUND, "notify": note("restless"), "glow_seconds": s,
                "sound_seconds": s, "cool_down_minutes": 0,
            },
            "up_at_night": {"in_bed": IN_BED, "lights": [PATH], "out_minutes": minutes, **night},
            "out_of_bed": {"in_bed": IN_BED, "actions": note("up"), "up_minutes": minutes, "rest_hours": 0, **morning},
            "dawn": {
                "stage": STAGE, "in_bed": IN_BED, "lights": [DAWN], "dawn_minutes": minutes, "day": note("day"),
                **window,
            },
            "quiet_house": {"quiet": QUIET, "players": [KITCHEN], "switches": [BELL], "over_minutes": 0},
        }  # fmt: skip
        assert set(inputs) == {file.stem for file in SHIPPED.glob("*.yaml")} == set(ALL_OF_IT)
        loaded = list(beside)
        for name, given in inputs.items():
            if name not in ("dawn", "quiet_house"):
                given = {"moment": MOMENT, **given}
            path = self._home.put_blueprint(SHIPPED / f"{name}.yaml")
            number = f"{dawn if name == 'dawn' else ''}{'slow' if slow else ''}"
            loaded.append({"id": name + number, "alias": name, "use_blueprint": {"path": path, "input": given}})
        self._home.put_automations(loaded)
        self._home.client.call("light.turn_off", entity_id=[FLOOR, PATH, NIGHT, DAWN])
        self._home.client.call("switch.turn_off", entity_id=BELL)

    def say(self, kind: str) -> None:
        """A moment of now, in the box's place."""
        (before,) = self.states(MOMENT)
        moment = {"event_type": kind, "night_id": "2026-03-14", "confidence": 0.9, "latency_s": 0}
        said = json.dumps(moment | {"at": datetime.now(UTC).isoformat()})
        self._broker.publish(TOPICS.event("sleep_moment"), said)
        wait_until(lambda: self.states(MOMENT) != [before], f"the moment {kind}", 10)

    def show(self, group: str, key: str, value: object, entity_id: str, shown: str) -> None:
        """A value in the place of a box that is frozen, until ``as_it_is``."""
        topic = TOPICS.state(group)
        here = self._broker.retained(topic)[topic]
        planted = json.dumps(json.loads(here) | {key: value}).encode()
        before, last = self._instead.get(topic, (here, here))
        self._instead[topic] = (before if last == here else here), planted
        self._broker.publish(topic, planted, retain=True)
        wait_until(lambda: self.states(entity_id) == [shown], f"{entity_id} {shown}", 10)

    def as_it_is(self) -> None:
        """What the box said itself is so again."""
        for topic, (truth, planted) in self._instead.items():
            if self._broker.retained(topic).get(topic) == planted:
                self._broker.publish(topic, truth, retain=True)
        self._instead.clear()

    def light_sleep(self) -> None:
        self.show("stage", "sleep_stage", "deep", STAGE, "deep")
        self.show("stage", "sleep_stage", "light", STAGE, "light")

    def quiet(self, quiet: bool) -> None:
        self.show("house", "house_quiet", quiet, QUIET, "on" if quiet else "off")

    def in_bed(self, in_bed: bool) -> None:
        self.show("presence", "in_bed", in_bed, IN_BED, "on" if in_bed else "off")

    def since(self, after: int) -> Done:
        """What they did since ``mark``, what was noted for a person without its words."""
        return deeds(self._home, after, SEEN)

    def mark(self) -> int:
        return mark(self._home)

    def until(self, after: int, **calls: int) -> None:
        """Waits for so many calls of each."""

        since: Done = {}

        def done() -> bool:
            nonlocal since
            since = self.since(after)
            return all(len(since.get(name, [])) >= count for name, count in calls.items())

        try:
            wait_until(done, f"{calls}", 20, 0.2)
        except TimeoutError:
            raise TimeoutError(f"waited for {calls}, and there came {since}") from None

    def comes_to(self, after: int, expected: Done) -> None:
        """Exactly this is done, and no more."""
        with contextlib.suppress(TimeoutError):
            self.until(after, **{name: len(calls) for name, calls in expected.items()})
        self.mark()
        done = self.since(after)
        wrong = [name for name in ALL_OF_IT if done.get(name) != expected.get(name)]
        assert wrong == [], [f"{name}: {done.get(name)} in place of {expected.get(name)}" for name in wrong]

    def a_night(self) -> None:
        """Every moment once, one after the other, each when the one before has been dealt with."""
        with self._box.frozen():
            self._whole_night()

    def _whole_night(self) -> None:
        after = self.mark()
        self.in_bed(True)
        self.say("story_began")
        self.until(after, evening=3)
        self.say("fell_asleep")
        self.say("stirred")
        self.say("distress")
        self.until(after, comfort=len(ALL_OF_IT["comfort"]))
        self.say("left_bed")
        self.light_sleep()
        self.quiet(True)
        self.until(after, quiet_house=2)
        self.quiet(False)
        self.comes_to(after, ALL_OF_IT)
        self.as_it_is()
