"""A recording that somebody sent over the network: taken only when it is one, whatever its name says."""

from pathlib import Path
from typing import BinaryIO

from somnisphere.library import ffmpeg
from somnisphere.library.audio import read_audio
from somnisphere.library.broken import UnreadableError

HEAD_BYTES = 16
_MAGIC = (
    (0, b"\x1aE\xdf\xa3", ".webm"),
    (0, b"OggS", ".ogg"),
    (4, b"ftyp", ".m4a"),
    (0, b"fLaC", ".flac"),
    (8, b"WAVE", ".wav"),
    (0, b"ID3", ".mp3"),
    (0, b"\xff\xfb", ".mp3"),
    (0, b"\xff\xf3", ".mp3"),
    (0, b"\xff\xf1", ".aac"),
    (0, b"\xff\xf9", ".aac"),
    (0, b"#!AMR", ".amr"),
    (0, b"caff", ".caf"),
)
"""What browsers and telephones record: where which bytes stand, and the name such a file gets."""


class NotSoundError(Exception):
    """What was sent is no recording to keep. ``why``: ``kind``, ``silent``, ``long``, ``large`` or ``busy``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def take_sound(sound: BinaryIO, folder: Path, stem: str, most_bytes: int) -> Path:
    """The new file in ``folder``, for its owner alone. Raises ``NotSoundError`` and ``OSError``, and leaves nothing."""
    head = sound.read(HEAD_BYTES)
    suffix = next((suffix for at, magic, suffix in _MAGIC if head[at : at + len(magic)] == magic), "")
    if not suffix:
        raise NotSoundError("kind")
    path = folder / f"{stem}{suffix}"
    path.touch(0o600, exist_ok=False)
    try:
        with path.open("wb") as file:
            file.write(head)
            left = most_bytes - len(head)
            while block := sound.read(min(left + 1, 1 << 18)):
                left -= len(block)
                if left < 0:
                    raise NotSoundError("large")
                file.write(block)
        read_audio(path)
    except UnreadableError:
        path.unlink()
        raise NotSoundError("kind") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def length_s(path: Path, most_s: float) -> float:
    """How long it is, heard to its end: what a browser records does not say. ``NotSoundError``: longer than ``most_s``,
    or nothing can be heard of it."""
    samples = 0
    try:
        for block in ffmpeg.decode(path):
            samples += len(block)
            if samples > most_s * ffmpeg.RATE_HZ:
                raise NotSoundError("long")
    except UnreadableError:
        raise NotSoundError("kind") from None
    if not samples:
        raise NotSoundError("kind")
    return samples / ffmpeg.RATE_HZ
