"""Writes one night through the project's own journal: ``python keep_night.py JOURNAL``, as the service's user."""

import sys
import time
from pathlib import Path

from somnisphere.journal import Journal
from somnisphere.night import EPOCH_S, NightTimes, Stage, StageEstimate, unknown_epoch

HOUR_EPOCHS = 120


def main(path: Path) -> None:
    began_s = time.time() // 86400 * 86400 - 2 * 86400 + 22 * 3600
    night = time.strftime("%Y-%m-%d", time.gmtime(began_s))
    journal = Journal(path)
    journal.open_night(night, began_s)
    for index in range(8 * HOUR_EPOCHS):
        start_s = began_s + index * EPOCH_S
        journal.add_epoch(
            night,
            start_s,
            unknown_epoch(index, began_s),
            StageEstimate(index, start_s, Stage.LIGHT, (0.1, 0.7, 0.1, 0.1)),
        )
    ended_s = began_s + 8 * HOUR_EPOCHS * EPOCH_S
    journal.close_night(night, ended_s, NightTimes(night, began_s, began_s + 900, ended_s - 600, ended_s))
    journal.close()
    if journal.problem:
        sys.exit(journal.problem)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
