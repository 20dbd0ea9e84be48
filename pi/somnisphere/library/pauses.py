"""Where a voice pauses: from samples, as they come in blocks, to stretches of speech.

Loudness per 20 ms; what counts as quiet is found anew each half minute from how loud speech and what lies below it are
there, so that a hissing old tape, a teller who drops their voice and a studio each have their own limit.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_PAUSE_S = 0.35
"""Between two sentences a teller takes 0.4 s and more; inside of words stops are below 0.15 s."""

FRAME_S = 0.02
_LEAST_SPEECH_S = 0.1
"""Shorter sounds are a page, a chair, a breath."""

_WINDOW_S = 30.0
_LIMIT_SHARE = 0.3
"""The limit lies this far up from quiet to loud, in decibels."""

_LEAST_SPAN_DB = 12.0
"""Closer together than this (a hum, music all through) nothing is told apart."""

_MOST_SPAN_DB = 45.0
"""Speech itself reaches no deeper; digital silence would pull the limit below the ends of words."""

_SOFTEST_DB = 18.0
"""A teller drops their voice by no more over a half minute; a quieter window is a pause all through."""


class Loudness:
    """Takes blocks of (n,) int16 samples at ``rate_hz`` and keeps a level per frame."""

    def __init__(self, rate_hz: int) -> None:
        self._frame = round(rate_hz * FRAME_S)
        self._rest: NDArray[np.int16] | None = None
        self._levels: list[NDArray[np.float32]] = []

    def add(self, block: "NDArray[np.int16]") -> None:
        import numpy as np

        whole = block if self._rest is None else np.concatenate((self._rest, block))
        frames = len(whole) // self._frame
        self._rest = whole[frames * self._frame :].copy()
        if frames:
            shaped = whole[: frames * self._frame].reshape(frames, self._frame).astype(np.float32)
            shaped -= shaped.mean(axis=1, keepdims=True)  # an offset of a cheap sound card is no loudness
            power = np.einsum("ij,ij->i", shaped, shaped) / self._frame
            self._levels.append((10.0 * np.log10(power + 1.0) - 90.3).astype(np.float32))

    def levels_db(self) -> "NDArray[np.float32]":
        """(frames,) dB below full scale."""
        import numpy as np

        return np.concatenate(self._levels) if self._levels else np.zeros(0, dtype=np.float32)


def speech(levels_db: "NDArray[np.float32]", least_pause_s: float = LEAST_PAUSE_S) -> list[tuple[float, float]]:
    """Stretches of speech in order as (begin_s, end_s), parted by pauses. Empty: nothing can be told apart."""
    if len(levels_db) < 10:
        return []
    limit_db = _limits(levels_db)
    if limit_db is None:
        return []
    loud = levels_db > limit_db
    runs = _runs(loud)
    bursts = [(begin, end) for begin, end in runs if (end - begin) * FRAME_S >= _LEAST_SPEECH_S]
    joined: list[tuple[int, int]] = []
    for begin, end in bursts or runs:
        if joined and (begin - joined[-1][1]) * FRAME_S < least_pause_s:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return [(begin * FRAME_S, end * FRAME_S) for begin, end in joined]


def _limits(levels_db: "NDArray[np.float32]") -> "NDArray[np.float64] | None":
    """(frames,) the level above which it is speech."""
    import numpy as np

    window = round(_WINDOW_S / FRAME_S)
    loudest_db = float(np.percentile(levels_db, 90))
    if loudest_db - float(levels_db.min()) < _LEAST_SPAN_DB:
        return None
    centers: list[float] = []
    limits: list[float] = []
    for begin in range(0, len(levels_db), window):
        part = levels_db[begin : begin + window]
        if len(part) < window // 3 and limits:
            break
        quiet_db, loud_db = np.percentile(part, [4, 92])
        loud_db = max(float(loud_db), loudest_db - _SOFTEST_DB)
        quiet_db = min(max(float(quiet_db), loud_db - _MOST_SPAN_DB), loud_db - _LEAST_SPAN_DB)
        centers.append(begin + len(part) / 2)
        limits.append(quiet_db + _LIMIT_SHARE * (loud_db - quiet_db))
    return np.interp(np.arange(len(levels_db)), centers, limits)


def _runs(loud: "NDArray[np.bool_]") -> list[tuple[int, int]]:
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate(([0], loud.astype(np.int8), [0]))))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def heard(blocks: "Iterable[NDArray[np.int16]]", rate_hz: int) -> list[tuple[float, float]]:
    """``speech`` of a whole recording; in memory is 4 bytes per 20 ms, 0.7 MB an hour."""
    loudness = Loudness(rate_hz)
    for block in blocks:
        loudness.add(block)
    return speech(loudness.levels_db())
