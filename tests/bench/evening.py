"""How the evening follows real sleepers. ``python tests/bench/evening.py [--data DIR] [--answers FILE] [--write]``.

A story begins with each scored night; it is followed by answers of models that never saw the sleeper (leave one subject
out: half an hour on two cores). ``--answers FILE`` keeps those answers, or takes them from there when they were kept
before: the evening's own rules can then be judged in seconds. ``--write`` puts the figures into ``pi/README.md``.
"""

import argparse
import os
import pickle
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.page import write_between

from somnisphere.training.evaluate import AS_RECORDED, RANDOM_START, leave_one_out
from somnisphere.training.evening import evening_lines
from somnisphere.training.judged import Judged
from somnisphere.training.readers.found import find_sets, read_sets
from somnisphere.training.spoil import LabelledNight

README = Path(__file__).resolve().parents[2] / "pi" / "README.md"
MARKER = "<!-- evening -->"
VARIANTS = (AS_RECORDED, RANDOM_START)

Answers = dict[str, dict[str, list[Judged]]]
"""Live and overnight, by variant."""


def nights_of(data: Path) -> tuple[list[LabelledNight], list[LabelledNight]]:
    """Those with movement, which are judged, and the others, which are only learned from."""
    import numpy as np

    sets = read_sets(find_sets(data, None), print)
    moving = [nights for _, nights in sets if any(not np.isnan(night.counts).all() for night in nights)]
    others = [night for _, nights in sets for night in nights if all(nights is not some for some in moving)]
    return [night for some in moving for night in some], others


def answers_of(data: Path, seed: int) -> Answers:
    """Of all nights with movement, by networks that did not see them."""
    nights, others = nights_of(data)
    return {
        "live": leave_one_out(nights, others, "live", seed, VARIANTS),
        "overnight": leave_one_out(nights, others, "overnight", seed, VARIANTS),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SOMNISPHERE_DATA", beside)))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--answers", type=Path, help="keep the answers here, or take them from here")
    parser.add_argument("--write", action="store_true", help="put the figures into pi/README.md")
    chosen = parser.parse_args()
    if chosen.answers is not None and chosen.answers.exists():
        answers: Answers = pickle.loads(chosen.answers.read_bytes())
    else:
        answers = answers_of(chosen.data, chosen.seed)
        if chosen.answers is not None:
            chosen.answers.write_bytes(pickle.dumps(answers))
    lines = [
        f"- {variant}: {line}"
        for variant in VARIANTS
        for line in evening_lines(answers["live"][variant], answers["overnight"][variant])
    ]
    print("\n".join(lines))
    if chosen.write:
        write_between(README, MARKER, "\n".join(lines))


if __name__ == "__main__":
    main()
