"""Samples to stages. Pure; numpy only; time is an argument.

The public interface for other projects:

- ``PulseMeter``: feed it blocks of samples as they come, get heartbeats;
- ``ActigraphCounter`` and ``Lie``: feed them acceleration, get activity counts and turn-overs;
- ``SleepStager``: feed it a night's ``Epoch``s as they come, get the stage of each with its probabilities, from the
  past alone; ``revise(epochs)``: the same with the whole night in hand; ``summarize(estimates)`` and
  ``ranges(estimates)``: the facts of the night, and how far each may be off;
- ``beats(ppg, fs_hz)``, ``breathing(ppg, fs_hz)``, ``oxygen(red, ir, fs_hz)``: the same for a whole array.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from somnisphere.sleep.counts import ActigraphCounter
    from somnisphere.sleep.facts import NightFacts, NightRanges, ranges, summarize
    from somnisphere.sleep.overnight import revise
    from somnisphere.sleep.posture import Lie
    from somnisphere.sleep.pulse import PulseMeter
    from somnisphere.sleep.stager import SleepStager
    from somnisphere.sleep.whole import Breathing, OxygenSeries, beats, breathing, oxygen

_ROOMS = {
    "ActigraphCounter": "counts",
    "Breathing": "whole",
    "Lie": "posture",
    "NightFacts": "facts",
    "NightRanges": "facts",
    "OxygenSeries": "whole",
    "PulseMeter": "pulse",
    "SleepStager": "stager",
    "beats": "whole",
    "breathing": "whole",
    "oxygen": "whole",
    "ranges": "facts",
    "revise": "overnight",
    "summarize": "facts",
}
__all__ = [
    "ActigraphCounter",
    "Breathing",
    "Lie",
    "NightFacts",
    "NightRanges",
    "OxygenSeries",
    "PulseMeter",
    "SleepStager",
    "beats",
    "breathing",
    "oxygen",
    "ranges",
    "revise",
    "summarize",
]


def __getattr__(name: str) -> Any:
    # On demand, so that importing one room of the house does not bring numpy with it.
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"somnisphere.sleep.{_ROOMS[name]}"), name)
