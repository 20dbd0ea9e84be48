"""How loud a recording is for ears (EBU R128, ITU-R BS.1770), and the gain that makes the next one as loud."""

import hashlib
import json
import math
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from somnisphere.telling import encoding

TARGET_LUFS = -20.0
PEAK_DBTP = -2.0
SILENCE_LUFS = -69.9
"""ebur128 gives -70 where nothing passes its gate."""
MOST_GAIN_DB = 20.0
"""A recording so quiet that it needs more would be noise, not a story."""

_EBUR128 = "ebur128=peak=true:framelog=verbose"


@dataclass(frozen=True, slots=True)
class Loudness:
    """``true_peak_dbtp`` is -inf for digital silence."""

    integrated_lufs: float
    true_peak_dbtp: float


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """``reason`` is a sentence for a person."""

    reason: str


def measure(path: Path) -> Loudness | Unmeasured:
    """Of the first sound in a file. Decodes all of it: on a Pi Zero some seconds a minute of sound at most."""
    return _measured(encoding.file_input(path), (), f"{path.name}: ")


def measure_pcm(blocks: Iterable[bytes], rate_hz: int) -> Loudness | Unmeasured:
    """Of streamed int16 (one channel)."""
    return _measured(encoding.pcm_input(rate_hz), blocks, "")


def _measured(source: list[str], blocks: Iterable[bytes], what: str) -> Loudness | Unmeasured:
    try:
        said = encoding.run([*source, "-map", "0:a:0", "-af", _EBUR128, "-f", "null", "-"], blocks)
    except encoding.FfmpegError as problem:
        return Unmeasured(f"{what}{problem}")
    summary = said.rpartition("Summary:")[2]
    integrated = re.search(r"I:\s+(-?[\d.]+) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+|-inf) dBFS", summary)
    if integrated is None or peak is None:
        return Unmeasured(f"{what}ffmpeg did not say how loud it is.")
    return Loudness(float(integrated.group(1)), float(peak.group(1)))


def gain_db(loudness: Loudness, target_lufs: float = TARGET_LUFS, peak_dbtp: float = PEAK_DBTP) -> float:
    """The linear gain to the target, less where a peak would go above ``peak_dbtp``; 0 for silence."""
    if loudness.integrated_lufs <= SILENCE_LUFS or not math.isfinite(loudness.true_peak_dbtp):
        return 0.0
    wanted_db = min(target_lufs - loudness.integrated_lufs, peak_dbtp - loudness.true_peak_dbtp)
    return min(wanted_db, MOST_GAIN_DB)


def evened(source: Path, target: Path, *, title: str = "", teller: str = "") -> Loudness | Unmeasured:
    """``source`` written anew to ``target`` at the target loudness, in two passes; how loud the source was."""
    found = measure(source)
    if isinstance(found, Unmeasured):
        return found
    try:
        encoding.encode(encoding.file_input(source), target, gain_db=gain_db(found), title=title, teller=teller)
    except encoding.FfmpegError as problem:
        return Unmeasured(f"{source.name}: {problem}")
    except OSError as problem:
        return Unmeasured(f"{target} cannot be written: {problem.strerror or problem}.")
    return found


def gain_db_to(path: Path, cache: Path, target_lufs: float = TARGET_LUFS) -> float | Unmeasured:
    """The gain in dB with which a player should play ``path``, which is left as it is.

    Measured once and kept in ``cache`` until the file changes (its size or its time).
    """
    try:
        state = path.stat()
    except OSError as problem:
        return Unmeasured(f"{path} cannot be read: {problem.strerror or problem}.")
    named = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]
    entry = cache / f"{named}.loudness.json"
    stamp = [state.st_size, state.st_mtime_ns]
    found = _kept(entry, stamp)
    if found is None:
        measured = measure(path)
        if isinstance(measured, Unmeasured):
            return measured
        found = measured
        _keep(entry, stamp, found)
    return gain_db(found, target_lufs)


def _kept(entry: Path, stamp: list[int]) -> Loudness | None:
    try:
        kept = json.loads(entry.read_text())
        if kept["of"] != stamp:
            return None
        peak = kept["true_peak_dbtp"]
        return Loudness(float(kept["integrated_lufs"]), -math.inf if peak is None else float(peak))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(entry: Path, stamp: list[int], found: Loudness) -> None:
    peak = found.true_peak_dbtp
    row = {
        "of": stamp,
        "integrated_lufs": found.integrated_lufs,
        "true_peak_dbtp": peak if math.isfinite(peak) else None,
    }
    part = entry.with_name(f".{entry.name}.{encoding.writer()}.part")
    try:
        entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.write_text(json.dumps(row))
        os.replace(part, entry)
    except OSError:
        part.unlink(missing_ok=True)  # a full disk: measured anew next time
