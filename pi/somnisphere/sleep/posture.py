"""How a sensor lies, and when the lie changes: turn-overs and stillness, from gravity.

Acceleration is averaged over half seconds. While a sensor hardly moves, what is left is gravity, and its direction is
the lie. A turn-over is a lie that differs from the one before by ``TURN_DEG`` and is kept for ``SETTLED_S``; it is
dated to when the old lie was left. A sensor under a mattress or on a finger lies anyhow, so a lie has no name; one worn
on the chest can name it when it is told which axis points out of the body and which towards the head.

An empty bed lies still and turns nobody; a sensor that falls or is put away does turn, which nothing here can tell from
a sleeper: ask presence.

Measured on made-up bodies turning between 60 triples of random lies, at 12.5 Hz: every turn is told and its angle is
right within 1 degree with steps of up to 32 mg. A LIS3DH in its 8-bit mode at 8 or 16 g (64 and 192 mg a step) is too
coarse: four times in ten a turn is missed or made up, as its last bit flips.
"""

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from somnisphere.sleep.filters import Floats
from somnisphere.sleep.motion import RESTLESS_G
from somnisphere_hardware.samples import MotionBlock

MEAN_S = 0.5
TURN_DEG = 35.0
"""Less is a pillow giving way or a hand that slips."""
SETTLED_S = 10.0
STEADY_G = 0.06
"""Half-second means that wander further than this within two seconds are movement, not a lie. Breath sways less."""
STEADY_S = 2.0
GRAVITY_G = (0.5, 1.5)
"""Lengths of a mean that can be gravity: cheap chips are off by a tenth, a free fall by all of it."""


class Posture(StrEnum):
    SUPINE = "supine"
    PRONE = "prone"
    LEFT = "left"
    RIGHT = "right"
    UPRIGHT = "upright"


@dataclass(frozen=True, slots=True)
class Worn:
    """How a sensor is worn on the trunk: unit vectors in the sensor's axes, out of the chest and towards the head."""

    front: tuple[float, float, float]
    head: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn-over: the old lie was left at ``at_s``, the new one taken by ``until_s``, ``angle_deg`` away.

    Not ``seen``: it happened while nothing was measured, and ``at_s`` is when measuring began again.
    """

    at_s: float
    until_s: float
    angle_deg: float
    seen: bool = True


class Lie:
    """Feed acceleration in order of time; a few seconds are kept."""

    def __init__(self, worn: Worn | None = None) -> None:
        self._worn = worn
        self._end_s = -math.inf
        self._rate_hz = 0.0
        self._rest: Floats = np.zeros((0, 3))  # samples that do not fill half a second yet
        self._gap = False
        self._recent: deque[tuple[float, Floats]] = deque()
        self._direction: Floats | None = None
        self._new: Floats | None = None
        self._new_since_s = 0.0
        self._left_s: float | None = None
        self._moved_s: float | None = None

    @property
    def direction(self) -> tuple[float, float, float] | None:
        """Unit vector along gravity's pull as the sensor reads it (up), in its axes; None: not known yet."""
        if self._direction is None:
            return None
        x, y, z = self._direction.tolist()
        return (x, y, z)

    @property
    def posture(self) -> Posture | None:
        """Of a body that wears the sensor on its trunk; None where nothing says how it is worn, or it is not known."""
        if self._worn is None or self._direction is None:
            return None
        front, head = np.array(self._worn.front), np.array(self._worn.head)
        out, along = float(self._direction @ front), float(self._direction @ head)
        aside = float(self._direction @ np.cross(front, head))  # towards the wearer's right hand
        if along > max(abs(out), abs(aside)):
            return Posture.UPRIGHT
        if abs(out) >= abs(aside):
            return Posture.SUPINE if out > 0 else Posture.PRONE
        return Posture.LEFT if aside > 0 else Posture.RIGHT  # the right hand up: on the left side

    def still_s(self, at_s: float) -> float | None:
        """Seconds since the last movement, as of ``at_s``; None when none has been seen or nothing is known of now."""
        if self._moved_s is None or at_s - self._end_s > SETTLED_S:
            return None
        return max(0.0, at_s - self._moved_s)

    def add(self, blocks: list[MotionBlock]) -> list[Turn]:
        """The turn-overs that have settled by the end of these blocks."""
        turns: list[Turn] = []
        for block in blocks:
            broken = block.gap_before or abs(block.start_s - self._end_s) > 1.5 / block.rate_hz
            if broken or abs(block.rate_hz - self._rate_hz) > 0.02 * block.rate_hz:
                # What happened in the gap is not known; a lie that is another one after it is news all the same.
                self._rate_hz, self._rest = block.rate_hz, np.zeros((0, 3))
                self._recent.clear()
                self._new = self._left_s = None
                self._gap = self._direction is not None
            self._end_s = block.end_s
            have = np.concatenate((self._rest, block.accel_g))
            size = max(1, round(self._rate_hz * MEAN_S))
            count = len(have) // size
            start_s = block.start_s - len(self._rest) / block.rate_hz
            self._rest = have[count * size :]
            if not count:
                continue
            parts = have[: count * size].reshape(count, size, 3)
            means_g = np.add.reduce(parts, axis=1) / size
            shaken = (np.maximum.reduce(parts, axis=1) - np.minimum.reduce(parts, axis=1)).max(axis=1) > RESTLESS_G
            known = np.isfinite(means_g).all(axis=1)
            for k in np.flatnonzero(known).tolist():
                at_s = start_s + (k + 1) * size / block.rate_hz
                if shaken[k]:  # quicker than means can show
                    self._moved_s = at_s
                turns += self._see(at_s, means_g[k])
        return turns

    def _see(self, at_s: float, mean_g: Floats) -> list[Turn]:
        self._recent.append((at_s, mean_g))
        while self._recent[0][0] <= at_s - STEADY_S - 1e-6:
            self._recent.popleft()
        if at_s - self._recent[0][0] < STEADY_S - 2 * MEAN_S:
            return []
        seen_g = np.array([g for _, g in self._recent])
        mean_g = np.add.reduce(seen_g) / len(seen_g)
        length_g = math.sqrt(float(mean_g @ mean_g))
        wander_g = float((seen_g.max(axis=0) - seen_g.min(axis=0)).max())
        if wander_g > STEADY_G or not GRAVITY_G[0] <= length_g <= GRAVITY_G[1]:
            self._moved_s = at_s
            if self._left_s is None:
                self._left_s = at_s - MEAN_S
            self._new = None
            return []
        return self._lies(at_s, mean_g / length_g)

    def _lies(self, at_s: float, direction: Floats) -> list[Turn]:
        if self._direction is None:
            self._direction, self._left_s = direction, None
            return []
        if angle_deg(self._direction, direction) < TURN_DEG:
            self._new = self._left_s = None
            self._gap = False
            # A lie creeps as a mattress warms and a body sinks; it is followed.
            blended = 0.95 * self._direction + 0.05 * direction
            self._direction = blended / math.sqrt(float(blended @ blended))
            return []
        if self._new is None or angle_deg(self._new, direction) >= TURN_DEG:
            self._new, self._new_since_s = direction, at_s
            return []
        if at_s - self._new_since_s < SETTLED_S:
            return []
        left_s = self._new_since_s if self._left_s is None else self._left_s
        turn = Turn(left_s, self._new_since_s, angle_deg(self._direction, direction), seen=not self._gap)
        self._gap = False
        self._direction, self._new, self._left_s = direction, None, None
        return [turn]


def angle_deg(one: Floats, other: Floats) -> float:
    """Between two unit vectors, 0 to 180."""
    return math.degrees(math.acos(min(1.0, max(-1.0, float(one @ other)))))
