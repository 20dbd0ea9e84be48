"""One run of the daemon on a bed: begun, stepped, ended cleanly or dropped as SIGKILL drops it."""

import queue
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.chaos.bed import BUTTON_PIN, CHAOS_BUS, LAMP_PIN, Bed
from tests.chaos.chips import motion_keys, pulse_keys
from tests.chaos.home import LIGHT, PLAYER
from tests.chaos.ledger import Life, ToldEpoch
from tests.chaos.schedule import Week

from somnisphere.assemble import assemble, bedside_settings, shelf_reader
from somnisphere.broker import broker_settings
from somnisphere.clock import utc_offset_s
from somnisphere.config import Config
from somnisphere.config_keys import Cards, Ritual, Sensor
from somnisphere.events import Tick
from somnisphere.home_lamp import HomeLamp
from somnisphere.home_player import HomePlayer
from somnisphere.journal import Journal
from somnisphere.live import Edge
from somnisphere.night import Epoch, NightTimes, StageEstimate
from somnisphere.rehearsal import Hand, Rehearsal
from somnisphere.snapshot import Snapshot
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.button import open_button
from somnisphere_hardware.lamp import Lamp, open_lamp
from somnisphere_hardware.mpv_speaker import MpvSpeaker
from somnisphere_hardware.pn532 import Pn532
from somnisphere_hardware.samples import MotionBlock, PulseBlock, Sample
from somnisphere_hardware.speaker import Speaker
from somnisphere_home.mqtt import HomeLink, LinkEvent

JOURNAL = "nights.sqlite"
LATE_S, LONG_AGO_S = 1.0, 60.0
"""A sample may be placed this far from where it was taken: a FIFO that overflowed holds samples of unknown age."""


def config_of(week: Week) -> Config:
    return Config(
        sensor=Sensor(bus=CHAOS_BUS),
        cards=Cards(reader="pn532" if week.cards else "none"),
        ritual=Ritual(
            wind_down_min=week.wind_down_min,
            story_limit_min=week.limit_min,
            sleep_timer_min=week.timer_min,
            one_more_page_min=3.0,
            fade_min=week.fade_min,
        ),
    )


class WatchedBedside(Bedside):
    """Compares what it gives with what the chips took. ``lenient``: bytes are being garbled now, and may be taken."""

    lenient: Callable[[], bool]
    tell: Callable[[str], None]
    bed: Bed
    blocks = 0

    def poll(self, at_s: float) -> list[Sample]:
        samples = super().poll(at_s)
        for sample in samples:
            if isinstance(sample, PulseBlock | MotionBlock):
                self.blocks += 1
                if not self.lenient():
                    self._compare(sample)
        return samples

    def _compare(self, block: PulseBlock | MotionBlock) -> None:
        is_pulse = isinstance(block, PulseBlock)
        keys = pulse_keys(block.red, block.ir) if isinstance(block, PulseBlock) else motion_keys(block.accel_g)
        taken = (self.bed.pulse if is_pulse else self.bed.motion).taken
        if taken.find(keys, block.start_s, LATE_S) is None:
            at_s = taken.find(keys, block.start_s, LONG_AGO_S)
            when = "never took like that" if at_s is None else f"took at {at_s:.2f} s"
            what = "pulse" if is_pulse else "motion"
            self.tell(f"{block.start_s:.2f} s: {len(keys)} samples of {what} that the chip {when}")


class WatchedJournal(Journal):
    """Notes what it is told."""

    note_epoch: Callable[[str, Epoch], None]
    note_night: Callable[[bool], None]

    def open_night(self, night_id: str, wall_s: float) -> None:
        super().open_night(night_id, wall_s)
        self.note_night(True)

    def add_epoch(self, night_id: str, wall_s: float, epoch: Epoch, estimate: StageEstimate) -> None:
        super().add_epoch(night_id, wall_s, epoch, estimate)
        self.note_epoch(night_id, epoch)

    def close_night(self, night_id: str, wall_s: float, times: NightTimes | None = None) -> None:
        super().close_night(night_id, wall_s, times)
        self.note_night(False)


class Box:
    """A daemon that runs. ``told`` gets its epochs; ``said`` every snapshot."""

    def __init__(
        self,
        bed: Bed,
        number: int,
        told: Callable[[ToldEpoch], None],
        said: Callable[[Snapshot], None],
        tell: Callable[[str], None],
        lenient: Callable[[], bool],
    ) -> None:
        self.bed = bed
        self._said = said
        clock, config = bed.clock, config_of(bed.week)
        at_s, wall_s = clock.now_s(), clock.wall_s()
        self.life = Life(at_s)
        self.config = config
        self.inbox: queue.SimpleQueue[LinkEvent | Edge] = queue.SimpleQueue()
        bed.bus.now_s = at_s
        self.bedside = WatchedBedside(lambda: Bus.open(CHAOS_BUS), bedside_settings(config))
        self.bedside.lenient, self.bedside.tell, self.bedside.bed = lenient, tell, bed
        self.lamp = self._open_lamp()
        self.button, _ = open_button(BUTTON_PIN, lambda pressed: self.inbox.put(Edge(clock.now_s(), pressed)))
        self.speaker = self._open_speaker()
        self.journal = WatchedJournal(bed.folder / JOURNAL)
        self.journal.note_epoch = lambda night_id, epoch: told(ToldEpoch(number, night_id, epoch))
        self.journal.note_night = self._note_night
        bed.durations = {story.path: story.duration_s for story in shelf_reader(config).read() or ()}
        tick = Tick(at_s, wall_s, utc_offset_s(wall_s))
        self.made = assemble(config, tick, self.journal, self.bedside, self.lamp, self.speaker)
        self.daemon = self.made.daemon
        if self.daemon.snapshot().night_id is not None:
            self.life.opened_s = at_s
        self.link = HomeLink(broker_settings(config, ("broker", 1883)), self.made.session.will, self.inbox.put)
        self.daemon.publish_through(self.link.publish)
        self.link.start()
        self.reader = Pn532(lambda: Bus.open(CHAOS_BUS))
        self._reader_due_s = at_s

    def _note_night(self, opened: bool) -> None:
        if opened and self.life.opened_s is None:
            self.life.opened_s = self.bed.clock.now_s()
        elif not opened and self.life.closed_s is None:
            self.life.closed_s = self.bed.clock.now_s()

    def _open_lamp(self) -> Lamp | HomeLamp:
        if self.bed.week.by_home:
            return HomeLamp(self.bed.home, LIGHT)  # type: ignore[arg-type]
        return open_lamp(LAMP_PIN)[0]

    def _open_speaker(self) -> Speaker:
        if self.bed.week.by_home:
            url, wall_s = (lambda path: f"http://box/{'chaos' * 8}box/story{path.suffix}"), self.bed.clock.wall_s
            return HomePlayer(self.bed.home, PLAYER, url, wall_s=wall_s)  # type: ignore[arg-type]
        return MpvSpeaker(self.bed.folder / "run", "null")

    @property
    def lamp_by_hand(self) -> bool:
        """A person has the lamp, by the home or by its own switch."""
        return bool(self.daemon._core._ritual.state.lamp_by_hand)

    # ---- living

    def run(self, until_s: float, hands: tuple[Hand, ...] = ()) -> None:
        Rehearsal(
            self.daemon,
            self.bed.bus,
            self.bed.clock,
            link=self.link,
            inbox=self.inbox,
            hands=hands,
            show=self._second,
        ).run(until_s)

    def _second(self, snapshot: Snapshot) -> None:
        at_s = snapshot.at_s
        self.bed.end_faults(at_s)
        self.bed.broker.step()
        while self.bed.week.cards and self._reader_due_s <= at_s:
            for sign in self.reader.poll(self._reader_due_s):
                self.daemon.card(sign)
            self._reader_due_s = max(self.reader.due_s, self._reader_due_s + 0.01)
        self._said(snapshot)

    def taps(self, word: str, at_s: float) -> tuple[Hand, ...]:
        """What a hand does to the button for a word."""
        down, up = partial(self.bed.pins.press, BUTTON_PIN), partial(self.bed.pins.release, BUTTON_PIN)
        if word == "hold":
            return (at_s, down), (at_s + 3.0, up)
        return ((at_s, down), (at_s + 0.1, up))

    # ---- ends

    def stop(self) -> None:
        """As ``live.py`` and ``cli_daemon.run`` end on SIGTERM."""
        at_s, wall_s = self.bed.clock.now_s(), self.bed.clock.wall_s()
        self.daemon.keeping.evening(at_s, wall_s)
        self.daemon.keeping.light(at_s, now=True)
        self.link.stop(self.made.session.farewell(), 3.0)
        self.made.door.close()
        self.journal.close()
        self.speaker.close()
        if self.button is not None:
            self.button.close()
        self.lamp.close()
        self.bedside.close()
        self.reader.close()

    def kill(self, graveyard: list[Any]) -> None:
        """Dropped: nothing is closed, nothing is written. The kernel closes the sockets; the disk is as it is."""
        graveyard.append((self.button, self.lamp, self.speaker, self.bedside, self.reader))
        if self.bed.broker.client is not None:
            self.bed.broker.client.die()
        self.bed.sound.kill()
        self.bed.pins._factory._reservations.clear()
        alive, dead = self.bed.folder, self.bed.folder.with_name(f"{self.bed.folder.name}.dead")
        copy_of_the_disk(alive, dead)
        database, self.journal._db = self.journal._db, None
        self.journal._rows.clear()
        self.journal._latest.clear()
        if database is not None:
            database.close()
        self.made.door.close()
        shutil.rmtree(alive)
        dead.rename(alive)


def copy_of_the_disk(source: Path, target: Path) -> None:
    """As it is between two events: what SIGKILL would leave behind."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for path in source.iterdir():
        if path.is_file():
            shutil.copy(path, target)
