"""A simulated bed for tests: chips on a simulated bus under the real smbus2, a Bedside that polls them, and a night of
polls kept in order."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from somnisphere_hardware.bedside import Bedside, BedsideSettings
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.samples import MotionBlock, PartState, PulseBlock, Sample
from somnisphere_hardware.simulated.bus import SimulatedBus

Floats = NDArray[np.float64]

LSB_NA = 4096.0 / (1 << 18)
"""A count of the driver's setting: 18 bits over 4096 nA, 15.63 pA."""


class TellTale:
    """A body that tells the time: its light and its tilt are a slow triangle, each channel its own, so every sample
    shows when it was taken and by which channel. Period 64 s; ``scale`` 1 is a finger."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    @staticmethod
    def wave(times_s: Floats) -> Floats:
        """0..1..0 over 64 s."""
        wave: Floats = 1.0 - np.abs((times_s % 64.0) / 32.0 - 1.0)
        return wave

    def light_na_per_ma(self, times_s: Floats) -> tuple[Floats, Floats]:
        wave = self.wave(times_s)
        return self.scale * (170.0 + 40.0 * wave), self.scale * (320.0 - 60.0 * wave)

    def acceleration_g(self, times_s: Floats) -> Floats:
        wave = self.wave(times_s)
        return np.stack([wave - 0.5, 0.25 - 0.5 * wave, np.ones_like(wave)], axis=1)

    def present(self, times_s: Floats) -> NDArray[np.bool_]:
        return np.ones(len(times_s), bool)


class Bed:
    """Polls when the Bedside wants to be polled, up to a given time; keeps what came."""

    def __init__(self, sim: SimulatedBus, bedside: Bedside) -> None:
        self.sim = sim
        self.bedside = bedside
        self.at_s = 0.0
        self.samples: list[Sample] = []
        self.polls = 0

    def run(self, until_s: float, late_s: float = 0.0) -> list[Sample]:
        """Polls until ``until_s``, each poll ``late_s`` after it is due; returns what came in that time."""
        came: list[Sample] = []
        while (due_s := max(self.bedside.due_s, self.at_s) + late_s) <= until_s:
            came += self.poll(due_s)
        self.at_s = max(self.at_s, until_s)
        return came

    def poll(self, at_s: float) -> list[Sample]:
        self.sim.now_s = max(self.sim.now_s, at_s)
        self.at_s = self.sim.now_s
        came = self.bedside.poll(self.at_s)
        # A loop that calls again at once must not stand still in time.
        self.at_s = max(self.sim.now_s, self.at_s + 1e-6)
        self.polls += 1
        self.samples += came
        return came

    @property
    def pulse(self) -> list[PulseBlock]:
        return [sample for sample in self.samples if isinstance(sample, PulseBlock)]

    @property
    def motion(self) -> list[MotionBlock]:
        return [sample for sample in self.samples if isinstance(sample, MotionBlock)]

    @property
    def states(self) -> list[PartState]:
        return [sample for sample in self.samples if isinstance(sample, PartState)]

    def check_time(self) -> None:
        """Blocks of a part follow each other in time, without overlap; without a seam unless a gap is declared."""
        parts: tuple[Sequence[PulseBlock | MotionBlock], ...] = (self.pulse, self.motion)
        for blocks in parts:
            for before, after in pairwise(blocks):
                seam_s = after.start_s - before.end_s
                assert seam_s > -1e-6, (before, after)
                assert after.gap_before or seam_s < 1e-6, (before, after)

    def check_truth(self, body: TellTale, within_s: float = 0.09) -> None:
        """Every sample is what the body showed at the sample's own time, give or take ``within_s``: nothing is garbled,
        exchanged, doubled or spliced."""
        for block in self.pulse:
            times_s = block.start_s + np.arange(len(block.ir)) / block.rate_hz
            red, ir = body.light_na_per_ma(times_s)
            slack = 40.0 / LSB_NA / 32.0 * within_s * body.scale  # counts per mA in that time
            red_off = np.abs(block.red - red * block.led_red_ma / LSB_NA)
            ir_off = np.abs(block.ir - ir * block.led_ir_ma / LSB_NA)
            assert red_off.max() < slack * block.led_red_ma + 60, (block, red_off.max())
            assert ir_off.max() < 1.5 * slack * block.led_ir_ma + 60, (block, ir_off.max())
        for motion in self.motion:
            times_s = motion.start_s + np.arange(len(motion.accel_g)) / motion.rate_hz
            off = np.abs(motion.accel_g - body.acceleration_g(times_s))
            assert off.max() < within_s / 32.0 + 0.03, (motion, off.max(axis=0))

    def gaps(self, part: str) -> int:
        blocks: list[PulseBlock] | list[MotionBlock] = self.pulse if part == "pulse" else self.motion
        return sum(block.gap_before for block in blocks)


@contextmanager
def bed_of(*chips: Any, settings: BedsideSettings = BedsideSettings()) -> Iterator[Bed]:  # noqa: B008
    sim = SimulatedBus(number=1)
    for chip in chips:
        sim.attach(chip)
    with sim.installed():
        bedside = Bedside(lambda: Bus.open(1), settings)
        bed = Bed(sim, bedside)
        yield bed
        bedside.close()
