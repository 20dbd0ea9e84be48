"""What the core makes of a body: nights, epochs on one grid, lost sensors, and a restart in the middle of it all."""

import datetime
from dataclasses import replace

import pytest
from tests.core_bedside import ATTIC, EVENING_S, HOUR_S, UTC, Bedside, of, somebody

from somnisphere.bedtime.phases import Phase
from somnisphere.cues import CueGiven, SleepWatch
from somnisphere.events import (
    Announce,
    BeginNight,
    KeepEpoch,
    PlayerReported,
    PlayStory,
    Say,
)
from somnisphere.night import EPOCH_S, Epoch, NightTimes, Presence, StageEstimate, unknown_epoch
from somnisphere.sleep.pipeline import CLOSE_AFTER_S
from somnisphere.sleep.stager import NOT_YET
from somnisphere_hardware.samples import PartState

# ---- the body --------------------------------------------------------------------------------------------------------


def test_somebody_in_bed_opens_the_night_by_lying_there() -> None:
    bed = Bedside()
    bed.feel(somebody(160.0, start_s=0.0))
    (opened,) = of(BeginNight, bed.done)
    assert bed.done[0] == opened
    kept = of(KeepEpoch, bed.done)
    assert [keep.epoch.index for keep in kept] == list(range(len(kept)))
    assert len(kept) >= 2
    assert kept[-1].epoch.presence is Presence.PULSE
    assert of(Announce, bed.done)[0].type == "in_bed"
    times = bed.core.night_times
    assert times is not None
    assert times.in_bed_s == EVENING_S + kept[0].epoch.start_s


def test_somebody_in_bed_in_the_morning_opens_no_night() -> None:
    bed = Bedside(datetime.datetime(2026, 3, 14, 8, 0, tzinfo=UTC).timestamp())
    bed.feel(somebody(100.0, start_s=0.0))
    assert of(BeginNight, bed.done) == []
    assert bed.core.snapshot().stage_reason == "no night in progress"


def test_an_evening_without_any_sensor_knows_no_stage_and_takes_its_course() -> None:
    bed = Bedside()
    bed.core.receive(PartState("pulse", 0.0, False, problem="No pulse."))
    bed.core.receive(PartState("motion", 0.0, False, problem="No motion."))
    bed.tick()
    bed.tap()
    bed.live(40 * 60.0)
    assert {keep.estimate.stage for keep in of(KeepEpoch, bed.done)} == {None}
    shown = bed.core.snapshot()
    assert (shown.stage, shown.stage_reason, shown.asleep, shown.heart_bpm) == (None, NOT_YET, None, None)
    assert shown.sensor_problem == "No pulse. No motion."
    assert [moment.type for moment in of(Announce, bed.done)] == ["lights_down", "story_began"]
    assert shown.phase is Phase.DRIFTING, "the story ended by the timer"
    assert shown.lamp_target_pct == 0.0
    warnings = [say.text for say in of(Say, bed.done) if say.level == "warning"]
    assert warnings == ["Nothing is known about sleep: the story ends by the timer, in 29 minutes."]


def test_a_lost_sensor_is_said_once_and_its_figures_go() -> None:
    bed = Bedside()
    assert bed.core.receive(PartState("pulse", 0.0, True, "MAX30102")) == [Say("The pulse sensor (MAX30102) answers.")]
    bed.feel(somebody(60.0, start_s=0.0))
    assert bed.core.snapshot().heart_bpm == pytest.approx(58.0, abs=2.0)
    (said,) = bed.core.receive(PartState("pulse", 60.0, False, "MAX30102", "The cable is loose."))
    assert said == Say("The cable is loose.", "warning")
    bed.live(40.0)
    shown = bed.core.snapshot()
    assert (shown.heart_bpm, shown.presence, shown.in_bed, shown.spo2_pct) == (None, None, None, None)
    assert (shown.pulse_ok, shown.sensor_problem) == (False, "The cable is loose.")


def test_epochs_are_one_grid_whatever_is_missing() -> None:
    bed = Bedside()
    bed.tick()
    bed.tap()
    bed.feel(somebody(45.0, start_s=0.0))
    bed.at_s += 400.0  # the machine was busy elsewhere
    bed.tick()
    bed.feel(somebody(60.0, start_s=bed.at_s))
    epochs = [keep.epoch for keep in of(KeepEpoch, bed.done)]
    assert [epoch.index for epoch in epochs] == list(range(len(epochs)))
    assert [epoch.start_s for epoch in epochs] == [EPOCH_S * k for k in range(len(epochs))]
    assert epochs[-1].start_s + 2 * EPOCH_S + CLOSE_AFTER_S > bed.at_s
    assert any(epoch.beat_count == 0 for epoch in epochs)
    assert epochs[-1].beat_count > 20


# ---- after a restart -------------------------------------------------------------------------------------------------


def test_a_restart_takes_up_the_night_where_it_was() -> None:
    bed = Bedside()
    bed.tick()
    bed.tap()
    bed.feel(somebody(200.0, start_s=0.0))
    before = [keep.epoch for keep in of(KeepEpoch, bed.done)]
    times = bed.core.night_times
    assert times is not None

    again = Bedside(bed.wall_s + 500.0)  # its at_s 0 is 300 s after the kill
    again.tick()
    shifted = [replace(epoch, start_s=epoch.start_s - 500.0) for epoch in before]
    estimates = again.core.carry_on(times, shifted)
    assert [e.stage for e in estimates] == [keep.estimate.stage for keep in of(KeepEpoch, bed.done)]
    assert again.core.snapshot().night_id == "2026-03-14"
    again.feel(somebody(100.0, start_s=0.0))
    assert of(BeginNight, again.done) == [], "it is the same night"
    new = [keep.epoch for keep in of(KeepEpoch, again.done)]
    assert new[0].index == before[-1].index + 1
    assert [e.index for e in again.core.night_epochs] == list(range(len(before) + len(new)))
    lost = [epoch for epoch in new if epoch.start_s < -EPOCH_S / 2]
    assert len(lost) == round((500.0 - before[-1].start_s) / EPOCH_S) - 1
    assert all(epoch.presence is None for epoch in lost)
    assert new[-1].presence is Presence.PULSE
    now = again.core.night_times
    assert now is not None
    assert now.in_bed_s == times.in_bed_s, "in bed since before the restart"


def test_a_restart_in_the_morning_does_not_take_the_evening_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Awake for half an hour at night, then restarted after half past four: nobody *woke up* at half past eleven."""
    bed = Bedside(datetime.datetime(2026, 3, 15, 4, 40, tzinfo=UTC).timestamp())
    bed.tick()
    given: list[bool] = []
    epochs = [replace(unknown_epoch(k, -6 * HOUR_S), in_bed=True) for k in range(717)]  # 22:40 to 04:38:30

    class Watch(SleepWatch):
        def step(self, epoch: Epoch, estimate: StageEstimate, *, is_morning: bool) -> list[CueGiven]:
            given.append(is_morning)
            return super().step(epoch, estimate, is_morning=is_morning)

    monkeypatch.setattr("somnisphere.night_in_progress.SleepWatch", Watch)
    bed.core.carry_on(NightTimes("2026-03-14"), epochs)
    assert given == [False] * 700 + [True] * 17, "half past four is 350 minutes after 22:40"


def test_a_saved_evening_goes_on_in_another_core() -> None:
    bed = Bedside()
    bed.until_story()
    bed.core.receive(PlayerReported(bed.at_s, "playing", ATTIC.path, 40.0))
    again = Bedside(bed.wall_s + 1000.0)
    again.at_s = 30.0
    again.tick()
    done = again.core.restore_ritual(bed.core.ritual_state(), -1000.0, 30.0)
    shown = again.core.snapshot()
    assert shown.phase is Phase.DRIFTING, "away for a quarter of an hour: nobody is read to by a box that boots"
    assert of(PlayStory, done) == []
    soon = Bedside(bed.wall_s + bed.at_s + 20.0)
    soon.tick()
    (play,) = of(PlayStory, soon.core.restore_ritual(bed.core.ritual_state(), -bed.at_s - 20.0, 0.0))
    assert play.path == ATTIC.path
    assert play.position_s == pytest.approx(35.0, abs=1.0)
