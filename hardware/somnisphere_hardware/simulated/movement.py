"""How a simulated person moves in bed: stirring, turning over, twitching, leaving.

How often: in 21 nights of Walch et al. 2019 (doi 10.1093/sleep/zsz180) 32 % of the half-minutes awake hold a wrist
movement, 4 % of REM, 3 % of light and 2 % of deep sleep. A sleeper changes position a few times an hour,
mostly in or next to wakefulness (De Koninck et al., Sleep 15, 1992). How strong: so that the activity counts awake
have about the quartiles of those nights (21, 49, 95 where there is any).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from somnisphere_hardware.simulated.script import ABSENT, AWAKE, DEEP, LIGHT, REM, Script

Floats = NDArray[np.float64]

ENVELOPE_S = 0.1
_TABLE_HZ = 50.0
_TABLE = 8192

# Per stage: stirrings an hour, their median strength in g rms and median length in s; turns an hour.
_HABITS = {
    AWAKE: (70.0, 0.14, 2.0, 8.0),
    LIGHT: (4.0, 0.10, 1.2, 0.8),
    DEEP: (3.0, 0.09, 0.6, 0.0),
    REM: (6.0, 0.09, 0.7, 0.4),
    ABSENT: (0.0, 0.0, 0.0, 0.0),
}
_TURN_G, _TURN_S = 0.25, 3.5
_POSTURES = np.array(
    [(0.05, 0.10, 0.99), (0.95, 0.10, 0.28), (-0.93, 0.05, 0.35), (0.30, 0.10, 0.95), (0.1, -0.2, -0.97)]
)
_TABLE_TOP = (0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """A night's movements. ``envelope_g`` on a grid of ``ENVELOPE_S``; postures hold between breakpoints, (k, 3)."""

    envelope_g: NDArray[np.float32]
    posture_times_s: Floats
    posture_g: Floats
    contact: Floats
    """Shape (k,): how well the sensor touches in each posture, around 1."""
    shape: NDArray[np.float32]
    """Shape (3, _TABLE + 1): unit-rms noise of 0.4 to 9 Hz, seamless at its ends."""

    def envelope_at(self, times_s: Floats) -> Floats:
        """Strength of the movement, shape (n,), g rms."""
        place = np.clip(times_s / ENVELOPE_S, 0, len(self.envelope_g) - 1.001)
        index = place.astype(np.int64)
        low = self.envelope_g[index]
        return np.asarray(low + (place - index) * (self.envelope_g[index + 1] - low), dtype=np.float64)

    def shape_at(self, times_s: Floats, axis: int) -> Floats:
        """The movement's wave of one axis, shape (n,), unit rms."""
        place = (times_s * _TABLE_HZ) % _TABLE
        index = place.astype(np.int64)
        table = self.shape[axis]
        low = table[index]
        return np.asarray(low + (place - index) * (table[index + 1] - low), dtype=np.float64)

    def gravity_at(self, times_s: Floats) -> Floats:
        """Where down is, shape (n, 3), about unit length."""
        return np.stack(
            [np.interp(times_s, self.posture_times_s, self.posture_g[:, axis]) for axis in range(3)], axis=1
        )

    def contact_at(self, times_s: Floats) -> Floats:
        """Shape (n,)."""
        return np.asarray(np.interp(times_s, self.posture_times_s, self.contact))


def move(script: Script, random: np.random.Generator) -> Movement:
    """Draw a night's movements."""
    stirrings: list[tuple[float, float, float]] = []  # start, length, strength
    turns_s: list[float] = []
    spans = script.spans()
    for place, (stage, start_s, end_s) in enumerate(spans):
        before = spans[place - 1][0] if place else stage
        if ABSENT in (before, stage) and before != stage:  # the hand comes or goes
            stirrings.append((start_s - 2.0, 4.0, 0.35))
            turns_s.append(start_s)
        follower = spans[place + 1][0] if place + 1 < len(spans) else stage
        calms = stage == AWAKE and follower not in (AWAKE, ABSENT)
        per_hour, strength_g, length_s, turns_per_hour = _HABITS[stage]
        for _ in range(random.poisson(per_hour * (end_s - start_s) / 3600.0)):
            share = random.uniform()
            if calms and random.uniform() > 1.0 - 0.5 * share:  # less and less while drifting off
                continue
            length = float(np.clip(length_s * random.lognormal(0.0, 0.5), 0.3, 12.0))
            strength = float(np.clip(strength_g * random.lognormal(0.0, 0.8), 0.01, 0.8))
            stirrings.append((start_s + share * (end_s - start_s), length, strength))
        for _ in range(random.poisson(turns_per_hour * (end_s - start_s) / 3600.0)):
            at_s = random.uniform(start_s, end_s)
            stirrings.append((at_s - _TURN_S / 2, _TURN_S, _TURN_G * float(random.uniform(0.6, 1.6))))
            turns_s.append(at_s)
    return _movement(script, stirrings, sorted(turns_s), random)


def _movement(
    script: Script, stirrings: list[tuple[float, float, float]], turns_s: list[float], random: np.random.Generator
) -> Movement:
    envelope = np.zeros(int(script.end_s / ENVELOPE_S) + 100, dtype=np.float32)
    for start_s, length_s, strength_g in stirrings:
        first = max(0, int(start_s / ENVELOPE_S))
        last = min(len(envelope), int((start_s + length_s) / ENVELOPE_S) + 2)
        along = np.clip((np.arange(first, last) * ENVELOPE_S - start_s) / length_s, 0.0, 1.0)
        wave = np.sqrt(np.sin(np.pi * along)) * strength_g
        envelope[first:last] = np.maximum(envelope[first:last], wave)
    # Each turn is two breakpoints, the old posture before it and the new one after.
    times_s, downs, contacts = [-1e6], [_posture(script, -1.0, random)], [1.0]
    for turn_s in turns_s:
        if turn_s - 0.8 <= times_s[-1]:
            continue
        times_s += [turn_s - 0.8, turn_s + 0.8]
        downs += [downs[-1], _posture(script, turn_s + 0.8, random)]
        contacts += [contacts[-1], float(np.clip(1.0 + 0.06 * random.standard_normal(), 0.85, 1.15))]
    return Movement(envelope, np.array(times_s), np.array(downs), np.array(contacts), _shape(random))


def _posture(script: Script, at_s: float, random: np.random.Generator) -> Floats:
    if script.stages_at(np.array([at_s]))[0] == ABSENT:
        return np.array(_TABLE_TOP)
    down = _POSTURES[random.integers(len(_POSTURES))] + 0.08 * random.standard_normal(3)
    return np.asarray(down / np.linalg.norm(down))


def _shape(random: np.random.Generator) -> NDArray[np.float32]:
    frequency_hz = np.fft.rfftfreq(_TABLE, 1.0 / _TABLE_HZ)
    # Reaching and turning are slow, jerks fast: power falls gently from 1 Hz on.
    gain = np.where((frequency_hz >= 0.4) & (frequency_hz <= 9.0), 1.0 / np.sqrt(1.0 + (frequency_hz / 2.0) ** 2), 0.0)
    spectrum = gain * np.exp(2j * np.pi * random.uniform(size=(3, len(gain))))
    waves = np.fft.irfft(spectrum, _TABLE, axis=1)
    waves /= waves.std(axis=1, keepdims=True)
    return np.concatenate([waves, waves[:, :1]], axis=1).astype(np.float32)
