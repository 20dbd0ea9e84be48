from collections.abc import Iterable
from heapq import merge

import numpy as np
import pytest
from tests.pulse_waves import Floats, beat_times, light, lying_still, motion_blocks, pulse_blocks

from somnisphere.night import Epoch, Presence
from somnisphere.sleep.pipeline import CLOSE_AFTER_S, SleepPipeline, Vitals
from somnisphere_hardware.samples import MotionBlock, PartState, PulseBlock

RATE_HZ = 50.0
Blocks = Iterable[PulseBlock | MotionBlock]


def night_of(ir: Floats, red: Floats, accel_g: Floats, *, start_s: float = 0.0) -> list[PulseBlock | MotionBlock]:
    pulses: Blocks = pulse_blocks(ir, RATE_HZ, red=red, start_s=start_s)
    moves: Blocks = motion_blocks(accel_g, 25.0, start_s=start_s)
    return list(merge(pulses, moves, key=lambda block: block.start_s))


def asleep(seconds: float, *, start_s: float = 0.0, ratio: float = 0.6) -> list[PulseBlock | MotionBlock]:
    beats = beat_times(seconds, 58.0, breath_bpm=14.0)
    ir = light(beats, seconds, RATE_HZ, noise=15)
    red = light(beats, seconds, RATE_HZ, level=90_000, depth=0.01 * ratio, noise=10)
    return night_of(ir, red, lying_still(seconds, 25.0), start_s=start_s)


def run(blocks: Blocks, pipeline: SleepPipeline | None = None, *, until_s: float | None = None) -> list[Epoch]:
    pipeline = pipeline or SleepPipeline()
    epochs, end_s = list[Epoch](), 0.0
    for block in blocks:
        pipeline.add(block)
        end_s = max(end_s, block.end_s)
        epochs += pipeline.advance(end_s)
    return epochs + pipeline.advance(end_s + 40.0 if until_s is None else until_s)


def test_a_quiet_sleeper_is_fully_known() -> None:
    pipeline = SleepPipeline()
    epochs = run(asleep(300), pipeline, until_s=300.0 + CLOSE_AFTER_S)
    assert [epoch.index for epoch in epochs] == list(range(10))
    assert [epoch.start_s for epoch in epochs] == [30.0 * k for k in range(10)]
    for epoch in epochs[3:]:
        assert epoch.heart_bpm == pytest.approx(58.0, abs=1.0)
        assert epoch.breath_bpm == pytest.approx(14.0, abs=1.0)
        assert epoch.spo2_pct == pytest.approx(96.8, abs=1.0)
        assert None not in epoch.heart_series_bpm
        assert epoch.motion_counts == (0.0, 0.0)
        assert epoch.rmssd_ms is not None
        assert epoch.presence is Presence.PULSE
        assert epoch.in_bed is True
        assert epoch.pulse_quality > 0.9


def test_vitals_follow_the_body_a_few_seconds_late() -> None:
    pipeline = SleepPipeline()
    assert pipeline.vitals == Vitals(0.0, None, 0.0, None, None, None, None, None, None)
    blocks = asleep(120)
    run(blocks, pipeline, until_s=120.0)
    vitals = pipeline.vitals
    assert vitals.at_s == 120.0
    assert vitals.heart_bpm == pytest.approx(58.0, abs=1.0)
    assert vitals.breath_bpm == pytest.approx(14.0, abs=1.0)
    assert vitals.pulse_quality > 0.8
    assert vitals.motion_count == 0.0
    pipeline.advance(200.0)
    later = pipeline.vitals
    assert (later.at_s, later.heart_bpm, later.presence, later.in_bed) == (200.0, None, None, None)


def test_epochs_close_a_few_seconds_after_their_end_and_none_is_left_out() -> None:
    pipeline = SleepPipeline()
    assert pipeline.advance(1000.0) == []
    assert pipeline.advance(1030.0 + CLOSE_AFTER_S - 0.1) == []
    (first,) = pipeline.advance(1030.0 + CLOSE_AFTER_S)
    assert (first.index, first.start_s, first.heart_bpm, first.presence, first.in_bed) == (0, 1000.0, None, None, None)
    later = pipeline.advance(1330.0)
    assert [epoch.index for epoch in later] == list(range(1, 10))
    assert all(epoch.motion_counts == (None, None) for epoch in later)


def test_motion_alone_counts_but_knows_nobody() -> None:
    epochs = run(motion_blocks(lying_still(120, 25.0), 25.0))
    assert epochs[1].motion_counts == (0.0, 0.0)
    assert [(epoch.presence, epoch.in_bed, epoch.heart_bpm) for epoch in epochs] == [(None, None, None)] * len(epochs)


def test_an_empty_bed_then_a_sleeper_then_an_empty_bed() -> None:
    rng = np.random.default_rng(0)

    def empty(seconds: float, start_s: float) -> list[PulseBlock | MotionBlock]:
        size = round(seconds * RATE_HZ)
        dark, also = 900 + rng.normal(0, 4, size), 300 + rng.normal(0, 4, size)
        return night_of(dark, also, lying_still(seconds, 25.0), start_s=start_s)

    epochs = run([*empty(90, 0.0), *asleep(180, start_s=90.0), *empty(240, 270.0)], until_s=517.0)
    assert (epochs[1].presence, epochs[1].in_bed) == (Presence.NOBODY, False)
    assert (epochs[7].presence, epochs[7].in_bed) == (Presence.PULSE, True)
    assert (epochs[-1].presence, epochs[-1].in_bed) == (Presence.NOBODY, False)
    assert epochs[-1].heart_bpm is None


def test_turning_over_leaves_a_count_and_no_false_heart_rate() -> None:
    seconds = 180.0
    beats = beat_times(seconds, 58.0)
    ir, accel_g = light(beats, seconds, RATE_HZ), lying_still(seconds, 25.0)
    moving = slice(round(95 * RATE_HZ), round(115 * RATE_HZ))
    t = np.arange(len(ir))[moving] / RATE_HZ
    ir[moving] += 6000 * np.sin(2 * np.pi * 2.0 * t)
    shaking = slice(95 * 25, 115 * 25)
    accel_g[shaking, 0] += 0.4 * np.sin(2 * np.pi * 4.0 * np.arange(20 * 25) / 25)
    epochs = run(night_of(ir, ir * 0.8, accel_g))
    assert all((count or 0) > 100 for count in epochs[3].motion_counts[:1])
    rates = [bpm for epoch in epochs for bpm in epoch.heart_series_bpm if bpm is not None]
    assert rates
    assert max(rates) < 66
    assert None in epochs[3].heart_series_bpm


def test_a_lost_sensor_is_not_known_and_comes_back() -> None:
    pipeline = SleepPipeline()
    run(asleep(90), pipeline, until_s=90.0)
    before = pipeline.vitals
    assert before.in_bed is True
    pipeline.add(PartState("pulse", 90.0, ok=False, problem="The pulse sensor does not answer."))
    lost = pipeline.vitals
    assert lost.presence is None
    assert lost.in_bed is None
    pipeline.add(PartState("pulse", 100.0, ok=True))
    run(asleep(90, start_s=100.0), pipeline, until_s=190.0)
    assert (pipeline.vitals.presence, pipeline.vitals.in_bed) == (Presence.PULSE, True)


def test_a_gap_is_not_spliced() -> None:
    epochs = run([*asleep(60), *asleep(60, start_s=75.3)])
    rates = [bpm for epoch in epochs for bpm in epoch.heart_series_bpm if bpm is not None]
    assert min(rates) > 54
    assert max(rates) < 62


def test_a_single_wave_without_red_gives_no_oxygen() -> None:
    pulses = [
        PulseBlock(b.start_s, b.rate_hz, b.ir, b.ir, 0.0, b.led_ir_ma)
        for b in pulse_blocks(light(beat_times(60), 60, RATE_HZ), RATE_HZ)
    ]
    assert [epoch.spo2_pct for epoch in run(pulses)][:2] == [None, None]


@pytest.mark.parametrize("counts", [0, 120_000, 262_143])
def test_light_that_never_changes_harms_nothing(counts: int) -> None:
    flat = np.full(6000, float(counts))
    epochs = run(pulse_blocks(flat, RATE_HZ))
    assert len(epochs) >= 4
    assert all(epoch.heart_bpm is None and epoch.spo2_pct is None for epoch in epochs)


def test_the_same_night_gives_the_same_epochs() -> None:
    assert run(asleep(120)) == run(asleep(120))
