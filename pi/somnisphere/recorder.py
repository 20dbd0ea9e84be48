"""The project's own recording: everything a sensor said, in the order it said it.

A ``.jsonl.gz`` file. The first line is ``{"somnisphere_recording": 1}``; each further line is one sample:

- ``{"pulse": {"start_s", "rate_hz", "red": [...], "ir": [...], "led_red_ma", "led_ir_ma", "gap"}}`` in ADC counts,
- ``{"motion": {"start_s", "rate_hz", "mg": [[x, y, z], ...], "gap"}}`` in thousandths of g, to a tenth,
- ``{"part": {"part", "at_s", "ok", "chip", "problem"}}``.

Lines are written in gzip members of some ten seconds each, and a gzip file may be a chain of members. So a recorder
that is killed loses the last seconds at most, and a recording can be continued by appending.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from somnisphere.columns import RecordingError
from somnisphere.own_files import make_own
from somnisphere.recorded_samples import sample_of
from somnisphere_hardware.samples import MotionBlock, PartState, PulseBlock, Sample

VERSION = 1
MEMBER_S = 10.0
LONGEST_LINE = 1_000_000
"""Bytes; a sample of ours has some hundred."""
SUFFIX = ".jsonl.gz"


class RecordingWriter:
    """Append samples to a recording; a context manager. ``seconds`` is how much of the night it holds so far."""

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._lines: list[str] = []
        self._since_s: float | None = None
        self.seconds = 0.0
        fresh = not self._path.exists() or self._path.stat().st_size == 0
        if not fresh:
            _mend_tail(self._path)
        make_own(self._path)  # it holds a body
        self._file = open(self._path, "ab")  # noqa: SIM115 - kept open over the night
        if fresh:
            self._lines.append(json.dumps({"somnisphere_recording": VERSION}))
            self.flush()

    def add(self, sample: Sample) -> None:
        """Remember one sample; on disk after ten seconds at the latest."""
        self._lines.append(json.dumps(_to_json(sample), separators=(",", ":")))
        at_s = sample.at_s if isinstance(sample, PartState) else sample.end_s
        if self._since_s is None:
            self._since_s = at_s
        if at_s - self._since_s >= MEMBER_S:
            self.seconds += at_s - self._since_s
            self._since_s = at_s
            self.flush()

    def flush(self) -> None:
        """Everything so far is on disk when this returns."""
        if self._lines:
            self._file.write(gzip.compress(("\n".join(self._lines) + "\n").encode(), 6))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._lines.clear()

    def close(self) -> None:
        self.flush()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_samples(path: Path) -> Iterator[Sample]:
    """The samples of a recording. A torn end, as a kill leaves it, simply ends it; anything else wrong is an error."""
    lines = _lines(path)
    first = next(lines, None)
    if first is None:
        raise RecordingError(path, "it is empty or not a gzip file", "Record it again with `somnisphere record`.")
    try:
        version = json.loads(first)["somnisphere_recording"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RecordingError(
            path,
            "its first line does not say that it is a recording",
            f"A {SUFFIX} file comes from `somnisphere record`.",
        ) from None
    if version != VERSION:
        raise RecordingError(
            path, f"it is of version {str(version)[:20]}; this reads version {VERSION}", "Update somnisphere."
        )
    for number, line in enumerate(lines, start=2):
        try:
            yield sample_of(json.loads(line))
        except (ValueError, RecursionError) as problem:
            said = str(problem)[:200]
            raise RecordingError(
                path, f"line {number} is not a sample ({said})", "Delete that line, or record again."
            ) from problem


def _lines(path: Path) -> Iterator[str]:
    """Whole lines, up to a torn end."""
    try:
        with gzip.open(path, "rb") as file:
            while True:
                try:
                    line = file.readline(LONGEST_LINE + 1)
                except (EOFError, zlib.error, gzip.BadGzipFile):
                    return
                if len(line) > LONGEST_LINE:
                    raise RecordingError(path, "it has a line without end", "Record it again, or remove that line.")
                if not line.endswith(b"\n"):
                    return
                yield line.decode("utf-8", errors="replace")
    except OSError as problem:
        raise RecordingError(path, f"it cannot be read ({problem.strerror or problem})", "Check the path.") from problem


def _mend_tail(path: Path) -> None:
    """Cut off a torn last member, so that what is appended can be reached."""
    data = path.read_bytes()
    good = 0
    while good < len(data):
        member = zlib.decompressobj(wbits=31)
        try:
            member.decompress(data[good:])
        except zlib.error:
            break
        if not member.eof:
            break
        good = len(data) - len(member.unused_data)
    if good == 0:
        raise RecordingError(path, "it exists and is no recording", "Choose another name, or remove the file.")
    if good < len(data):
        with open(path, "r+b") as file:
            file.truncate(good)


def _to_json(sample: Sample) -> dict[str, Any]:
    if isinstance(sample, PulseBlock):
        return {
            "pulse": {
                "start_s": sample.start_s,
                "rate_hz": sample.rate_hz,
                "led_red_ma": sample.led_red_ma,
                "led_ir_ma": sample.led_ir_ma,
                "gap": sample.gap_before,
                "red": sample.red.tolist(),
                "ir": sample.ir.tolist(),
            }
        }
    if isinstance(sample, MotionBlock):
        mg = np.round(np.nan_to_num(sample.accel_g) * 1000.0, 1)
        return {
            "motion": {
                "start_s": sample.start_s,
                "rate_hz": sample.rate_hz,
                "gap": sample.gap_before,
                "mg": mg.tolist(),
            }
        }
    return {
        "part": {
            "part": sample.part,
            "at_s": sample.at_s,
            "ok": sample.ok,
            "chip": sample.chip,
            "problem": sample.problem,
        }
    }
