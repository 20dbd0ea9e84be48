"""A speaker that is a media player of Home Assistant: any that plays an address and lets its volume be set.

It keeps what is wished apart from what the player was told, and tells one thing at a time (``HomeWorker``). The
player's own volume is noted before the first word and put back whenever the story pauses or ends.
"""

import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from somnisphere.bedtime.state import SILENT_DB
from somnisphere.home_player_wish import Kind, PlayerDone, PlayerWish
from somnisphere.home_worker import HomeWorker
from somnisphere_hardware.speaker import REPORT_S, SpeakerReport, SpeakerState
from somnisphere_home.rest import EntityState, HomeAssistantClient, HomeRefused, HomeUnreachable, number_of

log = logging.getLogger(__name__)

VOLUME_EVERY_S = 2.0
VOLUME_STEP = 0.005
"""Half a step of the coarsest sliders of a hundred: less is not sent."""

LOOK_EVERY_S = 5.0
RETRY_S = (1.0, 2.0, 4.0, 8.0, 15.0)
GIVE_UP_S = 90.0
"""A story that cannot be begun, or a home that says nothing about it, for this long has failed."""

STARTING_S = 20.0
"""Players take their time from the call to the first sound; until then idle is not the end."""

LONGEST_S = 1e7
"""A place further on is none, and nothing is longer."""
NEAR_END_S = 15.0
OFF_PLACE_S = 8.0
SEEKS = 3

LENT = re.compile(r"/[\w-]{43}/story(\.\w+)?$")
"""The end of ``AudioServer.url_for``. A player that plays one when we start was left so by a run that was killed."""


def volume_level(gain_db: float) -> float:
    """Home Assistant's 0..1 for a gain: the inverse of ``volume_gain_db``, since players' sliders go by loudness."""
    return 0.0 if gain_db <= SILENT_DB else float(2.0 ** (min(0.0, gain_db) / 10.0))


class HomePlayer:
    """``entity_id`` as ``media_player.bedroom``; ``url_for`` makes an address for a file (``AudioServer.url_for``)."""

    def __init__(
        self,
        client: HomeAssistantClient,
        entity_id: str,
        url_for: Callable[[Path], str],
        wake: Callable[[], None] | None = None,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._entity_id = entity_id
        self._url_for = url_for
        self._wall_s = wall_s
        self._worker: HomeWorker[PlayerDone] = HomeWorker(client, wake)
        self._wish: PlayerWish | None = None
        self._left = False  # something may still be playing that nobody wishes any more
        self._is_new = True  # ... or be left from an earlier run: not looked for yet
        self._own_level: float | None = None
        self._level: float | None = None  # as last sent
        self._volume_due_s = 0.0
        self._look_due_s = 0.0
        self._report_due_s = 0.0
        self._retry_due_s = 0.0
        self._retries = 0
        self._silent_since_s: float | None = None
        self._told: list[SpeakerReport] = []
        self._now_s = 0.0
        self.problem = ""
        """A sentence for a person while the player cannot be had, else ""."""

    # ---- what is wished ----

    def play(self, path: Path, position_s: float, gain_db: float) -> None:
        self._left = self._left or (self._wish is not None and self._wish.started)
        self._retries, self._retry_due_s, self._silent_since_s = 0, 0.0, None
        self._wish = PlayerWish(path, "", max(0.0, position_s), gain_db)
        if not path.is_file():
            self._fail(f"There is no story file {path}; put it back on the shelf, or choose another story.")

    def pause(self) -> None:
        if (wish := self._wish) is not None and not wish.paused:
            self._move_place()
            wish.paused = True
            self._tell("paused")

    def resume(self, gain_db: float) -> None:
        if (wish := self._wish) is not None:
            wish.paused, wish.gain_db, wish.place_at_s = False, gain_db, self._now_s
            self._tell("playing")

    def stop(self) -> None:
        if self._wish is not None:
            self._move_place()
            self._tell("stopped")
            self._left, self._wish = True, None

    def hold(self, position_s: float, for_s: float) -> None:
        """A home's player cannot stand still to a tenth of a second: its story goes on between two sentences."""

    @property
    def due_s(self) -> float | None:
        return None

    def set_gain(self, gain_db: float) -> None:
        if self._wish is not None:
            self._wish.gain_db = gain_db

    def close(self) -> None:
        """Quiet, and the volume as it was; within two seconds, or as far as it came."""
        calls: list[tuple[str, dict[str, Any]]] = []
        if self._left or (self._wish is not None and not self._wish.paused_there):
            calls.append(("media_pause", {}))
        if self._own_level is not None:
            calls.append(("volume_set", {"volume_level": self._own_level}))
        self._wish = None
        self._worker.close((lambda client: self._call(client, "stop", None, calls)) if calls else None)

    def step(self, at_s: float) -> list[SpeakerReport]:
        """What happened since the last call. Never waits."""
        self._now_s = at_s
        if self._wish is not None and self._wish.since_s is None:
            self._wish.since_s = at_s
        if (done := self._worker.answer()) is not None:
            self._hear(done)
        wish = self._wish
        if wish is not None and wish.sounded and not wish.paused and at_s >= self._report_due_s:
            self._move_place()
            self._tell("playing")
        if not self._worker.is_busy and at_s >= self._retry_due_s:
            self._ask_next()
        told, self._told = self._told, []
        return told

    # ---- what the player is told ----

    def _ask_next(self) -> None:
        wish = self._wish
        if wish is None or wish.paused:
            if wish is not None and wish.started and not wish.paused_there:
                self._ask("pause", [("media_pause", {})])
            elif wish is None and self._left:
                self._ask("stop", [("media_stop", {})])
            elif wish is None and self._is_new:
                self._ask("look", [])
            elif self._own_level is not None:
                self._ask("put_back", [("volume_set", {"volume_level": self._own_level})])
            return
        level = volume_level(wish.gain_db)
        volume = ("volume_set", {"volume_level": round(level, 3)})
        if (not wish.started or wish.paused_there) and self._own_level is None and self._level is None:
            self._ask("look", [])
            self._level = -1.0  # looked for; a player without a volume has none to be noted
        elif not wish.started:
            media = {"media_content_type": "music"}  # its address comes from the worker: a name server may be slow
            seek = [("media_seek", {"seek_position": wish.position_s})] if wish.position_s >= 1.0 else []
            self._ask("start", [volume, ("play_media", media), *seek], level)
        elif wish.paused_there:
            self._ask("resume", [volume, ("media_play", {})], level)
        elif self._now_s >= self._volume_due_s and self._level is not None and abs(level - self._level) >= VOLUME_STEP:
            self._ask("volume", [volume], level)
        elif self._now_s >= self._look_due_s:
            self._ask("look", [])

    def _ask(self, kind: Kind, calls: list[tuple[str, dict[str, Any]]], level: float | None = None) -> None:
        wish = self._wish
        self._worker.ask(lambda client: self._call(client, kind, wish, calls, level))

    def _call(
        self,
        client: HomeAssistantClient,
        kind: Kind,
        wish: PlayerWish | None,
        calls: list[tuple[str, dict[str, Any]]],
        level: float | None = None,
    ) -> PlayerDone:
        """On the worker's thread: it touches nothing but its arguments, of which it writes the address only."""
        if kind == "start" and wish is not None and not wish.url:
            try:
                wish.url = self._url_for(wish.path)
            except OSError as problem:
                return PlayerDone(kind, wish, f"no address for the story ({problem}); set stories.serve_url")
        if kind != "volume":  # told every two seconds; of the others, the home says they were done though nobody did
            found = client.attributes(self._entity_id)
            if isinstance(found, HomeUnreachable | HomeRefused):
                return PlayerDone(kind, wish, found.reason)
            if found is None:
                return PlayerDone(kind, wish, f"there is no {self._entity_id}; check speaker.home_player")
            if found.state == "unavailable" and kind in ("look", "start"):  # what is off is quiet
                return PlayerDone(kind, wish, f"{self._entity_id} is not available there; is it switched on?")
            if kind == "look":
                return PlayerDone(kind, wish, state=found)
            if kind == "start" and wish is not None and _plays(found, wish.url):
                return PlayerDone(kind, wish, level=level)  # an earlier call was done though its answer was lost
        for action, data in calls:
            if action == "play_media" and wish is not None:
                data["media_content_id"] = wish.url
            trouble = client.call("media_player", action, {"entity_id": self._entity_id, **data})
            # Not every player seeks or has a volume; the story is heard for all that.
            if isinstance(trouble, HomeUnreachable) or (
                trouble is not None and action not in ("media_seek", "volume_set")
            ):
                return PlayerDone(kind, wish, trouble.reason)
        return PlayerDone(kind, wish, level=level)

    # ---- what the player says ----

    def _hear(self, done: PlayerDone) -> None:
        if done.trouble:
            self._hear_trouble(done.trouble)
            if done.kind == "look" and self._level == -1.0:
                self._level = None
            return
        self._retries, self._silent_since_s = 0, None
        if self.problem:
            log.info("%s can be had again", self._entity_id)
            self.problem = ""
        if done.level is not None:
            self._level = done.level
            self._volume_due_s = self._now_s + VOLUME_EVERY_S
        ours = done.wish is not None and done.wish is self._wish
        match done.kind:
            case "stop":
                self._left = self._wish is not None and self._left
            case "put_back":
                self._own_level = self._level = None
            case "start" if ours and done.wish is not None:
                done.wish.started, self._left, self._is_new = True, False, False
                done.wish.place_at_s = done.wish.since_s = self._now_s
                self._look_due_s = self._now_s + REPORT_S
            case "start":
                self._left = True
            case "pause" if done.wish is not None:
                done.wish.paused_there = True
            case "resume" if done.wish is not None:
                done.wish.paused_there = False
            case "look" if done.state is not None and done.wish is None and self._is_new:
                self._is_new = False
                url = str(done.state.attributes.get("media_content_id"))
                self._left = self._left or (self._wish is None and _plays(done.state, url) and bool(LENT.search(url)))
            case "look" if done.state is not None:
                self._look_due_s = self._now_s + LOOK_EVERY_S
                self._see(done.state, done.wish if ours else None)

    def _hear_trouble(self, reason: str) -> None:
        self._retry_due_s = self._now_s + RETRY_S[min(self._retries, len(RETRY_S) - 1)]
        self._retries += 1
        if self._silent_since_s is None:
            self._silent_since_s = self._now_s
        if not self.problem:
            log.warning("%s cannot be had: %s", self._entity_id, reason)
        self.problem = f"{self._entity_id} cannot be had: {reason}."
        if self._wish is not None and not self._wish.paused and self._now_s - self._silent_since_s >= GIVE_UP_S:
            self._left = True
            self._fail(self.problem)

    def _see(self, state: EntityState, wish: PlayerWish | None) -> None:
        attributes = state.attributes
        if self._level == -1.0:
            self._own_level = number_of(attributes.get("volume_level"), 0.0, 1.0)
        if wish is None or not wish.started or wish.paused or wish.paused_there:
            return
        wish.duration_s = number_of(attributes.get("media_duration"), 0.0, LONGEST_S) or wish.duration_s
        shows_it = attributes.get("media_content_id") == wish.url
        if state.state == "playing" and wish.its_id and not shows_it:
            self._move_place()
            self._tell("stopped")  # a person plays something else: the player, and its volume, are theirs
            self._wish = self._own_level = self._level = None
        elif state.state == "playing":
            wish.its_id = shows_it
            if self._is_in_place(wish, attributes) and not wish.sounded:
                wish.sounded = True
                self._tell("playing")
        elif state.state == "paused" and wish.sounded:  # by a person, who may also let it go on
            self._move_place()
            wish.sounded = False
            self._tell("paused")
        elif state.state in ("idle", "off", "standby", "on") and wish.since_s is not None:
            if wish.sounded:
                self._move_place()
                over = wish.duration_s is None or wish.position_s >= wish.duration_s - NEAR_END_S
                self._tell("ended" if over else "stopped")
                self._wish = None
            elif self._now_s - wish.since_s > STARTING_S:
                self._left = True
                self._fail(f"{self._entity_id} does not play the story; can it reach this box? Try stories.serve_url.")

    def _is_in_place(self, wish: PlayerWish, attributes: Any) -> bool:
        position_s = number_of(attributes.get("media_position"), 0.0, LONGEST_S)
        if position_s is None:
            return True
        with suppress(ValueError, OverflowError, OSError):  # a day before all clocks
            updated_s = datetime.fromisoformat(str(attributes.get("media_position_updated_at"))).timestamp()
            since_s = self._now_s - (wish.since_s or 0.0)
            position_s += min(max(0.0, self._wall_s() - updated_s), since_s)  # two clocks never quite agree
        self._move_place()
        if not wish.sounded and wish.position_s - position_s > OFF_PLACE_S and wish.seeks < SEEKS:
            wish.seeks += 1  # too early for the player the first time; once more
            self._ask("volume", [("media_seek", {"seek_position": wish.position_s})])
            return False
        wish.position_s = position_s
        return True

    # ---- what is told ----

    def _move_place(self) -> None:
        wish = self._wish
        if wish is not None and wish.sounded and not wish.paused:
            wish.position_s += max(0.0, self._now_s - wish.place_at_s)
        if wish is not None:
            wish.place_at_s = self._now_s

    def _fail(self, problem: str) -> None:
        self._tell("failed", problem)
        self._wish = None

    def _tell(self, state: SpeakerState, problem: str = "") -> None:
        assert self._wish is not None
        self._report_due_s = self._now_s + REPORT_S
        self._told.append(SpeakerReport(self._now_s, state, self._wish.path, self._wish.position_s, problem))


def _plays(state: EntityState, url: str) -> bool:
    return state.state in ("playing", "buffering") and state.attributes.get("media_content_id") == url
