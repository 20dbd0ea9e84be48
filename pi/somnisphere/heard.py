"""What was heard in one stretch of a recording: its wave, its beats, and why some of it could not be heard. Pure data
for whoever draws it; the beats are the very ones that ``beats_of`` gives.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

import numpy as np
from numpy.typing import NDArray

from somnisphere.night import Beat
from somnisphere.recordings import Recording, beats_of, blocks_of
from somnisphere.sleep.motion import Motion
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS, MotionBlock, PulseBlock

Floats = NDArray[np.float64]
Span = tuple[float, float]

DRIFT_S = 1.6
"""Light is shown against its own mean over this long, taken twice: breath and pressure go, the pulse stays."""
AROUND_S = 3.0
"""Read this much more on either side, so that the edges of a stretch look as they do within the whole."""
SILENT_S = 2.5
"""So long without a beat at either end of a stretch is no longer the wait for the next one."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """One stretch, ``[from_s, to_s]``. All times but ``clock_s`` are seconds from the recording's start.

    ``times_s``, ``wave``: (n,), systole up, slow drift taken out; shares of the light if ``is_light``, else as the
    source scaled it. NaN in ``wave`` parts what does not belong together. ``beats`` also holds the neighbours just
    outside. ``moved`` is None without an accelerometer. ``clock_s``: what the recording's own clock said at its start.
    """

    name: str
    rate_hz: float
    total_s: float
    clock_s: float
    from_s: float
    to_s: float
    is_light: bool
    times_s: Floats
    wave: Floats
    beats: tuple[Beat, ...]
    gaps: tuple[Span, ...]
    clipped: tuple[Span, ...]
    moved: tuple[Span, ...] | None

    @property
    def inside(self) -> tuple[Beat, ...]:
        """The beats of the stretch itself."""
        return tuple(beat for beat in self.beats if self.from_s <= beat.at_s <= self.to_s)

    @property
    def untrusted(self) -> tuple[Span, ...]:
        """From beat to beat where no interval is taken, and where no beat is heard at all."""
        times_s = [self.from_s, *(beat.at_s for beat in self.beats), self.to_s]
        spans = list(pairwise(times_s))
        taken = [beat.ibi_s is not None for beat in self.beats]
        # The first beat's interval began, and the last one's successor comes, outside of what is known.
        taken = [spans[0][1] - spans[0][0] < SILENT_S, *taken[1:]]
        if self.beats:
            taken.append(spans[-1][1] - spans[-1][0] < SILENT_S)
        doubtful = joined([span for span, is_taken in zip(spans, taken, strict=True) if not is_taken], 0.0)
        return _within(doubtful, self.from_s, self.to_s)


def heard_in(recording: Recording, from_s: float, to_s: float) -> Heard:
    """What is heard of ``recording`` from ``from_s`` to ``to_s`` (seconds from its start)."""
    start_s = recording.start_s
    to_s = min(to_s, recording.seconds)
    motion = Motion(start_s)
    blocks: list[PulseBlock] = []
    moved: list[Span] = []
    told = 0
    for block in blocks_of(recording):
        if block.start_s - start_s > to_s + AROUND_S:
            break
        if isinstance(block, PulseBlock):
            if block.end_s - start_s >= from_s - AROUND_S:
                blocks.append(block)
            continue
        motion.add([block])
        # A second is told once the next has begun; ``Motion`` forgets them after a minute and a half.
        moved += [
            (second, second + 1.0)
            for second in range(told, math.floor(block.end_s - start_s))
            if motion.restless(start_s + second + 0.5, start_s + second + 0.5)
        ]
        told = max(told, math.floor(block.end_s - start_s))
    times_s, wave, clipped = wave_of(blocks, start_s)
    shown = (times_s >= from_s) & (times_s <= to_s)
    until_s = start_s + to_s + AROUND_S
    beats = takewhile(lambda beat: beat.at_s <= until_s, beats_of(recording))
    return Heard(
        name=recording.name,
        rate_hz=recording.rate_hz,
        total_s=recording.seconds,
        clock_s=start_s,
        from_s=from_s,
        to_s=to_s,
        is_light=recording.is_counts,
        times_s=times_s[shown],
        wave=wave[shown],
        beats=tuple(
            Beat(beat.at_s - start_s, beat.ibi_s, beat.quality)
            for beat in beats
            if beat.at_s - start_s >= from_s - AROUND_S
        ),
        gaps=_within(_gaps(blocks, start_s, from_s, to_s), from_s, to_s),
        clipped=_within(clipped, from_s, to_s),
        moved=_within(joined(moved, 0.0), from_s, to_s) if _has_motion(recording) else None,
    )


def joined(spans: Iterator[Span] | Sequence[Span], apart_s: float) -> tuple[Span, ...]:
    """Spans in order of time, with those that lie no further than ``apart_s`` apart made one."""
    made: list[Span] = []
    for begin_s, end_s in spans:
        if made and begin_s - made[-1][1] <= apart_s:
            made[-1] = (made[-1][0], max(end_s, made[-1][1]))
        else:
            made.append((begin_s, end_s))
    return tuple(made)


def _has_motion(recording: Recording) -> bool:
    return recording.accel_g is not None or any(isinstance(block, MotionBlock) for block in recording.blocks)


def _within(spans: Sequence[Span], from_s: float, to_s: float) -> tuple[Span, ...]:
    cut = ((max(begin_s, from_s), min(end_s, to_s)) for begin_s, end_s in spans)
    return tuple((begin_s, end_s) for begin_s, end_s in cut if end_s > begin_s)


def _gaps(blocks: Sequence[PulseBlock], start_s: float, from_s: float, to_s: float) -> list[Span]:
    """Where samples are missing by more than one and a half of their spacing."""
    gaps: list[Span] = []
    end_s, spacing_s = from_s, 0.1
    for block in blocks:
        if block.start_s - start_s - end_s > 1.5 * spacing_s:
            gaps.append((end_s, block.start_s - start_s))
        end_s, spacing_s = block.end_s - start_s, 1.0 / block.rate_hz
    if to_s - end_s > 1.5 * spacing_s:
        gaps.append((end_s, to_s))
    return gaps


def wave_of(blocks: Sequence[PulseBlock], start_s: float) -> tuple[Floats, Floats, tuple[Span, ...]]:
    """Times (n,) from ``start_s`` on, wave (n,) as in ``Heard``, and what is clipped; of blocks in order of time."""
    times: list[Floats] = []
    waves: list[Floats] = []
    clipped: list[Span] = []
    for run in _runs(blocks):
        rate_hz = run[0].rate_hz
        first_s = run[0].start_s - start_s
        ir = np.concatenate([block.ir for block in run]).astype(np.float64)
        at_s = np.concatenate([block.start_s - start_s + np.arange(len(block.ir)) / block.rate_hz for block in run])
        full = ir >= PULSE_FULL_SCALE_COUNTS
        edges = np.flatnonzero(np.diff(np.concatenate(([False], full, [False])).astype(np.int8))) / rate_hz + first_s
        clipped += zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        ir[full] = np.nan  # how bright it was is not known, and must not bend what is beside it
        mean = _running_mean(_running_mean(ir, rate_hz), rate_hz)
        times += [at_s, at_s[-1:] + 0.5 / rate_hz]
        waves += [1.0 - ir / np.maximum(mean, 1.0), np.array([np.nan])]
    if not times:
        return np.zeros(0), np.zeros(0), ()
    return np.concatenate(times), np.concatenate(waves), joined(clipped, 0.0)


def _runs(blocks: Sequence[PulseBlock]) -> Iterator[list[PulseBlock]]:
    """Blocks that follow on from each other under the same light."""
    run: list[PulseBlock] = []
    for block in blocks:
        follows = run and abs(block.start_s - run[-1].end_s) <= 1.5 / block.rate_hz
        if run and not (follows and block.led_ir_ma == run[-1].led_ir_ma):
            yield run
            run = []
        run.append(block)
    if run:
        yield run


def _running_mean(values: Floats, rate_hz: float) -> Floats:
    """Mean of what is known over ``DRIFT_S`` around each value; NaN where nothing is."""
    reach = max(1, round(DRIFT_S * rate_hz / 2))
    known = np.isfinite(values)
    total = np.concatenate(([0.0], np.cumsum(np.where(known, values, 0.0))))
    count = np.concatenate(([0], np.cumsum(known)))
    place = np.arange(len(values))
    first, last = np.maximum(place - reach, 0), np.minimum(place + reach + 1, len(values))
    counted = count[last] - count[first]
    return np.where(counted > 0, (total[last] - total[first]) / np.maximum(counted, 1), np.nan)
