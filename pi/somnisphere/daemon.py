"""Wires the rooms together: events go into the core, its actions go to lamp, speaker, journal and home.

No decision is taken here. ``Daemon`` has no thread and no clock of its own: ``live.py`` drives it with threads and the
machine's clock, ``rehearsal.py`` steps it through a simulated night. Both therefore run the same code.
"""

import logging
from collections.abc import Callable, Sequence

from somnisphere.cards import CardDeed
from somnisphere.core import Core
from somnisphere.entities import NIGHT_ENTITY
from somnisphere.entities_evening import COVER_ENTITY
from somnisphere.evening_file import newest
from somnisphere.events import (
    Action,
    Announce,
    BeginNight,
    ButtonPressed,
    CardLaid,
    CommandReceived,
    DateAnew,
    DimLamp,
    EndNight,
    Event,
    FreezeLamp,
    HoldStory,
    KeepBookmark,
    KeepComfort,
    KeepEpoch,
    LampReported,
    LandLamp,
    PauseStory,
    PlayerReported,
    PlayStory,
    ResumeStory,
    Say,
    SetGain,
    SetSensing,
    ShelfChanged,
    StopStory,
    Tick,
)
from somnisphere.health import health_of
from somnisphere.heap import Heap
from somnisphere.keeping import Keeping
from somnisphere.machine import Began
from somnisphere.night_record import PICTURE_EVERY_S, NightRecord
from somnisphere.parts import Parts, Publish
from somnisphere.picture import Shape, to_svg
from somnisphere.snapshot import Snapshot
from somnisphere.speaker_orders import give
from somnisphere.strain import Ease, said
from somnisphere_hardware.card_reader import CardSign
from somnisphere_hardware.samples import MotionBlock, PulseBlock
from somnisphere_home.messages import Message, Reply
from somnisphere_home.release import TOPIC as RELEASE_TOPIC

log = logging.getLogger(__name__)

HOME_EVERY_S = 5.0
"""How often the home is shown the snapshot when nothing else asks for it (the session reports by change)."""

LAMP_REPORT_EVERY_S = 10.0
"""During a fade the home sees a few honest steps, not every one."""

RESCAN_EVERY_S = 120.0
SPARED_HOME_S, SPARED_RESCAN_S = 15.0, 1200.0
"""The same for a machine that is to be spared (``strain.py``)."""


class Daemon:
    def __init__(self, core: Core, parts: Parts) -> None:
        self._core = core
        self._parts = parts
        self.echo = parts.echo
        self.keeping = Keeping(core, parts)
        self.night = NightRecord(core, parts)
        self._heap = Heap()
        self._tick = Tick(0.0, 0.0)
        self._home_due_s = 0.0
        self._lamp_reported_s = 0.0
        self._rescan_due_s = 0.0
        self._player_state = ""
        self._began = Began(0.0)
        self._published_wall_s: float | None = None

    def publish_through(self, publish: Publish, blocks_dropped: Callable[[], int] = int) -> None:
        """From now on messages go this way."""

        def say(message: Message) -> None:
            self.echo.said(message, self._tick.at_s)
            publish(message)

        self._parts.publish, self._parts.blocks_dropped = say, blocks_dropped

    def carry_on(self, tick: Tick) -> None:
        """After a restart: take up the evening and the night that the journal holds."""
        tick, now = self._parts.dating.begin(tick), tick
        self._tick, self._began = tick, Began(tick.at_s)
        self._core.receive(tick)
        self._core.sensing = self._parts.bedside.sensing = self._parts.sensing.on
        journal = self._parts.journal
        self.night.carry_on(tick)
        actions: list[Action] = [*self._core.comfort.carry_on(tick.at_s, tick.wall_s)]
        if (saved := newest(journal, self._parts.evening_file, tick.at_s, tick.wall_s)) is not None:
            saved = self._parts.dating.evening(saved, now)
            actions += self._core.restore_ritual(saved.state, saved.shift_s, tick.at_s)
        for action in actions:
            self._perform(action, tick.at_s)
        if self._parts.screen.changed():  # what the broker kept may be of a night that is closed by now
            self._show_picture(tick.at_s)

    # ---- events in ------------------------------------------------------------------------------------------------

    def handle(self, event: Event) -> None:
        """Give one event to the core and do what it asks for."""
        is_news = not isinstance(event, PulseBlock | MotionBlock)
        if isinstance(event, PlayerReported):  # where it is in the story can wait, whether it plays cannot
            is_news, self._player_state = event.state != self._player_state, event.state
        if isinstance(event, Tick):
            self._tick = event
        at_s = event.end_s if isinstance(event, PulseBlock | MotionBlock) else event.at_s
        for action in self._core.receive(event):
            self._perform(action, at_s)
        if isinstance(event, Tick):
            self._on_tick(event)
        elif is_news:  # a hand, a part, the player: the home sees it at once
            self._show_home(at_s)

    def _on_tick(self, tick: Tick) -> None:
        self.step_speaker(tick.at_s)
        self._look_at_strain(tick)
        if self._parts.cards is not None:
            self._obey_cards(self._parts.cards.tick(tick.at_s, playing=self._player_state == "playing"))
        for message in self._parts.desk.finished():
            self._parts.publish(message)
            self._rescan_due_s = tick.at_s  # it may have been a new story
        if tick.at_s >= self._rescan_due_s:
            self._rescan_due_s = tick.at_s + (SPARED_RESCAN_S if self._is_spared else RESCAN_EVERY_S)
            if (stories := self._parts.rescan()) is not None:
                self.handle(ShelfChanged(tick.at_s, stories))
        self.keeping.tick(tick, self.night.night_id)
        self._heap.tick(tick.at_s)
        if probe := self.echo.again(tick.at_s):
            self._say_all(probe, tick.at_s)
        if (news := self.echo.news(tick.at_s)) is not None:
            log.warning("%s", news or "The MQTT broker takes and hands over everything again.")
        if self._parts.screen.changed():  # a person told a night, or opened it: the home sees it at once
            self._show_picture(tick.at_s)
        if tick.at_s >= self._home_due_s:
            self._show_home(tick.at_s)

    def _look_at_strain(self, tick: Tick) -> None:
        parts = self._parts
        if parts.signs is None or (signs := parts.signs.seen(tick, parts.blocks_dropped())) is None:
            return
        if parts.strain.look(signs, tick.at_s):
            parts.put_off(parts.strain.ease > Ease.NONE)
            log.log(*said(parts.strain))
            self._home_due_s = tick.at_s

    @property
    def _is_spared(self) -> bool:
        return self._parts.strain.ease is Ease.SPARED

    def poll_bedside(self, at_s: float) -> float:
        """Read the chips once, on the caller's thread (a rehearsal); return when they want to be read next."""
        for sample in self._parts.bedside.poll(at_s):
            self.handle(sample)
        return self._parts.bedside.due_s

    def step_speaker(self, at_s: float) -> None:
        """Hear what the player has to say."""
        for report in self._parts.speaker.step(at_s):
            self.handle(PlayerReported(report.at_s, report.state, report.path, report.position_s, report.problem))

    @property
    def speaker_due_s(self) -> float | None:
        """When the player wants to be stepped at the latest, None: with the next tick."""
        return self._parts.speaker.due_s

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
        health = health_of(self._parts, self._tick, self._began, self._published_wall_s)
        return self._parts.screen.unsealed(self._core.snapshot(health), self.night.night_id, self._parts.moments.last)

    def _show_home(self, at_s: float) -> None:
        self._home_due_s = at_s + (SPARED_HOME_S if self._is_spared else HOME_EVERY_S)
        snapshot = self.snapshot()
        parts, session, publish = self._parts, self._parts.session, self._parts.publish
        for part, ok in (("sensor", snapshot.pulse_ok or snapshot.motion_ok), ("player", snapshot.player_ok)):
            for message in session.part_status(part, ok):
                publish(message)
        news = (
            *session.update(snapshot, at_s),
            *parts.house.update(bool(snapshot.asleep), at_s),
            *parts.desk.shelf(at_s),
        )
        for message in news:
            self._published_wall_s = self._tick.wall_at(at_s)
            publish(message)
        if snapshot.story is not None and (cover := parts.covers.picture(snapshot.story)) is not None:
            for message in session.image(COVER_ENTITY, cover):
                publish(message)
        if self.night.night_id is not None and at_s >= self.night.picture_due_s and not self._is_spared:
            self._show_picture(at_s)

    def _show_picture(self, at_s: float) -> None:
        self.night.picture_due_s, self._home_due_s = at_s + PICTURE_EVERY_S, at_s
        drawn = to_svg(self._parts.screen.picture(self.night.night_id, self.picture, self._tick.utc_offset_s))
        for message in self._parts.session.image(NIGHT_ENTITY, drawn.encode()):
            self._parts.publish(message)

    def picture(self) -> list[Shape]:
        """The night so far, or the last one when none is in progress; whoever shows it asks the seal first."""
        return self.night.picture(self._tick)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The broker's topics to be heard, before ``home_connected`` says that we are here."""
        parts = self._parts
        return *parts.desk.subscriptions, parts.house.subscription, RELEASE_TOPIC, *parts.echo.subscriptions

    def home_connected(self, at_s: float) -> None:
        """The broker answers: everything is published anew."""
        self._say_all(self.echo.connected(at_s), at_s)

    def _say_all(self, first: list[Message], at_s: float) -> None:
        messages = [*first, *self._parts.session.connected(self.snapshot(), at_s)]
        if self._parts.cards is not None and self._parts.announces:
            messages.append(self._parts.cards.discovery)
        self._parts.house.connected()
        self._parts.desk.connected()
        for message in messages:
            self._parts.publish(message)

    def home_said(self, topic: str, payload: bytes, *, retained: bool, at_s: float, reply: Reply | None = None) -> None:
        """A message from the broker."""
        parts = self._parts
        if parts.echo.heard(topic, retained=retained) or parts.house.heard(topic, payload, at_s):
            return
        if parts.release.heard(topic, payload):
            if parts.release.problem:
                log.warning("%s", parts.release.problem)
            return
        wish, answers = parts.desk.heard(topic, payload, retained, reply, self.snapshot(), at_s)
        if wish is not None:
            self.handle(CommandReceived(at_s, wish.key, wish.value))
            if wish.key == "story" and parts.cards is not None:
                self._obey_cards(parts.cards.story_chosen(at_s, str(wish.value)))
        for message in answers:
            parts.publish(message)

    # ---- cards ----------------------------------------------------------------------------------------------------

    def card(self, sign: CardSign) -> None:
        """The card reader said something."""
        if self._parts.cards is not None:
            now = self._core.snapshot()
            self._obey_cards(self._parts.cards.receive(sign, now.phase, playing=now.story_playing))

    def _obey_cards(self, deeds: Sequence[CardDeed]) -> None:
        for deed in deeds:
            match deed:
                case CommandReceived() | ButtonPressed():
                    self.handle(deed)
                case Say():
                    self._perform(deed, self._tick.at_s)
                case CardLaid():
                    assert self._parts.cards is not None
                    at = self._tick.local_time(deed.at_s).isoformat("T", "seconds")
                    self._parts.publish(self._parts.cards.scan(deed, at))

    # ---- actions out ----------------------------------------------------------------------------------------------

    def _perform(self, action: Action, at_s: float) -> None:
        parts = self._parts
        match action:
            case DimLamp():
                parts.lamp.dim(action.lightness_pct, action.over_s, at_s)
                self.step_lamp(at_s)
            case FreezeLamp():
                parts.lamp.freeze(at_s)
                self.step_lamp(at_s)
                self.handle(LampReported(at_s, parts.lamp.lightness_pct))
            case LandLamp():
                parts.lamp.land(at_s)
                self.step_lamp(at_s)
            case PlayStory() | SetGain() | HoldStory() | PauseStory() | ResumeStory() | StopStory():
                give(parts.speaker, action)
            case SetSensing():
                parts.bedside.sensing = action.on
                parts.sensing.set(action.on)
            case KeepComfort():
                self._core.comfort.ladder.memory = parts.comfort.keep(action, self._tick.wall_at(action.at_s))
            case Announce():
                self._announce(action)
            case KeepBookmark():
                parts.journal.save_bookmark(action.story_key, action.position_s, action.listener, action.other_s)
            case Say():
                log.log(action.log_level, "%s", action.text)
            case DateAnew():
                self.night.date_anew(action, self._tick)
            case BeginNight() | KeepEpoch() | EndNight():
                self.night.keep(action, self._tick, at_s)
                if isinstance(action, EndNight):
                    self._show_picture(at_s)

    def _announce(self, action: Announce) -> None:
        attributes = self._parts.moments.keep(action, self._tick, self.night.night_id, self._core.snapshot())
        self.keeping.moment_waits = True
        for message in self._parts.session.moment(action.type, attributes, action.at_s):
            self._parts.publish(message)
