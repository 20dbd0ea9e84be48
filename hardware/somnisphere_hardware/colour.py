"""Two whites mixed into one that gets warmer as it gets darker. Pure; ``TwoChannelOutput`` drives two light outputs.

The chromaticity of a colour temperature is Krystek's approximation of the Planckian locus in CIE 1960 (u, v), good to
9e-5 from 1000 K to 15000 K (M. Krystek, Color Research and Application 10, 1985). Each LED is taken to lie on the locus
and to be as bright as the other; what a box really prints on its LEDs is all that is known of them.
"""

from dataclasses import dataclass
from typing import Protocol

from somnisphere_hardware.fade import lightness

NIGHT_BELOW_PCT = 5.0
EVENING_ABOVE_PCT = 50.0
"""Lightness (L*) at which the slide of colour ends and begins: the story's light, L* 20, is well on its way."""

Point = tuple[float, float]


class LightOutput(Protocol):
    """Whatever turns a share of full light, 0..1, into light. ``write`` may raise OSError; ``close`` leaves it dark.

    ``moving``: another write follows within a tick, so the duty may be dithered.
    """

    @property
    def smallest_duty(self) -> float:
        """The faintest light but none; less than this is dark."""
        ...

    def write(self, duty: float, *, moving: bool = False) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Whites:
    """The second white LED, what the two are, and how warm the light is to be. Colour temperatures in kelvin."""

    cold_pin: int
    warm_k: float = 1800.0
    cold_k: float = 2700.0
    evening_k: float = 2700.0
    night_k: float = 1800.0

    def __post_init__(self) -> None:
        if self.warm_k >= self.cold_k:
            raise ValueError(f"the warm LED has {self.warm_k:g} K, not less than the cold one's {self.cold_k:g} K")


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the luminance, together 1."""

    warm: float
    cold: float


def planckian_uv(cct_k: float) -> Point:
    """Chromaticity (u, v) in CIE 1960 of a black body, 1000..15000 K."""
    t = cct_k
    u = (0.860117757 + 1.54118254e-4 * t + 1.28641212e-7 * t * t) / (1.0 + 8.42420235e-4 * t + 7.08145163e-7 * t * t)
    v = (0.317398726 + 4.22806245e-5 * t + 4.20481691e-8 * t * t) / (1.0 - 2.89741816e-5 * t + 1.61456053e-7 * t * t)
    return u, v


def mix(cct_k: float, warm_k: float, cold_k: float) -> Mix:
    """Shares of luminance of a warm and a cold white that look like ``cct_k``; one alone where the other cannot help.

    Mixtures lie on the straight line between the two in (u, v), weighted by Y / v. Correlated colour temperature is
    the nearest point of the locus (CIE 15:2018, 9.4), so the wanted mixture is where the line meets the normal there.
    """
    if cct_k <= warm_k:
        return Mix(1.0, 0.0)
    if cct_k >= cold_k:
        return Mix(0.0, 1.0)
    warm, cold, wanted = planckian_uv(warm_k), planckian_uv(cold_k), planckian_uv(cct_k)
    before, after = planckian_uv(cct_k - 1.0), planckian_uv(cct_k + 1.0)
    along = (after[0] - before[0], after[1] - before[1])
    reach = _dot(_minus(cold, warm), along)
    share = min(1.0, max(0.0, _dot(_minus(wanted, warm), along) / reach))
    cold_luminance, warm_luminance = share * cold[1], (1.0 - share) * warm[1]
    total = cold_luminance + warm_luminance
    return Mix(warm_luminance / total, cold_luminance / total)


def _minus(a: Point, b: Point) -> Point:
    return a[0] - b[0], a[1] - b[1]


def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1]


def wanted_cct_k(lightness_pct: float, evening_k: float, night_k: float) -> float:
    """Colour temperature of a lightness: even in reciprocal kelvin, which is how evenly the eye sees whites differ."""
    share = (lightness_pct - NIGHT_BELOW_PCT) / (EVENING_ABOVE_PCT - NIGHT_BELOW_PCT)
    share = min(1.0, max(0.0, share))
    return 1.0 / (share / evening_k + (1.0 - share) / night_k)


class TwoChannelOutput:
    """One light from a warm and a cold output, as luminous as a single output would be, whatever its colour."""

    def __init__(self, warm: LightOutput, cold: LightOutput, whites: Whites) -> None:
        self._warm = warm
        self._cold = cold
        self._whites = whites

    @property
    def smallest_duty(self) -> float:
        return max(self._warm.smallest_duty, self._cold.smallest_duty)

    def write(self, duty: float, *, moving: bool = False) -> None:
        warm_duty, cold_duty = self._shares(duty)
        self._cold.write(cold_duty, moving=moving)
        self._warm.write(warm_duty, moving=moving)

    def _shares(self, duty: float) -> tuple[float, float]:
        """A share too faint for its LED goes to the other: the colour is a little off then, the luminance is not."""
        whites = self._whites
        cct_k = wanted_cct_k(lightness(duty), whites.evening_k, whites.night_k)
        shares = mix(cct_k, whites.warm_k, whites.cold_k)
        warm_duty, cold_duty = duty * shares.warm, duty * shares.cold
        if cold_duty < self._cold.smallest_duty:
            return duty, 0.0
        if warm_duty < self._warm.smallest_duty:
            return 0.0, duty
        return warm_duty, cold_duty

    def close(self) -> None:
        try:
            self._warm.close()
        finally:
            self._cold.close()
