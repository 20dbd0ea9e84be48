"""How right the stager is, and what it costs. ``python tests/bench/staging.py [--data DIR] [--cost]``.

Prints the leave-one-subject-out tables of ``somnisphere.training evaluate`` (a quarter of an hour on two cores), or,
with ``--cost``, only the size of the weights and the CPU time of a staged night.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

from somnisphere.night import EPOCH_S, Epoch
from somnisphere.sleep.model import WEIGHTS_PATH
from somnisphere.sleep.overnight import revise
from somnisphere.sleep.stager import SleepStager

NIGHT_EPOCHS = 960


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
    chosen = parser.parse_args()
    for line in cost_lines():
        sys.stdout.write(line + "\n")
    if not chosen.cost:
        from somnisphere.training.evaluate import print_table

        sys.stdout.write("\n")
        print_table(chosen.data / "sleep" / "train", chosen.seed)


if __name__ == "__main__":
    main()
