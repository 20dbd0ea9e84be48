"""What a simulated person does in a night: a list of stages and how long each lasts."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Word = Literal["awake", "light", "deep", "rem", "absent"]
WORDS: tuple[Word, ...] = ("awake", "light", "deep", "rem", "absent")
AWAKE, LIGHT, DEEP, REM, ABSENT = range(5)

# Minutes of light, deep, light again and REM sleep in the first to sixth cycle. Cycles of about 90 minutes with deep
# sleep early and REM late: Carskadon & Dement, "Normal human sleep" (Principles and Practice of Sleep Medicine).
_CYCLES_MIN = ((14, 38, 16, 8), (16, 28, 28, 16), (26, 14, 28, 24), (34, 4, 26, 28), (38, 0, 22, 30), (40, 0, 20, 32))


class Script:
    """Spans of time, each one stage. Before its start the first stage holds, after its end the last one."""

    def __init__(self, steps: Sequence[tuple[str, float]]) -> None:
        if not steps:
            raise ValueError("an empty script: say at least one (stage, seconds)")
        for word, seconds in steps:
            if word not in WORDS:
                raise ValueError(f"unknown stage {word!r} in a script; it may be one of {', '.join(WORDS)}")
            if not seconds > 0:
                raise ValueError(f"a stage of {seconds!r} seconds in a script; it must last longer than 0 s")
        self.stage: NDArray[np.int64] = np.array([WORDS.index(w) for w, _ in steps])
        """Shape (spans,), indices into ``WORDS``."""
        self.edges_s: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum([s for _, s in steps])])
        """Shape (spans + 1,)."""

    @property
    def end_s(self) -> float:
        return float(self.edges_s[-1])

    def stages_at(self, times_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Shape (n,), indices into ``WORDS``."""
        span = np.searchsorted(self.edges_s, times_s, side="right") - 1
        return self.stage[np.clip(span, 0, len(self.stage) - 1)]

    def spans(self) -> list[tuple[int, float, float]]:
        """Each span as (stage, start, end)."""
        return list(zip(self.stage.tolist(), self.edges_s[:-1].tolist(), self.edges_s[1:].tolist(), strict=True))


def usual_night(
    seed: int,
    *,
    hours: float = 7.7,
    fall_asleep_min: float = 25.0,
    absent_before_min: float = 0.0,
    absent_after_min: float = 10.0,
) -> list[tuple[str, float]]:
    """A plausible night of ``hours`` in bed: a while awake, cycles of sleep, a few awakenings, the last waking, gone.

    All lengths are whole epochs of 30 s. A short night keeps its shape: fewer cycles, and less time to fall asleep.
    """
    random = np.random.default_rng([seed, 7])
    bed_min = hours * 60.0
    awake_min = min(fall_asleep_min * random.uniform(0.8, 1.2), bed_min * 0.3)
    rise_min = min(8.0, bed_min * 0.06)
    sleep_min = bed_min - awake_min - rise_min
    cycles = int(np.clip(round(sleep_min / 90.0), 1, len(_CYCLES_MIN)))
    asleep: list[tuple[str, float]] = []
    for cycle in range(cycles):
        first, deep, second, rem = (minutes * random.uniform(0.8, 1.2) for minutes in _CYCLES_MIN[cycle])
        asleep += [("light", first), ("deep", deep), ("light", second), ("rem", rem)]
        if cycle < cycles - 1 and random.random() < 0.7:  # brief awakenings follow REM sleep
            asleep.append(("awake", random.uniform(1.0, 5.0)))
    scale = sleep_min / sum(minutes for _, minutes in asleep)
    steps = [("absent", absent_before_min), ("awake", awake_min)]
    steps += [(word, minutes * scale) for word, minutes in asleep]
    steps += [("awake", rise_min), ("absent", absent_after_min)]
    whole = [(word, 30.0 * round(minutes * 2.0)) for word, minutes in steps]
    return [(word, seconds) for word, seconds in whole if seconds > 0]
