import numpy as np
import pytest
from tests.pulse_waves import lying_still, motion_blocks

from somnisphere.night import Beat
from somnisphere.sleep.cadence import Cadence
from somnisphere.sleep.gate import StillnessGate
from somnisphere.sleep.motion import Motion
from somnisphere.sleep.pulse import Wave

RATE_HZ = 25.0


def beats_beside(swing_g: float, swing_hz: float, interval_s: float = 1.0) -> list[Beat]:
    """Forty seconds of clean beats, the body swinging from second 20 to 24."""
    accel_g = lying_still(40.0, RATE_HZ)
    swinging = slice(round(20 * RATE_HZ), round(24 * RATE_HZ))
    accel_g[swinging, 0] += swing_g * np.sin(2 * np.pi * swing_hz * np.arange(100) / RATE_HZ)
    motion, cadence = Motion(), Cadence()
    gate = StillnessGate(motion, cadence)
    passed: list[Beat] = []
    waves = [Wave(Beat(float(at_s), interval_s, 0.9), 1.0, 1.0) for at_s in np.arange(1.0, 39.0, interval_s)]
    for block in motion_blocks(accel_g, RATE_HZ):
        motion.add([block])
        cadence.add([block])
        due = [wave for wave in waves if wave.beat.at_s < block.end_s - 5.0]
        waves = waves[len(due) :]
        passed += [wave.beat for wave in gate.pass_on(due)]
    return passed


def around(beats: list[Beat], from_s: float, to_s: float) -> list[Beat]:
    return [beat for beat in beats if from_s <= beat.at_s <= to_s]


def test_beats_in_a_violent_movement_lose_their_trust_and_the_next_its_interval() -> None:
    beats = beats_beside(2.0, 3.3)
    assert around(beats, 2, 17) == [Beat(float(at_s), 1.0, 0.9) for at_s in range(2, 18)]
    assert all(beat.ibi_s is None and beat.quality < 0.5 and not beat.still for beat in around(beats, 20, 24))
    after = around(beats, 25, 33)
    first = next(k for k, beat in enumerate(after) if beat.quality > 0.5)
    assert after[first].ibi_s is None
    assert after[first + 1] == Beat(after[first + 1].at_s, 1.0, 0.9)


def test_beats_in_a_small_movement_keep_their_interval_but_are_not_still() -> None:
    assert all(beat == Beat(beat.at_s, 1.0, 0.9, still=False) for beat in around(beats_beside(0.3, 3.3), 20, 24))


@pytest.mark.parametrize("harmonic", [0.5, 1.0, 2.0])
def test_a_movement_that_swings_like_the_pulse_takes_the_trust_however_small(harmonic: float) -> None:
    beats = around(beats_beside(0.3, harmonic / 0.7, interval_s=0.7), 21, 23)
    assert beats
    assert all(beat.ibi_s is None and beat.quality < 0.5 for beat in beats)


def test_without_an_accelerometer_every_beat_passes_as_it_is() -> None:
    waves = [Wave(Beat(float(at_s), 1.0, 0.9), 1.0, 1.0) for at_s in range(10)]
    assert StillnessGate(Motion(), Cadence()).pass_on(waves) == waves


def test_a_rhythm_is_forgotten_after_a_while() -> None:
    cadence = Cadence()
    swing_g = 0.5 * np.sin(2 * np.pi * 1.5 * np.arange(500) / RATE_HZ)
    for block in motion_blocks(np.stack([swing_g] * 3, axis=1), RATE_HZ):
        cadence.add([block])
    assert cadence.explains(1.5, 15.0)
    assert not cadence.explains(1.1, 15.0)
    for block in motion_blocks(lying_still(60.0, RATE_HZ), RATE_HZ, start_s=20.0):
        cadence.add([block])
    assert not cadence.explains(1.5, 15.0)
