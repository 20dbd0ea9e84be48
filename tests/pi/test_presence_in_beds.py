"""Presence in whole half-hours: simulated chips, their driver and its LED control, the pipeline, in stepped time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.box import box
from tests.hardware.bed import Floats, bed_of

from somnisphere.night import Presence
from somnisphere.sleep.learned_light import LearnedLight
from somnisphere.sleep.pipeline import SleepPipeline
from somnisphere_hardware.bedside import BedsideSettings
from somnisphere_hardware.samples import PartState, PulseBlock
from somnisphere_hardware.simulated.body import NOBODY_IR_NA_PER_MA, NOBODY_RED_NA_PER_MA, Body
from somnisphere_hardware.simulated.faults import Unplugged
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050
from somnisphere_hardware.simulated.sleeper import Sleeper

T = TypeVar("T")
NOBODY, SOMEBODY, PULSE, SATURATED = Presence.NOBODY, Presence.SOMEBODY, Presence.PULSE, Presence.SATURATED
HALF_HOUR_S = 1800.0
STEP_S = 2.5
COUNTS_PER_NA = 64.0
START_MA = 6.4


class Thing:
    """No living body: light of one brightness, in nA per mA, that perhaps swings as somebody breathes beneath it."""

    def __init__(self, red_na: float, ir_na: float, *, breath: float = 0.0) -> None:
        self._red_na, self._ir_na, self._breath = red_na, ir_na, breath

    def light_na_per_ma(self, times_s: Floats) -> tuple[Floats, Floats]:
        swing = 1.0 + self._breath * np.sin(2 * np.pi * 0.25 * times_s)
        return self._red_na * swing, self._ir_na * swing

    def acceleration_g(self, times_s: Floats) -> Floats:
        return np.tile(np.array([0.0, 0.0, 1.0]), (len(times_s), 1))

    def present(self, times_s: Floats) -> NDArray[np.bool_]:
        return np.zeros(len(times_s), dtype=bool)


class Seen:
    """A body whose light reaches the sensor by a share that may change."""

    def __init__(self, body: Body, share: Callable[[Floats], Floats], *, red: float = 1.0) -> None:
        self._body, self._share, self._red = body, share, red

    def light_na_per_ma(self, times_s: Floats) -> tuple[Floats, Floats]:
        red, ir = self._body.light_na_per_ma(times_s)
        share = self._share(times_s)
        return red * share * self._red, ir * share

    def acceleration_g(self, times_s: Floats) -> Floats:
        return self._body.acceleration_g(times_s)

    def present(self, times_s: Floats) -> NDArray[np.bool_]:
        return self._body.present(times_s)


class Turns:
    """One body after the other, each for its seconds; the last one stays."""

    def __init__(self, *spans: tuple[float, Body]) -> None:
        self._from_s = np.cumsum([0.0, *(seconds for seconds, _ in spans)])[:-1]
        self._bodies = [body for _, body in spans]

    def _each(self, times_s: Floats, ask: Callable[[Body, Floats], Sequence[Floats]]) -> list[Floats]:
        turn = np.searchsorted(self._from_s, times_s, side="right") - 1
        parts = [ask(self._bodies[k], times_s[turn == k]) for k in np.unique(turn)]
        return [np.concatenate(channel) for channel in zip(*parts, strict=True)]

    def light_na_per_ma(self, times_s: Floats) -> tuple[Floats, Floats]:
        red, ir = self._each(times_s, lambda body, t: body.light_na_per_ma(t))
        return red, ir

    def acceleration_g(self, times_s: Floats) -> Floats:
        return self._each(times_s, lambda body, t: [body.acceleration_g(t)])[0]

    def present(self, times_s: Floats) -> NDArray[np.bool_]:
        return np.zeros(len(times_s), dtype=bool)


def sleeper(skin: float = 1.0, *, red: float = 1.0) -> Body:
    """Asleep and still. ``skin``: how much of the light comes back, 1 is the usual fingertip."""
    return Seen(Sleeper(3, [("light", 3600.0)], spo2_pct=97.0), lambda t: np.full(len(t), skin), red=red)


def dark_air() -> Thing:
    return Thing(NOBODY_RED_NA_PER_MA, NOBODY_IR_NA_PER_MA)


def bright_air() -> Thing:
    """The one public recording of nobody: 136 457 counts of infrared, 16 091 of red."""
    return Thing(16_091 / COUNTS_PER_NA / START_MA, 136_457 / COUNTS_PER_NA / START_MA)


@dataclass
class HalfHour:
    """What was said, every ``STEP_S``; ``spans``: the same as changes, (from_s, presence)."""

    pipeline: SleepPipeline
    at_s: list[float] = field(default_factory=list)
    presence: list[Presence | None] = field(default_factory=list)
    in_bed: list[bool | None] = field(default_factory=list)
    problem: list[str] = field(default_factory=list)
    led_ir_ma: list[float] = field(default_factory=list)

    @property
    def spans(self) -> list[tuple[float, Presence | None]]:
        firsts = [0, *(k + 1 for k, (a, b) in enumerate(pairwise(self.presence)) if a is not b)]
        return [(self.at_s[k], self.presence[k]) for k in firsts]

    def between(self, said: Sequence[T], from_s: float, until_s: float) -> set[T]:
        return {value for at_s, value in zip(self.at_s, said, strict=True) if from_s <= at_s <= until_s}

    def share(self, presence: Presence, from_s: float, until_s: float) -> float:
        said = [p for at_s, p in zip(self.at_s, self.presence, strict=True) if from_s <= at_s <= until_s]
        return said.count(presence) / len(said)


def live(
    body: Body,
    until_s: float = HALF_HOUR_S,
    *,
    light: LearnedLight | None = None,
    swapped_leds: bool = False,
    unplugged: Unplugged | None = None,
    settings: BedsideSettings = BedsideSettings(),  # noqa: B008
) -> HalfHour:
    pipeline = SleepPipeline(learned_light=light)
    told = HalfHour(pipeline)
    chip = SimulatedMax30102(body, swapped_leds=swapped_leds)
    with bed_of(chip, SimulatedMpu6050(body), settings=settings) as bed:
        if unplugged is not None:
            bed.sim.add_fault(unplugged)
        while bed.at_s < until_s:
            for sample in bed.run(bed.at_s + STEP_S):
                pipeline.add(sample)
            pipeline.advance(bed.at_s)
            vitals = pipeline.vitals
            told.at_s.append(bed.at_s)
            told.presence.append(vitals.presence)
            told.in_bed.append(vitals.in_bed)
            told.problem.append(pipeline.pulse_problem)
            told.led_ir_ma.append(bed.pulse[-1].led_ir_ma if bed.pulse else 0.0)
        assert any(isinstance(sample, PartState) and sample.ok for sample in bed.samples)
    return told


@pytest.mark.parametrize("skin", [0.2, 0.35, 0.5, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("air", [dark_air, bright_air])
def test_an_evening_a_sleeper_and_an_empty_bed_on_skin_from_dark_to_pale(skin: float, air: Callable[[], Thing]) -> None:
    told = live(Turns((300.0, air()), (900.0, sleeper(skin)), (600.0, air())))
    assert told.between(told.presence, 10.0, 300.0) == {NOBODY}
    arrived_s = next(at_s for at_s, presence in told.spans if at_s > 300.0 and presence in (SOMEBODY, PULSE))
    assert arrived_s < 330.0, "seconds to arrive"
    assert told.between(told.presence, 335.0, 1200.0) == {PULSE}
    left_s = next(at_s for at_s, presence in told.spans if at_s > 1200.0 and presence is NOBODY)
    assert 1220.0 < left_s < 1245.0, "tens of seconds to leave"
    assert told.between(told.presence, left_s, HALF_HOUR_S) == {NOBODY}
    assert told.between(told.in_bed, 10.0, 330.0) == {False}
    assert told.between(told.in_bed, 400.0, 1300.0) == {True}
    assert told.between(told.in_bed, 1370.0, HALF_HOUR_S) == {False}
    overlapping = (skin, air) == (1.5, bright_air)  # 152 000 and 136 000 counts
    assert ("as bright as skin" in told.problem[-1]) is overlapping
    assert overlapping or set(told.problem) == {""}


def test_currents_that_change_are_learned_each_for_itself_and_change_nobodys_presence() -> None:
    light = LearnedLight()
    told = live(Turns((300.0, dark_air()), (700.0, sleeper(0.5)), (800.0, sleeper(2.4))), light=light)
    currents_ma = told.between(told.led_ir_ma, 400.0, HALF_HOUR_S)
    assert len(currents_ma) >= 2, "the control has changed the current under a sleeper"
    assert told.between(told.presence, 335.0, HALF_HOUR_S) == {PULSE}
    for led_ma in (told.led_ir_ma[round(900 / STEP_S)], told.led_ir_ma[-1]):
        skin = light.at(led_ma).skin
        assert skin.is_sure
        assert 0.2 < skin.counts / 262_143 < 0.85
    assert light.at(2.0).empty.is_sure
    assert light.at(2.0).empty.counts == pytest.approx(NOBODY_IR_NA_PER_MA * 2.0 * COUNTS_PER_NA, rel=0.01)


def test_a_dark_skinned_person_after_a_pale_one_is_a_person() -> None:
    light = LearnedLight()
    live(sleeper(2.0), 900.0, light=light)
    told = live(Turns((200.0, dark_air()), (600.0, sleeper(0.2))), 800.0, light=LearnedLight.from_dict(light.to_dict()))
    assert told.between(told.presence, 10.0, 200.0) == {NOBODY}
    assert told.between(told.presence, 300.0, 800.0) == {PULSE}
    assert told.in_bed[-1] is True


def test_a_blanket_that_breathes_is_somebody_at_most_and_goes_to_no_bed() -> None:
    blanket, breathing = Thing(60.0, 150.0), Thing(60.0, 150.0, breath=0.003)
    told = live(Turns((600.0, blanket), (600.0, breathing), (600.0, sleeper())))
    assert told.between(told.presence, 10.0, 600.0) == {NOBODY}
    assert PULSE not in told.between(told.presence, 600.0, 1200.0)
    assert told.between(told.in_bed, 10.0, 1200.0) == {False}
    assert told.between(told.presence, 1240.0, HALF_HOUR_S) == {PULSE}
    assert set(told.problem) == {""}


def test_the_empty_bed_is_known_by_its_brightness_once_both_levels_are() -> None:
    """A table that shakes modulates red and infrared alike, as somebody would; at the empty level it is nobody."""
    shaken = Thing(16_091 / COUNTS_PER_NA / START_MA, 136_457 / COUNTS_PER_NA / START_MA, breath=0.002)
    light = LearnedLight()
    before = live(Turns((600.0, shaken)), 600.0, light=light)
    assert SOMEBODY in set(before.presence), "this light alone looks like somebody"
    light = LearnedLight()
    live(Turns((400.0, bright_air()), (500.0, sleeper())), 900.0, light=light)
    after = live(Turns((600.0, shaken)), 600.0, light=light)
    assert after.between(after.presence, 15.0, 600.0) == {NOBODY}


def test_direct_sunlight_is_its_own_state_and_after_a_while_a_fault() -> None:
    sun = Thing(1e6, 1e6)
    told = live(Turns((400.0, sleeper()), (1000.0, sun), (400.0, sleeper())))
    assert told.between(told.presence, 420.0, 1400.0) == {SATURATED}
    assert told.between(told.in_bed, 420.0, 1250.0) == {True}, "blinded: who was there is believed to be there"
    assert told.between(told.in_bed, 1330.0, 1400.0) == {None}, "and after a quarter of an hour nothing is"
    assert told.between(told.problem, 0.0, 690.0) == {""}
    (sentence,) = told.between(told.problem, 750.0, 1400.0)
    assert "blinded" in sentence
    assert "sunlight" in sentence
    assert told.presence[-1] is PULSE
    assert told.in_bed[-1] is True
    assert told.problem[-1] == ""


def test_a_loose_sensor_loses_the_pulse_now_and_then_and_nobody_from_bed() -> None:
    random = np.random.default_rng(5)
    holds = np.where(random.uniform(size=4000) < 0.2, random.uniform(0.25, 1.0, 4000), 1.0)
    loose = Seen(sleeper(), lambda t: holds[np.floor(t / 3.0).astype(int)])
    told = live(Turns((300.0, dark_air()), (1500.0, loose)))
    assert NOBODY not in told.between(told.presence, 330.0, HALF_HOUR_S)
    assert told.between(told.in_bed, 600.0, HALF_HOUR_S) == {True}
    changes = len([at_s for at_s, _ in told.spans if at_s > 330.0])
    assert changes <= 40, f"{changes} changes in 25 minutes: hysteresis"


def test_a_cable_that_comes_off_makes_it_unknown_and_what_was_learned_stays() -> None:
    light = LearnedLight()
    told = live(sleeper(), light=light, unplugged=Unplugged(0x57, 600.0, 900.0))
    assert told.between(told.presence, 640.0, 895.0) == {None}
    assert told.between(told.in_bed, 640.0, 895.0) == {None}
    assert light.at(START_MA).skin.is_sure
    assert told.between(told.presence, 960.0, HALF_HOUR_S) == {PULSE}
    assert told.in_bed[-1] is True


def fault_of(told: HalfHour) -> str:
    """The one sentence that was said, and that it was not said at once."""
    (sentence,) = set(told.problem) - {""}
    first_s = told.at_s[told.problem.index(sentence)]
    assert first_s > 290.0
    return sentence


def test_a_bed_as_bright_as_skin_is_a_fault_and_mending_it_takes_it_back() -> None:
    light = LearnedLight()
    like_skin = Thing(230.0, 250.0)
    told = live(Turns((600.0, like_skin), (600.0, sleeper()), (600.0, like_skin)), light=light)
    sentence = fault_of(told)
    assert "empty bed as bright as skin" in sentence
    assert "6.4 mA" in sentence
    assert told.problem[-1] == sentence
    mended = live(Turns((1200.0, Thing(39.0, 140.0)), (600.0, sleeper())), light=light)
    assert mended.problem[-1] == ""


def test_a_fault_reaches_the_home_as_a_sensor_problem_and_goes_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with box(tmp_path / "journal.db") as it:
        for part in ("pulse", "motion"):
            it.daemon.handle(PartState(part, 0.0, ok=True, chip="simulated"))
        assert it.states("health")[-1]["sensor_problem"] is False

        def shine(ir_counts: int, seconds: float) -> None:
            for _ in range(round(seconds)):
                counts = np.full(50, ir_counts, dtype=np.int32)
                it.daemon.handle(PulseBlock(it.at_s, 50.0, counts, counts, 2.0, 2.0))
                it.live(1.0)

        shine(0, 400.0)
        problem = it.states("health")[-1]
        assert problem["sensor_problem"] is True
        assert "The pulse sensor is dark" in problem["sensor_problem_attributes"]["problem"]
        assert any("The pulse sensor is dark" in record.message for record in caplog.records)
        shine(4_480, 120.0)
        assert it.states("health")[-1]["sensor_problem"] is False
        assert it.states("health")[-1]["sensor_problem_attributes"]["problem"] == ""


def test_no_light_at_all_is_a_fault() -> None:
    sentence = fault_of(live(Turns((300.0, sleeper()), (1500.0, Thing(0.0, 0.0)))))
    assert "dark" in sentence
    assert "supply" in sentence


def test_full_led_current_and_still_dark_is_a_fault() -> None:
    """Where the cap is so low that there is no searching below it, the dark is met at the full current."""
    told = live(Thing(0.0, 0.0), settings=BedsideSettings(led_start_ma=2.0, led_cap_ma=2.0))
    assert set(told.led_ir_ma) == {2.0}
    assert "at 2 mA" in fault_of(told)


def test_a_dead_red_led_is_a_fault_and_the_pulse_goes_on() -> None:
    told = live(sleeper(red=0.0))
    assert "red LED" in fault_of(told)
    assert told.presence[-1] is PULSE
    assert told.pipeline.vitals.spo2_pct is None


def test_swapped_leds_are_a_fault_and_the_setting_mends_it() -> None:
    sentence = fault_of(live(sleeper(), swapped_leds=True))
    assert "swapped" in sentence
    assert "swap_leds" in sentence
    assert set(live(sleeper(), swapped_leds=True, settings=BedsideSettings(swap_leds=True)).problem) == {""}
