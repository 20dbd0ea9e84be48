"""The simulated sleeper and the recorded body: a function of time alone, with the truth beside it."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from somnisphere_hardware.simulated.body import NOBODY_IR_NA_PER_MA, Body, Phantom
from somnisphere_hardware.simulated.physiology import PULSE_DELAY_S
from somnisphere_hardware.simulated.recorded import RecordedBody
from somnisphere_hardware.simulated.script import usual_night
from somnisphere_hardware.simulated.sleeper import Sleeper, ratio_of_ratios

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def night() -> Sleeper:
    return Sleeper.usual_night(3)


def grid(start_s: float, end_s: float, rate_hz: float = 50.0) -> Floats:
    return np.arange(round((end_s - start_s) * rate_hz)) / rate_hz + start_s


def still_s(sleeper: Sleeper, word: str, length_s: float = 60.0) -> float:
    """The start of a minute of that stage without any movement."""
    for start_s in np.arange(0.0, sleeper.end_s - length_s, 15.0):
        inside = {sleeper.stage_at(t) for t in np.arange(start_s, start_s + length_s + 1, 5.0)}
        if inside == {word} and not sleeper._movement.envelope_at(grid(start_s - 5, start_s + length_s, 10)).any():
            return float(start_s)
    raise AssertionError(f"no still minute of {word}")


def bodies() -> list[Body]:
    wave = np.sin(np.arange(1000) / 9.0)
    return [
        Phantom(),
        Sleeper(1, [("awake", 120), ("light", 120), ("absent", 60)]),
        RecordedBody(wave, 40.0, 1, accel=np.stack([wave, wave, wave], axis=1), loop=True),
        RecordedBody(wave, 40.0, -1, start_s=30.0),
    ]


@pytest.mark.parametrize("body", bodies(), ids=lambda body: type(body).__name__)
def test_the_same_moment_gives_the_same_value_in_any_pieces(body: Body) -> None:
    times_s = grid(0.0, 300.0)
    whole = np.column_stack([*body.light_na_per_ma(times_s), body.acceleration_g(times_s), body.present(times_s)])
    cuts = [0, 1, 2, 700, 701, 5000, 12345, len(times_s)]
    pieces = []
    for first, last in pairwise(cuts):
        t = times_s[first:last]
        pieces.append(np.column_stack([*body.light_na_per_ma(t), body.acceleration_g(t), body.present(t)]))
    assert np.abs(np.concatenate(pieces) - whole).max() < 1e-9
    assert np.isfinite(whole).all()
    assert (whole[:, :2] > 0).all()


def test_the_same_seed_is_the_same_night_and_another_is_not() -> None:
    one, same, other = Sleeper.usual_night(5), Sleeper.usual_night(5), Sleeper.usual_night(6)
    assert np.array_equal(one.beat_times_s, same.beat_times_s)
    assert one.stages() == same.stages()
    assert one.stages() != other.stages()


@pytest.mark.parametrize("seed", range(5))
def test_a_usual_night_is_a_usual_night(seed: int) -> None:
    sleeper = Sleeper.usual_night(seed)
    stages = np.array(sleeper.stages())
    in_bed = stages[stages != "absent"]
    assert len(in_bed) / 120 == pytest.approx(7.7, abs=0.1)
    assert sleeper.onset_s is not None
    assert 15 * 60 < sleeper.onset_s < 35 * 60
    assert sleeper.final_wake_s is not None
    assert stages[-1] == "absent"
    asleep = in_bed[in_bed != "awake"]
    # Healthy adults: about half light, 13 to 23 % deep, 20 to 25 % REM sleep.
    assert 0.45 < np.mean(asleep == "light") < 0.70
    assert 0.10 < np.mean(asleep == "deep") < 0.28
    assert 0.15 < np.mean(asleep == "rem") < 0.30
    deep, rem = np.flatnonzero(stages == "deep"), np.flatnonzero(stages == "rem")
    assert deep.mean() < len(stages) / 2 < rem.mean()


def test_short_nights_and_empty_beds() -> None:
    short = usual_night(1, hours=1.0, absent_before_min=3.0, absent_after_min=2.0)
    assert short[0] == ("absent", 180.0)
    assert short[-1] == ("absent", 120.0)
    assert sum(s for word, s in short if word != "absent") == pytest.approx(3600, abs=90)
    assert {word for word, _ in short} == {"awake", "light", "deep", "rem", "absent"}


def test_the_heart_follows_the_stages(night: Sleeper) -> None:
    words = np.array(night.stages())
    middles_s = 15.0 + 30.0 * np.arange(len(words))
    heart = np.array([night.heart_bpm_at(t) or np.nan for t in middles_s])
    levels = {word: np.nanmedian(heart[words == word]) for word in ("awake", "light", "deep", "rem")}
    assert levels["awake"] > levels["rem"] + 2
    assert levels["rem"] > levels["light"] + 2
    assert 48 < levels["deep"] < 60
    spread = {word: np.nanmedian([np.nanstd(heart[max(0, k - 5) : k + 6]) for k in np.flatnonzero(words == word)])
              for word in ("awake", "deep", "rem")}  # fmt: skip
    assert spread["deep"] < 0.6 * spread["rem"]
    assert spread["deep"] < 0.6 * spread["awake"]
    assert night.heart_bpm_at(night.end_s - 60.0) is None
    assert night.breath_bpm_at(night.end_s - 60.0) is None


def test_breathing_is_steady_in_deep_sleep_and_not_in_rem(night: Sleeper) -> None:
    words = np.array(night.stages())
    breath = np.array([night.breath_bpm_at(15.0 + 30.0 * k) or np.nan for k in range(len(words))])
    assert np.nanstd(breath[words == "rem"]) > 3 * np.nanstd(breath[words == "deep"])
    assert 12 < np.nanmean(breath) < 18


def test_movement_belongs_to_wakefulness(night: Sleeper) -> None:
    moved = {}
    for word in ("awake", "light", "deep"):
        epochs = [k for k, w in enumerate(night.stages()) if w == word]
        shaken = [
            np.ptp(night.acceleration_g(grid(30.0 * k, 30.0 * k + 30, 25.0)), axis=0).max() > 0.05 for k in epochs
        ]
        moved[word] = float(np.mean(shaken))
    assert moved["awake"] > 0.15
    assert moved["light"] < 0.08
    assert moved["deep"] < 0.05


@pytest.mark.parametrize("word", ["deep", "light", "rem"])
def test_each_beat_is_a_dip_in_the_light(night: Sleeper, word: str) -> None:
    start_s = still_s(night, word)
    times_s = grid(start_s, start_s + 60.0, 200.0)
    _, infrared = night.light_na_per_ma(times_s)
    beats_s = night.beat_times_s[(night.beat_times_s > start_s) & (night.beat_times_s < start_s + 58.0)]
    for beat_s in beats_s[:-1]:
        foot_s = beat_s + PULSE_DELAY_S
        before, dip = np.interp([foot_s, foot_s + 0.22], times_s, infrared)
        assert 0.002 < (before - dip) / before < 0.03


def test_red_and_infrared_carry_the_saturation(night: Sleeper) -> None:
    start_s = still_s(night, "deep")
    red, infrared = night.light_na_per_ma(grid(start_s, start_s + 60.0))

    def pulse_over_mean(light: Floats) -> float:
        fast = light - np.convolve(np.pad(light, 25, mode="edge"), np.ones(51) / 51, mode="valid")
        return float(fast.std() / light.mean())

    ratio = pulse_over_mean(red) / pulse_over_mean(infrared)
    assert ratio == pytest.approx(ratio_of_ratios(night.spo2_pct), rel=0.05)
    assert 95 < night.spo2_pct < 98.1
    assert ratio_of_ratios(97.0) < ratio_of_ratios(90.0)


def test_an_absent_body_gives_little_light_no_pulse_and_lies_still() -> None:
    sleeper = Sleeper(2, [("awake", 60), ("absent", 120)])
    times_s = grid(70.0, 180.0)
    red, infrared = sleeper.light_na_per_ma(times_s)
    assert infrared.tolist() == pytest.approx([NOBODY_IR_NA_PER_MA] * len(times_s))
    assert np.ptp(red) < 1e-9
    assert np.ptp(sleeper.acceleration_g(times_s), axis=0).max() < 1e-9
    assert not sleeper.present(times_s).any()
    assert sleeper.present(grid(0.0, 59.0)).all()
    reflecting = Sleeper(2, [("absent", 60)], nobody_ir_na_per_ma=140.0)
    assert reflecting.light_na_per_ma(times_s)[1][0] == pytest.approx(140.0)


def test_a_mistaken_script_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="asleep"):
        Sleeper(1, [("asleep", 30)])
    with pytest.raises(ValueError, match="longer than 0"):
        Sleeper(1, [("light", 0)])
    with pytest.raises(ValueError, match="empty"):
        Sleeper(1, [])


# -- recordings ------------------------------------------------------------------------------------------------------


def beat_wave(fs_hz: float, seconds: float = 60.0) -> Floats:
    """A made-up recording, systole up: one narrow peak each second, at the full second."""
    phase = (np.arange(round(seconds * fs_hz)) / fs_hz + 0.5) % 1.0 - 0.5
    return 512.0 + 40.0 * np.exp(-((phase / 0.08) ** 2))


@pytest.mark.parametrize("polarity", [1, -1])
@pytest.mark.parametrize("fs_hz", [30.0, 125.0])
def test_a_recorded_systole_is_down_in_the_light_whatever_its_units(polarity: int, fs_hz: float) -> None:
    body = RecordedBody(polarity * beat_wave(fs_hz), fs_hz, polarity, start_s=5.0)
    times_s = grid(5.5, 60.5, 100.0)
    red, infrared = body.light_na_per_ma(times_s)
    seconds = infrared.reshape(-1, 100)
    assert (np.abs(seconds.argmin(axis=1) - 50) <= 1).all()
    assert np.median(np.ptp(seconds, axis=1)) / infrared.mean() == pytest.approx(0.01, rel=0.25)
    assert 200 < infrared.mean() < 320
    assert np.ptp(red) / red.mean() == pytest.approx(
        ratio_of_ratios(97.0) * np.ptp(infrared) / infrared.mean(), rel=0.01
    )


def test_red_beside_infrared_keeps_their_ratio() -> None:
    dip = (beat_wave(50.0) - 512.0) / 40.0
    body = RecordedBody(120_000 - 1200 * dip, 50.0, -1, red=90_000 - 450 * dip)
    red, infrared = body.light_na_per_ma(grid(1.0, 50.0))
    assert np.ptp(infrared) / infrared.mean() == pytest.approx(0.01, rel=0.02)
    assert np.ptp(red) / red.mean() == pytest.approx(0.005, rel=0.02)


def test_a_recording_ends_or_loops() -> None:
    wave = beat_wave(50.0)
    once, again = RecordedBody(wave, 50.0, 1, start_s=2.0), RecordedBody(wave, 50.0, 1, start_s=2.0, loop=True)
    times_s = np.array([1.9, 2.0, 61.9, 62.0, 100.0])
    assert once.present(times_s).tolist() == [False, True, True, False, False]
    assert again.present(times_s).tolist() == [False, True, True, True, True]
    assert once.light_na_per_ma(times_s)[1][[0, 3, 4]].tolist() == [NOBODY_IR_NA_PER_MA] * 3
    later = grid(10.0, 20.0)
    assert again.light_na_per_ma(later + 60.0)[1] == pytest.approx(again.light_na_per_ma(later)[1])
    assert once.end_s == 62.0


def test_recorded_acceleration_has_its_own_rate_and_gaps_are_bridged() -> None:
    ramp = np.arange(600, dtype=np.float64) / 10.0
    ramp[100:120] = np.nan
    body = RecordedBody(beat_wave(50.0), 50.0, 1, accel=np.stack([ramp, 2 * ramp, 0 * ramp], axis=1), accel_fs_hz=10.0)
    times_s = grid(1.0, 58.0, 7.0)
    accel_g = body.acceleration_g(times_s)
    assert accel_g[:, 0] == pytest.approx(times_s, abs=1e-6)
    assert accel_g[:, 1] == pytest.approx(2 * times_s, abs=1e-6)
    assert body.acceleration_g(np.array([70.0])).tolist() == [[0.0, 0.0, 1.0]]


def test_a_flat_recording_is_flat_light() -> None:
    _, infrared = RecordedBody(np.full(100, 7.0), 50.0, -1).light_na_per_ma(grid(0.0, 1.9))
    assert np.ptp(infrared) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"polarity": 0}, "polarity"),
        ({"fs_hz": 0.0}, "rate"),
        ({"ppg": [np.nan] * 9}, "usable"),
        ({"accel": np.zeros((5, 2))}, r"\(n, 3\)"),
        ({"red": np.ones(4), "polarity": -1}, "as many"),
        ({"red": np.ones(100), "polarity": 1}, "polarity -1"),
        ({"red": -np.ones(100), "polarity": -1}, "above 0"),
    ],
)
def test_a_broken_recording_says_what_is_wrong(arguments: dict[str, object], message: str) -> None:
    given: dict[str, object] = {"ppg": 2.0 + np.sin(np.arange(100)), "fs_hz": 50.0, "polarity": 1} | arguments
    with pytest.raises(ValueError, match=message):
        RecordedBody(**given)  # type: ignore[arg-type]
