"""Commands that read files: beats and stages of a recording."""

import argparse
import csv
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from somnisphere.cli import writes
from somnisphere.columns import read_csv, read_npz
from somnisphere.errors import UserError
from somnisphere.night import STAGES, Epoch, Stage, StageEstimate
from somnisphere.snapshot import Snapshot

Row = Mapping[str, Any]

DRAWN_S = 300.0
"""How much of a recording is drawn unless told otherwise: as much as ``record`` records."""


def write_rows(rows: Iterable[Row], *, as_csv: bool) -> None:
    """JSON lines, or CSV whose header is the first row's keys."""
    if not as_csv:
        for row in rows:
            sys.stdout.write(json.dumps(row) + "\n")
        return
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)


def beats(arguments: argparse.Namespace) -> int:
    """Rows of all beats to standard output; with ``--plot`` a picture of one stretch, and rows only when named."""
    from somnisphere.recordings import beats_of, read_recording

    if arguments.plot is None and (arguments.from_s is not None or arguments.seconds is not None):
        raise UserError("--from and --seconds choose what is drawn: name a picture with --plot FILE.svg.")
    recording = read_recording(arguments.file)
    if arguments.plot is not None:
        from somnisphere.heard import heard_in
        from somnisphere.picture_beats import clock, draw_beats

        from_s = arguments.from_s or 0.0
        if from_s >= recording.seconds:
            raise UserError(f"{arguments.file}: it is {recording.seconds:.0f} s long. Give --from a smaller number.")
        heard = heard_in(recording, from_s, from_s + (arguments.seconds or DRAWN_S))
        with writes(arguments.plot):
            arguments.plot.write_text(draw_beats(heard), encoding="utf-8")
        said = f"{arguments.plot}: {clock(heard.from_s)} to {clock(heard.to_s)} of {clock(heard.total_s)} is drawn."
        if heard.to_s - heard.from_s < recording.seconds - 1.0:
            said += " --from and --seconds choose another stretch."
        with_rows = arguments.csv or arguments.json
        print(said, file=sys.stderr if with_rows else sys.stdout)
        if not with_rows:
            return 0
    rows = (
        {
            "at_s": round(beat.at_s, 4),
            "ibi_s": None if beat.ibi_s is None else round(beat.ibi_s, 4),
            "quality": round(beat.quality, 3),
        }
        for beat in beats_of(recording)
    )
    write_rows(rows, as_csv=arguments.csv)
    return 0


def stage(arguments: argparse.Namespace) -> int:
    """A row an epoch; with ``--plot`` a picture of the night, and rows only when named."""
    epochs, reference = epochs_of(arguments.file)
    estimates = overnight(epochs) if arguments.overnight else live(epochs)
    if arguments.plot is not None:
        from somnisphere.picture_stages import draw_stages

        drawn = draw_stages(epochs, estimates, reference, arguments.file.name, overnight=arguments.overnight)
        with writes(arguments.plot):
            arguments.plot.write_text(drawn, encoding="utf-8")
        with_rows = arguments.csv or arguments.json
        said = f"{arguments.plot}: {len(epochs) / 2:g} minutes are drawn."
        print(said, file=sys.stderr if with_rows else sys.stdout)
        if not with_rows:
            return 0
    write_rows(stage_rows(estimates, reference), as_csv=arguments.csv)
    return 0


def epochs_of(path: Path) -> tuple[Sequence[Epoch], Sequence[Stage | None]]:
    """The epochs of a night, or of a recording run through the sleep pipeline, and its reference stages if any."""
    from somnisphere.recordings import read_night

    waves = ("ir", "ppg", "green")
    if path.suffix == ".npz":
        is_night = not read_npz(path).keys() & set(waves)
    else:
        is_night = path.name.endswith((".csv", ".csv.gz")) and not read_csv(path, waves, needed=())
    if is_night:
        night = read_night(path)
        return night.epochs, night.reference
    return list(recording_epochs(path)), ()


def recording_epochs(path: Path) -> Iterator[Epoch]:
    from somnisphere.recordings import blocks_of, read_recording
    from somnisphere.sleep.pipeline import SleepPipeline

    pipeline = SleepPipeline()
    end_s = -math.inf  # a recording's times may be any, before zero too
    for block in blocks_of(read_recording(path)):
        pipeline.add(block)
        end_s = max(end_s, block.end_s)
        yield from pipeline.advance(block.end_s)
    if math.isfinite(end_s):
        yield from pipeline.advance(end_s + 60.0)


def live(epochs: Sequence[Epoch]) -> list[StageEstimate]:
    from somnisphere.sleep.stager import SleepStager

    stager = SleepStager()
    return [stager.step(epoch) for epoch in epochs]


def overnight(epochs: Sequence[Epoch]) -> list[StageEstimate]:
    from somnisphere.sleep.overnight import revise

    return list(revise(epochs))


def stage_rows(estimates: Sequence[StageEstimate], reference: Sequence[Stage | None]) -> Iterator[Row]:
    for estimate in estimates:
        row: dict[str, Any] = {
            "epoch": estimate.index,
            "start_s": estimate.start_s,
            "stage": None if estimate.stage is None else estimate.stage.value,
        }
        chances = estimate.probabilities or (None,) * len(STAGES)
        row |= {f"p_{s.value}": None if p is None else round(p, 4) for s, p in zip(STAGES, chances, strict=True)}
        row["reason"] = estimate.reason
        if reference:
            scored = reference[estimate.index]
            row["reference"] = None if scored is None else scored.value
        yield row


def vitals_row(snapshot: Snapshot) -> Row:
    """What the home is shown of the body, as one row."""
    return {
        "at_s": round(snapshot.at_s, 1),
        "heart_bpm": None if snapshot.heart_bpm is None else round(snapshot.heart_bpm, 1),
        "breath_bpm": None if snapshot.breath_bpm is None else round(snapshot.breath_bpm, 1),
        "spo2_pct": None if snapshot.spo2_pct is None else round(snapshot.spo2_pct, 1),
        "presence": None if snapshot.presence is None else snapshot.presence.value,
        "stage": None if snapshot.stage is None else snapshot.stage.value,
    }
