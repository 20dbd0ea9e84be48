"""What a worker of ``python -m tests.chaos`` does. (Not in ``__main__``: a spawned process cannot import that.)"""

import logging
import os
import time

from tests.chaos.schedule import Week, week_of
from tests.chaos.week import Outcome, live

Job = tuple[int, int]
"""Seed and number of nights."""


def be_quiet() -> None:
    """What the daemon says of each fault is no news here; and whoever uses the machine goes first."""
    logging.disable(logging.CRITICAL)
    os.nice(10)


def live_job(job: Job) -> tuple[Job, Outcome, float]:
    """With the processor's seconds that it took."""
    began_s = time.process_time()
    outcome = live(week_of(*job))
    return job, outcome, time.process_time() - began_s


def fails(week: Week) -> bool:
    return bool(live(week, until_first=True).problems)
