"""One night, end to end: chip registers, drivers, senses, stages, ritual, journal and everything published of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from tests.brokers import HOST, free_port
from tests.payloads import Payloads

from somnisphere.bedtime.phases import Phase
from somnisphere.config import Config
from somnisphere.journal import Journal, KeptNight
from somnisphere.night import STAGES
from somnisphere.simulation import LAMP_PIN, open_rehearsal
from somnisphere.snapshot import Snapshot
from somnisphere_hardware.simulated.faults import BrownOut, Fault, Unplugged
from somnisphere_hardware.simulated.sleeper import Sleeper
from somnisphere_home.messages import Message

HOUR_S = 3600.0


@dataclass
class Told:
    """A rehearsed night and all that came of it."""

    messages: list[tuple[float, Message]] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    kept: KeptNight | None = None
    bookmarks: dict[str, float] = field(default_factory=dict)
    sleeper: Sleeper | None = None
    lamp_duty: float = -1.0

    def payloads(self, topic: str) -> Iterator[tuple[float, dict[str, Any]]]:
        for at_s, message in self.messages:
            if message.topic == f"somnisphere/bedside/{topic}":
                yield at_s, json.loads(message.payload)

    @property
    def moments(self) -> list[str]:
        return [payload["event_type"] for _, payload in self.payloads("sleep_moment/event")]

    @property
    def phases(self) -> list[Phase]:
        found: list[Phase] = []
        for snapshot in self.snapshots:
            if not found or found[-1] is not snapshot.phase:
                found.append(snapshot.phase)
        return found


def live_through(
    folder: Path,
    hours: float,
    seed: int = 2,
    faults: tuple[Fault, ...] = (),
    broker: tuple[str, int] | None = None,
) -> Told:
    """A night. Without a broker everything published is heard; with one it goes there, or nowhere."""
    folder.mkdir(exist_ok=True)
    told = Told()
    with open_rehearsal(
        Config(), folder, seed=seed, hours=hours, speed=0.0, broker=broker, show=told.snapshots.append
    ) as simulation:
        clock = simulation.clock
        if broker is None:
            simulation.daemon.publish_through(lambda message: told.messages.append((clock.at_s, message)))
            simulation.daemon.home_connected(0.0)
        for fault in faults:
            simulation.bus.add_fault(fault)
        body = simulation.body
        assert isinstance(body, Sleeper)
        told.sleeper = body
        simulation.rehearsal.run(simulation.until_s)
        told.lamp_duty = simulation.pins.duty(LAMP_PIN)
    journal = Journal(folder / "rehearsal.sqlite")
    assert len(journal.nights()) == 1
    told.kept, told.bookmarks = journal.load(journal.nights()[0]), journal.bookmarks()
    journal.close()
    return told


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return live_through(tmp_path_factory.mktemp("night"), hours=8.0)


def test_the_evening_takes_its_course(night: Told) -> None:
    phases = [phase for phase in night.phases if phase is not Phase.STIRRING]
    assert phases[:4] == [Phase.IDLE, Phase.WIND_DOWN, Phase.STORY, Phase.DRIFTING]
    assert phases[-2:] == [Phase.MORNING, Phase.IDLE]
    assert set(phases[4:-2]) == {Phase.ASLEEP}


def test_moments_come_once_and_in_order(night: Told) -> None:
    moments = [moment for moment in night.moments if moment != "stirred"]
    assert moments[:2] in (["lights_down", "in_bed"], ["in_bed", "lights_down"])
    assert moments[2:5] == ["story_began", "drifting", "fell_asleep"]
    assert moments[-3:] == ["woke_up", "morning", "left_bed"] or set(moments[-3:]) == {"woke_up", "left_bed", "morning"}
    assert len(set(moments)) == len(moments)
    assert {payload["night_id"] for _, payload in night.payloads("sleep_moment/event")} == {
        night.kept.times.night_id if night.kept else None
    }


def test_asleep_means_dark_quiet_and_a_bookmark_before_sleep(night: Told) -> None:
    assert night.sleeper is not None
    asleep = [s for s in night.snapshots if s.phase is Phase.ASLEEP]
    later = [s for s in asleep if s.at_s > asleep[0].at_s + 900]
    assert later
    assert all(s.lamp_lightness_pct == 0.0 and not s.story_playing for s in later)
    assert night.lamp_duty == 0.0
    onset_s = night.sleeper.onset_s
    assert onset_s is not None
    began_s = next(s.at_s for s in night.snapshots if s.story_playing)
    key, position_s = max(night.bookmarks.items(), key=lambda item: item[1])
    assert key
    assert 0.0 < position_s < onset_s - began_s + 300.0


def test_the_heart_that_is_published_is_the_heart_that_beats(night: Told) -> None:
    assert night.sleeper is not None
    errors = [
        abs(payload["heart_rate"] - truth)
        for at_s, payload in night.payloads("vitals")
        if payload["heart_rate"] is not None and (truth := night.sleeper.heart_bpm_at(at_s - 18.0)) is not None
    ]
    assert len(errors) > 700
    assert median(errors) < 2.0


def test_breath_is_the_breath_of_the_sleeper(night: Told) -> None:
    assert night.sleeper is not None
    errors = [
        abs(payload["breathing_rate"] - truth)
        for at_s, payload in night.payloads("vitals")
        if payload["breathing_rate"] is not None and (truth := night.sleeper.breath_bpm_at(at_s - 35.0)) is not None
    ]
    assert len(errors) > 500
    assert median(errors) < 2.0


def kappa(pairs: list[tuple[str, str]]) -> float:
    agree = sum(a == b for a, b in pairs) / len(pairs)
    words = {word for pair in pairs for word in pair}
    chance = sum(
        sum(a == word for a, _ in pairs) * sum(b == word for _, b in pairs) / len(pairs) ** 2 for word in words
    )
    return (agree - chance) / (1 - chance)


def test_stages_follow_the_sleeper(night: Told) -> None:
    assert night.sleeper is not None
    assert night.kept is not None
    wall_offset_s = night.snapshots[0].wall_s - night.snapshots[0].at_s
    for estimates, least in ((night.kept.live, 0.3), (night.kept.estimates, 0.4)):
        pairs = [
            (e.stage.value, night.sleeper.stage_at(e.start_s - wall_offset_s + 15.0))
            for e in estimates
            if e.stage is not None
        ]
        assert len(pairs) > 800
        assert kappa(pairs) > least


def test_the_journal_holds_the_whole_night_without_a_hole(night: Told) -> None:
    assert night.kept is not None
    assert night.kept.ended_wall_s is not None
    starts = [epoch.start_s for epoch in night.kept.epochs]
    assert len(starts) > 940
    assert all(later - sooner == pytest.approx(30.0) for sooner, later in pairwise(starts))
    times = night.kept.times
    assert times.in_bed_s is not None
    assert times.fell_asleep_s is not None
    assert times.woke_up_s is not None
    assert times.left_bed_s is not None
    assert times.in_bed_s < times.fell_asleep_s < times.woke_up_s <= times.left_bed_s


def test_every_payload_is_json_without_nan_and_reported_by_change(night: Told) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    states = [m for _, m in night.messages if m.retain and m.payload[:1] == b"{"]
    assert states
    for message in states:
        json.loads(message.payload, parse_constant=refuse)
    hours = (night.snapshots[-1].at_s - night.snapshots[0].at_s) / HOUR_S
    assert len(night.messages) / hours < 300  # vitals change all the time: one message in half a minute is the most
    stages = [payload["sleep_stage"] for _, payload in night.payloads("stage")]
    assert set(stages) <= {*(stage.value for stage in STAGES), None}


def test_the_picture_of_the_night_is_published(night: Told) -> None:
    pictures = [m for _, m in night.messages if m.topic.endswith("night/image")]
    assert len(pictures) > 5
    assert all(m.payload.startswith(b"<svg") and m.retain for m in pictures)


def test_the_same_night_is_told_in_the_same_words(tmp_path: Path) -> None:
    first, second = (live_through(tmp_path / name, hours=0.5) for name in ("one", "two"))
    assert [m for _, m in first.messages] == [m for _, m in second.messages]
    assert len(first.messages) > 50


CABLE_OFF = Unplugged(None, 3000.0, 3600.0)
PULSE_CHIP, MOTION_CHIP = 0x57, 0x68


def assert_whole(told: Told) -> None:
    """The night is closed, and its epochs follow on from each other."""
    assert told.kept is not None
    assert told.kept.ended_wall_s is not None
    starts = [epoch.start_s for epoch in told.kept.epochs]
    assert len(starts) > 180
    assert all(later - sooner == pytest.approx(30.0) for sooner, later in pairwise(starts))


def test_a_cable_that_is_off_for_ten_minutes(tmp_path: Path) -> None:
    told = live_through(tmp_path, hours=1.5, faults=(CABLE_OFF,))
    during = [s for s in told.snapshots if 3120.0 < s.at_s < 3590.0]
    assert during
    assert all(s.sensor_problem and s.heart_bpm is None and s.in_bed is None for s in during)
    blind = [s for s in during if s.at_s > 3000.0 + 6 * 60.0]
    assert blind
    assert all(s.stage is None and s.stage_reason for s in blind)
    assert any(payload["sensor_problem"] in (True, "ON") for _, payload in told.payloads("health"))
    assert ("somnisphere/bedside/sensor/status", b"offline") in [(m.topic, m.payload) for _, m in told.messages]
    after = [s for s in told.snapshots if 3720.0 < s.at_s < 4200.0]
    assert after
    assert not any(s.sensor_problem for s in after)
    assert any(s.heart_bpm is not None and s.stage is not None for s in after)
    assert_whole(told)


def test_chips_that_lose_their_supply_for_an_instant(tmp_path: Path) -> None:
    """Each starts again at its reset values, once while the story is told and once in sleep; the night goes on."""
    dips = (
        BrownOut(PULSE_CHIP, 760.0),
        BrownOut(MOTION_CHIP, 820.0),
        BrownOut(PULSE_CHIP, 2400.0),
        BrownOut(MOTION_CHIP, 2400.0),
    )
    told = live_through(tmp_path, hours=1.5, faults=dips)
    assert told.sleeper is not None
    for dip in dips:
        before, after = (
            [s for s in told.snapshots if from_s < s.at_s < from_s + 60.0] for from_s in (dip.at_s - 60, dip.at_s + 60)
        )
        assert {s.phase for s in after} != {Phase.IDLE}
        assert not any(s.sensor_problem for s in after)
        assert all(s.motion_count is not None for s in (*before, *after))
        truth = told.sleeper.heart_bpm_at(dip.at_s + 75.0)
        assert truth is not None
        assert median(s.heart_bpm for s in after if s.heart_bpm is not None) == pytest.approx(truth, abs=6.0)
    assert told.moments.count("fell_asleep") == 1
    assert_whole(told)


def test_neither_broker_nor_sensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens, the cable is off, a chip loses its supply: the evening takes its course all the same."""
    monkeypatch.setattr("somnisphere.simulation.CONNECT_S", 0.1)
    faults = (CABLE_OFF, BrownOut(PULSE_CHIP, 2400.0))
    told = live_through(tmp_path, hours=1.5, faults=faults, broker=(HOST, free_port()))
    phases = [phase for phase in told.phases if phase is not Phase.STIRRING]
    assert phases[:5] == [Phase.IDLE, Phase.WIND_DOWN, Phase.STORY, Phase.DRIFTING, Phase.ASLEEP]
    assert phases[-1] is Phase.IDLE
    assert max(told.bookmarks.values()) > 0.0
    assert told.lamp_duty == 0.0
    assert_whole(told)


def test_every_message_of_the_night_is_as_the_asyncapi_document_says(night: Told) -> None:
    payloads = Payloads()
    faults = {payloads.fault(message.topic, message.payload, retained=message.retain) for _, message in night.messages}
    assert faults - {""} == set()
    assert len(night.messages) > 1000
