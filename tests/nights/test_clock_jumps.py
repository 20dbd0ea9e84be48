"""Clocks that are set, moved, put back and lost in the night: no epoch is lost or kept twice, and each is dated right
once the clock is."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.clock_house import STEP_S, Machine

from somnisphere.bedtime.phases import Cue, Phase
from somnisphere.cues import CueGiven
from somnisphere.journal import KeptNight
from somnisphere.night import EPOCH_S
from somnisphere.night_in_progress import night_id_of

EVENING_S = datetime(2026, 3, 14, 20, 30, tzinfo=UTC).timestamp()
BOOT_1970_S = 40.0
HOUR_S = 3600.0
SPELL_S = 1200.0
EVENING = "2026-03-14"
NIGHT_OVER = CueGiven(Cue.NIGHT_OVER, 0.0, 0.0)
NUDGED_S = 15.0
"""Half an epoch: what a clock is nudged by in a night is not worth dating it anew."""


def assert_whole(night: KeptNight, *, evenly_s: float = NUDGED_S) -> None:
    assert [epoch.index for epoch in night.epochs] == list(range(len(night.epochs)))
    first_s = night.epochs[0].start_s
    for epoch in night.epochs:
        assert epoch.start_s == pytest.approx(first_s + EPOCH_S * epoch.index, abs=evenly_s)
    assert all(sooner.start_s < later.start_s for sooner, later in pairwise(night.epochs))


def test_an_evening_begun_in_1970_is_filed_under_its_date(tmp_path: Path) -> None:
    machine = Machine(tmp_path, EVENING_S, BOOT_1970_S - EVENING_S)
    with machine.runs() as it:
        it.live(60.0)
        it.begin()
        it.live(600.0)
        assert "the year 1970" in it.clock.tick().clock_problem
        assert not any("1970" in night for night in it.journal.nights())
        asked: dict[str, Any] = json.loads(
            next(m.payload for m in reversed(machine.messages) if m.topic.endswith("/health"))
        )
        assert "clock" in asked["machine_attributes"]["clock"]
        machine.network_sets_it()
        it.live(600.0)
        assert it.clock.tick().clock_problem == ""
        assert it.daemon.snapshot().night_id == EVENING
    (night,) = machine.nights().values()
    assert night.times.night_id == EVENING
    assert_whole(night, evenly_s=0.001)
    assert night.began_wall_s == pytest.approx(EVENING_S + 60.0, abs=0.001)
    assert [moment.wall_s for moment in night.moments if moment.type == "lights_down"] == [
        pytest.approx(EVENING_S + 60.0, abs=0.001)
    ]


def test_a_night_that_ended_before_the_clock_was_set_is_dated_too(tmp_path: Path) -> None:
    machine = Machine(tmp_path, EVENING_S, BOOT_1970_S - EVENING_S)
    with machine.runs() as it:
        it.begin()
        it.live(300.0)
        core = it.daemon._core
        assert core._night is not None
        over = replace(NIGHT_OVER, at_s=machine.at_s)  # as at noon, without waiting for it
        it.daemon._perform(core._end(core._night, over)[-1], machine.at_s)
        assert it.daemon.night.finished is not None
        machine.network_sets_it()
        it.live(120.0)
    (night,) = machine.nights().values()
    assert night.times.night_id == EVENING
    assert night.began_wall_s == pytest.approx(EVENING_S, abs=0.001)
    assert night.ended_wall_s is not None
    assert night.ended_wall_s == pytest.approx(EVENING_S + 300.0, abs=0.001)
    assert_whole(night, evenly_s=0.001)


@pytest.mark.parametrize("by_s", [-365 * 86400.0, -7 * HOUR_S, -HOUR_S, HOUR_S, 9 * HOUR_S])
def test_a_clock_set_in_the_night_moves_it_whole(tmp_path: Path, by_s: float) -> None:
    """Nobody knows better than whoever sets it: as if it had shown that all the time."""
    machine = Machine(tmp_path, EVENING_S)
    machine.network_sets_it()
    with machine.runs() as it:
        it.begin()
        it.live(SPELL_S)
        phase = it.daemon.snapshot().phase
        machine.off_s += by_s
        it.live(30.0)
        assert it.daemon.snapshot().phase is phase, "no evening begins, ends or starts anew by it"
        it.live(SPELL_S)
    (night,) = machine.nights().values()
    assert night.times.night_id == night_id_of(EVENING_S + by_s)
    assert_whole(night, evenly_s=0.001)
    assert len(night.epochs) >= 2 * SPELL_S / EPOCH_S - 3
    assert night.epochs[0].start_s == pytest.approx(EVENING_S + by_s, abs=EPOCH_S)


def test_the_daemon_is_restarted_and_the_clock_set_meanwhile(tmp_path: Path) -> None:
    """The machine ran on: its monotonic time says that five minutes have passed, whatever the clock shows."""
    machine = Machine(tmp_path, EVENING_S, BOOT_1970_S - EVENING_S)
    with machine.runs() as it:
        it.begin()
        it.live(150.0)
        assert it.daemon.snapshot().phase is Phase.STORY
        it.ends()
    machine.passes(300.0)
    machine.network_sets_it()
    with machine.runs() as it:
        assert it.daemon.snapshot().phase is Phase.STORY, "five minutes, not fifty-six years"
        it.live(600.0)
    (night,) = machine.nights().values()
    assert night.times.night_id == EVENING
    assert_whole(night)
    assert night.epochs[0].start_s == pytest.approx(EVENING_S, abs=EPOCH_S)


def test_a_power_cut_leaves_the_clock_behind_and_the_night_goes_on(tmp_path: Path) -> None:
    """The clock then shows some minutes before the last epoch; an hour was lost when the network sets it."""
    machine = Machine(tmp_path, EVENING_S)
    machine.network_sets_it()
    with machine.runs() as it:
        it.begin()
        it.live(SPELL_S)
        it.ends()
    machine.starts_again(HOUR_S, machine.true_s - 600.0)
    with machine.runs() as it:
        it.live(600.0)
        assert "was not set" in it.clock.tick().clock_problem
        assert it.daemon.snapshot().phase is not Phase.STORY, "nobody is woken by a box that boots"
        before = len(it.daemon._core.night_epochs)
        machine.network_sets_it()
        it.live(600.0)
        assert len(it.daemon._core.night_epochs) == pytest.approx(before + (HOUR_S + 600.0) / EPOCH_S, abs=4)
        assert len(it.daemon.night._estimates) == len(it.daemon._core.night_epochs)
    (night,) = machine.nights().values()
    assert night.times.night_id == EVENING
    assert_whole(night)
    assert night.epochs[0].start_s == pytest.approx(EVENING_S, abs=EPOCH_S)
    assert night.epochs[-1].start_s == pytest.approx(machine.true_s - 2 * EPOCH_S, abs=2 * EPOCH_S)
    lost = [e for e in night.epochs if EVENING_S + SPELL_S < e.start_s < EVENING_S + SPELL_S + HOUR_S - EPOCH_S]
    assert len(lost) == pytest.approx(HOUR_S / EPOCH_S, abs=3)
    assert all(epoch.presence is None for epoch in lost)


def test_unplugged_in_the_night_and_plugged_in_the_next_evening(tmp_path: Path) -> None:
    """Before the clock is set it looks like one night; then they are two."""
    machine = Machine(tmp_path, EVENING_S)
    machine.network_sets_it()
    with machine.runs() as it:
        it.begin()
        it.live(SPELL_S)
        it.ends()
    machine.starts_again(24 * HOUR_S - SPELL_S, machine.true_s - 60.0)
    with machine.runs() as it:
        it.begin()
        it.live(900.0)
        machine.network_sets_it()
        it.live(900.0)
        assert it.daemon.snapshot().night_id == "2026-03-15"
    first, second = machine.nights().values()
    assert (first.times.night_id, second.times.night_id) == (EVENING, "2026-03-15")
    assert_whole(first)
    assert_whole(second, evenly_s=0.001)
    assert second.epochs[-1].start_s == pytest.approx(machine.true_s - 2 * EPOCH_S, abs=2 * EPOCH_S)
    assert all(moment.wall_s >= EVENING_S + 24 * HOUR_S for moment in second.moments)
    assert len(first.epochs) == pytest.approx(SPELL_S / EPOCH_S, abs=3)


@pytest.mark.parametrize(
    ("changes_s", "zones"),
    [
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC).timestamp(), ("Europe/Berlin",)),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC).timestamp(), ("Europe/Berlin",)),
        (datetime(2026, 6, 1, 23, 0, tzinfo=UTC).timestamp(), ("Europe/Berlin", "Asia/Tokyo", "America/New_York")),
    ],
)
def test_summer_time_and_journeys_change_nothing_of_a_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes_s: float, zones: tuple[str, ...]
) -> None:
    machine = Machine(tmp_path, changes_s - 900.0)
    machine.network_sets_it()
    try:
        with machine.runs() as it:
            for number, zone in enumerate(zones):
                monkeypatch.setenv("TZ", zone)
                time.tzset()
                if number == 0:
                    it.begin()
                it.live(1800.0 / len(zones))
    finally:
        monkeypatch.undo()
        time.tzset()
    (night,) = machine.nights().values()
    local = datetime.fromtimestamp(changes_s - 900.0, ZoneInfo("Europe/Berlin"))
    assert night.times.night_id == (local - timedelta(hours=12)).date().isoformat()
    assert_whole(night, evenly_s=0.001)
    assert len(night.epochs) == pytest.approx(1800.0 / EPOCH_S, abs=3)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["jump", "set", "restart", "nudge"]),
            st.integers(2, 40),
            st.floats(-20 * HOUR_S, 20 * HOUR_S),
        ),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)
def test_whatever_the_clock_does_no_epoch_is_lost_or_kept_twice(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, int, float]], was_unset: bool
) -> None:
    """One start of the machine: jumps, restarts of the daemon, and at last the network sets the clock."""
    machine = Machine(tmp_path_factory.mktemp("clock"), EVENING_S)
    if was_unset:
        machine.off_s = BOOT_1970_S - EVENING_S
    else:
        machine.network_sets_it()
    running = machine.runs()
    it = running.__enter__()
    it.begin()
    lived_s = 0.0
    for deed, steps, by_s in [*deeds, ("set", 5, 0.0)]:
        it.live(steps * STEP_S)
        lived_s += steps * STEP_S
        if deed == "jump":
            machine.off_s += by_s
        elif deed == "nudge":
            machine.off_s += by_s / HOUR_S / 20.0
        elif deed == "set":
            machine.network_sets_it()
        else:
            it.ends()
            running.__exit__(None, None, None)
            running = machine.runs()
            it = running.__enter__()
    it.live(300.0)
    lived_s += 300.0
    running.__exit__(None, None, None)
    (night,) = machine.nights().values()
    assert night.times.night_id == EVENING
    assert_whole(night)
    assert night.epochs[0].start_s == pytest.approx(EVENING_S, abs=EPOCH_S + NUDGED_S)
    assert len(night.epochs) == pytest.approx(lived_s / EPOCH_S, abs=3)
