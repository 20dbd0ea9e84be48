"""One line of the project's own recording, as JSON had it, as a sample; nothing in it is taken on trust. Pure."""

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS, MotionBlock, Part, PartState, PulseBlock, Sample

_LONGEST_S = 1e11
"""Of a time: monotonic, or since 1970, in whichever year."""
_FASTEST_HZ = 10_000.0
_LEAST_MA, _MOST_MA = 0.01, 1000.0
"""Of an LED that is lit; light is divided by it."""
_MOST_MG = 1e6


def sample_of(line: object) -> Sample:
    """Raises ``ValueError`` with what is wrong."""
    if not isinstance(line, dict) or len(line) != 1:
        raise ValueError("one of pulse, motion and part is expected")
    ((kind, said),) = line.items()
    if not isinstance(said, dict):
        raise ValueError(f"{str(kind)[:40]!r} holds no values")
    match kind:
        case "pulse":
            return _pulse(said)
        case "motion":
            return _motion(said)
        case "part":
            return _part(said)
    raise ValueError(f"{str(kind)[:40]!r} is not a kind of sample")


def _pulse(said: Mapping[str, Any]) -> PulseBlock:
    red, ir = _counts(said, "red"), _counts(said, "ir")
    if red.shape != ir.shape or red.ndim != 1 or not len(ir):
        raise ValueError("red and ir need the same length")
    return PulseBlock(
        start_s=_number(said, "start_s", -_LONGEST_S, _LONGEST_S),
        rate_hz=_rate(said),
        red=red,
        ir=ir,
        led_red_ma=_current(said, "led_red_ma"),
        led_ir_ma=_current(said, "led_ir_ma"),
        gap_before=bool(said.get("gap")),
    )


def _motion(said: Mapping[str, Any]) -> MotionBlock:
    mg = _array(said, "mg")
    if mg.ndim != 2 or mg.shape[1] != 3 or not (np.abs(mg) <= _MOST_MG).all():
        raise ValueError("mg needs three values a sample, in thousandths of g")
    start_s = _number(said, "start_s", -_LONGEST_S, _LONGEST_S)
    return MotionBlock(start_s, _rate(said), mg.astype(np.float64) / 1000.0, bool(said.get("gap")))


def _part(said: Mapping[str, Any]) -> PartState:
    chip, problem = said.get("chip", ""), said.get("problem", "")
    if said.get("part") not in get_args(Part) or not isinstance(chip, str) or not isinstance(problem, str):
        raise ValueError("a part is pulse or motion, with its chip and its problem in words")
    at_s = _number(said, "at_s", -_LONGEST_S, _LONGEST_S)
    return PartState(said["part"], at_s, said.get("ok") is True, chip, problem)


def _rate(said: Mapping[str, Any]) -> float:
    rate_hz = _number(said, "rate_hz", 0.0, _FASTEST_HZ)
    if rate_hz <= 0:
        raise ValueError("rate_hz is a number of samples a second")
    return rate_hz


def _current(said: Mapping[str, Any], key: str) -> float:
    led_ma = _number(said, key, 0.0, _MOST_MA)
    if 0 < led_ma < _LEAST_MA:
        raise ValueError(f"{key} is {led_ma:g}; it is 0, or {_LEAST_MA:g} to {_MOST_MA:g}")
    return led_ma


def _number(said: Mapping[str, Any], key: str, least: float, most: float) -> float:
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} is not a number")
    if not least <= value <= most:  # NaN is neither
        raise ValueError(f"{key} is {str(value)[:30]}; it can be {least:g} to {most:g}")
    return float(value)


def _counts(said: Mapping[str, Any], key: str) -> NDArray[np.int32]:
    values = _array(said, key)
    if values.dtype.kind != "i" or not ((values >= 0) & (values <= PULSE_FULL_SCALE_COUNTS)).all():
        raise ValueError(f"{key} needs whole numbers from 0 to {PULSE_FULL_SCALE_COUNTS}")
    return values.astype(np.int32)


def _array(said: Mapping[str, Any], key: str) -> NDArray[Any]:
    value = said.get(key)
    if not isinstance(value, list):
        raise ValueError(f"{key} is not a list of numbers")
    try:
        found = np.array(value)
    except (ValueError, OverflowError):
        found = np.array("")
    if found.dtype.kind not in "if":
        raise ValueError(f"{key} is not a list of numbers")
    return found
