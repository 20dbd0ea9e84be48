"""From samples to epochs, live: the senses side by side, fed in order of time, in memory that stays flat."""

import math
from dataclasses import dataclass, replace

import numpy as np

from somnisphere.night import COUNT_STEP_S, EPOCH_S, Epoch, Presence
from somnisphere.sleep.breath import Breath
from somnisphere.sleep.cadence import Cadence
from somnisphere.sleep.dips import OxygenDip, OxygenDips
from somnisphere.sleep.epochs import make_epoch
from somnisphere.sleep.gate import StillnessGate
from somnisphere.sleep.heart import Heart, HeartRate
from somnisphere.sleep.learned_light import LearnedLight
from somnisphere.sleep.motion import Motion
from somnisphere.sleep.posture import Lie
from somnisphere.sleep.presence import InBed, Look, PresenceSense, look_at
from somnisphere.sleep.pulse import PulseMeter
from somnisphere.sleep.saturation import MAXIM_CURVE, Oxygen
from somnisphere.sleep.sensor_faults import Seen, SensorFaults
from somnisphere_hardware.samples import MotionBlock, PartState, PulseBlock, Sample

CLOSE_AFTER_S = 11.5
"""An epoch is closed this long after its end: beats are looked for each 8 s, judged 2.5 s behind the newest sample."""
GATHER_S = 4.0
"""Samples are worked on once this much is new."""
SILENT_S = 5.0
"""No sample for this long: what was gathered is worked off, for nothing will follow on from it."""
LOST_S = 30.0
"""No pulse sample for this long: who is there is not known any more."""
BREATH_STEP_S = 15.0
RATE_WINDOW_S = 30.0
PULSE_WINDOW_S = 10.0
PULSE_SHARE = 0.5
DIP_WINDOW_S = 8.0
"""Oxygen of so long is looked at for dips: half a minute would smooth a short one away."""
PART_S = 4.0
"""What the oldest light in a window may reach beyond it: samples come in parts of about so long."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """The body now, for showing. None: not known. ``motion_count``: the latest full 15 s count. ``pulse_quality``: the
    chance that the heart rate is right within 5 a minute. Variability is of the last five minutes, from pulse and not
    ECG; the counts say how many intervals and successive differences the figures stand on. ``still_s``: since the last
    movement; ``turn_count``: turn-overs of this night. ``newest_dip`` lies under the night's own median oxygen,
    ``dip_total_s`` of this night; both uncalibrated."""

    at_s: float
    heart_bpm: float | None
    pulse_quality: float
    rmssd_ms: float | None
    breath_bpm: float | None
    spo2_pct: float | None
    motion_count: float | None
    presence: Presence | None
    in_bed: bool | None
    sdnn_ms: float | None = None
    heart_beat_count: int = 0
    variability_interval_count: int = 0
    variability_difference_count: int = 0
    spo2_median_pct: float | None = None
    newest_dip: OxygenDip | None = None
    dip_total_s: float = 0.0
    still_s: float | None = None
    turn_count: int = 0


class SleepPipeline:
    """``add`` samples as they come, ``advance`` at least every few minutes; epochs come out in order, none left out.

    Epoch 0 begins with the first sample or the first ``advance``, whichever is first. ``oxygen_curve``: SpO2 as a
    polynomial in R, highest power first. ``learned_light``: what this unit knows of bright and dark, and goes on
    learning.
    """

    def __init__(
        self, *, oxygen_curve: tuple[float, ...] = MAXIM_CURVE, learned_light: LearnedLight | None = None
    ) -> None:
        self._meter = PulseMeter()
        self._heart = Heart()
        self._breath = Breath()
        self._oxygen = Oxygen(oxygen_curve)
        self._dips = OxygenDips(DIP_WINDOW_S + PART_S)
        self._motion = Motion()
        self._cadence = Cadence()
        self._lie = Lie()
        self._turn_count = 0
        self._gate = StillnessGate(self._motion, self._cadence)
        self._presence = PresenceSense(learned_light)
        self._faults = SensorFaults()
        self._in_bed = InBed()
        self._origin_s: float | None = None
        self._at_s = 0.0
        self._next_index = 0
        self._pulses: list[PulseBlock] = []
        self._moves: list[MotionBlock] = []
        self._pulse_end_s = -math.inf
        self._heard_s = -math.inf  # beats are known up to here
        self._motion_end_s = -math.inf
        self._next_breath_s = -math.inf
        self._breaths: dict[float, float | None] = {}
        self._shown: Vitals | None = None

    def add(self, sample: Sample) -> None:
        """Take one block, or the news that a part of the sensor is lost or back."""
        if isinstance(sample, PartState):
            if not sample.ok and sample.part == "pulse":
                self._work()
                self._lose_pulse()
            return
        self._begin(sample.start_s)
        self._at_s = max(self._at_s, sample.end_s)
        if isinstance(sample, PulseBlock):
            self._pulses.append(sample)
        else:
            self._moves.append(sample)
        first = self._pulses[0] if self._pulses else self._moves[0]
        if sample.end_s - first.start_s >= GATHER_S:
            self._work()

    def advance(self, at_s: float) -> list[Epoch]:
        """It is ``at_s``: the epochs that can be closed now, also those in which nothing was heard."""
        origin_s = self._begin(at_s)
        self._at_s = max(self._at_s, at_s)
        if at_s - max(self._latest_s(self._pulses), self._latest_s(self._moves), self._pulse_end_s) > SILENT_S:
            self._fall_silent(at_s)
        closed: list[Epoch] = []
        while origin_s + (self._next_index + 1) * EPOCH_S + CLOSE_AFTER_S <= at_s:
            closed.append(self._close(origin_s + self._next_index * EPOCH_S))
        return closed

    @property
    def vitals(self) -> Vitals:
        """The latest figures, about ten seconds behind the newest sample."""
        if self._shown is None:
            self._shown = self._vitals()
        elif self._shown.at_s != self._at_s:
            self._shown = replace(self._shown, at_s=self._at_s)
        return self._shown

    @property
    def oxygen_ratio(self) -> float | None:
        """The ratio of ratios of the latest half minute, for a calibration."""
        return self._oxygen.ratio(self._pulse_end_s) if self._at_s - self._pulse_end_s < LOST_S else None

    @property
    def oxygen_dips(self) -> tuple[OxygenDip, ...]:
        """The latest dips of this night, oldest first."""
        return tuple(self._dips.dips)

    @property
    def pulse_problem(self) -> str:
        """What is wrong with the light of a pulse sensor that answers, as a sentence; "" when nothing is."""
        return self._faults.problem

    def _vitals(self) -> Vitals:
        now_s = self._heard_s
        heard = self._at_s - self._pulse_end_s < LOST_S and math.isfinite(now_s)
        rate = self._heart.rate(now_s - RATE_WINDOW_S, now_s) if heard else HeartRate(None, 0.0, 0)
        varied = self._heart.variability(now_s) if rate.bpm is not None else None
        return Vitals(
            at_s=self._at_s,
            heart_bpm=rate.bpm,
            pulse_quality=rate.quality,
            rmssd_ms=None if varied is None else varied.rmssd_ms,
            breath_bpm=self._breaths.get(self._next_breath_s - BREATH_STEP_S) if heard else None,
            spo2_pct=self._oxygen.spo2_pct(self._pulse_end_s) if heard else None,
            motion_count=self._latest_count(),
            presence=self._presence.state,
            in_bed=self._in_bed.state,
            sdnn_ms=None if varied is None else varied.sdnn_ms,
            heart_beat_count=rate.beat_count,
            variability_interval_count=0 if varied is None else varied.interval_count,
            variability_difference_count=0 if varied is None else varied.difference_count,
            spo2_median_pct=self._dips.median_pct,
            newest_dip=self._dips.newest,
            dip_total_s=self._dips.total_s,
            still_s=self._lie.still_s(self._at_s),
            turn_count=self._turn_count,
        )

    # ---- work -------------------------------------------------------------------------------------------------------

    def _begin(self, at_s: float) -> float:
        if self._origin_s is None:
            self._origin_s = self._at_s = at_s
            self._motion.set_origin(at_s)
            self._next_breath_s = at_s + BREATH_STEP_S
        return self._origin_s

    def _work(self) -> None:
        self._shown = None
        if self._moves:
            self._motion.add(self._moves)
            self._cadence.add(self._moves)
            self._breath.add_motion(self._moves)
            self._turn_count += sum(turn.seen for turn in self._lie.add(self._moves))
            self._motion_end_s = self._moves[-1].end_s
            self._moves = []
        blocks, self._pulses = self._pulses, []
        for block in _joined(blocks):
            self._hear(block)

    def _hear(self, block: PulseBlock) -> None:
        follows = not block.gap_before and abs(block.start_s - self._pulse_end_s) < 1.5 / block.rate_hz
        self._pulse_end_s = block.end_s
        waves = self._gate.pass_on(self._meter.waves(block))
        self._heard_s = max(self._heard_s, self._meter.decided_s)
        self._heart.add([wave.beat for wave in waves])
        self._breath.add(waves)
        until_s = self._heard_s
        pulse = math.isfinite(until_s) and self._heart.share(until_s - PULSE_WINDOW_S, until_s) >= PULSE_SHARE
        red, ir = block.red.astype(np.float64), block.ir.astype(np.float64)
        look = look_at(red, ir, block.rate_hz)
        state = self._presence.see(block.end_s, look, block.led_ir_ma, pulse=pulse)
        self._in_bed.see(block.end_s, state)
        if block.led_red_ma > 0:
            still = self._motion.restless(block.start_s, block.end_s) is not True
            usable = pulse and still
            self._oxygen.add(block.start_s, block.rate_hz, red, ir, usable=usable, follows=follows)
            short_pct = self._oxygen.spo2_pct(block.end_s, DIP_WINDOW_S) if usable else None
            self._dips.see(block.end_s, short_pct, look.ripple)
        self._faults.see(block.end_s, self._seen(block, look, state))
        self._breathe(until_s)

    def _seen(self, block: PulseBlock, look: Look, presence: Presence) -> Seen:
        return Seen(
            look=look,
            red_counts=float(np.add.reduce(block.red, dtype=np.float64)) / len(block.red),
            led_ir_ma=block.led_ir_ma,
            led_red_ma=block.led_red_ma,
            presence=presence,
            ratio=self._oxygen.ratio(block.end_s) if block.led_red_ma > 0 else None,
            levels=self._presence.light.at(block.led_ir_ma),
        )

    def _breathe(self, until_s: float) -> None:
        while self._next_breath_s <= until_s:
            at_s = self._next_breath_s
            self._breaths[at_s] = self._breath.rate_bpm(at_s)
            while (oldest_s := next(iter(self._breaths))) <= at_s - 8 * BREATH_STEP_S:
                del self._breaths[oldest_s]
            self._next_breath_s = at_s + BREATH_STEP_S

    def _close(self, start_s: float) -> Epoch:
        end_s = start_s + EPOCH_S
        epoch = make_epoch(
            self._next_index,
            start_s,
            self._heart,
            self._motion,
            breath_bpm=next((v for at_s, v in self._breaths.items() if abs(at_s - end_s) < 1.0), None),
            spo2_pct=self._oxygen.spo2_pct(end_s),
            presence=self._presence.state,
            in_bed=self._in_bed.state,
        )
        self._next_index += 1
        return epoch

    def _fall_silent(self, at_s: float) -> None:
        self._work()
        waves = self._gate.pass_on(self._meter.end())
        self._heard_s = max(self._heard_s, self._pulse_end_s)
        self._heart.add([wave.beat for wave in waves])
        self._breath.add(waves)
        self._breathe(at_s)
        if at_s - self._pulse_end_s > LOST_S:
            self._lose_pulse()

    def _lose_pulse(self) -> None:
        self._shown = None
        waves = self._gate.pass_on(self._meter.end())
        self._heart.add([wave.beat for wave in waves])
        self._presence.lose()
        self._faults.lose()
        self._in_bed.see(self._at_s, None)

    def _latest_s(self, blocks: list[PulseBlock] | list[MotionBlock]) -> float:
        return blocks[-1].end_s if blocks else -math.inf

    def _latest_count(self) -> float | None:
        if self._origin_s is None or self._at_s - self._motion_end_s > LOST_S:
            return None
        return self._motion.count(math.floor((self._motion_end_s - 1.0 - self._origin_s) / COUNT_STEP_S) - 1)


def _joined(blocks: list[PulseBlock]) -> list[PulseBlock]:
    """Blocks that follow on from each other under the same light, as one."""
    joined: list[PulseBlock] = []
    run: list[PulseBlock] = []
    for block in blocks:
        if run and (
            block.gap_before
            or abs(block.start_s - run[-1].end_s) > 0.5 / block.rate_hz
            or (block.led_ir_ma, block.led_red_ma) != (run[0].led_ir_ma, run[0].led_red_ma)
            or abs(block.rate_hz - run[0].rate_hz) > 0.01 * block.rate_hz
        ):
            joined.append(_one(run))
            run = []
        run.append(block)
    if run:
        joined.append(_one(run))
    return joined


def _one(run: list[PulseBlock]) -> PulseBlock:
    if len(run) == 1:
        return run[0]
    first = run[0]
    return PulseBlock(
        start_s=first.start_s,
        rate_hz=first.rate_hz,
        red=np.concatenate([block.red for block in run]),
        ir=np.concatenate([block.ir for block in run]),
        led_red_ma=first.led_red_ma,
        led_ir_ma=first.led_ir_ma,
        gap_before=first.gap_before,
    )
