"""``python -m somnisphere.training fit --data DIR`` makes the weights; ``evaluate`` judges the way they are made.

DIR holds one or more sets of scored nights, each as its publisher gives it (pi/README.md, "Training on other sets").
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from somnisphere.errors import UserError
from somnisphere.sleep.model import WEIGHTS_PATH
from somnisphere.training.evaluate import table
from somnisphere.training.fit import ANSWERS, fit, prepare, save_weights
from somnisphere.training.readers.found import find_sets, read_sets

SEED = 1


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m somnisphere.training", description=__doc__)
    parser.add_argument("command", choices=("fit", "evaluate"))
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("SOMNISPHERE_DATA"),
        help="folder that holds the sets of nights, at any depth up to six (or set SOMNISPHERE_DATA)",
    )
    parser.add_argument("--at-most", type=_nights, metavar="N", help="take N nights of each set, evenly spread")
    parser.add_argument("--out", type=Path, default=WEIGHTS_PATH, help="weights file that fit writes")
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args(arguments)
    if chosen.data is None:
        parser.error("say where the labelled nights are: --data DIR, or SOMNISPHERE_DATA")
    try:
        _run(chosen)
    except UserError as problem:
        parser.exit(2, f"{parser.prog}: {problem}\n")


def _run(chosen: argparse.Namespace) -> None:
    data = Path(chosen.data)
    if chosen.command == "fit":
        nights = [night for _, nights in read_sets(find_sets(data, chosen.at_most), _say) for night in nights]
        models = {
            answer: fit([prepare(night, answer, chosen.seed) for night in nights], answer, chosen.seed)
            for answer in ANSWERS
        }
        save_weights(chosen.out, models)
        sys.stdout.write(f"{chosen.out}: {chosen.out.stat().st_size} bytes, from {len(nights)} nights\n")
    else:
        for line in table(data, chosen.seed, chosen.at_most, _say):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def _nights(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of nights, 1 or more")
    return int(text)


def _say(line: str) -> None:
    """What was found is no part of the table: it goes beside it."""
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
