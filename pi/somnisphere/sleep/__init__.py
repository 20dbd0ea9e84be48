"""Samples to stages. Pure; numpy only; time is an argument.

``from somnisphere.sleep import PulseMeter``: feed it blocks of samples, get heartbeats.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from somnisphere.sleep.beats import PulseMeter

__all__ = ["PulseMeter"]


def __getattr__(name: str) -> Any:
    # On demand, so that importing one room of the house does not bring numpy with it.
    if name == "PulseMeter":
        from somnisphere.sleep.beats import PulseMeter

        return PulseMeter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
