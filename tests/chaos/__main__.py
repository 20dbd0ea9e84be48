"""Chaos nights by hand: ``python -m tests.chaos --seed 17 --nights 1000 --workers 2``.

Each failing week is printed with its seed and its schedule; with ``--shrink`` with the few faults that it takes. The
figures come last. Exit status 1: something was broken.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time

from tests.chaos.schedule import NIGHTS_A_WEEK, week_of
from tests.chaos.shrink import shrink
from tests.chaos.week import Outcome
from tests.chaos.worker import Job, be_quiet, fails, live_job


def figures(total: Outcome, weeks: int, wall_s: float, cpu_s: float) -> str:
    """All that is worth saying of the nights lived."""
    faults = ", ".join(f"{kind} {number}" for kind, number in sorted(total.faults.items()))
    return "\n".join(
        (
            f"{total.nights} nights in {weeks} weeks, {total.virtual_s / 3600:.1f} hours of them, "
            f"in {wall_s:.0f} s ({cpu_s:.0f} s of processor time, {cpu_s / max(1, total.nights):.2f} s a night)",
            f"faults: {sum(total.faults.values())} ({faults})",
            f"starts {total.starts}, kills {total.kills}, sample blocks compared {total.blocks}, "
            f"story heard {total.story_s / 60:.0f} min",
            f"half minutes that had to be kept {total.due}, of these lost within the minute before a kill "
            f"{total.excused}, heart rates compared {total.known}",
            f"broken promises: {len(total.problems)}",
        )
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first week")
    parser.add_argument("--nights", type=int, default=NIGHTS_A_WEEK)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="end after so long, with the figures of the weeks lived"
    )
    parser.add_argument("--shrink", action="store_true", help="look for the few faults that break a week")
    parser.add_argument("--show", action="store_true", help="print each week's schedule, live nothing")
    arguments = parser.parse_args()
    jobs: list[Job] = []
    left = arguments.nights
    while left > 0:
        jobs.append((arguments.seed + len(jobs), min(NIGHTS_A_WEEK, left)))
        left -= NIGHTS_A_WEEK
    if arguments.show:
        print("\n\n".join(str(week_of(*job)) for job in jobs))
        return 0
    total, began_s, cpu_s, lived = Outcome(), time.monotonic(), 0.0, 0
    with tempfile.TemporaryDirectory(prefix="chaos-cache-") as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        with multiprocessing.get_context("spawn").Pool(arguments.workers, be_quiet, maxtasksperchild=20) as pool:
            for job, outcome, spent_s in pool.imap_unordered(live_job, jobs):
                total.add(outcome)
                cpu_s += spent_s
                lived += 1
                if outcome.problems:
                    print(f"\nBroken (seed {job[0]}, {job[1]} nights):")
                    for day, sentence in outcome.problems[:8]:
                        print(f"  night {day}: {sentence}")
                    week = week_of(*job)
                    print(shrink(week, fails) if arguments.shrink else week, flush=True)
                if time.monotonic() - began_s > 60.0 * arguments.minutes:
                    print(f"Time is up: {lived} of {len(jobs)} weeks were lived.")
                    break
                print(
                    f"[{lived} of {len(jobs)} weeks, {time.monotonic() - began_s:.0f} s]", file=sys.stderr, flush=True
                )
    print("\n" + figures(total, lived, time.monotonic() - began_s, cpu_s))
    return 1 if total.problems else 0


if __name__ == "__main__":
    sys.exit(main())
