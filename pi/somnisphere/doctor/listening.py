"""A few seconds of both chips: does light come back, is it whole, does gravity measure as one g. Not beside a daemon:
what one reads of a chip the other misses."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from somnisphere.assemble import bedside_settings
from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus, BusError
from somnisphere_hardware.chip import ChipError
from somnisphere_hardware.gain import SOMEBODY_ABOVE_COUNTS_PER_MA
from somnisphere_hardware.led_check import check_leds
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS, MotionBlock, Part, PartState, PulseBlock, Sample

PART = "signal"
LEAST_SHARE = 0.7
"""Of the samples that were due; the first half second is the chips' awakening."""
AWAKENING_S = 1.0
CLIPPED_SHARE = 0.05
GRAVITY_OFF_G = 0.15
"""How far from one g a resting chip may measure: offset and scale errors of an untrimmed MPU-6050 add up to less."""
HELD_S = 0.9
"""Neither chip gives one value twice for so long: their noise alone is larger."""


def check_signal(config: Config, parts: AbstractSet[Part], world: World = THIS_MACHINE) -> Iterator[Finding]:
    """``parts``: of which a chip answers."""
    samples = listen(config, world)
    pulse = [one for one in samples if isinstance(one, PulseBlock)]
    motion = [one for one in samples if isinstance(one, MotionBlock)]
    troubles = {one.part: one.problem for one in samples if isinstance(one, PartState) and not one.ok}
    for part in ("pulse", "motion"):
        if part not in parts:
            continue
        blocks: Sequence[PulseBlock | MotionBlock] = pulse if part == "pulse" else motion
        rate_hz = config.sensor.pulse_rate_hz if part == "pulse" else config.sensor.motion_rate_hz
        due = rate_hz * max(0.0, world.listen_s - AWAKENING_S)
        count = sum(len(one.ir) if isinstance(one, PulseBlock) else len(one.accel_g) for one in blocks)
        if part in troubles:
            yield Finding(PART, False, troubles[part])
        elif count < LEAST_SHARE * due:
            mend = "a chip that stalls wants better supply: short wires, 3.3 V of the Pi's own, no long cable"
            yield Finding(PART, False, f"{part}: {count} samples came where {due:.0f} were due", mend)
        elif part == "pulse":
            yield from _light(config, pulse, world)
        else:
            yield _gravity(motion)


def listen(config: Config, world: World) -> list[Sample]:
    bedside = Bedside(lambda: Bus.open(config.sensor.bus), bedside_settings(config))
    samples: list[Sample] = []
    until_s = world.now_s() + world.listen_s
    try:
        while (now_s := world.now_s()) < until_s:
            samples += bedside.poll(now_s)
            world.wait(max(0.005, min(bedside.due_s, until_s) - world.now_s()))
    finally:
        bedside.close()
    return samples


def _light(config: Config, blocks: Sequence[PulseBlock], world: World) -> Iterator[Finding]:
    red = np.concatenate([block.red for block in blocks])
    ir = np.concatenate([block.ir for block in blocks])
    last = blocks[-1]
    if np.mean(ir >= PULSE_FULL_SCALE_COUNTS) > CLIPPED_SHARE:
        mend = "keep sun and lamps off the sensor, and press less; sensor.led_cap_ma bounds its own light"
        yield Finding(PART, False, "pulse: more light than the chip can count", mend)
        return
    if _is_held(ir, last.rate_hz) or _is_held(red, last.rate_hz):
        mend = "take the sensor's power off and on; if it stays so, the chip or a wire is broken"
        yield Finding(PART, False, f"pulse: the line is flat at {ir[-1]} counts", mend)
        return
    if float(last.ir.mean()) / last.led_ir_ma < SOMEBODY_ABOVE_COUNTS_PER_MA:
        yield Finding(PART, True, "pulse: light is counted; nobody is on the sensor (lay a finger on it to see more)")
        return
    yield _leds(config, world)


def _leds(config: Config, world: World) -> Finding:
    """With skin on it each LED can be seen by itself."""
    try:
        bus = Bus.open(config.sensor.bus)
        try:
            report = check_leds(bus, world.wait)
        finally:
            bus.close()
    except (BusError, ChipError) as problem:
        return Finding(PART, False, f"pulse: {problem}")
    if report.verdict == "straight":
        return Finding(PART, True, "pulse: skin on the sensor, both LEDs shine")
    return Finding(PART, False, f"pulse: {report.sentence}")


def _is_held(values: "np.ndarray[tuple[int], np.dtype[np.int32]]", rate_hz: float) -> bool:
    last = values[-max(8, round(HELD_S * rate_hz)) :]
    return bool(np.all(last == last[0]))


def _gravity(blocks: Sequence[MotionBlock]) -> Finding:
    accel_g = np.concatenate([block.accel_g for block in blocks])
    last_g = accel_g[-max(8, round(HELD_S * blocks[-1].rate_hz)) :]
    if np.all(last_g == last_g[0]):
        mend = "take the sensor's power off and on; if it stays so, the chip is broken"
        return Finding(PART, False, "motion: every axis stands still, without the noise that a chip has", mend)
    norm_g = float(np.median(np.linalg.norm(accel_g, axis=1)))
    if abs(norm_g - 1.0) > GRAVITY_OFF_G:
        mend = "lay it still and look again; a clone that measures so at rest is broken or of another range"
        return Finding(PART, False, f"motion: gravity measures as {norm_g:.2f} g", mend)
    return Finding(PART, True, f"motion: gravity measures as {norm_g:.2f} g")
