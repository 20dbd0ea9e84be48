"""``somnisphere import``: nights of another tracker, kept beside ours and never mixed with them."""

import argparse
import sqlite3
import time
from collections.abc import Sequence

from somnisphere.cli_backup import belongings_of
from somnisphere.cli_nights import is_database
from somnisphere.config import load
from somnisphere.errors import UserError
from somnisphere.exchange.imported import ImportedNight, ImportedNights
from somnisphere.exchange.trackers import read_tracker

NOTE = (
    "They stand beside this box's own nights under their tracker's name, teach it nothing, and what their tracker "
    "made of them beyond times and stages is left."
)
MOST_LISTED = 10


def import_nights(arguments: argparse.Namespace) -> int:
    if arguments.journal is not None and not is_database(arguments.journal):
        raise UserError(f"{arguments.journal}: this is no journal. Name another --journal.")
    belongings = belongings_of(load(arguments.config), arguments.journal)
    nights = read_tracker(arguments.file)
    try:
        belongings.household.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        outcome = ImportedNights(belongings.household).take_in(nights, time.time(), dry_run=arguments.dry_run)
    except (sqlite3.Error, OSError) as problem:
        raise UserError(f"{belongings.household}: nothing was imported: {problem}. Check the disk.") from problem
    verb = "would come in" if arguments.dry_run else "came in"
    print(f"{_count(outcome.new)} {verb}{_span(outcome.new)}.")
    if outcome.known:
        print(f"{_count(outcome.known)} had come in before and stayed as they were.")
    for night in outcome.overlapping[:MOST_LISTED]:
        print(f"Left out: {line_of(night)}: it lies over another night of {night.source}.")
    if len(outcome.overlapping) > MOST_LISTED:
        print(f"Left out: {len(outcome.overlapping) - MOST_LISTED} more of that kind.")
    print(NOTE)
    return 0


def line_of(night: ImportedNight) -> str:
    """As ``somnisphere nights`` lists it."""
    said = [f"from {_clock(night.began_s)} to {_clock(night.ended_s)}"]
    if night.fell_asleep_s is not None and night.woke_up_s is not None:
        said += [f"asleep about {_clock(night.fell_asleep_s)}", f"awake about {_clock(night.woke_up_s)}"]
    return f"{night.night_id:<12} {night.source}: {', '.join(said)}"


def _clock(wall_s: float) -> str:
    return time.strftime("%H:%M", time.localtime(wall_s))


def _count(nights: Sequence[ImportedNight]) -> str:
    return "one night" if len(nights) == 1 else f"{len(nights)} nights"


def _span(nights: Sequence[ImportedNight]) -> str:
    if not nights:
        return ""
    return f" of {', '.join(sorted({night.source for night in nights}))}, {nights[0].night_id} to {nights[-1].night_id}"
