"""Rehearsed time: its evening, its clock, and the pace at which it goes by."""

import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere.bedtime.phases import Phase
from somnisphere.config import Config
from somnisphere.rehearsal import BEHIND_S, EVENING_HOUR, Pacer, RehearsalClock, evening_of
from somnisphere.simulation import BEGIN_S, open_rehearsal
from somnisphere.snapshot import Snapshot

YEAR_S = 365 * 86400


class Machine:
    """The machine's clock, and its sleep."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        self.slept_s: list[float] = []
        monkeypatch.setattr("somnisphere.rehearsal.time.monotonic", lambda: self.now_s)
        monkeypatch.setattr("somnisphere.rehearsal.time.sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds


def test_the_clock_is_moved_by_hand_and_tells_both_times() -> None:
    clock = RehearsalClock(10.0, 1_000_000.0)
    clock.at_s += 5.0
    assert (clock.now_s(), clock.wall_s()) == (15.0, 1_000_015.0)


@given(st.floats(1.7e9, 1.7e9 + YEAR_S))
def test_a_rehearsal_plays_the_last_evening(wall_s: float) -> None:
    start_s = evening_of(wall_s)
    assert 0.0 <= wall_s - start_s < 25 * 3600.0, "a day of a clock change has 25 hours"
    local = time.localtime(start_s)
    assert local.tm_hour == EVENING_HOUR or abs(local.tm_hour - EVENING_HOUR) == 1
    assert (local.tm_min, local.tm_sec) == (0, 0)


def test_an_evening_is_its_own() -> None:
    start_s = datetime(2026, 3, 14, EVENING_HOUR).timestamp()  # noqa: DTZ001 - the household's own clock is meant
    assert evening_of(start_s) == start_s
    assert evening_of(start_s + 10 * 3600.0) == start_s
    assert evening_of(start_s - 1.0) == pytest.approx(start_s - 86400.0, abs=3600.0)


def test_the_pace_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    pacer = Pacer(60.0, 500.0)
    for at_s in range(501, 621):
        pacer.hold(float(at_s))
    assert machine.now_s == pytest.approx(1002.0, abs=0.02)


def test_as_fast_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    pacer = Pacer(0.0, 0.0)
    pacer.hold(1e6)
    assert machine.slept_s == []


def test_what_was_missed_is_not_rushed_through(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    pacer = Pacer(10.0, 0.0)
    pacer.hold(10.0)
    machine.now_s += 100.0  # the lid was closed
    pacer.hold(20.0)
    before_s = machine.now_s
    pacer.hold(30.0)
    assert machine.now_s - before_s == pytest.approx(1.0)


def test_a_small_delay_is_caught_up_with(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    pacer = Pacer(10.0, 0.0)
    machine.now_s += 0.8 * BEHIND_S
    pacer.hold(1.0)
    pacer.hold(20.0)
    assert machine.now_s == pytest.approx(1002.0)


def test_a_rehearsal_tells_its_own_time_and_presses_its_button(tmp_path: Path) -> None:
    seen: list[Snapshot] = []
    with open_rehearsal(Config(), tmp_path, seed=1, hours=1.0, speed=0.0, broker=None, show=seen.append) as simulation:
        start_wall_s = simulation.clock.wall_start_s
        simulation.rehearsal.run(BEGIN_S + 20.0)
    assert time.localtime(start_wall_s).tm_hour == EVENING_HOUR
    at_s = [snapshot.at_s for snapshot in seen]
    assert at_s == sorted(at_s)
    assert max(later - sooner for sooner, later in pairwise(at_s)) < 1.5
    assert all(snapshot.wall_s == start_wall_s + snapshot.at_s for snapshot in seen)
    began_s = next(snapshot.at_s for snapshot in seen if snapshot.phase is Phase.WIND_DOWN)
    assert began_s == pytest.approx(BEGIN_S + 1.0, abs=1.5), "a tap is certain when no second one followed"
