"""How well the pulse is heard: beats, intervals, heart rate, RMSSD and breath on the development recordings, and what a
night costs.

    python tests/bench/beats.py [--rate 50] [--folder ../shared/data/ppg] [--hours 8]

How it is judged: ``accuracy.py``. Beside other people's detectors: ``peers.py``.
"""

import argparse
import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.accuracy import (
    Figures,
    at_rate,
    calibration_error,
    judge_beats,
    judge_rates,
    mean,
    middle,
    recordings_folder,
)

from somnisphere.night import Epoch
from somnisphere.recordings import Recording, as_counts, blocks_of, read_recording
from somnisphere.sleep.breath import Breath
from somnisphere.sleep.cadence import Cadence
from somnisphere.sleep.gate import StillnessGate
from somnisphere.sleep.heart import Heart
from somnisphere.sleep.motion import Motion
from somnisphere.sleep.pipeline import SleepPipeline
from somnisphere.sleep.pulse import PulseMeter, Wave
from somnisphere_hardware.samples import MotionBlock, PulseBlock


@dataclass
class OurFigures(Figures):
    cpu_s_per_hour: float = 0.0
    quality_right: list[tuple[float, bool]] = field(default_factory=list)


def waves_of(recording: Recording) -> list[Wave]:
    """What the meter hears, doubted where the body moves, as the pipeline does it."""
    meter, motion, cadence = PulseMeter(), Motion(), Cadence()
    gate = StillnessGate(motion, cadence)
    found: list[Wave] = []
    for block in blocks_of(recording):
        if isinstance(block, MotionBlock):
            motion.add([block])
            cadence.add([block])
        else:
            found += gate.pass_on(meter.waves(block))
    return found + gate.pass_on(meter.end())


class Listener:
    """Heart and breath as the pipeline asks them: nothing heard after the time asked about."""

    def __init__(self, waves: list[Wave]) -> None:
        self.heart, self._breath = Heart(), Breath()
        self._waiting = deque(waves)

    def hear_until(self, at_s: float) -> None:
        while self._waiting and self._waiting[0].beat.at_s <= at_s:
            wave = self._waiting.popleft()
            self.heart.add([wave.beat])
            self._breath.add([wave])

    def heart_bpm(self, from_s: float, to_s: float) -> float | None:
        self.hear_until(to_s)
        return self.heart.rate_bpm(from_s, to_s)

    def breath_bpm(self, at_s: float) -> float | None:
        self.hear_until(at_s)
        return self._breath.rate_bpm(at_s)


def judge(path: Path, rate_hz: float) -> OurFigures:
    recording = at_rate(read_recording(path), rate_hz)
    figures = OurFigures(path.stem, moving=recording.accel_g is not None)
    began_s = time.process_time()
    waves = waves_of(recording)
    figures.cpu_s_per_hour = (time.process_time() - began_s) / recording.seconds * 3600
    if "beat_times_s" in recording.reference and waves:
        beats = [wave.beat for wave in waves]
        found_s = np.array([beat.at_s for beat in beats])
        ibi_s = np.array([np.nan if beat.ibi_s is None else beat.ibi_s for beat in beats])
        right, judged = judge_beats(figures, found_s, ibi_s, recording)
        figures.quality_right += [
            (beat.quality, bool(ok)) for beat, ok, told in zip(beats, right, judged, strict=True) if told
        ]
    judge_rates(figures, Listener(waves), recording)
    return figures


# ---- the cost of a night --------------------------------------------------------------------------------------------


def night(recording: Recording, hours: float) -> Iterator[PulseBlock | MotionBlock]:
    """Half-second blocks of the recording over and over, red and infrared at 50 Hz, motion at 25 Hz."""
    ir = as_counts(recording).astype(np.int32)
    red = (0.8 * ir).astype(np.int32)
    still_g = np.random.default_rng(1).normal((0.0, 0.0, 1.0), 0.004, (25 * 60, 3))
    for k in range(round(hours * 7200)):
        at = np.arange(25 * k, 25 * k + 25) % len(ir)
        yield PulseBlock(k * 0.5, 50.0, red[at], ir[at], 7.0, 7.0)
        if k % 2 == 0:
            yield MotionBlock(k * 0.5, 25.0, still_g[np.arange(25) + 25 * (k // 2 % 60)])


def run_night(recording: Recording, hours: float) -> tuple[float, int]:
    """(CPU seconds in the pipeline alone, epochs)."""
    pipeline, epochs, spent_s = SleepPipeline(), 0, 0.0
    blocks = list(night(recording, min(hours, 1.0)))
    for hour in range(max(1, round(hours))):
        shifted = [replace(block, start_s=block.start_s + 3600.0 * hour) for block in blocks]
        began_s = time.process_time()
        for block in shifted:
            pipeline.add(block)
            epochs += len(pipeline.advance(block.end_s))
        spent_s += time.process_time() - began_s
    return spent_s, epochs


def grown_kib(recording: Recording, hours: float) -> tuple[float, float]:
    """Memory the pipeline holds after five minutes and after ``hours``, KiB."""
    pipeline, early, latest = SleepPipeline(), 0.0, 0.0
    tracemalloc.start()
    try:
        empty: list[Epoch] = []
        for block in night(recording, hours):
            pipeline.add(block)
            empty[:] = pipeline.advance(block.end_s)
            if block.end_s == 300.0:
                early = tracemalloc.get_traced_memory()[0] / 1024
        latest = tracemalloc.get_traced_memory()[0] / 1024
    finally:
        tracemalloc.stop()
    return early, latest


# ---- telling it -----------------------------------------------------------------------------------------------------


def tell(group: str, all_figures: list[OurFigures]) -> None:
    heart = [e for f in all_figures for e in f.heart_bpm]
    breath = [e for f in all_figures for e in f.breath_bpm]
    asked, breaths_asked = sum(f.heart_asked for f in all_figures), sum(f.breath_asked for f in all_figures)
    print(f"\n{group}: {len(all_figures)} recordings")
    print(f"  F1                 {np.nanmean([f.f1 for f in all_figures]):.3f}")
    print(f"  interval RMSE      {np.nanmean([f.ibi_rmse_ms for f in all_figures]):.1f} ms, mean over recordings")
    print(f"  RMSSD error        {middle([e for f in all_figures for e in f.rmssd_ms]):.1f} ms, median over 60 s")
    print(
        f"  heart rate         MAE {mean(heart):.2f} bpm, within 5: {mean([e < 5 for e in heart]):.3f}, "
        f"answered {len(heart) / max(1, asked):.3f} of {asked}"
    )
    if breaths_asked:
        print(
            f"  breath             MAE {mean(breath):.2f} /min, within 3: {mean([e < 3 for e in breath]):.3f}, "
            f"answered {len(breath) / breaths_asked:.3f} of {breaths_asked}"
        )
    pairs = [pair for f in all_figures for pair in f.quality_right]
    if pairs:
        quality, right = np.array([q for q, _ in pairs]), np.array([ok for _, ok in pairs])
        print(f"  quality of a beat  expected calibration error {calibration_error(quality, right):.3f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=recordings_folder())
    parser.add_argument("--rate", type=float, default=50.0, help="sampling rate, Hz")
    parser.add_argument("--hours", type=float, default=8.0, help="length of the night whose cost is measured; 0: none")
    arguments = parser.parse_args()
    paths = sorted(arguments.folder.glob("*/*.npz"))
    if not paths:
        print(f"{arguments.folder}: no recordings there", file=sys.stderr)
        return 2
    print(f"{'recording':30s} {'F1':>6s} {'IBI ms':>7s} {'RMSSD':>6s} {'HR':>6s} {'answered':>8s} {'CPU s/h':>8s}")
    figures = []
    for path in paths:
        f = judge(path, arguments.rate)
        figures.append(f)
        share = len(f.heart_bpm) / max(1, f.heart_asked)
        print(
            f"{f.name:30s} {f.f1:6.3f} {f.ibi_rmse_ms:7.1f} {middle(f.rmssd_ms):6.1f} {mean(f.heart_bpm):6.2f} "
            f"{share:8.2f} {f.cpu_s_per_hour:8.2f}"
        )
    tell("REST", [f for f in figures if not f.moving])
    tell("MOTION", [f for f in figures if f.moving])
    if arguments.hours > 0:
        recording = at_rate(read_recording(paths[len(paths) // 4]), 50.0)
        spent_s, epochs = run_night(recording, arguments.hours)
        early, late = grown_kib(recording, arguments.hours)
        print(f"\nA night of {arguments.hours:g} h ({epochs} epochs): {spent_s:.1f} CPU s in the pipeline")
        print(f"Memory of the pipeline: {early:.0f} KiB after five minutes, {late:.0f} KiB at the end")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
