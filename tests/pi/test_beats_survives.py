"""Whatever a sensor says, nothing breaks, and where there is no pulse every window is answered with none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.pulse_waves import Floats, beat_times, light

from somnisphere.night import Epoch
from somnisphere.recordings import RecordingError, read_recording
from somnisphere.sleep import PulseMeter
from somnisphere.sleep.heart import Heart
from somnisphere.sleep.pipeline import SleepPipeline
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS, PulseBlock

SECONDS = 150.0
WINDOW_S = 30.0
LEVEL = 120_000.0
RATES_HZ = [25.0, 50.0, 97.3, 100.0, 200.0, 400.0]


def steps(size: int, rng: np.random.Generator) -> Floats:
    """Levels that jump at odd times, as a sensor that is shoved about."""
    return np.repeat(rng.uniform(50_000, 200_000, size), rng.integers(1, 300, size))[:size]


NO_PULSE: dict[str, Callable[[int, np.random.Generator], NDArray[Any]]] = {
    "faint noise": lambda size, rng: LEVEL + rng.normal(0, 3, size),
    "noise": lambda size, rng: LEVEL + rng.normal(0, 400, size),
    "loud noise": lambda size, rng: LEVEL + rng.normal(0, 40_000, size),
    "random walk": lambda size, rng: LEVEL + np.cumsum(rng.normal(0, 10, size)),
    "flat": lambda size, _: np.full(size, LEVEL),
    "dark": lambda size, _: np.zeros(size),
    "full scale": lambda size, _: np.full(size, float(PULSE_FULL_SCALE_COUNTS)),
    "beyond full scale": lambda size, _: np.full(size, 1e9),
    "below nought": lambda size, _: np.full(size, -1e6),
    "rail to rail": lambda size, _: np.resize([0.0, PULSE_FULL_SCALE_COUNTS - 1.0], size),
    "ramp": lambda size, _: np.linspace(0, PULSE_FULL_SCALE_COUNTS - 1, size),
    "one step": lambda size, _: np.where(np.arange(size) < size // 2, 1_000.0, 250_000.0),
    "steps": steps,
    "spikes": lambda size, rng: LEVEL + 1e5 * (rng.random(size) < 0.002),
    "not a number": lambda size, _: np.full(size, np.nan),
    "infinite": lambda size, _: np.resize([np.inf, -np.inf], size),
    "every other missing": lambda size, _: np.where(np.arange(size) % 2, np.nan, LEVEL),
    "noise with holes": lambda size, rng: (
        LEVEL + rng.normal(0, 400, size) + np.where(rng.random(size) < 0.01, np.nan, 0)
    ),
}
at_every_rate = pytest.mark.parametrize("rate_hz", RATES_HZ)


def blocks(ir: NDArray[Any], rate_hz: float, *, start_s: float = 0.0) -> list[PulseBlock]:
    """Half a second each, values as they are, also those no chip should say."""
    size = max(1, round(0.5 * rate_hz))
    return [
        PulseBlock(start_s + first / rate_hz, rate_hz, ir[first : first + size], ir[first : first + size], 7.0, 7.0)
        for first in range(0, len(ir), size)
    ]


def windows_bpm(ir: NDArray[Any], rate_hz: float) -> list[float | None]:
    meter, heart = PulseMeter(), Heart()
    for block in blocks(ir, rate_hz):
        heart.add(meter.add(block))
    heart.add(meter.flush())
    ends_s = np.arange(WINDOW_S, len(ir) / rate_hz + 0.01, WINDOW_S)
    return [heart.rate_bpm(end_s - WINDOW_S, end_s) for end_s in ends_s.tolist()]


def epochs_of(ir: NDArray[Any], rate_hz: float) -> list[Epoch]:
    pipeline, epochs = SleepPipeline(), list[Epoch]()
    for block in blocks(ir, rate_hz):
        pipeline.add(block)
        epochs += pipeline.advance(block.end_s)
    return epochs + pipeline.advance(len(ir) / rate_hz + 60.0)


def clean(seconds: float, rate_hz: float) -> Floats:
    return light(beat_times(seconds, 64.0), seconds, rate_hz, noise=20)


@at_every_rate
def test_where_there_is_a_pulse_every_window_is_answered(rate_hz: float) -> None:
    """What the other tests lean on: their none is not that of a meter that never answers."""
    ir = clean(SECONDS, rate_hz)
    assert windows_bpm(ir, rate_hz) == [pytest.approx(64.0, abs=1.5)] * 5
    assert [epoch.heart_bpm for epoch in epochs_of(ir, rate_hz)[:5]] == [pytest.approx(64.0, abs=1.5)] * 5


@pytest.mark.parametrize(
    ("name", "rate_hz"),
    [(name, rate_hz) for name in NO_PULSE for rate_hz in RATES_HZ],
)
def test_where_there_is_no_pulse_every_window_is_none(name: str, rate_hz: float) -> None:
    ir = NO_PULSE[name](round(SECONDS * rate_hz), np.random.default_rng(5))
    assert windows_bpm(ir, rate_hz) == [None] * 5


@pytest.mark.parametrize(
    ("name", "rate_hz"),
    [
        (name, rate_hz)
        for name in NO_PULSE
        for rate_hz in (25.0, 400.0)
        # A block holds whole counts; what is not finite comes only from files, and their reader leaves it out.
        if name != "infinite"
    ],
)
def test_the_whole_pipeline_says_none_for_every_epoch(name: str, rate_hz: float) -> None:
    ir = NO_PULSE[name](round(SECONDS * rate_hz), np.random.default_rng(5))
    epochs = epochs_of(ir, rate_hz)
    assert [epoch.index for epoch in epochs[:5]] == [0, 1, 2, 3, 4]
    assert {(epoch.heart_bpm, epoch.rmssd_ms, epoch.breath_bpm) for epoch in epochs} == {(None, None, None)}


@pytest.mark.parametrize("name", NO_PULSE)
def test_a_pulse_is_heard_again_after_it(name: str) -> None:
    rate_hz = 50.0
    ir = NO_PULSE[name](round(60 * rate_hz), np.random.default_rng(5))
    both = np.concatenate((ir, clean(90.0, rate_hz)))
    assert windows_bpm(both, rate_hz)[-2:] == [pytest.approx(64.0, abs=1.5)] * 2


@pytest.mark.parametrize("size", [1, 2, 3, 7, 30])
@at_every_rate
def test_a_few_samples_are_no_beat(size: int, rate_hz: float) -> None:
    ir = clean(1.0, 400.0)[:size]
    meter = PulseMeter()
    assert meter.add(PulseBlock(0.0, rate_hz, ir, ir, 7.0, 7.0)) == []  # type: ignore[arg-type]
    assert [beat for beat in meter.flush() if beat.ibi_s is not None] == []
    assert meter.flush() == []
    pipeline = SleepPipeline()
    pipeline.add(PulseBlock(0.0, rate_hz, ir, ir, 7.0, 7.0))  # type: ignore[arg-type]
    assert [epoch.heart_bpm for epoch in pipeline.advance(102.0)] == [None] * 3


def test_blocks_of_no_samples_between_others_change_nothing() -> None:
    ir, none = clean(90.0, 50.0), np.zeros(0)
    meter, heart = PulseMeter(), Heart()
    for block in blocks(ir, 50.0):
        heart.add(meter.add(block))
        heart.add(meter.add(PulseBlock(block.end_s, 50.0, none, none, 7.0, 7.0)))  # type: ignore[arg-type]
    heart.add(meter.flush())
    assert [heart.rate_bpm(k - 30.0, k) for k in (30.0, 60.0, 90.0)] == windows_bpm(ir, 50.0)


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".csv.gz", ".jsonl.gz"])
def test_an_empty_file_is_told_as_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"night{suffix}"
    path.write_bytes(b"")
    with pytest.raises(RecordingError, match="night"):
        read_recording(path)
