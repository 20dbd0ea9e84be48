"""Cues from estimates: slow enough that one wrong epoch changes nothing, dated by hindsight."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere.bedtime.phases import Cue
from somnisphere.cues import (
    HALF_AWAKE,
    LIKELY_ASLEEP,
    SLEPT_EPOCHS,
    STIRRED_EPOCHS,
    UNKNOWN_EPOCHS,
    WOKE_EPOCHS,
    CueGiven,
    SleepWatch,
)
from somnisphere.night import EPOCH_S, Stage, StageEstimate, unknown_epoch
from somnisphere.sleep.drowsiness import HOLD_EPOCHS, LIKELY

ASLEEP, AWAKE, DOUBT = 0.95, 0.05, None


class Night:
    """Feeds a watch one epoch after the other."""

    def __init__(self) -> None:
        self.watch = SleepWatch()
        self.count = 0
        self.cues: list[CueGiven] = []

    def live(
        self, chances: Iterable[float | None], *, in_bed: bool | None = True, is_morning: bool = False
    ) -> list[Cue]:
        before = len(self.cues)
        for p in chances:
            epoch = replace(unknown_epoch(self.count, 0.0), in_bed=in_bed)
            stage = None if p is None else Stage.LIGHT if p >= 0.5 else Stage.AWAKE
            vector = None if p is None else (1.0 - p, p, 0.0, 0.0)
            estimate = StageEstimate(self.count, epoch.start_s, stage, vector)
            self.cues += self.watch.step(epoch, estimate, is_morning=is_morning)
            self.count += 1
        return [given.cue for given in self.cues[before:]]


def test_sleep_is_told_late_and_dated_back_to_its_beginning() -> None:
    night = Night()
    assert night.live([AWAKE] * 10 + [0.55] * 2 + [ASLEEP] * (SLEPT_EPOCHS - 1)) == []
    assert night.live([ASLEEP]) == [Cue.SLEPT]
    assert night.cues[-1].since_s == 10 * EPOCH_S
    assert night.cues[-1].confidence == ASLEEP
    assert night.watch.asleep is True


def drowsy_night(values: Iterable[tuple[float, float]]) -> list[CueGiven]:
    """Cues of (P(sleep), drowsiness) epoch by epoch."""
    watch, cues = SleepWatch(), list[CueGiven]()
    for k, (p, drowsiness) in enumerate(values):
        estimate = StageEstimate(k, k * EPOCH_S, None, (1.0 - p, p, 0.0, 0.0), drowsiness=drowsiness)
        cues += watch.step(replace(unknown_epoch(k, 0.0), in_bed=True), estimate, is_morning=False)
    return cues


def test_drowsiness_tells_the_first_sleep_sooner() -> None:
    (slept,) = drowsy_night([(0.2, 0.1)] * 10 + [(0.5, LIKELY)] * HOLD_EPOCHS)
    assert slept == CueGiven(Cue.SLEPT, (10 + HOLD_EPOCHS) * EPOCH_S, 10 * EPOCH_S, LIKELY)
    assert drowsy_night([(0.5, LIKELY), (0.5, LIKELY - 0.01)] * 20) == []


def test_who_is_likely_awake_has_not_fallen_asleep_however_drowsy() -> None:
    assert drowsy_night([(0.2, 0.9)] * 20) == []


def test_after_the_first_sleep_stages_tell_settling() -> None:
    first = [(0.6, 0.8)] * HOLD_EPOCHS
    cues = drowsy_night([*first, *[(0.05, 0.1)] * 2, *[(0.95, 0.1)] * SLEPT_EPOCHS])
    assert [given.cue for given in cues] == [Cue.SLEPT, Cue.STIRRED, Cue.RESETTLED]


def test_a_sound_sleeper_stirs_sooner_than_one_who_is_just_falling_asleep() -> None:
    first = [(0.6, 0.8)] * HOLD_EPOCHS
    half = [(HALF_AWAKE, 0.8)] * 4
    assert [given.cue for given in drowsy_night([*first, *half])] == [Cue.SLEPT], "sleep was never likely yet"
    sound = [*first, (LIKELY_ASLEEP, 0.8), *half]
    cues = drowsy_night(sound)
    assert [given.cue for given in cues] == [Cue.SLEPT, Cue.STIRRED]
    assert cues[1].since_s == (HOLD_EPOCHS + 1) * EPOCH_S
    assert cues[1].at_s == (HOLD_EPOCHS + 1 + STIRRED_EPOCHS) * EPOCH_S
    assert [given.cue for given in drowsy_night([*sound[:-4], (HALF_AWAKE + 0.01, 0.8), (0.9, 0.8)])] == [Cue.SLEPT]


def test_one_wrong_epoch_neither_wakes_nor_sends_to_sleep() -> None:
    night = Night()
    assert night.live([AWAKE, ASLEEP, AWAKE, ASLEEP] * 10) == []
    night.live([ASLEEP] * SLEPT_EPOCHS)
    assert night.live([ASLEEP, AWAKE, ASLEEP, ASLEEP, AWAKE] * 10) == []


def test_stirring_and_settling_again() -> None:
    night = Night()
    night.live([ASLEEP] * 30)
    assert night.live([AWAKE] * 2) == [Cue.STIRRED]
    assert night.watch.asleep is False
    assert night.live([ASLEEP] * SLEPT_EPOCHS) == [Cue.RESETTLED]


def test_awake_for_good_only_in_the_morning() -> None:
    night = Night()
    night.live([ASLEEP] * 30)
    assert night.live([AWAKE] * 2 * WOKE_EPOCHS) == [Cue.STIRRED]
    assert night.live([AWAKE], is_morning=True) == [Cue.WOKE]
    assert night.live([AWAKE] * 50, is_morning=True) == []


def test_getting_up_at_night_and_coming_back_is_not_morning() -> None:
    night = Night()
    night.live([ASLEEP] * 30)
    assert night.live([DOUBT] * 6, in_bed=False) == [Cue.ROSE]
    assert night.live([ASLEEP] * SLEPT_EPOCHS) == [Cue.RESETTLED]


def test_leaving_the_bed_in_the_morning_ends_the_night_after_a_while() -> None:
    night = Night()
    night.live([ASLEEP] * 30)
    assert night.live([DOUBT] * 39, in_bed=False, is_morning=True) == [Cue.WOKE, Cue.ROSE]
    assert night.live([DOUBT], in_bed=False, is_morning=True) == [Cue.NIGHT_OVER]


def test_a_lost_sensor_moves_nothing_and_is_not_called_sleep_for_ever() -> None:
    night = Night()
    night.live([ASLEEP] * 30)
    assert night.live([DOUBT] * (UNKNOWN_EPOCHS - 1), in_bed=None) == []
    assert night.watch.asleep is True
    night.live([DOUBT], in_bed=None)
    assert night.watch.asleep is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.8, 1.0, None]), st.sampled_from([True, False, None]), st.booleans()
        )
    )
)
def test_cues_come_in_an_order_that_makes_sense(steps: list[tuple[float | None, bool | None, bool]]) -> None:
    night = Night()
    for p, in_bed, is_morning in steps:
        night.live([p], in_bed=in_bed, is_morning=is_morning)
    asleep = False
    for given_cue in night.cues:
        assert given_cue.since_s <= given_cue.at_s
        if given_cue.cue is Cue.STIRRED:
            assert asleep
        if given_cue.cue in (Cue.SLEPT, Cue.RESETTLED):
            assert not asleep
            asleep = True
        elif given_cue.cue in (Cue.STIRRED, Cue.ROSE, Cue.WOKE):
            asleep = False


@pytest.mark.parametrize("p_sleep", [0.35, 0.5, 0.65])
def test_a_flat_answer_never_becomes_sleep(p_sleep: float) -> None:
    assert Night().live([p_sleep] * 200) == []
