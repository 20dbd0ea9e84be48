"""How well the pulse is heard: beats, intervals, heart rate, RMSSD and breath on the development recordings, and what a
night costs.

    python tests/bench/beats.py [--rate 50] [--folder ../shared/data/ppg] [--hours 8]

Beats match an ECG beat within 150 ms after one constant lag per recording. Heart rate over 30 s. RMSSD over 60 s.
Breath over 60 s; on bidmc only where the two annotators agree within 2 a minute.
"""

import argparse
import os
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from somnisphere.night import Beat, Epoch
from somnisphere.recordings import Recording, as_counts, blocks_of, read_recording
from somnisphere.sleep.beats import PulseMeter, Wave
from somnisphere.sleep.breath import Breath
from somnisphere.sleep.heart import Heart
from somnisphere.sleep.motion import Motion, StillnessGate
from somnisphere.sleep.pipeline import SleepPipeline
from somnisphere_hardware.samples import MotionBlock, PulseBlock

Floats = NDArray[np.float64]
TOLERANCE_S = 0.15
HEART_WINDOW_S, RMSSD_WINDOW_S, BREATH_WINDOW_S = 30.0, 60.0, 60.0


@dataclass
class Figures:
    """Of one recording; errors one per window, ``asked`` how many windows had a reference."""

    name: str
    moving: bool
    f1: float = float("nan")
    ibi_rmse_ms: float = float("nan")
    rmssd_ms: list[float] = field(default_factory=list)
    heart_bpm: list[float] = field(default_factory=list)
    heart_asked: int = 0
    breath_bpm: list[float] = field(default_factory=list)
    breath_asked: int = 0
    cpu_s_per_hour: float = 0.0
    quality_right: list[tuple[float, bool]] = field(default_factory=list)


def at_rate(recording: Recording, rate_hz: float) -> Recording:
    """The recording at another rate: low-passed by a windowed sinc, then by straight lines."""
    if recording.rate_hz == rate_hz:
        return recording
    old_hz = recording.rate_hz
    time_s = np.arange(len(recording.ir)) / old_hz
    grid_s = np.arange(0, time_s[-1], 1 / rate_hz)

    def moved(y: Floats) -> Floats:
        y = np.where(np.isfinite(y), y, np.nanmedian(y))
        if old_hz > rate_hz:
            half = round(4 * old_hz / rate_hz)
            kernel = np.sinc(np.arange(-half, half + 1) * 0.9 * rate_hz / old_hz) * np.hamming(2 * half + 1)
            y = np.convolve(np.pad(y, half, mode="edge"), kernel / kernel.sum(), "valid")
        return np.asarray(np.interp(grid_s, time_s, y), dtype=np.float64)

    accel = recording.accel_g
    if accel is not None:
        accel = np.stack([moved(accel[:, axis]) for axis in range(3)], axis=1)
    return replace(
        recording,
        rate_hz=rate_hz,
        ir=moved(recording.ir),
        red=None if recording.red is None else moved(recording.red),
        accel_g=accel,
        accel_rate_hz=rate_hz,
    )


def waves_of(recording: Recording) -> list[Wave]:
    """What the meter hears, doubted where the body moves, as the pipeline does it."""
    meter, motion = PulseMeter(), Motion()
    gate = StillnessGate(motion)
    found: list[Wave] = []
    for block in blocks_of(recording):
        if isinstance(block, MotionBlock):
            motion.add([block])
        else:
            found += gate.pass_on(meter.waves(block))
    return found + gate.pass_on(meter.end())


def matched(found_s: Floats, ecg_s: Floats) -> tuple[float, NDArray[np.intp]]:
    """The constant lag, and for each found beat the ECG beat it is, or -1."""
    best, lag_s = -1, 0.0
    for guess_s in np.arange(-0.2, 0.8, 0.02):
        near = np.clip(np.searchsorted(ecg_s, found_s - guess_s), 1, len(ecg_s) - 1)
        away = np.minimum(np.abs(found_s - guess_s - ecg_s[near]), np.abs(found_s - guess_s - ecg_s[near - 1]))
        if (hits := int((away < 0.06).sum())) > best:
            best, lag_s = hits, float(guess_s)
    pairs = np.full(len(found_s), -1, dtype=np.intp)
    used: set[int] = set()
    for k, at_s in enumerate((found_s - lag_s).tolist()):
        nearest = int(np.argmin(np.abs(ecg_s - at_s)))
        if abs(ecg_s[nearest] - at_s) <= TOLERANCE_S and nearest not in used:
            used.add(nearest)
            pairs[k] = nearest
    return lag_s, pairs


def in_spans(times_s: Floats, spans_s: Floats) -> NDArray[np.bool_]:
    inside = np.zeros(len(times_s), dtype=bool)
    for begin_s, end_s in spans_s:
        inside |= (times_s >= begin_s - 0.3) & (times_s <= end_s + 0.3)
    return inside


def judge_beats(figures: Figures, beats: list[Beat], recording: Recording) -> None:
    ecg_s = recording.reference["beat_times_s"]
    spans_s = recording.reference["ref_bad_spans_s"]
    found_s = np.array([beat.at_s for beat in beats])
    lag_s, pairs = matched(found_s, ecg_s)
    skipped = in_spans(ecg_s, spans_s) | (ecg_s + lag_s < 0.3) | (ecg_s + lag_s > recording.seconds - 0.3)
    moved_s = found_s - lag_s
    aside = in_spans(moved_s, spans_s) | (moved_s < ecg_s[0] - 0.2) | (moved_s > ecg_s[-1] + 0.2)
    aside |= (pairs >= 0) & skipped[pairs]
    right = (pairs >= 0) & ~aside
    wrong = (pairs < 0) & ~aside
    missed = int((~skipped).sum()) - int(right.sum())
    figures.f1 = 2 * right.sum() / (2 * right.sum() + wrong.sum() + missed)
    figures.quality_right += [
        (beat.quality, bool(ok)) for beat, ok, out in zip(beats, right, aside, strict=True) if not out
    ]
    follows = right[1:] & right[:-1] & (np.diff(pairs) == 1)
    errors_s = (np.diff(found_s) - (ecg_s[pairs[1:]] - ecg_s[pairs[:-1]]))[follows]
    if len(errors_s):
        figures.ibi_rmse_ms = 1e3 * float(np.sqrt(np.mean(errors_s**2)))
    heart = np.array([np.nan if beat.ibi_s is None else beat.ibi_s for beat in beats])
    for from_s in np.arange(0, recording.seconds - RMSSD_WINDOW_S, RMSSD_WINDOW_S):
        here = (ecg_s >= from_s) & (ecg_s < from_s + RMSSD_WINDOW_S)
        intervals = np.diff(ecg_s[here])
        if len(intervals) < 20 or in_spans(ecg_s[here], spans_s).any():
            continue
        there = (moved_s >= from_s) & (moved_s < from_s + RMSSD_WINDOW_S)
        steps = np.diff(heart[there])
        steps = steps[np.isfinite(steps)]
        if len(steps) > 15:
            true_ms = 1e3 * np.sqrt(np.mean(np.diff(intervals) ** 2))
            figures.rmssd_ms.append(abs(1e3 * float(np.sqrt(np.mean(steps**2))) - float(true_ms)))


def true_heart_bpm(recording: Recording, from_s: float, to_s: float) -> float:
    reference = recording.reference
    if "ref_ecg_hr_bpm" not in reference and "beat_times_s" in reference:
        ecg_s = reference["beat_times_s"]
        ecg_s = ecg_s[(ecg_s >= from_s) & (ecg_s < to_s)]
        return 60.0 / float(np.diff(ecg_s).mean()) if len(ecg_s) > 5 else float("nan")
    return series_mean(recording, "ref_ecg_hr_bpm" if "ref_ecg_hr_bpm" in reference else "ref_hr_bpm", from_s, to_s)


def series_mean(recording: Recording, key: str, from_s: float, to_s: float) -> float:
    times_s, values = recording.reference["ref_t_s"], recording.reference[key]
    here = values[(times_s >= from_s) & (times_s < to_s)]
    here = here[np.isfinite(here) & (here > 0)]
    return float(here.mean()) if len(here) else float("nan")


def true_breath_bpm(recording: Recording, from_s: float, to_s: float) -> float:
    rates: list[float] = []
    for key in ("breath_times_s", "breath_times2_s"):
        breaths_s = recording.reference.get(key, np.zeros(0))
        breaths_s = breaths_s[(breaths_s >= from_s) & (breaths_s < to_s)]
        if len(breaths_s) > 3:
            rates.append(60.0 / float(np.diff(breaths_s).mean()))
    if rates:
        return float(np.mean(rates)) if max(rates) - min(rates) <= 2 else float("nan")
    if "ref_resp_bpm" in recording.reference:
        return series_mean(recording, "ref_resp_bpm", from_s, to_s)
    return float("nan")


def judge_rates(figures: Figures, waves: list[Wave], recording: Recording) -> None:
    heart, breath = Heart(), Breath()
    waiting = iter(waves)
    wave = next(waiting, None)
    for at_s in np.arange(15.0, recording.seconds + 0.1, 15.0):
        while wave is not None and wave.beat.at_s <= at_s:
            heart.add([wave.beat])
            breath.add([wave])
            wave = next(waiting, None)
        if at_s >= HEART_WINDOW_S and at_s % HEART_WINDOW_S == 0:
            truth = true_heart_bpm(recording, at_s - HEART_WINDOW_S, at_s)
            if np.isfinite(truth):
                figures.heart_asked += 1
                rate = heart.rate_bpm(at_s - HEART_WINDOW_S, at_s)
                if rate is not None:
                    figures.heart_bpm.append(abs(rate - truth))
        rate = breath.rate_bpm(at_s)
        if at_s >= BREATH_WINDOW_S and at_s % 30 == 0:
            truth = true_breath_bpm(recording, at_s - BREATH_WINDOW_S, at_s)
            if np.isfinite(truth):
                figures.breath_asked += 1
                if rate is not None:
                    figures.breath_bpm.append(abs(rate - truth))


def judge(path: Path, rate_hz: float) -> Figures:
    recording = at_rate(read_recording(path), rate_hz)
    figures = Figures(path.stem, moving=recording.accel_g is not None)
    began_s = time.process_time()
    waves = waves_of(recording)
    figures.cpu_s_per_hour = (time.process_time() - began_s) / recording.seconds * 3600
    if "beat_times_s" in recording.reference and waves:
        judge_beats(figures, [wave.beat for wave in waves], recording)
    judge_rates(figures, waves, recording)
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


def middle(values: list[float]) -> float:
    return float(np.median(values)) if values else float("nan")


def mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def tell(group: str, all_figures: list[Figures]) -> None:
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
        bins = np.minimum((quality * 10).astype(int), 9)
        error = sum(abs(quality[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in set(bins))
        print(f"  quality of a beat  expected calibration error {error:.3f}")


def main() -> int:
    here = Path(__file__).resolve()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(os.environ.get("SOMNISPHERE_DATA", here.parents[3] / "shared" / "data"))
    parser.add_argument("--folder", type=Path, default=root / "ppg")
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
