"""The seal, by every door: nothing of a night that nobody opened is published, answered, printed or drawn.

Nights are planted at the core's own exit (its actions), with times that occur nowhere else. All else is real: daemon,
journal, the household's file, home session, questions, command line. Whatever people and brokers do in between, what
leaves the box is searched for the times of nights that are still closed; and is found there once they are opened.
"""

import io
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.box import EVENING_S, Box, box
from tests.pi.page_house import Browser, Time, house_in

from somnisphere import cli_nights, night_screen
from somnisphere.cli import main
from somnisphere.config import Config
from somnisphere.config_keys import Sleeper
from somnisphere.diary.seal import Step
from somnisphere.diary.store import Diary
from somnisphere.diary.telling import read_telling
from somnisphere.events import Announce, BeginNight, EndNight, KeepEpoch
from somnisphere.household_file import household_beside
from somnisphere.night import Epoch, NightTimes, Presence, Stage, StageEstimate
from somnisphere.night_in_progress import NightInProgress
from somnisphere.night_screen import NightScreen
from somnisphere.page import morning
from somnisphere.simulation import open_rehearsal
from somnisphere.sleeper import Stager
from somnisphere_home.messages import Message

OFFSET_S = 3600.0
SENSED = ("in_bed", "drifting", "fell_asleep", "stirred", "distress", "woke_up", "left_bed", "morning")
LIVE = ("sleep_moment/event", "sleep_moment/trigger")
"""Moments as they happen: lamps live by them, and nothing of them is kept."""
TELLING = read_telling("adult", {"tried": "22:30", "latency_min": "20"})
FIRST_S = EVENING_S + 20 * 60.0
DAY_S = 86400.0


def planted(day: int) -> NightTimes:
    """Seconds that no tick and no minute falls on, minutes that no other night has."""
    began_s = FIRST_S + day * DAY_S + (11 + 11 * day) * 60.0  # no two nights share a minute
    name = datetime.fromtimestamp(began_s + OFFSET_S, UTC).date().isoformat()
    return NightTimes(name, began_s + 17.0, began_s + 3600.0 + 41.0, began_s + 7200.0 + 13.0, began_s + 7800.0 + 47.0)


def marks_of(times: NightTimes) -> set[str]:
    """How the night's times look in messages and in print."""
    found = set()
    for at_s in (times.in_bed_s, times.fell_asleep_s, times.woke_up_s, times.left_bed_s):
        assert at_s is not None
        for zone in (UTC, timezone(timedelta(seconds=OFFSET_S))):
            found.add(datetime.fromtimestamp(at_s, zone).strftime("%Y-%m-%dT%H:%M:%S"))
        found.add(time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(at_s)))
        found.add(time.strftime("%H:%M", time.localtime(at_s)) + " ")
    return found


@dataclass
class House:
    """A box with its people, over restarts. ``opened``: what a person opened so far, as the rules have it."""

    folder: Path
    stack: ExitStack
    it: Box
    days: int = 0
    opened: frozenset[str] = frozenset()
    read: int = 0

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    @property
    def diary(self) -> Diary:
        return Diary(household_beside(self.journal))

    @property
    def nights(self) -> list[NightTimes]:
        return [planted(day) for day in range(self.days)]

    def leaked(self, text: str) -> list[str]:
        return [
            f"{times.night_id}: {mark}"
            for times in [*self.nights, planted(self.days)]
            if times.night_id not in self.opened
            for mark in marks_of(times)
            if mark in text
        ]

    def search(self) -> None:
        """All that was published since."""
        new, self.read = self.it.messages[self.read :], len(self.it.messages)
        for message in new:
            topic = message.topic.removeprefix("somnisphere/bedside/")
            if topic in LIVE:
                assert not message.retain
                continue
            text = message.payload.decode()
            assert self.leaked(text) == [], topic
            if topic == "night/image":
                closed = [night for night in (*self.nights, planted(self.days)) if night.night_id not in self.opened]
                assert not ("Movement" in text and any(night.night_id in text for night in closed))

    # ---- what may happen --------------------------------------------------------------------------------------------

    def pass_a_night_unsearched(self) -> None:
        self.pass_a_night(searched=False)

    def pass_a_night(self, *, searched: bool = True) -> None:
        times, core, it = planted(self.days), self.it.daemon._core, self.it
        core._pipeline.advance = lambda _: []  # type: ignore[method-assign,assignment]
        assert times.in_bed_s is not None
        it.at_s = round((times.in_bed_s - it.wall_s) / 30.0) * 30.0
        it.tick()
        core._night = NightInProgress(times, cast(Stager, None))
        it.daemon._perform(BeginNight(times.night_id, it.at_s), it.at_s)
        estimates = []
        for number in range(80):
            start_s = it.at_s + number * 30.0
            epoch = Epoch(
                number, start_s, Presence.PULSE, True, 58.0, (58.0,) * 6, 40.0, 29, 1.0, 14.0, None, (0.0, 0.0)
            )
            stage = Stage.AWAKE if number < 20 else Stage.DEEP
            estimates.append(
                StageEstimate(number, start_s, stage, (1.0, 0.0, 0.0, 0.0) if number < 20 else (0, 0, 1.0, 0))
            )
            core._night.epochs.append(epoch)
            it.daemon._perform(KeepEpoch(epoch, estimates[-1]), it.at_s)
        for kind in SENSED:
            it.daemon._perform(Announce(kind, times.in_bed_s - it.wall_s, 0.9), it.at_s)
        it.live(2 * 3600.0, step_s=60.0)
        if searched:
            self.search()
        epochs, core._night, core.last_night = tuple(core._night.epochs), None, times
        it.daemon._perform(EndNight(times, epochs, tuple(estimates)), it.at_s)
        self.days += 1
        it.live(120.0, step_s=30.0)

    def pass_a_night_and_look(self) -> None:
        self.pass_a_night()
        self.search()
        self.command()
        self.look_at_the_page()

    def restart(self) -> None:
        at_s = self.it.at_s
        self.stack.close()
        self.it = self.stack.enter_context(
            box(self.journal, wall_s=self.it.wall_s + at_s, offset_s=OFFSET_S, sleeper=Sleeper(tell_first=True))
        )
        self.read = 0

    def reconnect(self) -> None:
        self.it.daemon.home_connected(self.it.at_s)

    def be_born(self) -> None:
        self.it.daemon.home_said("homeassistant/status", b"online", retained=False, at_s=self.it.at_s)
        self.it.live(120.0, step_s=30.0)

    def ask(self) -> None:
        for name, question in (
            ("nights", {}),
            ("night", {}),
            *(("night", {"night_id": n.night_id}) for n in self.nights),
        ):
            topic = f"somnisphere/bedside/ask/{name}"
            self.it.daemon.home_said(topic, json.dumps(question).encode(), retained=False, at_s=self.it.at_s)

    def command(self) -> None:
        """Commands say of closed nights that they are closed, and no more."""
        self.it.journal.commit()
        for words in (["nights"], ["nights", "--json"], ["nights", "--csv"]):
            assert self.leaked(self.printed(*words)) == [], words
        closed = [night.night_id for night in self.nights if night.night_id not in self.opened]
        picture = self.folder / "night.svg"
        for night in closed:
            for words in (["night", night], ["night", night, "--json"], ["explain", night, "+00:30"]):
                assert f"The night of {night} is sealed until it is told." in self.printed(*words)
            assert self.leaked(self.printed("night", night, "--svg", str(picture))) == []
            assert not picture.exists()
        if closed and closed[-1] == self.nights[-1].night_id:
            assert self.leaked(self.printed("night")) == []

    def look_at_the_page(self) -> None:
        """The Morning room asks first whatever the configuration says; a file that is broken shows nothing at all."""
        self.it.journal.commit()
        browser = Browser(house_in(self.folder, Time(self.it.wall_s + self.it.at_s)))
        closed = [night.night_id for night in self.nights if night.night_id not in self.opened]
        for address in ("/morning", "/morning/week", *(f"/morning?night={night}&picture=yes" for night in closed)):
            page = browser.get(address)
            assert page.status_code == 200
            if "night=" in address or (closed and closed[-1] == self.nights[-1].night_id and "week" not in address):
                assert 'class="letter"' not in page.text
                assert "/morning/picture" not in page.text
            assert self.leaked(page.text) == []
        for night in closed:
            assert browser.get(f"/morning/picture?night={night}").status_code == 404
            week = browser.get(f"/morning/week?of={night}").text
            assert f'<a href="/morning?night={night}">closed</a>' in week

    def printed(self, *words: str) -> str:
        config = self.folder / "somnisphere.toml"
        config.write_text(f'[sleeper]\ntell_first = true\n[journal]\npath = "{self.journal}"\n')
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            main(["--config", str(config), *words])
        return said.getvalue()

    def step(self, step: Step) -> None:
        """For the latest night, as the page does it."""
        if self.days:
            night, diary = self.nights[-1].night_id, self.diary
            told = diary.telling(night) is not None
            if step is Step.TELL:
                diary.tell(night, TELLING, self.it.wall_s + self.it.at_s, 300.0)
            else:
                diary.step(night, step, self.it.wall_s + self.it.at_s)
            if step is Step.SHOW or (step is Step.OPEN and told):
                self.opened |= {night}
            self.it.live(1.0)

    def break_the_file(self) -> None:
        path = household_beside(self.journal)
        for name in (path, path.with_name("household.db-wal"), path.with_name("household.db-shm")):
            name.unlink(missing_ok=True)
        path.write_bytes(b"no database at all" * 300)
        self.opened = frozenset()
        self.it.live(60.0, step_s=30.0)
        self.search()
        path.unlink()


@contextmanager
def house() -> Iterator[House]:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        it = stack.enter_context(box(Path(folder) / "journal.db", offset_s=OFFSET_S, sleeper=Sleeper(tell_first=True)))
        made = House(Path(folder), stack, it)
        yield made
        made.it.journal.commit()


HAPPENS = st.sampled_from(
    [
        House.pass_a_night,
        House.pass_a_night,
        House.restart,
        House.reconnect,
        House.be_born,
        House.ask,
        House.command,
        House.look_at_the_page,
        House.break_the_file,
        *(lambda it, step=step: it.step(step) for step in Step),
    ]
)


@pytest.mark.timeout(480)  # twenty nights of a whole house
@settings(max_examples=20, deadline=None)
@given(st.lists(HAPPENS, min_size=2, max_size=8))
def test_nothing_of_a_night_leaks_before_it_is_opened(happens: list) -> None:  # type: ignore[type-arg]
    with house() as it:
        it.pass_a_night()
        for happening in happens:
            happening(it)
            it.search()
        it.command()
        it.look_at_the_page()
        it.ask()
        it.search()


LEAKS: dict[str, tuple[Any, str, Any]] = {
    "the last night's times": (NightScreen, "unsealed", lambda *given: given[1]),
    "when moments happened last": (night_screen, "BY_HAND", frozenset(SENSED)),
    "the picture": (NightScreen, "picture", lambda *given: given[2]()),
    "the page": (morning, "lets_through", lambda _: True),
    "commands": (cli_nights, "sealed_of", lambda *_, **__: set()),
}


@pytest.mark.parametrize("door", LEAKS)
def test_a_door_left_open_is_found(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*LEAKS[door])
    with house() as it, pytest.raises(AssertionError):
        it.pass_a_night_and_look()


def test_questions_left_open_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with house() as it:
        answers = it.it.daemon._parts.desk._answers
        assert answers is not None
        monkeypatch.setattr(answers, "_shows", lambda _: True)
        it.pass_a_night()
        it.ask()
        with pytest.raises(AssertionError):
            it.search()


def test_what_was_opened_is_shown_by_every_door() -> None:
    with house() as it:
        it.pass_a_night()
        (night,) = it.nights
        assert night.fell_asleep_s is not None
        asleep = datetime.fromtimestamp(night.fell_asleep_s, UTC).isoformat()
        assert it.it.states("night")[-1]["fell_asleep"] is None
        assert it.it.states("moments")[-1]["last_fell_asleep"] is None
        it.ask()
        assert "sealed until it is told" in it.it.states("ask/night/result")[-1]["error"]
        assert it.it.states("ask/nights/result")[-1]["answer"] == {
            "nights": [night.night_id],
            "sealed": [night.night_id],
        }
        it.step(Step.TELL)
        assert it.it.states("night")[-1]["fell_asleep"] is None, "told is not opened yet"
        it.step(Step.OPEN)
        assert it.it.states("night")[-1]["fell_asleep"] == asleep, "at once, not with the next change"
        assert it.it.states("moments")[-1]["last_woke_up"] is not None
        assert b"Movement" in it.it.said("night/image")[-1]
        it.ask()
        assert it.it.states("ask/night/result")[-1]["ok"]
        assert it.it.states("ask/nights/result")[-1]["answer"]["sealed"] == []
        it.it.journal.commit()
        assert time.strftime("%H:%M", time.localtime(night.left_bed_s)) in it.printed("night")
        it.restart()
        it.it.live(1.0)
        assert it.it.states("night")[-1]["fell_asleep"] == asleep
        assert b"Movement" in it.it.said("night/image")[-1], "drawn from the journal"
        it.pass_a_night()
        assert it.it.states("night")[-1]["fell_asleep"] is None, "the next one is closed again"
        assert b"Movement" not in it.it.said("night/image")[-1]


def test_what_the_broker_kept_from_before_is_closed_with_the_first_words() -> None:
    """Somebody switches ``tell_first`` on: retained times, moments and picture are overwritten at the connection."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        open_box = stack.enter_context(box(Path(folder) / "journal.db", offset_s=OFFSET_S))
        it = House(Path(folder), stack, open_box)
        it.pass_a_night_unsearched()
        assert open_box.states("night")[-1]["fell_asleep"] is not None
        assert b"Movement" in open_box.said("night/image")[-1]
        it.restart()
        assert set(it.it.states("night")[0].values()) == {None}
        assert it.it.states("moments")[0]["last_fell_asleep"] is None
        assert b"yours to tell first" in it.it.said("night/image")[0]
        assert all(m.retain for m in it.it.messages if m.topic.endswith(("/night", "/moments", "night/image")))


def test_open_on_the_command_line_is_just_show_me() -> None:
    with house() as it:
        it.pass_a_night()
        it.pass_a_night()
        it.it.journal.commit()
        first, second = it.nights
        assert "fell asleep about" in it.printed("night", first.night_id, "--open")
        listed = it.printed("nights")
        assert f"{second.night_id:<12} sealed until it is told" in listed
        assert f"{first.night_id:<12} in bed " in listed
        assert "sealed" not in it.printed("nights", "--open")
        assert it.printed("explain", second.night_id, "+00:30").startswith("The half minute from ")


def test_a_household_file_that_cannot_be_read_is_said_where_troubles_are(caplog: pytest.LogCaptureFixture) -> None:
    with house() as it:
        it.pass_a_night()
        it.break_the_file()
        assert "nights stay sealed until it can" in it.it.states("health")[-1]["sensor_problem_attributes"]["household"]
        assert "nights stay sealed until it can" in caplog.text
        assert "household.db: the household's words" not in it.printed("night")


def test_a_hand_is_no_part_of_the_night() -> None:
    with house() as it:
        it.it.command("begin")
        it.it.live(120.0)
        moments = it.it.states("moments")[-1]
        assert moments["last_lights_down"] is not None
        assert moments["last_story_began"] is not None


def test_a_whole_rehearsed_night_keeps_its_seal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    messages: list[Message] = []
    with open_rehearsal(
        Config(sleeper=Sleeper(tell_first=True)), tmp_path, seed=2, hours=3.0, speed=0.0, broker=None
    ) as simulation:
        simulation.daemon.publish_through(messages.append)
        simulation.daemon.home_connected(0.0)
        simulation.rehearsal.run(simulation.until_s)
        ended = simulation.daemon.night.finished
    assert ended is not None
    assert ended.times.fell_asleep_s is not None
    night = [json.loads(m.payload) for m in messages if m.topic == "somnisphere/bedside/night"]
    assert all(value is None for states in night for value in states.values())
    moments = [json.loads(m.payload) for m in messages if m.topic == "somnisphere/bedside/moments"]
    assert {kind for states in moments for kind, value in states.items() if value} == {
        "last_lights_down", "last_story_began",
    }  # fmt: skip
    pictures = [m.payload for m in messages if m.topic.endswith("night/image")]
    assert pictures
    assert all(b"yours to tell first" in picture for picture in pictures)
    live = [json.loads(m.payload)["event_type"] for m in messages if m.topic.endswith("sleep_moment/event")]
    assert "fell_asleep" in live, "lamps are still told, as it happens"
    assert not [record.message for record in caplog.records if "asleep" in record.message]
