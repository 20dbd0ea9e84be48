"""A sound card for the real mpv: a pipe that is emptied at an even pace, and keeps what it heard."""

import fcntl
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8000
SLICE_S = 0.02
_SAMPLE_BYTES = 4
F_SETPIPE_SZ = 1031  # linux/fcntl.h


class PipeEar:
    """``options`` for mpv with ``ao=pcm``. ``pace``: seconds of sound that it takes in a second; ``at_s``: seconds of
    sound since the first."""

    def __init__(self, folder: Path, pace: float) -> None:
        self._path = folder / "sound"
        os.mkfifo(self._path)
        self._pipe = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self._pipe, F_SETPIPE_SZ, 4096)  # an eighth of a second of sound
        self._pace = pace
        self._heard = b""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @property
    def options(self) -> Sequence[str]:
        return (
            f"--ao-pcm-file={self._path}",
            "--ao-pcm-waveheader=no",
            f"--audio-samplerate={RATE_HZ}",
            "--audio-channels=mono",
            "--audio-format=float",
            "--audio-buffer=0.1",
        )

    @property
    def at_s(self) -> float:
        return len(self._heard) / _SAMPLE_BYTES / RATE_HZ

    def samples(self) -> NDArray[np.float32]:
        """(n,), all that was heard."""
        return np.frombuffer(self._heard[: len(self._heard) // _SAMPLE_BYTES * _SAMPLE_BYTES], dtype=np.float32)

    def last(self, seconds: float) -> NDArray[np.float32]:
        """(n,), what was heard last."""
        return self.samples()[-round(seconds * RATE_HZ) :]

    def _listen(self) -> None:
        slice_bytes = round(SLICE_S * RATE_HZ) * _SAMPLE_BYTES
        due_s = time.monotonic()
        while not self._closed.is_set():
            with suppress(BlockingIOError):
                self._heard += os.read(self._pipe, slice_bytes)
            due_s = max(due_s + SLICE_S / self._pace, time.monotonic() - 0.1)
            self._closed.wait(max(0.0, due_s - time.monotonic()))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._thread.join()
        os.close(self._pipe)
