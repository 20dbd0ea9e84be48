"""An mpv without a process: what ``MpvLink`` would say and do, in virtual time, and what an ear by the bed hears."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from somnisphere_hardware import mpv_speaker
from somnisphere_hardware.mpv_ipc import LINK_DOWN, LINK_UP

UP_S, LOAD_S = 0.4, 0.2


class Sound:
    """All mpvs of one box. ``hung``: they stand still; ``gone``: there is no sound card."""

    def __init__(self, now_s: Callable[[], float], duration_s: Callable[[Path], float | None]) -> None:
        self.now_s = now_s
        self.duration_s = duration_s
        self.hung = False
        self.gone = False
        self.link: SimulatedMpv | None = None

    @property
    def sounding(self) -> bool:
        return self.link is not None and self.link.sounding

    def kill(self) -> None:
        """The process dies: by a hand, or by its leash when the daemon is killed."""
        if self.link is not None:
            self.link.die()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """While this lasts, ``MpvSpeaker`` starts these."""
        real = vars(mpv_speaker)["MpvLink"]

        def start(command: Sequence[str], socket_path: Path, wake: Callable[[], None] | None = None) -> SimulatedMpv:  # noqa: ARG001
            self.link = SimulatedMpv(self)
            return self.link

        vars(mpv_speaker)["MpvLink"] = start
        try:
            yield
        finally:
            vars(mpv_speaker)["MpvLink"] = real


class SimulatedMpv:
    """One process. Times are the sound's."""

    pid = 1

    def __init__(self, sound: Sound) -> None:
        self._sound = sound
        self._up_s = sound.now_s() + UP_S
        self._is_up = False
        self._said: list[dict[str, Any]] = []
        self._last_id = self._entry = 0
        self._path: Path | None = None
        self._begin_s: float | None = None  # when the file that is being opened will sound
        self._position_s = self._moved_s = 0.0
        self._paused = False
        self._start_s = 0.0
        self._volume = 100.0
        self._dead = False
        self.exit_code: int | None = None

    @property
    def sounding(self) -> bool:
        self._go_on()
        silent = self._dead or self._sound.hung or self._sound.gone or self._paused or self._volume < 1.0
        return self._path is not None and self._begin_s is None and not silent

    def die(self) -> None:
        if not self._dead:
            self._dead, self.exit_code = True, -9
            self._say(event=LINK_DOWN)

    def messages(self) -> list[dict[str, Any]]:
        if self._dead:
            said, self._said = self._said, []
            return said
        if self._sound.hung:
            return []
        self._go_on()
        said, self._said = self._said, []
        return said

    def send(self, *command: object) -> int:
        self._last_id += 1
        if self._dead or self._sound.hung:
            return self._last_id
        self._go_on()
        data: object = None
        match command:
            case ("set_property", "pause", bool(paused)):
                self._paused = paused
            case ("set_property", "volume", float(volume)):
                self._volume = volume
            case ("set_property", "start", str(start)):
                self._start_s = float(start)
            case ("loadfile", str(path), "replace"):
                self._end("stop")
                self._entry += 1
                self._path, self._begin_s = Path(path), self._sound.now_s() + LOAD_S
                data = {"playlist_entry_id": self._entry}
                self._say(event="start-file", playlist_entry_id=self._entry)
            case ("get_property", "time-pos"):
                data = self._position_s if self._path is not None and self._begin_s is None else None
            case ("stop",):
                self._end("stop")
            case ("quit",):
                self.die()
        self._say(request_id=self._last_id, error="success", data=data)
        return self._last_id

    def close(self, patience_s: float = 0.5) -> None:  # noqa: ARG002
        self._dead = True
        self._path = None

    def _go_on(self) -> None:
        now_s = self._sound.now_s()
        if not self._is_up and now_s >= self._up_s and not self._dead:
            self._is_up = True
            self._say(event=LINK_UP)
        if self._path is not None and self._begin_s is not None and now_s >= self._begin_s:
            if self._sound.gone:
                self._end("error", file_error="audio output initialization failed")
                return
            self._position_s, self._moved_s, self._begin_s = self._start_s, now_s, None
            self._say(event="playback-restart")
        elif self._path is not None and self._begin_s is None:
            if not self._paused and not self._sound.hung and not self._dead:
                self._position_s += max(0.0, now_s - self._moved_s)
            if self._position_s >= (self._sound.duration_s(self._path) or 0.0):
                self._end("eof")
        self._moved_s = now_s

    def _end(self, reason: str, **more: object) -> None:
        if self._path is not None:
            self._path = self._begin_s = None
            self._say(event="end-file", playlist_entry_id=self._entry, reason=reason, **more)

    def _say(self, **message: object) -> None:
        self._said.append(message)
