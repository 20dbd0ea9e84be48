"""Samples to stages. Pure; numpy only; time is an argument.

The public interface for other projects:

- ``PulseMeter``: feed it blocks of samples as they come, get heartbeats;
- ``ActigraphCounter`` and ``Lie``: feed them acceleration, get activity counts and turn-overs;
- ``beats(ppg, fs_hz)``, ``breathing(ppg, fs_hz)``, ``oxygen(red, ir, fs_hz)``: the same for a whole array.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from somnisphere.sleep.counts import ActigraphCounter
    from somnisphere.sleep.posture import Lie
    from somnisphere.sleep.pulse import PulseMeter
    from somnisphere.sleep.whole import Breathing, OxygenSeries, beats, breathing, oxygen

__all__ = ["ActigraphCounter", "Breathing", "Lie", "OxygenSeries", "PulseMeter", "beats", "breathing", "oxygen"]
_ROOMS = {"ActigraphCounter": "counts", "Lie": "posture", "PulseMeter": "pulse"}


def __getattr__(name: str) -> Any:
    # On demand, so that importing one room of the house does not bring numpy with it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"somnisphere.sleep.{_ROOMS.get(name, 'whole')}"), name)
