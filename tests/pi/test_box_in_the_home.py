"""The box about itself: when each moment was, whether it may sense, what it costs, and the story's own buttons."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.box import EVENING_S, box

from somnisphere.events import MOMENTS, Tick
from somnisphere.machine import Began, Machine
from somnisphere.sensing_switch import SensingSwitch


def seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


# ---- moments --------------------------------------------------------------------------------------------------------


def test_each_moment_leaves_its_time_behind_and_it_outlives_a_restart(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        assert it.states("moments")[-1] == {f"last_{moment}": None for moment in MOMENTS}
        it.live(10.0)
        it.command("begin")
        it.live(5.0)
        assert seconds(it.states("moments")[-1]["last_lights_down"]) == EVENING_S + 10.0
        assert all(message.retain for message in it.messages if message.topic.endswith("/moments"))
    with box(tmp_path / "j.db", wall_s=EVENING_S + 3600.0) as later:
        kept = later.states("moments")[-1]
        assert seconds(kept.pop("last_lights_down")) == EVENING_S + 10.0
        assert set(kept.values()) == {None}


# ---- sensing --------------------------------------------------------------------------------------------------------


def test_sensing_switched_off_is_no_trouble_and_is_kept_over_a_restart(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        assert it.states("sensing")[-1] == {"sensing": True}
        it.command("sensing", "OFF")
        it.live(65.0)
        assert it.states("sensing")[-1] == {"sensing": False}
        assert it.daemon._parts.bedside.sensing is False
        assert it.daemon.snapshot().sensor_problem == ""
        assert it.states("stage")[-1]["sleep_stage_attributes"]["reason"] == "sensing is switched off"
    with box(tmp_path / "j.db") as later:
        assert later.daemon._parts.bedside.sensing is False, "nothing is read after a restart either"
        assert later.states("sensing")[-1] == {"sensing": False}
        later.command("sensing", "ON")
        assert later.daemon._parts.bedside.sensing is True
    with box(tmp_path / "j.db") as last:
        assert last.daemon._parts.bedside.sensing is True


def test_a_broken_journal_does_not_switch_sensing_on_again(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        it.command("sensing", "OFF")
    (tmp_path / "j.db").write_bytes(b"no database" * 100)
    with box(tmp_path / "j.db") as later:
        assert later.daemon.snapshot().sensing is False


def test_a_choice_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    choice = SensingSwitch(tmp_path / "file" / "j.db")
    choice.set(False)
    assert choice.on is False
    assert "after a restart it would be as before" in choice.problem
    choice.set(True)
    assert choice.on is True


# ---- the machine ----------------------------------------------------------------------------------------------------


def test_what_the_daemon_costs(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    first = machine.look(100.0)
    assert first.cpu_pct is None, "nothing to compare with yet"
    assert first.memory_mib is not None
    assert 5 < first.memory_mib < 4000
    free = os.statvfs(tmp_path)
    assert first.disk_free_mb == pytest.approx(free.f_bavail * free.f_frsize / 1e6, rel=0.05)
    assert machine.look(120.0) is first, "a minute is soon enough"
    later = machine.look(160.0)
    assert later.cpu_pct is not None
    assert 0 <= later.cpu_pct < 100


def test_a_machine_that_does_not_tell_is_unknown(tmp_path: Path) -> None:
    state = Machine(tmp_path / "no such folder", tmp_path / "no statm").look(0.0)
    assert (state.memory_mib, state.disk_free_mb) == (None, None)


def test_the_start_is_steady_until_the_clock_is_set() -> None:
    began = Began(5.0)
    assert began.wall_s(Tick(10.0, 1000.0)) == 995.0
    assert began.wall_s(Tick(20.0, 1010.4)) == 995.0, "nudged"
    assert began.wall_s(Tick(30.0, 90_000.0)) == 89_975.0, "a box without a battery clock learned the time"


def test_the_box_says_when_it_started_and_what_it_runs(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        it.live(1000.0, step_s=5.0)
        said = it.states("box")
    assert seconds(said[-1]["started"]) == EVENING_S
    assert said[-1]["version"]
    assert (said[-1]["cpu"], said[-1]["memory"], said[-1]["disk_free"]) == (None, None, None), "not looked at here"
    assert len(said) == 2, "once at the start, then every quarter of an hour"


# ---- the story's own buttons ----------------------------------------------------------------------------------------


def playing(it: Any) -> dict[str, Any]:
    return dict(it.states("story")[-1]["story_playing_attributes"])


def test_pause_and_go_on_over_mqtt(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        it.command("one_more_page")
        it.live(30.0)
        assert playing(it)["title"] == "The attic of old stories"
        assert (playing(it)["paused"], playing(it)["language"]) == (False, "en")
        it.command("pause")
        it.live(62.0)
        assert it.states("story")[-1]["story_playing"] is None
        assert playing(it)["paused"] is True
        assert playing(it)["story_key"] == "the-attic-of-old-stories.story"
        it.command("resume")
        it.live(2.0)
        assert it.states("story")[-1]["story_playing"] == "The attic of old stories"
        assert json.dumps(playing(it))


def test_the_cover_of_the_evenings_story_is_shown_and_changes_with_it(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        (first,) = it.said("story_cover/image")
        assert b"The attic of old stories" in first
        assert b"data:image/svg+xml;base64," in first, "the cover that came along"
        it.live(30.0)
        assert it.said("story_cover/image") == [first], "a picture is said when it changes"
        it.command("story", "The lamp that learned to land")
        it.live(6.0)
        assert b"The lamp that learned to land" in it.said("story_cover/image")[-1]


def test_trouble_of_any_part_is_told_in_words(tmp_path: Path) -> None:
    with box(tmp_path / "j.db") as it:
        it.daemon._parts.lamp.problem = "The lamp does not answer."
        it.daemon._parts.sensing.problem = "It cannot be kept."
        it.live(65.0)
        told = it.states("health")[-1]["sensor_problem_attributes"]
    assert (told["lamp"], told["sensing"]) == ("The lamp does not answer.", "It cannot be kept.")
    assert set(told) == {"problem", "player", "journal", "lamp", "sensing", "household", "home"}
