"""Recordings on disk, and what the sleep pipeline makes of them.

``read_recording`` takes three layouts (columns and keys: ``pi/README.md``):

- ``.npz``: ``fs_hz`` and one of ``ir`` (with ``red``: ADC counts), ``ppg``, ``green``; perhaps ``polarity``, ``accel``,
  ``accel_unit`` and any reference (``beat_times_s``, ``ref_t_s``, ``ref_hr_bpm``, ...);
- ``.csv`` or ``.csv.gz`` with a header: ``time_s``, ``ir`` or ``ppg``, perhaps ``red``, ``ax``, ``ay``, ``az`` (g);
- ``.jsonl.gz``: what ``somnisphere record`` writes (``recorder.py``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from somnisphere.columns import Columns, RecordingError, read_csv, read_npz
from somnisphere.night import Beat
from somnisphere.recorder import SUFFIX, RecordingWriter, read_samples
from somnisphere.sleep.cadence import Cadence
from somnisphere.sleep.gate import StillnessGate
from somnisphere.sleep.light import BLOCK_S, light_counts, pulse_blocks
from somnisphere.sleep.motion import Motion
from somnisphere.sleep.polarity import polarity_of
from somnisphere.sleep.pulse import PulseMeter
from somnisphere.sleep.whole import FASTEST_HZ, SLOWEST_HZ
from somnisphere.watch_nights import NightRecording, read_night
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS, MotionBlock, PartState, PulseBlock

__all__ = [
    "NightRecording",
    "Recording",
    "RecordingError",
    "RecordingWriter",
    "beats_of",
    "blocks_of",
    "read_night",
    "read_recording",
]

Floats = NDArray[np.float64]

STANDARD_GRAVITY = 9.80665
LONGEST_S = 14 * 24 * 3600.0
"""From the first sample to the last: what lies further apart are times that do not belong together."""
_HUGE = 1e12
"""No sensor says such a number, in whatever unit: it is taken for a missing one."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A pulse wave, perhaps with movement and a reference. Sample i is at ``start_s + i / rate_hz``; NaN is missing.

    ``ir`` (n,): ADC counts if ``is_counts``, else the unit of the source. ``red`` (n,): counts, only beside counts.
    ``polarity``: -1 systole is down as stored, +1 up. ``accel_g`` (m, 3), at ``accel_rate_hz``. ``reference``: every
    other array of the file by its name. ``blocks``: as recorded, where the file holds blocks.
    """

    name: str
    rate_hz: float
    ir: Floats
    polarity: int
    is_counts: bool
    start_s: float = 0.0
    red: Floats | None = None
    accel_g: Floats | None = None
    accel_rate_hz: float = 0.0
    reference: Columns = field(default_factory=dict)
    blocks: tuple[PulseBlock | MotionBlock, ...] = ()

    @property
    def seconds(self) -> float:
        return len(self.ir) / self.rate_hz


def read_recording(path: Path) -> Recording:
    """Read a recording of a pulse. Raises ``RecordingError`` naming what is wrong and how to mend it."""
    path = Path(path)
    if path.name.endswith(SUFFIX):
        return _from_own(path)
    if path.name.endswith((".csv", ".csv.gz")):
        return _from_csv(path)
    if path.suffix == ".npz":
        return _from_npz(path)
    raise RecordingError(path, "its kind is not known", f"Give it as .npz, .csv, .csv.gz or {SUFFIX}.")


def blocks_of(recording: Recording) -> Iterator[PulseBlock | MotionBlock]:
    """The recording as a sensor would say it: blocks of half a second in order of time, systole down, in counts.

    A single wave is given as infrared, with a red LED of 0 mA.
    """
    if recording.blocks:
        yield from recording.blocks
        return
    counts = as_counts(recording)
    moves = _motion_blocks(recording)
    move = next(moves, None)
    for block in pulse_blocks(counts, recording.red, recording.rate_hz, recording.start_s):
        while move is not None and move.start_s <= block.start_s:
            yield move
            move = next(moves, None)
        yield block
    while move is not None:
        yield move
        move = next(moves, None)


def beats_of(recording: Recording) -> Iterator[Beat]:
    """Every beat, in order; doubted where the accelerometer says the body moved."""
    meter, motion, cadence = PulseMeter(), Motion(recording.start_s), Cadence()
    gate = StillnessGate(motion, cadence)
    for block in blocks_of(recording):
        if isinstance(block, MotionBlock):
            motion.add([block])
            cadence.add([block])
        else:
            for wave in gate.pass_on(meter.waves(block)):
                yield wave.beat
    for wave in gate.pass_on(meter.end()):
        yield wave.beat


def as_counts(recording: Recording) -> Floats:
    """The wave in ADC counts with systole down (n,); NaN where it is missing."""
    ir = recording.ir
    if recording.is_counts:
        return ir if recording.polarity < 0 else PULSE_FULL_SCALE_COUNTS - 1 - ir
    return light_counts(ir, recording.polarity)


def _motion_blocks(recording: Recording) -> Iterator[MotionBlock]:
    if recording.accel_g is None:
        return
    rate_hz = recording.accel_rate_hz
    size = max(1, round(BLOCK_S * rate_hz))
    for first in range(0, len(recording.accel_g), size):
        accel_g = recording.accel_g[first : first + size]
        yield MotionBlock(recording.start_s + first / rate_hz, rate_hz, accel_g)


# ---- the layouts ---------------------------------------------------------------------------------------------------


def _from_npz(path: Path) -> Recording:
    columns = read_npz(path)
    rate_hz = _rate(path, columns.pop("fs_hz", None))
    key = next((key for key in ("ir", "ppg", "green") if key in columns), None)
    if key is None:
        found = ", ".join(columns) or "nothing"
        raise RecordingError(path, f"it holds no 'ir', 'ppg' or 'green' (but {found})", "Name the wave one of these.")
    wave = _wave(path, key, columns.pop(key))
    red = _wave(path, "red", columns.pop("red")) if key == "ir" and "red" in columns else None
    if red is not None and len(red) != len(wave):
        raise RecordingError(path, f"'red' has {len(red)} samples and 'ir' {len(wave)}", "Both need the same samples.")
    polarity = columns.pop("polarity", None)
    accel = columns.pop("accel", None)
    return Recording(
        name=str(columns.pop("name", path.stem)),
        rate_hz=rate_hz,
        ir=wave,
        polarity=polarity_of(wave, rate_hz) if polarity is None else _sign(path, polarity),
        is_counts=key == "ir",
        red=red,
        accel_g=None if accel is None else _in_g(path, accel, str(columns.get("accel_unit", "g"))),
        accel_rate_hz=rate_hz,
        reference=columns,
    )


def _from_csv(path: Path) -> Recording:
    columns = read_csv(path, ("time_s", "ir", "ppg", "red", "ax", "ay", "az"), needed=("time_s",))
    key = "ir" if "ir" in columns else "ppg"
    if key not in columns:
        raise RecordingError(path, "it holds neither a column 'ir' nor 'ppg'", "Name the wave one of these.")
    time_s = columns["time_s"]
    if len(time_s) < 2 or not (np.abs(time_s) < _HUGE).all() or (np.diff(time_s) <= 0).any():
        raise RecordingError(
            path, "column 'time_s' does not grow from line to line", "Give every sample its time in seconds, in order."
        )
    _refuse_far_apart(path, float(time_s[0]), float(time_s[-1]))
    # Samples in their places on an even grid, so that what is missing is seen as missing.
    steps = np.diff(time_s)
    places = np.concatenate(([0], np.cumsum(np.maximum(1, np.round(steps / np.median(steps))).astype(np.intp))))
    rate_hz = _rate(path, places[-1] / (time_s[-1] - time_s[0]))
    if places[-1] > 40 * len(places) + FASTEST_HZ * 3600:
        raise RecordingError(path, "most of its samples are missing", "Split it where the gaps are.")

    def spread(name: str) -> Floats:
        even = np.full(int(places[-1]) + 1, np.nan)
        even[places] = _told(columns[name])
        return even

    wave = spread(key)
    axes = [spread(axis) for axis in ("ax", "ay", "az") if axis in columns]
    return Recording(
        name=path.name.removesuffix(".gz").removesuffix(".csv"),
        rate_hz=rate_hz,
        ir=wave,
        polarity=polarity_of(wave, rate_hz),
        is_counts=key == "ir",
        start_s=float(time_s[0]),
        red=spread("red") if key == "ir" and "red" in columns else None,
        accel_g=_in_g(path, np.stack(axes, axis=1), "g") if len(axes) == 3 else None,
        accel_rate_hz=rate_hz,
    )


def _from_own(path: Path) -> Recording:
    samples = read_samples(path)
    blocks = tuple(sample for sample in samples if not isinstance(sample, PartState))
    pulses = [block for block in blocks if isinstance(block, PulseBlock)]
    if not pulses:
        raise RecordingError(path, "it holds no pulse", "Record again with the pulse sensor connected.")
    rate_hz = float(np.median([_rate(path, block.rate_hz) for block in pulses]))
    start_s = pulses[0].start_s
    _refuse_far_apart(path, min(block.start_s for block in blocks), max(block.end_s for block in blocks))
    total = max(round((block.start_s - start_s) * rate_hz) + len(block.ir) for block in pulses)
    ir, red = np.full(total, np.nan), np.full(total, np.nan)
    for block in pulses:
        first = max(0, round((block.start_s - start_s) * rate_hz))
        ir[first : first + len(block.ir)] = block.ir
        red[first : first + len(block.red)] = block.red
    moves = [block for block in blocks if isinstance(block, MotionBlock)]
    return Recording(
        name=path.name.removesuffix(SUFFIX),
        rate_hz=rate_hz,
        ir=ir,
        polarity=-1,
        is_counts=True,
        start_s=start_s,
        red=red,
        accel_g=np.concatenate([block.accel_g for block in moves]) if moves else None,
        accel_rate_hz=moves[0].rate_hz if moves else 0.0,
        blocks=blocks,
    )


def _rate(path: Path, value: Any) -> float:
    said = np.asarray(value)
    if said.size != 1 or said.dtype.kind not in "iuf":
        raise RecordingError(path, "it does not say its rate", "Give it a number 'fs_hz', in samples a second.")
    rate_hz = float(said.item())
    if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
        raise RecordingError(
            path, f"its rate is {rate_hz:g} Hz", f"A pulse needs {SLOWEST_HZ:g} to {FASTEST_HZ:g} samples a second."
        )
    return rate_hz


def _wave(path: Path, key: str, values: NDArray[Any]) -> Floats:
    if values.ndim != 1 or values.dtype.kind not in "iuf" or not len(values):
        raise RecordingError(
            path, f"{key!r} has shape {values.shape} and type {values.dtype}", "It needs one number per sample."
        )
    return _told(values)


def _told(values: NDArray[Any]) -> Floats:
    """As float64, NaN where it is no number that a sensor may say."""
    found = values.astype(np.float64)
    found[~(np.abs(found) < _HUGE)] = np.nan
    return found


def _refuse_far_apart(path: Path, first_s: float, last_s: float) -> None:
    if last_s - first_s > LONGEST_S:
        raise RecordingError(
            path,
            f"its samples lie {(last_s - first_s) / 3600:.0f} hours apart",
            "Check the times, and split it where the gap is.",
        )


def _sign(path: Path, value: NDArray[Any]) -> int:
    if value.size != 1 or value.dtype.kind not in "iuf" or value.item() not in (-1, 1):
        raise RecordingError(path, f"'polarity' is {str(value)[:40]}", "It is -1 (systole down) or 1 (systole up).")
    return int(value.item())


def _in_g(path: Path, values: NDArray[Any], unit: str) -> Floats:
    if values.ndim != 2 or values.shape[1] != 3 or values.dtype.kind not in "iuf":
        raise RecordingError(
            path, f"'accel' has shape {values.shape} and type {values.dtype}", "It needs three columns, x, y and z."
        )
    accel = _told(values)
    if unit.startswith("m/s"):
        return accel / STANDARD_GRAVITY
    if unit.startswith("mg"):
        return accel / 1000.0
    if unit.startswith("g"):
        return accel
    # Raw numbers: at rest there is one g.
    length = float(np.nanmedian(np.sqrt((accel**2).sum(axis=1))))
    return accel / length if length > 0 else accel
