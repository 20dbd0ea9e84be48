"""Home Assistant's light and player in virtual time, under the real ``HomeLamp`` and ``HomePlayer``.

Below them only the thread is replaced: a question is asked now and answered when the home would have answered.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from somnisphere import home_lamp, home_player
from somnisphere_home.rest import EntityState, HomeUnreachable

Answer = TypeVar("Answer")

LIGHT, PLAYER = "light.bedroom", "media_player.bedroom"
PROMPT_S, TIMEOUT_S = 0.3, 10.0


class SimulatedHome:
    """``up`` False: nothing answers; ``hung``: each question takes ten seconds and fails."""

    def __init__(self, now_s: Callable[[], float], duration_s: Callable[[str], float]) -> None:
        self.now_s = now_s
        self.duration_s = duration_s
        self.up = True
        self.hung = False
        self.brightness = 0
        self._state = "idle"
        self._url = ""
        self._volume = 0.4
        self._position_s = self._moved_s = 0.0

    # ---- what is there

    @property
    def sounding(self) -> bool:
        self._go_on()
        return self._state == "playing" and self._volume > 0.0

    def _go_on(self) -> None:
        now_s = self.now_s()
        if self._state == "playing":
            self._position_s += max(0.0, now_s - self._moved_s)
            if self._position_s >= self.duration_s(self._url):
                self._state = "idle"
        self._moved_s = now_s

    @property
    def latency_s(self) -> float:
        return TIMEOUT_S if self.hung else PROMPT_S

    # ---- as ``HomeAssistantClient``

    def attributes(self, entity_id: str) -> EntityState | HomeUnreachable | None:
        if (trouble := self._trouble()) is not None:
            return trouble
        self._go_on()
        if entity_id == LIGHT:
            return EntityState("on" if self.brightness else "off", {"brightness": self.brightness})
        here = {"volume_level": self._volume, "media_content_id": self._url, "media_position": self._position_s}
        return EntityState(self._state, here | {"media_duration": self.duration_s(self._url)})

    def call(self, domain: str, service: str, data: Mapping[str, Any]) -> HomeUnreachable | None:
        if (trouble := self._trouble()) is not None:
            return trouble
        self._go_on()
        match f"{domain}.{service}":
            case "light.turn_on":
                self.brightness = int(data["brightness"])
            case "light.turn_off":
                self.brightness = 0
            case "media_player.play_media":
                self._state, self._url, self._position_s = "playing", str(data["media_content_id"]), 0.0
            case "media_player.media_seek":
                self._position_s = float(data["seek_position"])
            case "media_player.media_play":
                self._state = "playing"
            case "media_player.media_pause" if self._state == "playing":
                self._state = "paused"
            case "media_player.media_stop":
                self._state = "idle"
            case "media_player.volume_set":
                self._volume = float(data["volume_level"])
        return None

    def close(self) -> None: ...

    def _trouble(self) -> HomeUnreachable | None:
        return None if self.up and not self.hung else HomeUnreachable("the home does not answer")

    @contextmanager
    def installed(self) -> Iterator[None]:
        """While this lasts, workers for the home have no thread."""
        real = vars(home_player)["HomeWorker"]
        for module in (home_lamp, home_player):
            vars(module)["HomeWorker"] = VirtualWorker
        try:
            yield
        finally:
            for module in (home_lamp, home_player):
                vars(module)["HomeWorker"] = real


class VirtualWorker(Generic[Answer]):
    """``HomeWorker``, but for its thread."""

    def __init__(self, client: SimulatedHome, wake: Callable[[], None] | None = None) -> None:  # noqa: ARG002
        self._home = client
        self._job: Callable[[SimulatedHome], Answer] | None = None
        self._due_s = 0.0
        self.is_busy = False

    def ask(self, job: Callable[[SimulatedHome], Answer]) -> None:
        assert not self.is_busy
        self.is_busy, self._job = True, job
        self._due_s = self._home.now_s() + self._home.latency_s

    def answer(self) -> Answer | None:
        if self._job is None or self._home.now_s() < self._due_s:
            return None
        job, self._job, self.is_busy = self._job, None, False
        return job(self._home)

    def close(self, last: Callable[[SimulatedHome], Answer] | None = None, patience_s: float = 2.0) -> None:
        if self._job is not None and self._home.latency_s < patience_s:
            self._job(self._home)
        if last is not None and self._home.latency_s < patience_s:
            last(self._home)
        self._job = None
