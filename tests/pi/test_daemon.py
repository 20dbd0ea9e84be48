"""What the daemon does about the core's actions, at real lamp, journal and home session, without a thread."""

import json
import logging
import xml.etree.ElementTree as ElementTree
from datetime import datetime
from pathlib import Path

import pytest
from tests.box import EVENING_S, Box, box

from somnisphere import __version__
from somnisphere.assemble import shelf_reader
from somnisphere.bedtime.phases import Phase
from somnisphere.bedtime.sentences import begin_of
from somnisphere.config import Config
from somnisphere.daemon import LAMP_REPORT_EVERY_S, RESCAN_EVERY_S
from somnisphere.events import Announce, BrokerReported, ButtonPressed, Press
from somnisphere.journal import Journal
from somnisphere.library import STARTER_FOLDER
from somnisphere.night_record import PICTURE_EVERY_S
from somnisphere_hardware.fade import luminance
from somnisphere_hardware.samples import PartState
from somnisphere_home.release import TOPIC as RELEASE_TOPIC

NIGHT = "2026-03-14"
LONG_S = 16 * 3600.0 + 600.0
"""So long lasts the longest night."""


def phase(told: Box) -> Phase:
    return told.daemon.snapshot().phase


def test_an_evening_moves_lamp_and_speaker(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        it.command("begin")
        assert phase(it) is Phase.WIND_DOWN
        it.live(7.5)
        half = it.lamp_duty
        it.live(7.5)
        assert 0.0 < half < it.lamp_duty
        assert it.lamp_duty == pytest.approx(luminance(45.0), abs=0.002)
        it.live(60.0)
        assert phase(it) is Phase.STORY
        assert it.lamp_duty == pytest.approx(luminance(20.0), abs=0.002)
        shown = it.daemon.snapshot()
        assert shown.story_playing
        assert shown.story_position_s == pytest.approx(15.0, abs=1.5)
        it.command("volume", "25")
        assert it.speaker.gain_db == pytest.approx(-20.0)
        it.command("stop")
        it.live(60.0)
        assert it.lamp_duty == 0.0
        assert not it.daemon.snapshot().story_playing
        assert it.states("story")[-1]["story_playing"] is None
        assert max(it.journal.bookmarks().values()) > 5.0, "the sentence that was begun"


def test_the_button_is_heard_as_the_home_is(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        before = len(it.messages)
        it.daemon.handle(ButtonPressed(it.at_s, Press.TAP))
        assert [s["phase"] for s in it.states("ritual")] == ["idle", "wind_down"], "at once, not with the next tick"
        assert len(it.messages) > before


def test_a_story_that_begins_or_ends_is_shown_at_once(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        it.command("one_more_page")
        it.live(1.0)
        assert it.states("story")[-1]["story_playing"] == "The attic of old stories"
        told = len(it.states("story"))
        it.live(14.0)
        assert len(it.states("story")) == told, "where it is in the story is not told every second"
        it.command("stop")
        it.live(1.0)
        assert it.states("story")[-1]["story_playing"] is None


def test_a_moment_says_which_night_when_and_how_sure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with box(tmp_path / "j.db") as it:
        it.live(10.0)
        it.command("begin")
        (moment,) = it.moments
        assert moment == {
            "event_type": "lights_down",
            "night_id": NIGHT,
            "at": "2026-03-14T21:30:10+01:00",
            "confidence": None,
            "latency_s": 0,
        }
        assert it.said("sleep_moment/trigger") == [b"lights_down"]
        core = it.daemon._core
        monkeypatch.setattr(core, "receive", lambda _: [Announce("fell_asleep", it.at_s - 5.0, 0.9349)])
        it.daemon.handle(BrokerReported(it.at_s, connected=True))
        told = it.moments[-1]
        assert (told["event_type"], told["confidence"]) == ("fell_asleep", 0.93)
        assert datetime.fromisoformat(told["at"]).timestamp() == EVENING_S + 5.0
        assert told["latency_s"] == 5, "sleep is seen with hindsight, and says how late"
        assert [m.retain for m in it.messages if "sleep_moment" in m.topic] == [False] * 4


def test_moments_go_into_the_journal_too(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        it.command("begin")
        it.live(80.0)
    journal = Journal(tmp_path / "j.db")
    assert [moment.type for moment in journal.load(NIGHT).moments] == ["lights_down", "story_began"]
    journal.close()


def test_a_second_night_of_one_evening_has_a_name_of_its_own(tmp_path: Path) -> None:
    """Closed at noon at the latest, and begun once more the same evening after the clock was put back, say."""
    with box(tmp_path / "j.db") as it:
        it.command("begin")
        it.command("stop")
        it.live(LONG_S, step_s=30.0)
        assert it.daemon.night.finished is not None
        it.wall_s -= it.at_s
        it.live(1.0)
        it.command("begin")
        it.live(90.0)
        assert it.moments[-1]["night_id"] == f"{NIGHT}.2"
        assert set(it.journal.nights()) == {NIGHT, f"{NIGHT}.2"}
        first, second = it.journal.load(NIGHT), it.journal.load(f"{NIGHT}.2")
        assert len(first.epochs) == 1920
        assert first.ended_wall_s is not None
        assert second.ended_wall_s is None
        assert second.times.night_id == f"{NIGHT}.2"


def test_the_picture_of_the_night_is_shown_every_half_hour_and_at_the_end(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        it.command("begin")
        it.live(PICTURE_EVERY_S - 30.0, step_s=10.0)
        assert it.said("night/image") == []
        it.live(60.0, step_s=10.0)
        (picture,) = it.said("night/image")
        texts = {element.text for element in ElementTree.fromstring(picture).iter() if element.text}
        assert {f"Night of {NIGHT}", "Awake", "Deep"} <= texts
        assert {"21:30", "21:50"} <= texts, "the household's clock, an hour ahead of Greenwich"
        it.live(LONG_S, step_s=30.0)
        assert len(it.said("night/image")) >= 30
        last = it.said("night/image")[-1]
        it.live(2 * PICTURE_EVERY_S, step_s=30.0)
        assert it.said("night/image")[-1] == last, "the night is over: nothing changes on it"


def test_a_fading_lamp_shows_the_home_a_few_honest_steps(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        it.command("lamp", '{"state":"ON","brightness":4095,"transition":60}')
        it.live(70.0, step_s=0.1)
        levels = [state.get("brightness", 0) for state in it.states("lamp")]
        assert levels[-1] == 4095
        assert levels == sorted(levels)
        assert 4 <= len(levels) <= 60.0 / LAMP_REPORT_EVERY_S + 3


def test_a_journal_that_cannot_be_written_is_told_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    obstacle = tmp_path / "not-a-folder"
    obstacle.write_text("")
    with box(obstacle / "j.db") as it:
        it.command("begin")
        it.live(400.0)
        assert phase(it) is Phase.STORY
        warnings = [r.getMessage() for r in caplog.records if "j.db" in r.getMessage()]
        assert len(warnings) == 1
        assert "cannot be written" in warnings[0]
        assert it.states("health")[-1]["sensor_problem_attributes"]["journal"] == warnings[0]
        obstacle.unlink()
        it.live(130.0)
        assert "The journal can be written again." in caplog.messages
        assert it.states("health")[-1]["sensor_problem_attributes"]["journal"] == ""
        kept = it.journal.load(NIGHT)
        assert len(kept.epochs) > 14, "nothing was lost meanwhile"


@pytest.mark.parametrize(
    ("key", "payload", "expectation"),
    [
        ("volume", "loud", "a number from 0 to 100 %"),
        ("volume", "250", "a number from 0 to 100 %"),
        ("fade_time", "nan", "a number from 1 to 60 min"),
        ("begin", "now", "PRESS"),
        ("story", "No such story", "one of: The attic of old stories, The lamp that learned to land"),
        ("lamp", "ON", '{"state":"ON"'),
        ("lamp", '{"state":"ON","brightness":"much"}', "a number from 0 to 4095"),
        ("snore", "PRESS", "begin, stop, one_more_page"),
    ],
)
def test_a_malformed_command_is_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, key: str, payload: str, expectation: str
) -> None:
    with box(tmp_path / "j.db") as it:
        before = it.daemon.snapshot()
        it.command(key, payload)
        (line,) = [r for r in caplog.records if r.levelno == logging.WARNING]
        assert f"somnisphere/bedside/{key}/set" in line.getMessage()
        assert expectation in line.getMessage()
        assert it.daemon.snapshot() == before


def test_a_retained_command_is_not_obeyed_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with box(tmp_path / "j.db") as it:
        it.command("begin", retained=True)
        assert phase(it) is Phase.IDLE
        assert "somnisphere/bedside/begin/set: ignored: retained" in caplog.text


def test_on_connecting_the_home_is_told_all_of_it_in_order(tmp_path: Path) -> None:
    with box(tmp_path / "j.db", connected=False) as it:
        heard = (
            "somnisphere/bedside/+/set",
            "homeassistant/status",
            "homeassistant/device/somnisphere_bedside/config",
            "homeassistant/device/somnisphere_bedside_sleeper/config",
            "homeassistant/+/somnisphere_bedside/+/config",
            "somnisphere/bedside/ask/+",
            "somnisphere/house/quiet/+",
            "somnisphere/house/release",
        )
        assert it.daemon.subscriptions == heard
        it.daemon.home_connected(it.at_s)
        told = [message.topic for message in it.messages][-25:]
        first = told.index("somnisphere/bedside/status")
        assert told[first + 1 : first + 4] == [
            "somnisphere/bedside/sensor/status",
            "somnisphere/bedside/player/status",
            "homeassistant/device/somnisphere_bedside/config",
        ]
        groups = {"stage", "vitals", "presence", "ritual", "lamp", "story", "night", "house", "health"}
        groups |= {"moments", "box", "sensing", "update"}
        assert {topic.rpartition("/")[2] for topic in told[first + 4 :]} == {*groups, "image"}, "pictures come last"
        assert told[-1] == "somnisphere/bedside/story_cover/image"


def test_parts_are_online_while_they_work(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        assert it.said("sensor/status")[-1] == b"offline"
        assert it.said("player/status")[-1] == b"online"
        it.daemon.handle(PartState("motion", it.at_s, True, "LIS3DH"))
        assert it.said("sensor/status")[-1] == b"online", "one of the two is enough"
        it.daemon.handle(PartState("pulse", it.at_s, False, problem="the cable is loose"))
        assert it.said("sensor/status")[-1] == b"online"
        assert it.states("health")[-1]["sensor_problem"] is True
        it.daemon.handle(PartState("motion", it.at_s, False, "LIS3DH", "gone"))
        assert it.said("sensor/status")[-1] == b"offline"


def test_chips_that_are_not_there_are_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with box(tmp_path / "j.db") as it:
        for _ in range(100):
            it.at_s = it.daemon.poll_bedside(it.at_s)
            it.tick()
    assert sum("pulse sensor" in line for line in caplog.messages) == 1


def test_a_story_that_cannot_be_played_leaves_a_quiet_evening(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with box(tmp_path / "j.db", story_s=None) as it:
        it.command("begin")
        it.live(90.0)
        assert phase(it) is Phase.DRIFTING
        assert it.said("player/status")[-1] == b"offline"
        assert it.states("health")[-1]["sensor_problem_attributes"]["player"]
        assert "No story can be played; the evening is quiet." in caplog.text
        assert it.lamp_duty < luminance(20.0)


def test_a_new_story_is_offered_without_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()
    with box(tmp_path / "j.db", stories=folder) as it:
        assert it.daemon.snapshot().story_titles == ()
        it.command("begin")
        story = next(STARTER_FOLDER.rglob("*.opus"))
        (folder / "told.opus").write_bytes(story.read_bytes())
        it.live(RESCAN_EVERY_S + 1.0)
        assert len(it.daemon.snapshot().story_titles) == 1
        config = [m for m in it.messages if m.topic.startswith("homeassistant/")][-1]
        assert json.loads(config.payload)["components"]["story"]["options"] == list(it.daemon.snapshot().story_titles)


def test_a_restart_carries_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with box(tmp_path / "j.db") as it:
        it.command("begin")
        it.live(200.0)
        before = it.daemon.snapshot()
        it.daemon.keeping.evening(it.at_s, it.wall_s + it.at_s)
        stopped_s = it.wall_s + it.at_s
    caplog.set_level(logging.INFO)
    with box(tmp_path / "j.db", wall_s=stopped_s + 40.0) as it:
        assert f"The night of {NIGHT} is carried on." in caplog.messages
        it.live(2.0)
        after = it.daemon.snapshot()
        assert after.phase is before.phase is Phase.STORY
        assert after.story_title == before.story_title
        assert before.story_position_s is not None
        story = next(story for story in shelf_reader(Config()).read() or () if story.title == after.story_title)
        begun_s = begin_of(story.marks, before.story_position_s)
        assert 0.0 <= before.story_position_s - begun_s < 15.0
        assert after.story_position_s == pytest.approx(begun_s + 2.0, abs=1.0), "from the sentence's beginning"
        assert it.lamp_duty == pytest.approx(luminance(20.0), abs=0.002)
        it.live(100.0)
        assert it.moments == [], "what was announced before the restart is not announced again"
        assert [epoch.index for epoch in it.journal.load(NIGHT).epochs] == list(
            range(len(it.journal.load(NIGHT).epochs))
        )
        assert it.journal.nights() == [NIGHT]


def test_a_newer_release_is_shown_when_the_household_says_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with box(tmp_path / "j.db") as it:
        assert it.states("update")[-1]["update"]["latest_version"] == __version__
        it.daemon.home_said(RELEASE_TOPIC, b'{"version": "99.0"}', retained=True, at_s=it.at_s)
        it.live(6.0)
        assert it.states("update")[-1]["update"] == {"installed_version": __version__, "latest_version": "99.0"}
        it.daemon.home_said(RELEASE_TOPIC, b"soon", retained=True, at_s=it.at_s)
        assert f"{RELEASE_TOPIC}: ignored: expected JSON" in caplog.text
