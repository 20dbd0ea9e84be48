"""ffmpeg as a process: sound streamed into it, a file out of it that is there whole or not at all."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from somnisphere.library.ffmpeg import CAREFUL

NO_FFMPEG = "There is no ffmpeg on this box; install it: sudo apt install ffmpeg."
TIMEOUT_S = 1800.0
"""For what ffmpeg still has to do when all sound was given to it, and for a whole file to be measured."""


class FfmpegError(Exception):
    """ffmpeg is missing or failed; the text is a sentence for a person."""


def run(arguments: Sequence[str], blocks: Iterable[bytes] = ()) -> str:
    """Run ffmpeg, ``blocks`` into its standard input; what it said. ``FfmpegError`` when it failed."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise FfmpegError(NO_FFMPEG)
    with tempfile.TemporaryFile() as said:  # a pipe could fill up while the blocks are written
        try:
            process = subprocess.Popen(
                [program, "-hide_banner", "-nostats", "-y", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
        except OSError as error:
            raise FfmpegError(f"ffmpeg cannot be started: {error.strerror or error}.") from error
        try:
            assert process.stdin is not None
            try:
                for block in blocks:
                    process.stdin.write(block)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it ended early and says why
            status = process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired as late:
            raise FfmpegError(f"ffmpeg did not finish within {TIMEOUT_S / 60:.0f} minutes.") from late
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdin is not None and not process.stdin.closed:
                with suppress(BrokenPipeError):
                    process.stdin.close()
        said.seek(0)
        text = said.read().decode(errors="replace")
    if status != 0:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        raise FfmpegError(f"ffmpeg failed: {lines[-1][:200] if lines else f'it ended with {status}'}.")
    return text


def pcm_input(rate_hz: int) -> list[str]:
    """Standard input is int16, little-endian, one channel."""
    return ["-f", "s16le", "-ar", str(rate_hz), "-ac", "1", "-i", "pipe:0"]


def file_input(path: Path) -> list[str]:
    """``file:`` keeps a name with a colon or a leading dash from being anything but a name; and a file from anywhere is
    read as audio, never as a list of other files."""
    return [*CAREFUL, "-i", f"file:{path}"]


def suffix() -> str:
    """.opus, or .flac where ffmpeg was built without libopus. ``FfmpegError`` without ffmpeg."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise FfmpegError(NO_FFMPEG)
    return ".opus" if _has_libopus(program) else ".flac"


@lru_cache(maxsize=4)
def _has_libopus(program: str) -> bool:
    try:
        done = subprocess.run(
            [program, "-hide_banner", "-encoders"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return b" libopus " in done.stdout


def encode(
    source: Sequence[str],
    target: Path,
    *,
    gain_db: float,
    title: str,
    teller: str,
    blocks: Iterable[bytes] = (),
    bitrate_kbps: int = 48,
) -> None:
    """``source`` (input arguments) into ``target``, Opus or FLAC by its suffix, written whole or not at all."""
    part = target.with_name(f".{target.stem[:100]}.{writer()}.part{target.suffix}")
    codec = ["-c:a", "libopus", "-b:a", f"{bitrate_kbps}k"] if target.suffix == ".opus" else ["-c:a", "flac"]
    tags = [f"{name}={_one_line(value)}" for name, value in (("title", title), ("artist", teller)) if value]
    try:
        run(
            [
                *source,
                *("-map", "0:a:0", "-ac", "1", "-af", f"volume={gain_db:.3f}dB", *codec, "-sample_fmt", "s16"),
                *("-map_metadata", "-1", *(word for tag in tags for word in ("-metadata", tag)), f"file:{part}"),
            ],
            blocks,
        )
        with part.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def writer() -> str:
    """Of this thread, for the name of what it has half done; the process comes last, by which ``leftovers`` goes."""
    return f"{threading.get_native_id()}.{os.getpid()}"


def leftovers(folder: Path) -> list[Path]:
    """Parts in ``folder`` whose writer is gone: it was killed, or the power went."""
    found = []
    for path in folder.glob(".*.part*"):
        process = path.name.rsplit(".part", 1)[0].rpartition(".")[2]
        if process.isdecimal() and not Path(f"/proc/{process}").exists():
            found.append(path)
    return found
