"""``python -m somnisphere.training fit --data DIR`` makes the weights; ``evaluate`` judges the way they are made."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from somnisphere.sleep.model import WEIGHTS_PATH
from somnisphere.training.evaluate import table
from somnisphere.training.fit import ANSWERS, fit, prepare, save_weights
from somnisphere.training.nights import read_nights

SEED = 1


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m somnisphere.training", description=__doc__)
    parser.add_argument("command", choices=("fit", "evaluate"))
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("SOMNISPHERE_DATA"),
        help="folder that holds sleep/train/walch and slpdb (or set SOMNISPHERE_DATA)",
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS_PATH, help="weights file that fit writes")
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args(arguments)
    if chosen.data is None:
        parser.error("say where the labelled nights are: --data DIR, or SOMNISPHERE_DATA")
    folder = Path(chosen.data) / "sleep" / "train"
    if chosen.command == "fit":
        nights = [*read_nights(folder / "walch"), *read_nights(folder / "slpdb")]
        models = {
            answer: fit([prepare(night, answer, chosen.seed) for night in nights], answer, chosen.seed)
            for answer in ANSWERS
        }
        save_weights(chosen.out, models)
        sys.stdout.write(f"{chosen.out}: {chosen.out.stat().st_size} bytes, from {len(nights)} nights\n")
    else:
        for line in table(folder, chosen.seed):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
