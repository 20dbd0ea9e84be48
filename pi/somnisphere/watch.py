"""What can be seen of a sensor now: the last seconds of its wave, the beats on it, the figures, and what is wrong.

Samples in, one ``Watched`` out; no clock, no terminal. The figures are the pipeline's own, as the home is shown them.
The beats are found a second time beside it, for the pipeline keeps them to itself.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from somnisphere.heard import Span, wave_of
from somnisphere.night import Beat
from somnisphere.sleep.cadence import Cadence
from somnisphere.sleep.gate import StillnessGate
from somnisphere.sleep.motion import Motion
from somnisphere.sleep.pipeline import SILENT_S, SleepPipeline, Vitals
from somnisphere.sleep.pulse import AHEAD_S, GATHER_S, PulseMeter
from somnisphere_hardware.samples import MotionBlock, Part, PartState, PulseBlock, Sample

Floats = NDArray[np.float64]

SHOWN_S = 12.0
MOTION_SILENT_S = 4.0
"""No acceleration for this long: whether the body lies still is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """The sensor at ``at_s``, on the sensor's own clock as all times here. ``since_s``: how long it has been watched.

    ``times_s``, ``wave`` (n,): the last ``SHOWN_S`` seconds, systole up, as in ``Heard``. Beats later than ``judged_s``
    are not known yet. ``moved``: seconds in which the body moved; ``moves`` is None where nothing is known of the last
    moment. ``faults``: a sentence for each part that is lost. ``chips``: names by part.
    """

    at_s: float
    since_s: float
    times_s: Floats
    wave: Floats
    clipped: tuple[Span, ...]
    beats: tuple[Beat, ...]
    judged_s: float
    vitals: Vitals
    moved: tuple[Span, ...]
    moves: bool | None
    led_red_ma: float | None
    led_ir_ma: float | None
    pulse_rate_hz: float | None
    motion_rate_hz: float | None
    chips: dict[Part, str]
    faults: tuple[str, ...]


class Watcher:
    """Feed it samples in order of time and let it know what time it is; ask for ``watched`` as often as you like.

    ``leds_known``: whether the LED currents of the blocks are those of a real LED.
    """

    def __init__(self, *, leds_known: bool = True) -> None:
        self._leds_known = leds_known
        self._pipeline = SleepPipeline()
        self._meter = PulseMeter(gather_s=1.0)  # for the eye, not for the night
        self._motion, self._cadence = Motion(), Cadence()
        self._gate = StillnessGate(self._motion, self._cadence)
        self._pulses: deque[PulseBlock] = deque()
        self._beats: deque[Beat] = deque()
        self._move: MotionBlock | None = None
        self._first_s: float | None = None
        self._at_s = 0.0
        self._pulse_end_s = self._judged_s = -math.inf
        self._listening = False
        self._parts: dict[Part, PartState] = {}

    @property
    def heard_anything(self) -> bool:
        """Whether any sample has come."""
        return self._move is not None or bool(self._pulses)

    @property
    def since_s(self) -> float:
        """How long it has been watched, from the first sample on."""
        return 0.0 if self._first_s is None else self._at_s - self._first_s

    @property
    def lost(self) -> tuple[PartState, ...]:
        """Parts that are lost, each with its problem."""
        return tuple(state for state in self._parts.values() if not state.ok)

    def take(self, sample: Sample) -> None:
        """One block, or the news that a part is lost or back."""
        self._pipeline.add(sample)
        if isinstance(sample, PartState):
            self._parts[sample.part] = sample
            if not sample.ok and sample.part == "pulse":
                self._fall_silent()
            return
        if self._first_s is None:
            self._first_s = sample.start_s
        self._at_s = max(self._at_s, sample.end_s)
        if isinstance(sample, MotionBlock):
            self._motion.add([sample])
            self._cadence.add([sample])
            self._move = sample
            return
        self._pulses.append(sample)
        self._pulse_end_s = sample.end_s
        while self._pulses[0].end_s < sample.end_s - SHOWN_S - 2.0:
            self._pulses.popleft()
        self._listening = True
        self._note([wave.beat for wave in self._gate.pass_on(self._meter.waves(sample))])
        self._judged_s = max(self._judged_s, sample.end_s - AHEAD_S - GATHER_S)

    def advance(self, at_s: float) -> None:
        """It is ``at_s``, whether or not a sample has come."""
        self._pipeline.advance(at_s)
        self._at_s = max(self._at_s, at_s)
        if at_s - self._pulse_end_s > SILENT_S:
            self._fall_silent()

    def watched(self) -> Watched:
        """What there is to see now."""
        from_s = self._at_s - SHOWN_S
        times_s, wave, clipped = wave_of([block for block in self._pulses if block.end_s > from_s - 2.0], 0.0)
        shown = times_s >= from_s
        pulse = self._pulses[-1] if self._listening else None
        move = self._move if self._move and self._at_s - self._move.end_s < MOTION_SILENT_S else None
        seconds = range(math.floor(from_s), math.ceil(self._at_s))
        return Watched(
            at_s=self._at_s,
            since_s=self.since_s,
            times_s=times_s[shown],
            wave=wave[shown],
            clipped=clipped,
            beats=tuple(beat for beat in self._beats if beat.at_s > from_s),
            judged_s=self._judged_s,
            vitals=self._pipeline.vitals,
            moved=tuple((float(s), s + 1.0) for s in seconds if self._motion.restless(s + 0.5, s + 0.5)),
            moves=None if move is None else self._motion.restless(move.end_s - 1.5, move.end_s - 0.5),
            led_red_ma=pulse.led_red_ma if pulse is not None and self._leds_known else None,
            led_ir_ma=pulse.led_ir_ma if pulse is not None and self._leds_known else None,
            pulse_rate_hz=None if pulse is None else pulse.rate_hz,
            motion_rate_hz=None if move is None else move.rate_hz,
            chips={part: state.chip for part, state in self._parts.items() if state.ok},
            faults=tuple(state.problem for state in self.lost),
        )

    def _note(self, beats: list[Beat]) -> None:
        self._beats.extend(beats)
        if beats:
            self._judged_s = max(self._judged_s, beats[-1].at_s)
        while self._beats and self._beats[0].at_s < self._at_s - 2 * SHOWN_S:
            self._beats.popleft()

    def _fall_silent(self) -> None:
        """Nothing follows on from what was heard: what waits for a judgement gets it now."""
        if self._listening:
            self._listening = False
            self._note([wave.beat for wave in self._gate.pass_on(self._meter.end())])
            self._judged_s = self._pulse_end_s
