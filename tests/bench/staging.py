"""How right the stager is, and what it costs. ``python tests/bench/staging.py [--data DIR] [--cost] [--write]``.

Prints the leave-one-subject-out tables of ``somnisphere.training evaluate`` (half an hour on two cores) with the
baselines beside, or, with ``--cost``, only the size of the weights and the CPU time of a staged night. ``--write`` puts
the tables into ``pi/README.md``.
"""

import argparse
import os
import sys
import time
from itertools import chain
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.page import write_between

from somnisphere.night import EPOCH_S, Epoch
from somnisphere.sleep.model import WEIGHTS_PATH
from somnisphere.sleep.overnight import revise
from somnisphere.sleep.stager import SleepStager

NIGHT_EPOCHS = 960
README = Path(__file__).resolve().parents[2] / "pi" / "README.md"
MARKER = "<!-- staging -->"

BASELINES = """
Beside them, of the same public nights (answer: acc4 / k4 / k3 / k2), leaving one subject out over all 31, so on ten
subjects more: majority .559 / .000 / .000 / .000; Walch's three features, random forest .591 / .208 / .221 / .490; 72
hand-made features, boosted trees and Viterbi, overnight .705 / .488 / .550 / .532; the same, causal, forest and forward
filter, live .678 / .477 / .518 / .489. NOOP's rules and Viterbi, as its authors report (tuned on these nights too):
.581 / .356. On the records without motion, leaving one man out: live .636 / .34, overnight .628 / .36.
""".strip()
"""Measured when the project began, with code of its own; NOOP's from its pull requests 277, 348, 991 and 1025."""


def made_up_night() -> list[Epoch]:
    """Eight hours of a wandering heart rate and few movements; cost does not depend on what is in it."""
    rng = np.random.default_rng(1)
    hearts = (60.0 + rng.normal(0, 3, (NIGHT_EPOCHS, 6))).tolist()
    counts = np.where(rng.random((NIGHT_EPOCHS, 2)) < 0.03, 60.0, 0.0).tolist()
    return [
        Epoch(k, k * EPOCH_S, None, True, None, tuple(hearts[k]), None, 0, 1.0, None, None, tuple(counts[k]))
        for k in range(NIGHT_EPOCHS)
    ]


def cost_lines() -> list[str]:
    night = made_up_night()
    stager = SleepStager()
    begun = time.process_time()
    for epoch in night:
        stager.step(epoch)
    live = time.process_time() - begun
    begun = time.process_time()
    revise(night)
    overnight = time.process_time() - begun
    return [
        f"weights: {WEIGHTS_PATH.stat().st_size} bytes",
        f"live, 8 hours: {live:.2f} CPU s ({live / NIGHT_EPOCHS * 1e3:.2f} ms an epoch)",
        f"overnight, 8 hours: {overnight:.2f} CPU s",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SOMNISPHERE_DATA", beside)))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cost", action="store_true", help="only what it costs")
    parser.add_argument("--write", action="store_true", help="put the tables into pi/README.md")
    chosen = parser.parse_args()
    for line in cost_lines():
        sys.stdout.write(line + "\n")
    if chosen.cost:
        return
    from somnisphere.training.evaluate import table

    lines = []
    for line in chain(table(chosen.data, chosen.seed), ("", BASELINES)):
        lines.append(line)
        print(line, flush=True)
    if chosen.write:
        write_between(README, MARKER, "\n".join(lines))


if __name__ == "__main__":
    main()
