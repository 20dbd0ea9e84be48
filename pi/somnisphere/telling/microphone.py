"""A person tells a story into a microphone: arecord's sound onto the disk as it comes, then trimmed, evened, encoded.

What was said is never lost: it stays in a hidden raw file beside the stories until the finished one is in place.
"""

import fcntl
import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from somnisphere.telling import encoding
from somnisphere.telling.loudness import SILENCE_LUFS, Unmeasured, gain_db, measure_pcm

RATE_HZ = 48000
MARGIN_S = 0.3
"""So much stays before the first and after the last sound: breath belongs to a telling."""
QUIET_BELOW_LOUD = 10 ** (-35 / 20)
"""Silence at the ends is 35 dB below the loud parts; a room with a fan is some 40 below a near voice."""
FRAME = RATE_HZ // 50
SYNC_S = 10.0
BITRATE_KBPS = 64


@dataclass(frozen=True, slots=True)
class Told:
    path: Path
    duration_s: float


@dataclass(frozen=True, slots=True)
class NotTold:
    """``reason`` is a sentence for a person. ``raw``: where what was recorded still is."""

    reason: str
    raw: Path | None = None


def record(
    title: str, teller: str, folder: Path, *, limit_s: float, device: str = "", stop: Callable[[], bool] = lambda: False
) -> Told | NotTold:
    """Record until ``stop()``, Ctrl-C or ``limit_s``, and finish the story in ``folder``. Blocks."""
    raw = folder / f".{_file_name(title)}-{time.strftime('%Y%m%d-%H%M%S')}.recording"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        raw.with_name(f"{raw.name}.json").write_text(json.dumps({"title": title, "teller": teller}))
        with raw.open("xb", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            trouble = _capture(file, device, limit_s, stop)
    except OSError as problem:
        kept = raw if raw.exists() and raw.stat().st_size else None
        return NotTold(f"{folder} cannot hold a recording: {problem.strerror or problem}.", kept)
    if raw.stat().st_size < 2 * FRAME:
        _forget(raw)
        return NotTold(trouble or "The microphone sent no sound.")
    return finish(raw)


def unfinished(folder: Path) -> list[Path]:
    """Raw recordings that were never finished: the power went, or somebody ended the program."""
    return sorted(path for path in folder.glob(".*.recording") if not _in_use(path))


def finish(raw: Path) -> Told | NotTold:
    """The story out of a raw recording: ends trimmed, loudness evened, tags set; the raw file goes when it is there."""
    title, teller = _said_about(raw)
    try:
        span = _span(raw)
        if span is None:
            return NotTold(f"The microphone heard nothing; is it muted? What it sent is kept in {raw}.", raw)
        loudness = measure_pcm(_blocks(raw, *span), RATE_HZ)
        if isinstance(loudness, Unmeasured):
            return NotTold(f"{loudness.reason} The recording is kept; finish it with --recover.", raw)
        if loudness.integrated_lufs <= SILENCE_LUFS:
            return NotTold(f"The microphone heard nothing; is it muted? What it sent is kept in {raw}.", raw)
        target = _free(raw.parent / f"{_file_name(title)}{encoding.suffix()}")
        encoding.encode(
            encoding.pcm_input(RATE_HZ),
            target,
            gain_db=gain_db(loudness),
            title=title,
            teller=teller,
            blocks=_blocks(raw, *span),
            bitrate_kbps=BITRATE_KBPS,
        )
    except encoding.FfmpegError as problem:
        return NotTold(f"{problem} The recording is kept; finish it with --recover.", raw)
    except OSError as problem:
        return NotTold(f"{raw.parent}: {problem.strerror or problem}. The recording is kept; finish it with --recover.")
    _forget(raw)
    return Told(target, (span[1] - span[0]) / RATE_HZ)


def enter_pressed() -> bool:
    """A line, or the end, of standard input; never when that is no terminal."""
    return sys.stdin.isatty() and bool(select.select([sys.stdin], [], [], 0)[0])


def _capture(file: BinaryIO, device: str, limit_s: float, stop: Callable[[], bool]) -> str:
    """arecord's sound into ``file`` until it is to stop; what went wrong, "" when nothing did."""
    program = shutil.which("arecord")
    if program is None:
        return "There is no arecord on this box; install it: sudo apt install alsa-utils."
    command = [program, "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(RATE_HZ)]
    command += [f"--device={device}"] if device else []
    process = subprocess.Popen(  # in a session of its own: Ctrl-C is for us, who end it in order
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    left = int(limit_s * RATE_HZ) * 2
    synced_at_s = time.monotonic()
    ended = False
    try:
        while left > 0 and not stop():
            if not select.select([process.stdout], [], [], 0.2)[0]:
                continue
            block = os.read(process.stdout.fileno(), min(left, 1 << 16))
            if not block:
                ended = True
                break
            file.write(block)
            left -= len(block)
            if time.monotonic() - synced_at_s > SYNC_S:
                os.fsync(file.fileno())
                synced_at_s = time.monotonic()
    except KeyboardInterrupt:
        pass  # the usual way to end a telling
    finally:
        process.terminate()
        try:
            said = process.communicate(timeout=5)[1].decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[1].decode(errors="replace")
        os.fsync(file.fileno())
    return _why(said) if ended else ""


def _why(said: str) -> str:
    """arecord's complaint as a sentence with a mend."""
    if "busy" in said:
        return "The microphone is in use by another program; end that one first."
    if re.search(r"No such (file|device)|no soundcards|Cannot find card|Unknown PCM", said, re.IGNORECASE):
        return "There is no such microphone; plug one in. `arecord -l` lists them, --device names one."
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"arecord ended: {lines[-1][:200] if lines else 'it did not say why'}."


def _span(raw: Path) -> tuple[int, int] | None:
    """First and last sample of what is not silence, with its margin. Reads the file in pieces."""
    levels = []
    with raw.open("rb") as file:
        while block := file.read(2 * FRAME * 500):
            samples = np.frombuffer(block[: len(block) - len(block) % 2], "<i2").astype(np.float32)
            count = -(-len(samples) // FRAME)
            padded = np.pad(samples, (0, count * FRAME - len(samples))).reshape(count, FRAME)
            levels.append(np.sqrt(np.mean(padded**2, axis=1)))
    if not levels:
        return None
    level = np.concatenate(levels)
    loud = float(np.percentile(level, 99))
    heard = np.flatnonzero(level > max(QUIET_BELOW_LOUD * loud, 8.0))
    if len(heard) == 0:
        return None
    margin = round(MARGIN_S * RATE_HZ)
    end = raw.stat().st_size // 2
    return max(0, int(heard[0]) * FRAME - margin), min(end, (int(heard[-1]) + 1) * FRAME + margin)


def _blocks(raw: Path, begin: int, end: int) -> Iterator[bytes]:
    with raw.open("rb") as file:
        file.seek(2 * begin)
        left = 2 * (end - begin)
        while left > 0 and (block := file.read(min(left, 1 << 16))):
            yield block
            left -= len(block)


def _said_about(raw: Path) -> tuple[str, str]:
    try:
        row = json.loads(raw.with_name(f"{raw.name}.json").read_text())
        return str(row["title"]), str(row["teller"])
    except (OSError, ValueError, KeyError, TypeError):
        return raw.stem.lstrip("."), ""


def _in_use(raw: Path) -> bool:
    try:
        with raw.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _forget(raw: Path) -> None:
    raw.unlink(missing_ok=True)
    raw.with_name(f"{raw.name}.json").unlink(missing_ok=True)


def _file_name(title: str) -> str:
    """A title as a file name on any disk."""
    kept = "".join(c if c.isalnum() or c in " ._'-" else " " for c in title)
    kept = " ".join(kept.split()).strip(". ")
    while len(kept.encode()) > 120:
        kept = kept[:-1]
    return kept or "A story"


def _free(path: Path) -> Path:
    """``path``, else with the first number that nothing has: a telling never replaces another."""
    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{path.stem} {number}{path.suffix}")
        number += 1
    return free
