"""``somnisphere export``: nights as files, a file each: EDF+, CSV or JSON lines."""

import argparse
import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from somnisphere.cli import needs_extra, writes
from somnisphere.cli_nights import is_database, readable, said_unread, within
from somnisphere.cli_seal import sealed_of
from somnisphere.clock import utc_offset_s
from somnisphere.config import Config, load
from somnisphere.errors import UserError

if TYPE_CHECKING:
    from somnisphere.journal import KeptNight

Write = Callable[["KeptNight"], bytes]


def export(arguments: argparse.Namespace) -> int:
    config = with_journal(load(arguments.config), arguments.journal)
    if arguments.name and arguments.edf is None:
        raise UserError("--name is for --edf: other files name nobody.")
    folder, ending, write = _form(arguments, config)
    with writes(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    count, left_out, unread = 0, list[str](), list[str]()
    for kept in _nights(arguments, config, left_out, unread):
        night_id = kept.times.night_id
        to = folder / f"somnisphere-{night_id}{ending}"
        if to.exists() and not arguments.replace:
            raise UserError(f"{to} is there already. Add --replace, or name another folder.")
        try:
            content = write(kept)
        except ValueError as problem:
            left_out.append(f"{night_id} ({problem})")
            continue
        with writes(to):
            _put(to, content)
        count += 1
    for one in left_out:
        print(f"Left out: {one}.", file=sys.stderr)
    print(f"{count} night{'s' * (count != 1)} in {folder}. Whoever has these files knows them: they are yours to keep.")
    return said_unread(unread)


def with_journal(config: Config, journal: Path | None) -> Config:
    if journal is None:
        return config
    return msgspec.structs.replace(config, journal=msgspec.structs.replace(config.journal, path=str(journal)))


def _form(arguments: argparse.Namespace, config: Config) -> tuple[Path, str, Write]:
    if arguments.edf is not None:
        with needs_extra("edf", "An EDF+ file"):
            from somnisphere.exchange.edf import edf_bytes
        from somnisphere.exchange.edf_night import edf_night

        def edf(kept: "KeptNight") -> bytes:
            offset_s = utc_offset_s(kept.epochs[0].start_s) if kept.epochs else 0.0
            night = edf_night(kept, oxygen=bool(config.oxygen_calibrated), utc_offset_s=offset_s)
            return edf_bytes(night, offset_s, arguments.name)

        return arguments.edf, ".edf", edf
    if arguments.csv is not None:
        return arguments.csv, ".csv", _csv
    return arguments.json, ".jsonl", _json_lines


def _csv(kept: "KeptNight") -> bytes:
    from somnisphere.exchange.epoch_rows import epoch_rows

    rows = list(epoch_rows(kept))
    if not rows:
        raise ValueError("nothing was recorded in it")
    to = io.StringIO()
    writer = csv.DictWriter(to, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return to.getvalue().encode()


def _json_lines(kept: "KeptNight") -> bytes:
    from somnisphere.exchange.epoch_rows import epoch_rows

    return "".join(json.dumps(row) + "\n" for row in epoch_rows(kept)).encode()


def _nights(
    arguments: argparse.Namespace, config: Config, left_out: list[str], unread: list[str]
) -> "Iterator[KeptNight]":
    from somnisphere.journal_reader import JournalReader

    path = Path(config.journal.path)
    if not is_database(path):
        raise UserError(f"{path}: this is no journal. Mend journal.path in the configuration.")
    journal = JournalReader(path)
    try:
        chosen = [night for night in journal.nights() if within(night, arguments.since, arguments.until)]
        if journal.problem:
            raise UserError(f"{path}: {journal.problem}.")
        if not chosen:
            raise UserError(f"{path}: no night is kept there in that time. Leave --since and --until out.")
        sealed = sealed_of(config, chosen, open_now=arguments.open)
        left_out += [f"{night} is sealed until it is told; --open opens it" for night in chosen if night in sealed]
        yield from readable(journal, (night for night in chosen if night not in sealed), unread)
    finally:
        journal.close()


def _put(to: Path, content: bytes) -> None:
    """Readable by its owner alone, whole or not at all."""
    half = to.with_name(f".{to.name}.{os.getpid()}.half")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        os.replace(half, to)
    finally:
        half.unlink(missing_ok=True)
