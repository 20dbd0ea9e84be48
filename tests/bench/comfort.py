"""What comfort would have done on scored nights. ``python tests/bench/comfort.py [--data DIR] [--write]``.

The stages are those of models that never saw the sleeper (leave one subject out: a quarter of an hour on two cores);
``--answers FILE`` keeps them, or takes them from there. ``--write`` puts the figures into ``pi/README.md``.
"""

import argparse
import os
import pickle
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.evening import nights_of
from tests.bench.page import write_between

from somnisphere.training.comforted import comfort_lines
from somnisphere.training.evaluate import AS_RECORDED, leave_one_out

README = Path(__file__).resolve().parents[2] / "pi" / "README.md"
MARKER = "<!-- comfort -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SOMNISPHERE_DATA", beside)))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--answers", type=Path, help="keep the answers here, or take them from here")
    parser.add_argument("--write", action="store_true", help="put the figures into pi/README.md")
    chosen = parser.parse_args()
    nights, others = nights_of(chosen.data)
    if chosen.answers is not None and chosen.answers.exists():
        live = pickle.loads(chosen.answers.read_bytes())
    else:
        live = leave_one_out(nights, others, "live", chosen.seed, (AS_RECORDED,))[AS_RECORDED]
        if chosen.answers is not None:
            chosen.answers.write_bytes(pickle.dumps(live))
    by_subject = sorted(nights, key=lambda night: night.subject)
    assert [night.subject for night in by_subject] == [judged.subject for judged in live]
    lines = comfort_lines(by_subject, live)
    print("\n".join(lines))
    if chosen.write:
        write_between(README, MARKER, "\n".join(lines))


if __name__ == "__main__":
    main()
