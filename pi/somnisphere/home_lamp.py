"""The evening's lamp as a light of Home Assistant: few, long transitions, even to the eye, and never a flash.

Of the same shape as ``somnisphere_hardware.lamp.Lamp``. A light that a person changes meanwhile is theirs until the
next ``dim``.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from somnisphere.home_worker import HomeWorker
from somnisphere_hardware.fade import Fade, lightness, luminance
from somnisphere_home.rest import EntityState, HomeAssistantClient, HomeRefused, HomeUnreachable, number_of

log = logging.getLogger(__name__)

STEP_S = 60.0
"""No transition is longer: bulbs hold few of them well, and a person's hand is noticed between two."""

SOFTEST_S = 2.0
"""No transition is shorter: a home that comes back late must not make a jump of what was missed."""

LOOK_S = 0.5
"""How soon an answer is looked for."""

RETRY_S = 10.0
TOLERANCE = 10
"""Of 255: bulbs round."""

WARM_K, WARMEST_K = 2700, 2000
KELVINS = (1000.0, 10_000.0)
"""What a white may be; a bulb that says another least has said none."""
WARM_FROM_PCT = 45.0
"""At this lightness and above 2700 K; down to 2000 K in the dark."""


@dataclass(frozen=True, slots=True)
class _Aim:
    """Where the light is to be at ``until_s``; brightness 0 is off."""

    brightness: int
    lightness_pct: float
    until_s: float


@dataclass(frozen=True, slots=True)
class _Done:
    aim: _Aim | None
    dims: int
    trouble: str = ""
    brightness: int = 0
    """Before this step."""
    touched: bool = False


class HomeLamp:
    """``floor_pct``: the least brightness, of 100, at which this bulb still shines; below it, it is off."""

    def __init__(
        self,
        client: HomeAssistantClient,
        entity_id: str,
        floor_pct: float = 1.0,
        wake: Callable[[], None] | None = None,
    ) -> None:
        self._entity_id = entity_id
        self._floor_pct = floor_pct
        self._worker: HomeWorker[_Done] = HomeWorker(client, wake)
        self._fade = Fade(0.0, 0.0, 0.0, 0.0)
        self._held: tuple[Fade, float] | None = None
        self._lightness_pct = 0.0
        self._dims = 0  # how often ``dim`` was called: answers to an older one are old news
        self._looked = True
        self._between: tuple[int, int] | None = None  # what the light may be now, by what it was last told
        self._due_s: float | None = None
        self._at_rest = True
        self.hands_off = False
        """A person changed the light since the last ``dim``."""
        self.problem = ""
        """A sentence for a person while the light cannot be had, else ""."""

    @property
    def lightness_pct(self) -> float:
        return self._lightness_pct

    @property
    def target_pct(self) -> float:
        return self._fade.to_pct

    @property
    def is_fading(self) -> bool:
        return not self._at_rest

    def dim(self, lightness_pct: float, over_s: float, at_s: float) -> None:
        """Go to a lightness (CIE L*, 0..100) over up to an hour, from where the light is found to be."""
        self._fade = Fade.between(self._fade.at(at_s), lightness_pct, at_s, over_s)
        self._held = None
        self._dims += 1
        self._looked = self.hands_off = self._at_rest = False
        self._due_s = at_s

    def freeze(self, at_s: float) -> bool:
        """Stay where the light is now, as ``Lamp.freeze``; the bulb is told with the next ``step``."""
        if at_s >= self._fade.end_s:
            return False
        self._held = (self._fade, at_s)
        self._fade = self._fade.held(at_s)
        self._go_on(at_s)
        return True

    def land(self, at_s: float) -> bool:
        """Go on where ``freeze`` stopped, as ``Lamp.land``; a light that a person has is left alone."""
        if self._held is None or self.hands_off:
            return False
        fade, held_s = self._held
        self._held = None
        self._fade = fade.landing(held_s, at_s)
        self._go_on(at_s)
        return True

    def _go_on(self, at_s: float) -> None:
        """The fade is another one, from the same light."""
        self._at_rest = False
        self._due_s = at_s

    def step(self, at_s: float) -> float | None:
        """Tell the light its next step if it is time; when to be called again, None at rest. Never waits."""
        if (done := self._worker.answer()) is not None:
            self._hear(done, at_s)
        self._lightness_pct = self._fade.at(at_s)
        if self._due_s is None:
            return at_s + LOOK_S if self._worker.is_busy else None
        if self._worker.is_busy:
            return at_s + LOOK_S
        if at_s < self._due_s:
            return self._due_s
        dims, between = self._dims, self._between
        if not self._looked:
            self._worker.ask(lambda client: self._step(client, None, None, None, at_s, dims))
        elif self._fade.end_s <= at_s and self._at_goal():
            self._due_s, self._at_rest = None, True
            return None
        else:
            aim = self._aim(at_s)
            self._worker.ask(lambda client: self._step(client, aim, between, self._colour_k(aim), at_s, dims))
        return at_s + LOOK_S

    def close(self) -> None:
        """The light is left to the person: a home's light is no pin."""
        self._fade, self._due_s, self._at_rest = Fade(0.0, 0.0, 0.0, 0.0), None, True
        self._worker.close()

    # ---- what the light is told ----

    def _brightness(self, lightness_pct: float) -> int:
        share = luminance(lightness_pct)
        if share <= 0.0 or share * 100.0 < self._floor_pct:
            return 0
        return max(1, round(share * 255.0))

    def _aim(self, at_s: float) -> _Aim:
        until_s = max(at_s + SOFTEST_S, min(at_s + STEP_S, self._fade.end_s))
        lightness_pct = self._fade.at(until_s)
        return _Aim(self._brightness(lightness_pct), lightness_pct, until_s)

    def _at_goal(self) -> bool:
        return self._between is not None and self._between[1] == self._brightness(self._fade.to_pct)

    @staticmethod
    def _colour_k(aim: _Aim) -> int:
        return round(WARMEST_K + (WARM_K - WARMEST_K) * min(1.0, aim.lightness_pct / WARM_FROM_PCT))

    def _step(
        self,
        client: HomeAssistantClient,
        aim: _Aim | None,
        between: tuple[int, int] | None,
        colour_k: int | None,
        at_s: float,
        dims: int,
    ) -> _Done:
        """On the worker's thread: it changes nothing here. Without ``aim`` it only looks."""
        found = client.attributes(self._entity_id)
        if isinstance(found, HomeUnreachable | HomeRefused):
            return _Done(aim, dims, found.reason)
        if found is None:
            return _Done(aim, dims, f"there is no {self._entity_id}; check lamp.home_light")
        if found.state not in ("on", "off"):
            return _Done(aim, dims, f"{self._entity_id} is {found.state} there; has it power?")
        now = _brightness_of(found)
        if aim is None:
            return _Done(None, dims, brightness=now)
        if between is not None and not _is_as_told(now, between):
            return _Done(aim, dims, brightness=now, touched=True)
        transition_s = max(0.0, aim.until_s - at_s)
        data: dict[str, Any] = {"entity_id": self._entity_id, "transition": round(transition_s, 1)}
        if aim.brightness == 0:
            if now == 0:
                return _Done(aim, dims, brightness=now)
            trouble = client.call("light", "turn_off", data)
        else:
            data["brightness"] = aim.brightness
            modes = found.attributes.get("supported_color_modes")
            if isinstance(modes, list) and "color_temp" in modes and colour_k is not None:
                least_k = number_of(found.attributes.get("min_color_temp_kelvin"), *KELVINS) or WARMEST_K
                data["color_temp_kelvin"] = max(int(least_k), colour_k)
            trouble = client.call("light", "turn_on", data)
        return _Done(aim, dims, trouble.reason if trouble is not None else "", now)

    # ---- what came of it ----

    def _hear(self, done: _Done, at_s: float) -> None:
        if done.trouble:
            if not self.problem:
                log.warning("%s cannot be had: %s", self._entity_id, done.trouble)
            self.problem = f"{self._entity_id} cannot be had: {done.trouble}."
            if done.dims == self._dims:
                self._due_s = at_s + RETRY_S
            return
        self.problem = ""
        if done.dims != self._dims:
            return  # a newer dim looks for itself
        if done.touched:
            log.info("A person changed %s; it is left alone until the next phase.", self._entity_id)
            here_pct = lightness(done.brightness / 255.0)
            self._fade = Fade(here_pct, here_pct, at_s, 0.0)
            self.hands_off = self._at_rest = True
            self._due_s = None
        elif done.aim is None:
            self._looked = True
            # From the light that is there, in what is left of the time: a start from elsewhere would be a flash.
            here_pct, left_s = lightness(done.brightness / 255.0), max(0.0, self._fade.end_s - at_s)
            self._fade = Fade.between(here_pct, self._fade.to_pct, at_s, left_s)
            self._between = (done.brightness, done.brightness)
            self._due_s = at_s
        else:
            self._between = (done.brightness, done.aim.brightness)
            self._due_s = max(done.aim.until_s, at_s)


def _brightness_of(state: EntityState) -> int:
    if state.state == "off":
        return 0
    value = number_of(state.attributes.get("brightness"), 0.0, 255.0)
    return 255 if value is None else int(value)


def _is_as_told(now: int, between: tuple[int, int]) -> bool:
    """Anywhere on the way is right: some bulbs say their goal at once, some where they are, some are late."""
    if now == 0:
        return 0 in between
    return min(between) - TOLERANCE <= now <= max(between) + TOLERANCE
