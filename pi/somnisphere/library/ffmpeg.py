"""ffmpeg and ffprobe as they are used here: decode to low-rate samples, ask what a file is, join files into one.

A file from anywhere may be a playlist in disguise that names other files or addresses: only audio formats are read, and
only from the file itself.
"""

import json
import math
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from somnisphere.library.broken import UnreadableError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MISSING = "ffmpeg is not installed: the sentences of a recording are not found in it (sudo apt install ffmpeg)."

RATE_HZ = 8000
BLOCK_S = 10.0

_PROBE_S = 30.0
_JOIN_S = 3600.0
_FORMATS = (
    "mp3,ogg,mov,mp4,m4a,3gp,flac,wav,aac,asf,aiff,matroska,webm,ape,wv,mpc,mpc8,tta,ac3,eac3,amr,caf,w64,dsf,tak,au"
)
_CAREFUL = ("-format_whitelist", _FORMATS, "-protocol_whitelist", "file,pipe")
"""Ahead of each input: ffmpeg forgets it behind the next ``-i``."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What ffprobe says of an audio file. ``tags``: keys in lower case. ``chapters``: (title, begin_s)."""

    duration_s: float | None
    tags: dict[str, str]
    chapters: tuple[tuple[str, float], ...]


def available() -> bool:
    """Whether files can be asked and decoded here."""
    return shutil.which("ffmpeg") is not None and shutil.which("ffprobe") is not None


def decode(path: Path, rate_hz: int = RATE_HZ) -> "Iterator[NDArray[np.int16]]":
    """Blocks of (n,) samples, mono, at the lowest priority. ``UnreadableError`` without ffmpeg, or for a
    file that it cannot read; what comes before a damage is given."""
    import numpy as np

    form = ("-ac", "1", "-ar", str(rate_hz), "-f", "s16le", "-")
    command = [*_calm(_tool("ffmpeg")), "-nostdin", "-v", "error", *_CAREFUL, "-threads", "1"]
    command += ["-i", f"file:{path}", "-map", "0:a:0", "-vn", "-sn", "-dn", *form]
    block_bytes = round(BLOCK_S * rate_hz) * 2
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    assert running.stdout is not None
    came = False
    try:
        while data := running.stdout.read(block_bytes):
            came = True
            yield np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2")
        if running.wait() != 0 and not came:
            raise UnreadableError(f"ffmpeg cannot read {path.name} as audio.")
    finally:
        running.stdout.close()
        running.kill()
        running.wait()


def probe(path: Path) -> Probe | None:
    """None: no ffprobe here, or it finds no audio."""
    tool = shutil.which("ffprobe")
    if tool is None:
        return None
    ask = ("-show_entries", "format=duration:format_tags:stream=codec_type,duration:stream_tags", "-show_chapters")
    command = [tool, "-v", "error", *_CAREFUL, *ask, "-of", "json", f"file:{path}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PROBE_S, stdin=subprocess.DEVNULL)
        found: dict[str, Any] = json.loads(done.stdout or b"{}")
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    audio = [stream for stream in found.get("streams", ()) if stream.get("codec_type") == "audio"]
    if not audio:
        return None
    form = found.get("format", {})
    tags = {key.lower(): str(value) for part in (audio[0], form) for key, value in part.get("tags", {}).items()}
    chapters = tuple(
        (str(chapter.get("tags", {}).get("title", "")), begin_s)
        for chapter in found.get("chapters", ())
        if (begin_s := _seconds(chapter.get("start_time"))) is not None
    )
    return Probe(_seconds(form.get("duration")) or _seconds(audio[0].get("duration")), tags, chapters)


def join(parts: Sequence[tuple[Path, float]], to: Path) -> None:
    """Several audio files with their seconds as one Matroska file, in which each begins exactly where those ahead of it
    end. Copied where all are of one kind, else told anew as Opus. ``UnreadableError`` when it cannot be."""
    tool = _tool("ffmpeg")
    half = to.with_name(f"{to.name}.half")
    listed = half.with_suffix(".list")
    lines = ["ffconcat version 1.0"]
    for path, duration_s in parts:
        quoted = str(path.absolute()).replace("'", "'\\''")
        lines += [f"file 'file:{quoted}'", f"duration {duration_s:.6f}"]
    front = [*_calm(tool), "-nostdin", "-y", "-v", "error"]
    inputs = [word for path, _ in parts for word in (*_CAREFUL, "-i", f"file:{path}")]
    level = "".join(
        f"[{n}:a:0]aformat=r=48000:cl=mono,apad=whole_dur={duration_s:.6f},atrim=0:{duration_s:.6f}[p{n}];"
        for n, (_, duration_s) in enumerate(parts)
    )
    level += "".join(f"[p{n}]" for n in range(len(parts))) + f"concat=n={len(parts)}:v=0:a=1[out]"
    end = ["-f", "matroska", f"file:{half}"]
    same_kind = len({path.suffix.lower() for path, _ in parts}) == 1
    careful = ("-format_whitelist", f"concat,{_FORMATS}", "-protocol_whitelist", "file,pipe", "-safe", "0")
    copying = [*front, *careful, "-f", "concat", "-i", f"file:{listed}", "-map", "0:a:0", "-c", "copy", *end]
    telling = [*front, *inputs, "-filter_complex", level, "-map", "[out]", "-c:a", "libopus", "-b:a", "48k", *end]
    try:
        listed.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")
        if (same_kind and _runs(copying)) or _runs(telling):
            half.replace(to)
            return
    except subprocess.TimeoutExpired:
        pass
    finally:
        listed.unlink(missing_ok=True)
        with suppress(OSError):
            half.unlink(missing_ok=True)
    raise UnreadableError("Its audio files cannot be joined into one. Is each of them whole, and the disk not full?")


def _runs(command: Sequence[str]) -> bool:
    done = subprocess.run(command, capture_output=True, timeout=_JOIN_S, stdin=subprocess.DEVNULL)
    return done.returncode == 0


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UnreadableError(MISSING)
    return found


def _calm(tool: str) -> list[str]:
    nice = shutil.which("nice")
    return [nice, "-n", "15", tool] if nice else [tool]


def _seconds(text: object) -> float | None:
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
