import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pulse_waves import Floats, beat_times, light, pulse_blocks

from somnisphere.night import Beat
from somnisphere.sleep import PulseMeter
from somnisphere.sleep.polarity import polarity_of
from somnisphere.sleep.pulse import GATHER_S
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS, PulseBlock


def heard(blocks: list[PulseBlock], meter: PulseMeter | None = None) -> list[Beat]:
    meter = meter or PulseMeter()
    found = [beat for block in blocks for beat in meter.add(block)]
    return found + meter.flush()


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0, 250.0, 400.0])
@pytest.mark.parametrize("bpm", [42.0, 65.0, 110.0])
def test_every_beat_is_found_at_its_time_at_any_rate(rate_hz: float, bpm: float) -> None:
    true_s = beat_times(60, bpm)
    beats = heard(list(pulse_blocks(light(true_s, 60, rate_hz, noise=20), rate_hz)))
    found_s = np.array([beat.at_s for beat in beats])
    inside = true_s[(true_s > 1) & (true_s < 58)]
    lag_s = np.array([found_s[np.argmin(np.abs(found_s - t - 0.03))] - t for t in inside])
    assert np.abs(lag_s - np.median(lag_s)).max() < 0.02
    assert len(found_s) == pytest.approx(len(true_s), abs=2)


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0])
def test_intervals_are_finer_than_a_sample(rate_hz: float) -> None:
    true_s = beat_times(90, 61.0)
    beats = heard(list(pulse_blocks(light(true_s, 90, rate_hz), rate_hz)))
    ibi_s = np.array([beat.ibi_s for beat in beats if beat.ibi_s is not None])
    true_ibi_s = np.diff(true_s)
    assert len(ibi_s) > 80
    errors_s = [np.min(np.abs(true_ibi_s - interval)) for interval in ibi_s]
    assert np.sqrt(np.mean(np.square(errors_s))) < 0.004


def test_a_clean_pulse_is_trusted_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    clean = heard(list(pulse_blocks(light(beat_times(60), 60, 50.0, noise=20), 50.0)))
    assert np.median([beat.quality for beat in clean]) > 0.9
    smooth = np.convolve(rng.normal(0, 400, 6100), np.hanning(50) / 7, "valid")[:6000]
    for noise in (rng.normal(0, 100, 6000), smooth, np.cumsum(rng.normal(0, 10, 6000))):
        beats = heard(list(pulse_blocks(120_000 + noise, 50.0)))
        trusted = [beat for beat in beats if beat.ibi_s is not None]
        assert len(trusted) < 0.15 * len(beats)


@pytest.mark.parametrize("gather_s", [1.0, GATHER_S])
def test_beats_come_a_few_seconds_late_at_most_and_in_order(gather_s: float) -> None:
    meter = PulseMeter(gather_s=gather_s)
    last_s, latest_s = -1.0, 0.0
    for block in pulse_blocks(light(beat_times(60, 70.0), 60, 50.0), 50.0):
        for beat in meter.add(block):
            assert beat.at_s > last_s
            last_s = beat.at_s
            latest_s = max(latest_s, block.end_s - beat.at_s)
    assert last_s > 60 - gather_s - 4
    assert latest_s < gather_s + 4


def test_blocks_of_any_size_give_the_same_beats() -> None:
    ir = light(beat_times(40, 70.0), 40, 50.0, noise=10)
    small = heard(list(pulse_blocks(ir, 50.0, block_s=0.1)))
    large = heard(list(pulse_blocks(ir, 50.0, block_s=40.0)))
    assert [round(beat.at_s, 3) for beat in small] == [round(beat.at_s, 3) for beat in large]


def test_no_interval_across_a_gap() -> None:
    first = light(beat_times(20), 20, 50.0)
    meter = PulseMeter()
    beats = heard(list(pulse_blocks(first, 50.0)), meter)
    later = heard(list(pulse_blocks(first, 50.0, start_s=20.4, gap_before=True)), meter)
    assert beats[-1].ibi_s is not None
    assert later[0].ibi_s is None
    assert later[1].ibi_s is not None


def test_a_gap_is_seen_in_the_times_even_when_nobody_says_so() -> None:
    ir = light(beat_times(20), 20, 50.0)
    meter = PulseMeter()
    blocks = [*pulse_blocks(ir, 50.0), *pulse_blocks(ir, 50.0, start_s=23.0)]
    beats = heard(blocks, meter)
    after = [beat for beat in beats if beat.at_s > 23.0]
    assert after[0].ibi_s is None
    assert all(beat.ibi_s is None or 0.8 < beat.ibi_s < 1.2 for beat in beats)


def test_a_change_of_led_current_costs_no_beat() -> None:
    true_s = beat_times(60, 66.0)
    ir = light(true_s, 60, 50.0)
    half = len(ir) // 2 // 25 * 25
    blocks = [
        *pulse_blocks(ir[:half], 50.0, led_ma=7.0),
        *pulse_blocks(ir[half:] / 2, 50.0, start_s=half / 50.0, led_ma=3.5),
    ]
    beats = heard(blocks)
    assert len(beats) == pytest.approx(len(true_s), abs=1)
    assert all(beat.ibi_s is not None for beat in beats[1:])


def test_clipped_light_is_no_pulse_and_ends_the_interval() -> None:
    ir = light(beat_times(40), 40, 50.0)
    ir[900:1100] = PULSE_FULL_SCALE_COUNTS
    beats = heard(list(pulse_blocks(ir, 50.0)))
    assert not [beat for beat in beats if 18.0 < beat.at_s < 22.0]
    assert next(beat for beat in beats if beat.at_s > 22.0).ibi_s is None


@pytest.mark.parametrize(
    "ir",
    [
        np.full(3000, 120_000.0),
        np.zeros(3000),
        np.full(3000, float(PULSE_FULL_SCALE_COUNTS)),
        np.full(1, 120_000.0),
        np.tile([0.0, 262_142.0], 1500),
    ],
    ids=["flat", "dark", "saturated", "one sample", "rail to rail"],
)
def test_no_trusted_beat_where_there_is_none(ir: Floats) -> None:
    assert not [beat for beat in heard(list(pulse_blocks(ir, 50.0))) if beat.ibi_s is not None]


def test_values_that_are_not_numbers_are_a_gap() -> None:
    ir = light(beat_times(30), 30, 50.0)
    ir[700:720] = np.nan
    block = PulseBlock(0.0, 50.0, ir, ir, 7.0, 7.0)  # type: ignore[arg-type]
    beats = heard([block])
    assert len(beats) > 25
    assert next(beat for beat in beats if beat.at_s > 14.4).ibi_s is None


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=12),
    seed=st.integers(0, 1000),
    scale=st.sampled_from([0.0, 1.0, 1000.0, 100_000.0]),
    rate_hz=st.sampled_from([25.0, 50.0, 97.3, 400.0]),
    gaps=st.booleans(),
)
def test_whatever_comes_beats_are_in_order_and_sane(
    sizes: list[int], seed: int, scale: float, rate_hz: float, gaps: bool
) -> None:
    rng = np.random.default_rng(seed)
    meter, at_s, found = PulseMeter(), 0.0, list[Beat]()
    for size in sizes:
        counts = np.clip(130_000 + rng.normal(0, scale, size), 0, PULSE_FULL_SCALE_COUNTS).astype(np.int32)
        found += meter.add(PulseBlock(at_s, rate_hz, counts, counts, 7.0, 7.0, gap_before=gaps))
        at_s += size / rate_hz + (0.5 if gaps else 0.0)
    found += meter.flush()
    times_s = [beat.at_s for beat in found]
    assert times_s == sorted(times_s)
    assert all(0.0 <= beat.quality <= 1.0 for beat in found)
    assert all(beat.ibi_s is None or 0.25 < beat.ibi_s < 2.5 for beat in found)


def test_systole_up_is_a_setting_and_can_be_told_from_the_wave() -> None:
    down = light(beat_times(60), 60, 50.0, noise=20)
    up = 240_000 - down
    assert polarity_of(down, 50.0) == -1
    assert polarity_of(up, 50.0) == 1
    assert polarity_of(np.full(500, np.nan), 50.0) == -1
    usual = heard(list(pulse_blocks(down, 50.0)))
    turned = heard(list(pulse_blocks(up, 50.0)), PulseMeter(polarity=1))
    assert [beat.at_s for beat in turned] == pytest.approx([beat.at_s for beat in usual], abs=1e-3)
    with pytest.raises(ValueError, match="polarity"):
        PulseMeter(polarity=0)
