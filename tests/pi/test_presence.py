import numpy as np
import pytest
from tests.pulse_waves import beat_times, light

from somnisphere.night import Presence
from somnisphere.sleep.presence import InBed, Look, PresenceSense, look_at

SKIN = Look(level_counts=120_000, ripple=0.002, together=0.98, clipped=0.0)
DARK = Look(level_counts=900, ripple=0.003, together=0.0, clipped=0.0)
BRIGHT_AIR = Look(level_counts=136_457, ripple=0.00005, together=-0.1, clipped=0.0)
CLIPPED = Look(level_counts=262_143, ripple=0.0, together=0.0, clipped=1.0)
LED_MA = 7.0


def shown(sense: PresenceSense, look: Look, from_s: float, for_s: float, *, pulse: bool = False) -> Presence | None:
    for at_s in np.arange(from_s, from_s + for_s, 3.0):
        sense.see(float(at_s), look, LED_MA, pulse=pulse)
    return sense.state


@pytest.mark.parametrize(
    ("look", "pulse", "state"),
    [
        (SKIN, True, Presence.PULSE),
        (SKIN, False, Presence.SOMEBODY),
        (DARK, False, Presence.NOBODY),
        (BRIGHT_AIR, False, Presence.NOBODY),
        (BRIGHT_AIR, True, Presence.NOBODY),
        (CLIPPED, False, Presence.SATURATED),
    ],
)
def test_what_a_look_says(look: Look, pulse: bool, state: Presence) -> None:
    assert shown(PresenceSense(), look, 0.0, 3.0, pulse=pulse) is state


def test_arriving_takes_seconds_and_leaving_tens_of_seconds() -> None:
    sense = PresenceSense()
    shown(sense, DARK, 0.0, 60.0)
    assert shown(sense, SKIN, 60.0, 3.0) is Presence.NOBODY
    assert shown(sense, SKIN, 63.0, 6.0) is Presence.SOMEBODY
    assert shown(sense, SKIN, 69.0, 3.0, pulse=True) is Presence.PULSE
    assert shown(sense, DARK, 72.0, 20.0) is Presence.PULSE
    assert shown(sense, DARK, 93.0, 20.0) is Presence.NOBODY


def test_a_pulse_lost_for_a_moment_is_not_lost() -> None:
    sense = PresenceSense()
    shown(sense, SKIN, 0.0, 30.0, pulse=True)
    assert shown(sense, SKIN, 30.0, 12.0) is Presence.PULSE
    assert shown(sense, SKIN, 42.0, 12.0) is Presence.SOMEBODY


def test_light_far_below_what_this_person_gave_is_nobody_at_any_led_current() -> None:
    sense = PresenceSense()
    shown(sense, SKIN, 0.0, 60.0, pulse=True)
    dimmer = Look(SKIN.level_counts * 0.2, 0.002, 0.9, 0.0)
    assert shown(sense, dimmer, 60.0, 60.0) is Presence.NOBODY
    sense = PresenceSense()
    shown(sense, SKIN, 0.0, 60.0, pulse=True)
    for at_s in np.arange(60.0, 120.0, 3.0):
        sense.see(float(at_s), dimmer, LED_MA * 0.2, pulse=True)
    assert sense.state is Presence.PULSE


def test_a_lost_sensor_knows_nothing_and_starts_afresh() -> None:
    sense = PresenceSense()
    shown(sense, SKIN, 0.0, 30.0, pulse=True)
    sense.lose()
    assert sense.state is None
    assert shown(sense, DARK, 60.0, 3.0) is Presence.NOBODY


def test_looking_at_real_samples() -> None:
    rng = np.random.default_rng(0)
    skin = light(beat_times(3.0), 3.0, 50.0)
    look = look_at(0.8 * skin + rng.normal(0, 5, 150), skin, 50.0)
    assert look.ripple > 0.001
    assert look.together > 0.9
    air = look_at(16_091 + rng.normal(0, 20, 150), 136_457 + rng.normal(0, 20, 150), 50.0)
    assert air.ripple < 0.0002
    assert abs(air.together) < 0.5
    assert look_at(np.array([5.0]), np.array([5.0]), 50.0).level_counts == 5.0
    assert look_at(np.full(150, 262_143.0), np.full(150, 262_143.0), 50.0).clipped == 1.0


def test_in_bed_after_a_minute_of_pulse_and_out_after_two_of_nobody() -> None:
    bed = InBed()
    assert bed.see(0.0, Presence.NOBODY) is False
    assert bed.see(10.0, Presence.PULSE) is False
    assert bed.see(69.0, Presence.PULSE) is False
    assert bed.see(70.0, Presence.PULSE) is True
    assert bed.see(100.0, Presence.NOBODY) is True
    assert bed.see(150.0, Presence.SOMEBODY) is True
    assert bed.see(200.0, Presence.NOBODY) is True
    assert bed.see(319.0, Presence.NOBODY) is True
    assert bed.see(320.0, Presence.NOBODY) is False
    assert bed.see(330.0, None) is None


def test_brightness_alone_puts_nobody_to_bed() -> None:
    bed = InBed()
    bed.see(0.0, Presence.NOBODY)
    assert {bed.see(at_s, Presence.SOMEBODY) for at_s in range(10, 4000, 10)} == {False}


def test_a_flash_of_a_pulse_and_then_brightness_alone_puts_nobody_to_bed() -> None:
    bed = InBed()
    bed.see(0.0, Presence.NOBODY)
    bed.see(10.0, Presence.PULSE)
    assert {bed.see(at_s, Presence.SOMEBODY) for at_s in range(20, 600, 10)} == {False}
    assert bed.see(600.0, Presence.PULSE) is False
    assert bed.see(660.0, Presence.PULSE) is True
    assert bed.see(670.0, Presence.SOMEBODY) is True


@pytest.mark.parametrize("before", [Presence.NOBODY, Presence.PULSE])
def test_blinded_for_a_quarter_of_an_hour_nothing_is_known_of_the_bed(before: Presence) -> None:
    bed = InBed()
    for at_s in range(0, 100, 10):
        bed.see(at_s, before)
    was = before is Presence.PULSE
    assert bed.see(100.0, Presence.SATURATED) is was
    assert bed.see(999.0, Presence.SATURATED) is was
    assert bed.see(1000.0, Presence.SATURATED) is None
    assert bed.see(1010.0, before) is was
    assert bed.see(1020.0, Presence.SATURATED) is was, "blinded anew: it is counted from here"


def test_the_converters_noise_in_dim_light_is_still_light() -> None:
    rng = np.random.default_rng(1)
    dim = look_at(130 + rng.normal(0, 4, 150), 4_480 + rng.normal(0, 4, 150), 50.0)
    assert dim.ripple > 0.0002, "a share that would be life in bright light"
    assert dim.is_still
    assert shown(PresenceSense(), dim, 0.0, 30.0) is Presence.NOBODY
    beats = beat_times(3.0)
    dim_skin = look_at(light(beats, 3.0, 50.0, level=600), light(beats, 3.0, 50.0, level=6_600, noise=4), 50.0)
    assert not dim_skin.is_still


def test_a_look_that_is_too_short_changes_and_teaches_nothing() -> None:
    sense = PresenceSense()
    shown(sense, SKIN, 0.0, 60.0, pulse=True)
    for at_s in range(60, 120, 3):
        sense.see(at_s, Look(5_000.0, 0.0, 0.0, 0.0, lasts_s=0.1), LED_MA, pulse=False)
    assert sense.state is Presence.PULSE
    assert sense.light.at(LED_MA).skin.counts == pytest.approx(SKIN.level_counts)
    assert sense.light.at(LED_MA).empty.known_s == 0


def test_a_pulse_where_it_is_darker_than_any_person_must_last_before_it_is_believed() -> None:
    sense = PresenceSense()
    shown(sense, SKIN, 0.0, 60.0, pulse=True)
    shown(sense, DARK, 60.0, 60.0)
    darker = Look(SKIN.level_counts * 0.2, 0.002, 0.9, 0.0)
    assert shown(sense, darker, 120.0, 15.0, pulse=True) is Presence.NOBODY
    assert shown(sense, darker, 135.0, 6.0, pulse=True) is Presence.PULSE
    shown(sense, darker, 141.0, 40.0, pulse=True)
    assert sense.light.at(LED_MA).skin.counts == pytest.approx(darker.level_counts), "learned anew, not averaged"
    assert shown(sense, darker, 181.0, 60.0) is Presence.SOMEBODY


def test_a_pulse_lost_for_long_is_not_known() -> None:
    bed = InBed()
    for at_s in range(0, 100, 10):
        bed.see(at_s, Presence.PULSE)
    assert bed.see(980.0, Presence.SOMEBODY) is True
    assert bed.see(990.0, Presence.SOMEBODY) is None
    assert bed.see(1000.0, Presence.PULSE) is True
