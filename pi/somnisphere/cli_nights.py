"""Commands that read the journal: one night, or all of them as rows."""

import argparse
import json
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING

from somnisphere.cli import NOT_MEDICAL, needs_extra, writes
from somnisphere.cli_files import write_rows
from somnisphere.cli_seal import refuse_sealed, sealed_of
from somnisphere.config import load
from somnisphere.errors import UserError
from somnisphere.night import Epoch, NightTimes, StageEstimate

if TYPE_CHECKING:  # SQLite is for those commands that open the journal
    from somnisphere.exchange.imported import ImportedNight
    from somnisphere.journal import Journal, KeptNight


def night(arguments: argparse.Namespace) -> int:
    """What is known of one night of the journal, in words and clock times."""
    from somnisphere.picture import draw_night, to_svg

    kept = kept_night(arguments.config, arguments.date, open_now=arguments.open)
    if arguments.json:
        from somnisphere.night_export import RANGES, night_row

        print(json.dumps(night_row(kept) | {"ranges": RANGES, "note": NOT_MEDICAL}, indent=2))
    else:
        for line in night_lines(kept.times, kept.epochs, kept.estimates):
            print(line)
    if arguments.svg or arguments.png:
        offset_s = float(time.localtime(kept.epochs[0].start_s).tm_gmtoff) if kept.epochs else 0.0
        shapes = draw_night(kept.epochs, kept.estimates, offset_s, f"Night of {kept.times.night_id}")
        if arguments.svg:
            with writes(arguments.svg):
                arguments.svg.write_text(to_svg(shapes), encoding="utf-8")
        if arguments.png:
            with needs_extra("view", "A picture as PNG"):
                from somnisphere.picture_png import save_png
            with writes(arguments.png):
                save_png(shapes, arguments.png)
    return 0


def nights(arguments: argparse.Namespace) -> int:
    """All nights that are kept: a line each, or rows with ranges and regularity; imported ones under their source."""
    from somnisphere.cli_import import line_of
    from somnisphere.exchange.imported_rows import imported_row
    from somnisphere.night_export import clock_seconds, flat, hours_and_minutes, night_rows
    from somnisphere.sleep.regularity import regularity

    imported, unread = _imported(arguments), list[str]()
    with open_journal(arguments.config, may_be_empty=bool(imported)) as journal:
        chosen = [night for night in journal.nights() if within(night, arguments.since, arguments.until)]
        if not chosen and not imported:
            raise UserError(f"{journal.path}: no night is kept there in that time. Leave --since and --until out.")
        sealed = sealed_of(load(arguments.config), chosen, open_now=arguments.open)
        kept = readable(journal, (night for night in chosen if night not in sealed), unread)
        if arguments.csv or arguments.json:
            rows = merge(night_rows(kept), map(imported_row, imported), key=lambda row: row["night"][:10])
            write_rows((flat(row) if arguments.csv else row for row in rows), as_csv=arguments.csv)
            if sealed:
                left_out = f"Left out, for they are sealed until they are told: {', '.join(sorted(sealed))}."
                print(f"{left_out} --open opens them.", file=sys.stderr)
            return said_unread(unread)
        asleep: list[float] = []
        awake: list[float] = []
        for night_id, other in merge(
            ((night_id, None) for night_id in chosen),
            ((night.night_id, night) for night in imported),
            key=lambda one: one[0][:10],
        ):
            if other is not None:
                print(line_of(other))
                continue
            if night_id in sealed:
                print(f"{night_id:<12} sealed until it is told")
                continue
            times = next((night.times for night in readable(journal, [night_id], unread)), None)
            if times is None:
                print(f"{night_id:<12} cannot be read any more")
                continue
            print(f"{times.night_id:<12} {_span(times)}")
            for so_far, at_s in ((asleep, times.fell_asleep_s), (awake, times.woke_up_s)):
                if at_s is not None:
                    so_far.append(clock_seconds(at_s))
    for words, clock_s in (("Fell asleep", asleep), ("Woke up", awake)):
        if (found := regularity(clock_s)) is not None:
            usual, minutes = hours_and_minutes(found.usual_s), round(found.spread_min)
            print(f"{words} around {usual}, give or take {minutes} minutes, over the latest {found.nights} nights.")
    print(NOT_MEDICAL)
    return said_unread(unread)


def _imported(arguments: argparse.Namespace) -> "list[ImportedNight]":
    from somnisphere.exchange.imported import ImportedNights
    from somnisphere.household_file import household_beside

    household = household_beside(Path(load(arguments.config).journal.path))
    try:
        return ImportedNights(household).all(arguments.since or "", arguments.until or "9")
    except (sqlite3.Error, OSError, ValueError) as problem:
        print(f"{household} cannot be read: {problem}. Imported nights are left out.", file=sys.stderr)
        return []


def _clock(wall_s: float) -> str:
    return time.strftime("%H:%M", time.localtime(wall_s))


def within(night: str, since: str | None, until: str | None) -> bool:
    """``night`` is an ISO date, with ``.2`` behind it for a second one."""
    return (since or "") <= night[:10] <= (until or "9")


def _span(times: NightTimes) -> str:
    said = (("in bed", times.in_bed_s), ("asleep about", times.fell_asleep_s), ("awake about", times.woke_up_s))
    known = [f"{words} {_clock(at_s)}" for words, at_s in said if at_s is not None]
    return ", ".join(known) or "nothing could be told"


@contextmanager
def open_journal(config: Path | None, *, may_be_empty: bool = False) -> Iterator["Journal"]:
    """The configured journal, which holds at least one night unless it ``may_be_empty``. Only read: it is the daemon's,
    which may be writing into it."""
    from somnisphere.journal_reader import JournalReader

    path = Path(load(config).journal.path)
    there = path.exists() or not may_be_empty
    if there and not is_database(path):
        raise UserError(f"{path}: this is no journal. Mend journal.path in the configuration.")
    journal = JournalReader(path)
    try:
        nights = journal.nights() if there and path.stat().st_size else []
        if there and journal.problem:
            raise UserError(f"{path}: {journal.problem}.")
        if not nights and not may_be_empty:
            raise UserError(f"{path}: no night is kept there yet.")
        yield journal
    finally:
        journal.close()


def kept_night(config: Path | None, date: str | None, *, open_now: bool) -> "KeptNight":
    """The night of an ISO date as the configured journal keeps it; None: the latest. One that is sealed is refused,
    or opened where that is asked for."""
    with open_journal(config) as journal:
        nights = journal.nights()
        date = date or nights[-1]
        if date not in nights:
            raise UserError(
                f"{journal.path}: no night of {date} is kept there; the latest are {', '.join(nights[-7:])}."
            )
        refuse_sealed(config, date, open_now=open_now)
        return loaded(journal, date)


def loaded(journal: "Journal", night_id: str) -> "KeptNight":
    """A night that was named a moment ago, whole."""
    journal.problem = ""
    kept: KeptNight | None = None
    with suppress(KeyError):
        kept = journal.load(night_id)
    if kept is None or journal.problem:
        raise UserError(
            f"{journal.path}: the night of {night_id} cannot be read any more: {journal.problem or 'it is damaged'}."
            " `somnisphere doctor` says more; `somnisphere restore` brings a backup back."
        )
    return kept


def readable(journal: "Journal", nights: Iterable[str], unread: list[str]) -> "Iterator[KeptNight]":
    """Those that can be read; what is wrong with the others goes to ``unread``."""
    for night_id in nights:
        try:
            kept = loaded(journal, night_id)
        except UserError as problem:
            unread.append(str(problem))
        else:
            yield kept


def said_unread(unread: Sequence[str]) -> int:
    """Says each; the exit status."""
    for problem in unread:
        print(problem, file=sys.stderr)
    return 1 if unread else 0


def is_database(path: Path) -> bool:
    """Whether there is a database, or an empty file. (``Journal`` would put anything else aside and begin anew.)"""
    try:
        with path.open("rb") as file:
            return file.read(16) in (b"", b"SQLite format 3\0")
    except FileNotFoundError:
        raise UserError(f"{path}: no journal there yet. It is begun by the first night of `somnisphere run`.") from None
    except OSError as problem:
        raise UserError(f"{path}: the journal cannot be read: {problem.strerror or problem}.") from problem


def night_lines(times: NightTimes, epochs: Sequence[Epoch], estimates: Sequence[StageEstimate]) -> Iterator[str]:
    """A night as a person would tell it: clock times, and what is not known. ``times`` in Unix seconds, epochs and
    estimates in those or in a run's own."""
    from somnisphere.sleep.facts import ranges, summarize

    facts, found = summarize(estimates), ranges(estimates)
    yield f"Night of {times.night_id}"
    for words, at_s, fact_s, bounds in (
        ("went to bed", times.in_bed_s, None, None),
        ("fell asleep about", times.fell_asleep_s, facts.onset_s, found.onset_s),
        ("woke up about", times.woke_up_s, facts.final_waking_s, found.final_waking_s),
        ("left the bed", times.left_bed_s, None, None),
    ):
        between = ""
        if at_s is not None and fact_s is not None and bounds is not None:
            low, high = (_clock(at_s + bound - fact_s) for bound in (bounds.low, bounds.high))
            between = f"  (from {low} to {high})"
        yield f"  {words:<18} {'not known' if at_s is None else _clock(at_s)}{between}"
    unknown = sum(estimate.stage is None for estimate in estimates)
    if epochs:
        yield f"  recorded           {len(epochs) // 2} minutes, of which {unknown // 2} could not be told"
    yield f"  {NOT_MEDICAL}"
