"""Somnisphere beside other people's beat detectors: how right, how fast, how much memory, on the same recordings.

    python tests/bench/peers.py [--write] [--rates 25 50 100] [--hours 8] [--only NAME ...]

Makes environments of its own for them beside the checkout's others (``.venv-peers*``, ignored by git). All see the same
waves and the same judge (``accuracy.py``); a refusal, a crash or a hang is counted. ``--write`` puts the tables into
``pi/README.md``. Without the recordings (SOMNISPHERE_DATA, or shared/data beside the checkout) it ends with 2.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.accuracy import at_rate, recordings_folder
from tests.bench.page import write_between
from tests.bench.peers_cost import Cost, measure
from tests.bench.peers_judged import OURS, Judged, judge_all, store_wave
from tests.bench.peers_table import MARKER, tables
from tests.bench.peers_workers import PACKAGES, ROOT, make_environments, python_of, version_of

from somnisphere.recordings import read_recording

README = ROOT / "pi" / "README.md"


def job(paths: list[Path], time_out_s: float, what: tuple[str, float]) -> Judged:
    return judge_all(what[0], paths, what[1], time_out_s)


def night_costs(path: Path, hours: float) -> dict[str, Cost]:
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "night.npz"
        store_wave(at_rate(read_recording(path), 50.0), wave)
        ours = Path(sys.executable)
        pythons = {"beats": ours, "pipeline": ours, "neurokit2": python_of("neurokit2 elgendi")}
        return measure(wave, hours, pythons)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=float, nargs="+", default=[25.0, 50.0, 100.0], help="Hz")
    parser.add_argument("--hours", type=float, default=8.0, help="length of the night whose cost is measured; 0: none")
    parser.add_argument("--only", nargs="+", default=list(PACKAGES), choices=list(PACKAGES), metavar="NAME")
    parser.add_argument("--time-out", type=float, default=60.0, help="seconds a peer has for one recording")
    parser.add_argument("--folder", type=Path, default=recordings_folder())
    parser.add_argument("--write", action="store_true", help="put the tables into pi/README.md")
    chosen = parser.parse_args()
    paths = sorted(chosen.folder.glob("*/*.npz"))
    if not paths:
        print(f"{chosen.folder}: no recordings there. SOMNISPHERE_DATA names the folder above them.", file=sys.stderr)
        return 2
    if chosen.write and 50.0 not in chosen.rates:
        parser.error("--write needs 50 among --rates")
    troubles = make_environments()
    versions = {name: found for name in [OURS, *chosen.only] if (found := version_of(name)) is not None}
    absent = [name for name in chosen.only if name not in versions]
    jobs = [(name, rate_hz) for rate_hz in chosen.rates for name in versions]
    judged: list[Judged] = []
    with ProcessPoolExecutor(2) as pool:
        for done in pool.map(partial(job, paths, chosen.time_out), jobs):
            judged.append(done)
            print(f"{done.name}, {done.rate_hz:g} Hz: {len(done.failures)} without an answer", file=sys.stderr)
            for failure in done.failures:
                print(f"  {failure}", file=sys.stderr)
    costs = (
        night_costs(paths[len(paths) // 4], chosen.hours)
        if chosen.hours > 0 and "neurokit2 elgendi" in versions
        else {}
    )
    text = tables(judged, versions, costs, chosen.hours, absent, troubles)
    print(text)
    if chosen.write:
        write_between(README, MARKER, text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
