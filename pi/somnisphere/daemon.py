"""Wires the rooms together: events go into the core, its actions go to lamp, speaker, journal and home.

No decision is taken here. ``Daemon`` has no thread and no clock of its own: ``live.py`` drives it with threads and the
machine's clock, ``rehearsal.py`` steps it through a simulated night. Both therefore run the same code.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from somnisphere.core import Core
from somnisphere.entities import NIGHT_ENTITY
from somnisphere.events import (
    Action,
    Announce,
    BeginNight,
    CommandReceived,
    DimLamp,
    EndNight,
    Event,
    KeepBookmark,
    KeepEpoch,
    LampReported,
    PauseStory,
    PlayerReported,
    PlayStory,
    ResumeStory,
    Say,
    SetGain,
    StopStory,
    Tick,
)
from somnisphere.journal import Journal
from somnisphere.night import StageEstimate
from somnisphere.picture import draw_night, to_svg
from somnisphere.snapshot import Health, Snapshot
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.lamp import Lamp
from somnisphere_hardware.speaker import Speaker
from somnisphere_home.commands import Refusal, Wish
from somnisphere_home.messages import Message
from somnisphere_home.session import HomeSession

log = logging.getLogger(__name__)

HOME_EVERY_S = 5.0
"""How often the home is shown the snapshot when nothing else asks for it (the session reports by change)."""

LAMP_REPORT_EVERY_S = 10.0
"""During a fade the home sees a few honest steps, not every one."""

PICTURE_EVERY_S = 1800.0

Publish = Callable[[Message], None]


@dataclass(slots=True)
class Parts:
    """What the daemon speaks to. All of them answer trouble in the world with a state, not with an exception."""

    bedside: Bedside
    lamp: Lamp
    speaker: Speaker
    journal: Journal
    session: HomeSession[Snapshot]
    publish: Publish
    blocks_dropped: Callable[[], int] = field(default=lambda: 0)


class Daemon:
    def __init__(self, core: Core, parts: Parts) -> None:
        self._core = core
        self._parts = parts
        self._tick = Tick(0.0, 0.0)
        self._home_due_s = 0.0
        self._lamp_due_s: float | None = None
        self._lamp_reported_s = -LAMP_REPORT_EVERY_S
        self._night_id: str | None = None
        self._estimates: list[StageEstimate] = []
        self._picture_due_s = 0.0
        self._journal_problem = ""

    # ---- events in ------------------------------------------------------------------------------------------------

    def handle(self, event: Event) -> None:
        """Give one event to the core and do what it asks for."""
        for action in self._core.receive(event):
            self._perform(action, event.start_s if hasattr(event, "start_s") else event.at_s)
        if isinstance(event, Tick):
            self._on_tick(event)
        elif not hasattr(event, "start_s"):  # a hand, a part, a player: the home sees it at once
            self._show_home(event.at_s)

    def _on_tick(self, tick: Tick) -> None:
        self._tick = tick
        for report in self._parts.speaker.step(tick.at_s):
            self.handle(PlayerReported(report.at_s, report.state, report.path, report.position_s, report.problem))
        self._parts.journal.flush(tick.at_s)
        if tick.at_s >= self._home_due_s:
            self._show_home(tick.at_s)

    def poll_bedside(self, at_s: float) -> float:
        """Read the chips once, on the caller's thread (a rehearsal); return when they want to be read next."""
        for sample in self._parts.bedside.poll(at_s):
            self.handle(sample)
        return self._parts.bedside.due_s

    def step_lamp(self, at_s: float) -> float | None:
        """Move a fading lamp on; return when it wants to be moved next, None at rest."""
        was_fading = self._parts.lamp.is_fading
        due_s = self._parts.lamp.step(at_s)
        if was_fading and (due_s is None or at_s - self._lamp_reported_s >= LAMP_REPORT_EVERY_S):
            self._lamp_reported_s = at_s
            self.handle(LampReported(at_s, self._parts.lamp.lightness_pct))
        return due_s

    # ---- the home -------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        bedside = self._parts.bedside
        health = Health(
            blocks_dropped=self._parts.blocks_dropped(),
            samples_lost=sum(bedside.samples_lost.values()),
            bus_errors=bedside.traffic.errors,
            journal_problem=self._parts.journal.problem,
        )
        return self._core.snapshot(health)

    def _show_home(self, at_s: float) -> None:
        self._home_due_s = at_s + HOME_EVERY_S
        snapshot = self.snapshot()
        session, publish = self._parts.session, self._parts.publish
        for part, ok in (("sensor", not snapshot.sensor_problem), ("player", snapshot.player_ok)):
            for message in session.part_status(part, online=ok):
                publish(message)
        for message in session.update(snapshot, at_s):
            publish(message)
        if self._night_id is not None and at_s >= self._picture_due_s:
            self._show_picture(at_s)

    def _show_picture(self, at_s: float) -> None:
        self._picture_due_s = at_s + PICTURE_EVERY_S
        for message in self._parts.session.image(NIGHT_ENTITY, self.picture_svg().encode()):
            self._parts.publish(message)

    def picture_svg(self) -> str:
        """The night so far, as SVG."""
        epochs = self._core.night_epochs
        offset_s = self._tick.wall_s - self._tick.at_s + self._tick.utc_offset_s
        return to_svg(draw_night(epochs, self._estimates[: len(epochs)], offset_s, f"Night of {self._night_id}"))

    def home_connected(self, at_s: float) -> list[str]:
        """The broker answers: everything is published anew. Returns the topics to subscribe to."""
        subscriptions, messages = self._parts.session.connected(self.snapshot(), at_s)
        for message in messages:
            self._parts.publish(message)
        return list(subscriptions)

    def home_said(self, topic: str, payload: bytes, *, retained: bool, at_s: float) -> None:
        """A message from the broker."""
        match self._parts.session.received(topic, payload, retained, self.snapshot(), at_s):
            case Wish(key=key, value=value):
                self.handle(CommandReceived(at_s, key, value))
            case Refusal(text=text):
                log.warning("%s: %s", topic, text)

    # ---- actions out ----------------------------------------------------------------------------------------------

    def _perform(self, action: Action, at_s: float) -> None:
        parts = self._parts
        match action:
            case DimLamp():
                parts.lamp.dim(action.lightness_pct, action.over_s, at_s)
                self.step_lamp(at_s)
            case PlayStory():
                parts.speaker.play(action.path, action.position_s, action.gain_db)
            case SetGain():
                parts.speaker.set_gain(action.gain_db)
            case PauseStory():
                parts.speaker.pause()
            case ResumeStory():
                parts.speaker.resume(action.gain_db)
            case StopStory():
                parts.speaker.stop()
            case Announce():
                self._announce(action)
            case KeepBookmark():
                parts.journal.save_bookmark(action.story_key, action.position_s)
            case Say():
                log.log(logging.WARNING if action.level == "warning" else logging.INFO, "%s", action.text)
            case BeginNight():
                self._night_id, self._estimates = action.night_id, []
                self._picture_due_s = action.at_s + PICTURE_EVERY_S
                parts.journal.open_night(action.night_id, self._wall_at(action.at_s))
            case KeepEpoch():
                assert self._night_id is not None
                self._estimates.append(action.estimate)
                wall_s = self._wall_at(action.epoch.start_s)
                parts.journal.add_epoch(self._night_id, wall_s, action.epoch, action.estimate)
            case EndNight():
                self._end_night(action, at_s)
