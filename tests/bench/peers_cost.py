"""What a night costs: ours streaming by blocks of a second, neurokit2 with the whole array, each in a fresh process.

A worker: ``python peers_cost.py beats|pipeline|neurokit2 FILE.npz HOURS`` prints one JSON line: CPU seconds without
making the night, beside them those of starting the process and importing; peak resident memory of the whole process,
MiB (VmHWM), also after five minutes and after each hour of the night.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from somnisphere_hardware.samples import MotionBlock, PulseBlock

RATE_HZ = 50.0
EARLY_S = 300
MODES = ("beats", "pipeline", "neurokit2")


def peak_mib() -> float:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def night(counts: Any, hours: float) -> Iterator[tuple[int, "PulseBlock", "MotionBlock"]]:
    """(second, pulse, motion): the recording over and over, by blocks of a second."""
    from somnisphere_hardware.samples import MotionBlock, PulseBlock

    size = int(RATE_HZ)
    still_g = np.random.default_rng(1).normal((0.0, 0.0, 1.0), 0.004, (25 * 60, 3))
    for second in range(round(hours * 3600)):
        ir = counts[np.arange(size * second, size * (second + 1)) % len(counts)]
        pulse = PulseBlock(float(second), RATE_HZ, (0.8 * ir).astype(np.int32), ir, 7.0, 7.0)
        yield second, pulse, MotionBlock(float(second), 25.0, still_g[np.arange(25) + 25 * (second % 60)])


def stream(counts: Any, hours: float, *, whole_pipeline: bool) -> dict[str, Any]:
    from somnisphere.sleep import PulseMeter
    from somnisphere.sleep.pipeline import SleepPipeline

    imports_s = time.process_time()
    meter, pipeline = PulseMeter(), SleepPipeline()
    spent_s, found, peaks_mib = 0.0, 0, list[float]()
    for second, pulse, motion in night(counts, hours):
        began_s = time.process_time()
        if whole_pipeline:
            pipeline.add(pulse)
            pipeline.add(motion)
            found += len(pipeline.advance(pulse.end_s))
        else:
            found += len(meter.add(pulse))
        spent_s += time.process_time() - began_s
        if second + 1 == EARLY_S or (second + 1) % 3600 == 0:
            peaks_mib.append(peak_mib())
    return {"cpu_s": spent_s, "imports_s": imports_s, "found": found, "peaks_mib": peaks_mib}


def at_once(counts: Any, hours: float) -> dict[str, Any]:
    nk = import_module("neurokit2")
    imports_s = time.process_time()
    total = round(hours * 3600 * RATE_HZ)
    ppg = -np.resize(counts, total).astype(np.float64)
    began_s = time.process_time()
    clean = nk.ppg_clean(ppg, sampling_rate=int(RATE_HZ), method="elgendi")
    found = len(nk.ppg_findpeaks(clean, sampling_rate=int(RATE_HZ), method="elgendi")["PPG_Peaks"])
    spent_s = time.process_time() - began_s
    return {"cpu_s": spent_s, "imports_s": imports_s, "found": found, "peaks_mib": [peak_mib()]}


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians of CPU time. ``peaks_mib``: ours after five minutes and after each hour; a peer's at the end."""

    cpu_s: float
    imports_s: float
    found: int
    peaks_mib: list[float]


def measure(counts_path: Path, hours: float, pythons: dict[str, Path], times: int = 3) -> dict[str, Cost]:
    """All modes in turn, ``times`` over, so that what else the machine does meets each alike."""
    runs: dict[str, list[dict[str, Any]]] = {mode: [] for mode in MODES}
    for _ in range(times):
        for mode in MODES:
            command = [os.fspath(pythons[mode]), __file__, mode, os.fspath(counts_path), str(hours)]
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            runs[mode].append(json.loads(run.stdout.splitlines()[-1]))
    return {
        mode: Cost(
            median(run["cpu_s"] for run in found),
            median(run["imports_s"] for run in found),
            found[0]["found"],
            [max(peaks) for peaks in zip(*(run["peaks_mib"] for run in found), strict=True)],
        )
        for mode, found in runs.items()
    }


def main() -> None:
    mode, path, hours = sys.argv[1], sys.argv[2], float(sys.argv[3])
    counts = np.load(path)["counts"].astype(np.int32)
    told = at_once(counts, hours) if mode == "neurokit2" else stream(counts, hours, whole_pipeline=mode == "pipeline")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
