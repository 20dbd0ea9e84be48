"""A simulated person for an evening and a night: pulse, breath, movement and absence, and the truth about them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from somnisphere_hardware.simulated.body import (
    NOBODY_IR_NA_PER_MA,
    NOBODY_RED_NA_PER_MA,
    SKIN_IR_NA_PER_MA,
    SKIN_RED_NA_PER_MA,
)
from somnisphere_hardware.simulated.movement import ENVELOPE_S, move
from somnisphere_hardware.simulated.physiology import GRID_S, PULSE_DELAY_S, STEP_S, live
from somnisphere_hardware.simulated.script import ABSENT, AWAKE, WORDS, Script, usual_night

Floats = NDArray[np.float64]

_TEMPLATE = 1024
_BREATH_SHARE = 0.2  # of the pulse's height: how far a breath moves the light's level
_BREATH_DEPTH = 0.07  # how far it changes the pulse's height
_ARTEFACT_PER_G = 0.15  # a movement of 0.1 g rms moves the light by 1.5 %, more than a pulse does
_CHEST_G = 0.002
_COMING_S = 1.0


def _pulse_template() -> Floats:
    """One pulse over its beat, foot to foot, height 1: a steep rise, and a second wave after the dicrotic notch.

    Two Gaussians, as in Tang et al. 2020 (Scientific Reports 10), made to start and end at 0.
    """
    phase = np.linspace(0.0, 1.0, _TEMPLATE + 1)
    wave = np.exp(-0.5 * ((phase - 0.22) / 0.085) ** 2) + 0.38 * np.exp(-0.5 * ((phase - 0.53) / 0.12) ** 2)
    wave -= np.interp(phase, [0.0, 1.0], wave[[0, -1]])
    return np.asarray(wave / wave.max())


def ratio_of_ratios(spo2_pct: float) -> float:
    """Red over infrared, each pulse over mean, at a saturation: the curve of Maxim's reference design MAXREFDES117,
    -45.06 R^2 + 30.354 R + 94.845, solved for R on the branch where it falls."""
    return (30.354 + math.sqrt(30.354**2 + 4 * 45.06 * (94.845 - spo2_pct))) / (2 * 45.06)


class Sleeper:
    """Lives through ``script``: (stage, seconds) with stages "awake", "light", "deep", "rem" and "absent".

    Everything is drawn once from ``seed``; each value is then a function of time alone.
    """

    def __init__(
        self,
        seed: int = 0,
        script: Sequence[tuple[str, float]] | None = None,
        *,
        rest_bpm: float | None = None,
        spo2_pct: float | None = None,
        perfusion_pct: float | None = None,
        nobody_ir_na_per_ma: float = NOBODY_IR_NA_PER_MA,
    ) -> None:
        random = np.random.default_rng([seed, 1])
        draw = random.uniform(size=5)
        self.script = Script(usual_night(seed) if script is None else script)
        self.rest_bpm = 52.5 + 4.0 * float(draw[0]) if rest_bpm is None else rest_bpm
        self.spo2_pct = 95.5 + 2.5 * float(draw[1]) if spo2_pct is None else spo2_pct
        self.perfusion_pct = 0.8 + 0.8 * float(draw[2]) if perfusion_pct is None else perfusion_pct
        """Height of an infrared pulse over the mean; fingers and wrists lie between 0.2 and a few per cent."""
        self._red_na = SKIN_RED_NA_PER_MA * (0.85 + 0.3 * float(draw[3]))
        self._ir_na = SKIN_IR_NA_PER_MA * (0.85 + 0.3 * float(draw[4]))
        self._nobody_ir_na = nobody_ir_na_per_ma
        self._movement = move(self.script, random)
        steps = int(self.script.end_s / STEP_S) + 2
        per_step = round(STEP_S / ENVELOPE_S)
        envelope = np.zeros(steps * per_step)
        known = self._movement.envelope_g[: len(envelope)]
        envelope[: len(known)] = known
        self._body = live(self.script, self.rest_bpm, envelope.reshape(-1, per_step).max(axis=1), random)
        self.beat_times_s = self._body.beat_times_s
        """When the heart contracts, shape (beats,); the pulse's foot reaches the sensor ``PULSE_DELAY_S`` later."""
        self._flow = np.interp(self.beat_times_s, np.arange(len(self._body.flow)) * STEP_S, self._body.flow)
        self._flow *= 1.0 + _BREATH_DEPTH * np.sin(2 * np.pi * self._breath_cycles(self.beat_times_s))
        self._template = _pulse_template()
        self._come_s, self._come = self._presence_ramp()

    @classmethod
    def usual_night(
        cls,
        seed: int = 0,
        *,
        hours: float = 7.7,
        fall_asleep_min: float = 25.0,
        absent_before_min: float = 0.0,
        absent_after_min: float = 10.0,
    ) -> "Sleeper":
        """A plausible night: see ``script.usual_night``."""
        steps = usual_night(
            seed,
            hours=hours,
            fall_asleep_min=fall_asleep_min,
            absent_before_min=absent_before_min,
            absent_after_min=absent_after_min,
        )
        return cls(seed, steps)

    # -- what the chips sense ----------------------------------------------------------------------------------------

    def light_na_per_ma(self, times_s: Floats) -> tuple[Floats, Floats]:
        pulse = self._pulse(times_s) * (self.perfusion_pct / 100.0)
        breath = np.sin(2 * np.pi * (self._breath_cycles(times_s) + 0.1))
        level = np.interp(times_s / STEP_S, np.arange(len(self._body.drift)), self._body.drift)
        level += breath * (_BREATH_SHARE * self.perfusion_pct / 100.0)
        envelope_g = self._movement.envelope_at(times_s)
        common = (1.0 + level) * self._movement.contact_at(times_s)
        if envelope_g.any():
            artefact = envelope_g * _ARTEFACT_PER_G * self._movement.shape_at(times_s - 0.1, 0)
            common *= np.clip(1.0 + artefact, 0.3, 2.0)
        there = np.interp(times_s, self._come_s, self._come)
        red = self._red_na * common * (1.0 - ratio_of_ratios(self.spo2_pct) * pulse)
        infrared = self._ir_na * common * (1.0 - pulse)
        if (there < 1.0).any():
            red = there * red + (1.0 - there) * NOBODY_RED_NA_PER_MA
            infrared = there * infrared + (1.0 - there) * self._nobody_ir_na
        return red, infrared

    def acceleration_g(self, times_s: Floats) -> Floats:
        accel_g = self._movement.gravity_at(times_s)
        there = np.interp(times_s, self._come_s, self._come)
        accel_g[:, 2] += there * (_CHEST_G * np.sin(2 * np.pi * self._breath_cycles(times_s)))
        envelope_g = self._movement.envelope_at(times_s)
        if envelope_g.any():
            for axis, weight in enumerate((0.9, 0.7, 0.8)):
                accel_g[:, axis] += weight * envelope_g * self._movement.shape_at(times_s, axis)
        return accel_g

    def present(self, times_s: Floats) -> NDArray[np.bool_]:
        return np.asarray(self.script.stages_at(times_s) != ABSENT)

    def _pulse(self, times_s: Floats) -> Floats:
        """Height of the pulse wave, 0 at its foot, about 1 at its peak."""
        feet_s = self.beat_times_s + PULSE_DELAY_S
        first = max(0, int(np.searchsorted(feet_s, times_s[0])) - 1)
        last = min(len(feet_s), int(np.searchsorted(feet_s, times_s[-1])) + 2)
        near_s = feet_s[first:last]
        beats = np.searchsorted(near_s, times_s, side="right") - 1
        ends = (beats < 0) | (beats >= len(near_s) - 1)
        beats = np.clip(beats, 0, max(0, len(near_s) - 2))
        if len(near_s) < 2:
            return np.zeros(len(times_s))
        phase = (times_s - near_s[beats]) / np.diff(near_s)[beats]
        phase[ends] = 0.0
        place = np.clip(phase, 0.0, 0.999999) * _TEMPLATE
        index = place.astype(np.int64)
        low = self._template[index]
        wave = low + (place - index) * (self._template[index + 1] - low)
        return np.asarray(wave * self._flow[first:last][beats])

    def _breath_cycles(self, times_s: Floats) -> Floats:
        grid = self._body.breath_cycles
        place = np.clip(times_s / GRID_S, 0.0, len(grid) - 1.001)
        index = place.astype(np.int64)
        low = grid[index]
        return np.asarray(low + (place - index) * (grid[index + 1] - low))

    def _presence_ramp(self) -> tuple[Floats, Floats]:
        times_s, there = [-1e6], [float(self.script.stage[0] != ABSENT)]
        for stage, start_s, _ in self.script.spans():
            now_there = float(stage != ABSENT)
            if now_there != there[-1]:
                times_s += [start_s - _COMING_S / 2, start_s + _COMING_S / 2]
                there += [there[-1], now_there]
        return np.array(times_s), np.array(there)

    # -- the truth ---------------------------------------------------------------------------------------------------

    @property
    def end_s(self) -> float:
        """The script's end; its last stage goes on after it."""
        return self.script.end_s

    @property
    def onset_s(self) -> float | None:
        """When sleep first begins."""
        return self._edge_of_sleep(first=True)

    @property
    def final_wake_s(self) -> float | None:
        """When sleep ends for good."""
        return self._edge_of_sleep(first=False)

    def _edge_of_sleep(self, *, first: bool) -> float | None:
        asleep = [(start, end) for stage, start, end in self.script.spans() if stage not in (AWAKE, ABSENT)]
        if not asleep:
            return None
        return asleep[0][0] if first else asleep[-1][1]

    def stage_at(self, at_s: float) -> str:
        """One of "awake", "light", "deep", "rem", "absent"."""
        return WORDS[int(self.script.stages_at(np.array([at_s]))[0])]

    def stages(self, epoch_s: float = 30.0) -> list[str]:
        """The stage in the middle of each epoch from 0 to ``end_s``."""
        middles_s = np.arange(epoch_s / 2, self.end_s, epoch_s)
        return [WORDS[i] for i in self.script.stages_at(middles_s)]

    def heart_bpm_at(self, at_s: float, window_s: float = 30.0) -> float | None:
        """60 / mean interval of the beats within ``window_s`` around ``at_s``; None when nobody is there."""
        if self.stage_at(at_s) == "absent":
            return None
        first, last = np.searchsorted(self.beat_times_s, [at_s - window_s / 2, at_s + window_s / 2])
        beats_s = self.beat_times_s[first:last]
        return None if len(beats_s) < 2 else float(60.0 * (len(beats_s) - 1) / (beats_s[-1] - beats_s[0]))

    def breath_bpm_at(self, at_s: float, window_s: float = 60.0) -> float | None:
        """Breaths within ``window_s`` around ``at_s``, a minute; None when nobody is there."""
        if self.stage_at(at_s) == "absent":
            return None
        start_s, end_s = max(0.0, at_s - window_s / 2), min(self.end_s, at_s + window_s / 2)
        first, last = self._breath_cycles(np.array([start_s, end_s]))
        return float(60.0 * (last - first) / (end_s - start_s))
