"""What movement does to the trust in a beat: a regular movement looks like a clean pulse, and no shape can tell.

On wrists in exercise (the recordings of Zhang et al. 2015, "TROIKA"), 99 % of the beats with a clean shape were right
while each second spanned less than 1.4 g, though their times were coarser; above, chance took over. Below, too, a beat
is not believed when the movement swings at its rate.
"""

from dataclasses import replace

from somnisphere.sleep.cadence import Cadence
from somnisphere.sleep.motion import RESTLESS_G, Motion
from somnisphere.sleep.pulse import Wave

SHAKEN_G = 1.4
"""Above this span of acceleration within a second, a beat is not believed."""
DOUBT = 0.4
"""What is left of a quality then."""
REACH_S = 1.0


class StillnessGate:
    """Passes beats on, judged by how the body moved around them."""

    def __init__(self, motion: Motion, cadence: Cadence) -> None:
        self._motion = motion
        self._cadence = cadence
        self._shaken = False

    def pass_on(self, waves: list[Wave]) -> list[Wave]:
        """The same waves. Those near a movement are not still; those near a violent or a rhythmic one have less quality
        and no interval, nor has the one after. Without an accelerometer all pass as they are."""
        passed: list[Wave] = []
        for wave in waves:
            beat = wave.beat
            moved_g = self._motion.movement_g(beat.at_s - REACH_S, beat.at_s + REACH_S) or 0.0
            shaken = moved_g > SHAKEN_G or (
                moved_g > RESTLESS_G and beat.ibi_s is not None and self._cadence.explains(1.0 / beat.ibi_s, beat.at_s)
            )
            if shaken:
                beat = replace(beat, ibi_s=None, quality=beat.quality * DOUBT, still=False)
            elif self._shaken or moved_g > RESTLESS_G:
                beat = replace(beat, ibi_s=None if self._shaken else beat.ibi_s, still=False)
            self._shaken = shaken
            passed.append(wave if beat is wave.beat else replace(wave, beat=beat))
        return passed
