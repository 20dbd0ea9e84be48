"""The voice of the bedside: stories told by mpv.

``MpvSpeaker`` keeps what it was asked for (``_Wish``) apart from the mpv that does it, so that a fresh mpv can be given
the same story, place, gain and pause as one that died.
"""

import logging
import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from somnisphere_hardware.mpv_ipc import LINK_DOWN, LINK_UP, MPV_OPTIONS, MpvLink
from somnisphere_hardware.speaker import REPORT_S, SpeakerReport, SpeakerState

log = logging.getLogger(__name__)

ASK_S = 0.5
"""How often mpv is asked for it: what a dead mpv costs at most."""

SILENT_S = 5.0
"""An mpv that owes an answer for this long hangs, and is replaced."""

BACKOFF_S = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Waits before a dead mpv is started again; after the last one the story has failed."""

HEALTHY_S = 30.0
"""An mpv that has played this long starts the count of restarts anew."""


def volume_pct(gain_db: float) -> float:
    """mpv's volume for a gain of 0 dB or less. Its volume is cubic (amplitude = (volume / 100)^3: mpv manual,
    ``--volume``), and mpv before 0.36 has no gain in dB."""
    if math.isnan(gain_db):
        raise ValueError("a gain must be a number")
    return float(100.0 * 10.0 ** (min(0.0, gain_db) / 60.0))


@dataclass(slots=True)
class _Wish:
    path: Path
    position_s: float
    """The last place known."""
    gain_db: float
    paused: bool = False
    at_s: float = 0.0
    """When it was there."""


@dataclass(slots=True)
class _Hold:
    """A pause between two sentences, waited for or, with ``until_s``, going on."""

    position_s: float
    for_s: float
    until_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Question:
    """Something mpv owes an answer to: whether it took a story, or where in it it is."""

    wish: _Wish
    state: SpeakerState | None
    """To be reported with the place; None when only the place matters."""
    loads: bool = False


class MpvSpeaker:
    """Stories through mpv. It is started with the first story and kept; ``close`` ends it.

    ``ao`` and ``audio_device`` are mpv's (``alsa``, ``alsa/plughw:CARD=...``; ``null`` for silence); ``options`` are
    more of mpv's own. ``wake`` is called from another thread when ``step`` would have something to say.
    """

    def __init__(
        self,
        runtime_dir: Path,
        ao: str = "alsa",
        audio_device: str = "",
        options: Sequence[str] = (),
        program: str = "mpv",
        wake: Callable[[], None] | None = None,
    ) -> None:
        device = [f"--audio-device={audio_device}"] if audio_device else []
        self._command = [program, *MPV_OPTIONS, f"--ao={ao}", *device, *options]
        self.socket_path = runtime_dir / "mpv.sock"
        self._wake = wake
        self._link: MpvLink | None = None
        self._up = False
        self._wish: _Wish | None = None
        self._entry: int | None = None  # mpv's number for our story; events about others are old news
        self._current: int | None = None  # mpv's number for what it opened last
        self._loaded = False
        self._asked: dict[int, _Question] = {}  # by request id
        self._told: list[SpeakerReport] = []
        self._now_s = 0.0
        self._ask_due_s = 0.0
        self._report_due_s = 0.0
        self._owed_since_s: float | None = None
        self._loaded_s = 0.0
        self._restarts = 0
        self._restart_due_s: float | None = None
        self._hold: _Hold | None = None

    @property
    def pid(self) -> int | None:
        """mpv's process id, None while there is none."""
        return None if self._link is None else self._link.pid

    # ---- what is wished ----

    def play(self, path: Path, position_s: float, gain_db: float) -> None:
        """Tell the story at ``path`` from ``position_s``; whatever was told before is forgotten."""
        self._settle()
        self._forget()
        self._restarts = 0
        self._wish = _Wish(path.absolute(), max(0.0, position_s), min(0.0, gain_db))
        if not path.is_file():
            self._fail(f"There is no story file {path}; put it back on the shelf, or choose another story.")
        elif self._link is None:
            self._start()
        elif self._up:
            self._load(self._wish)

    def pause(self) -> None:
        self._set_paused(True)

    def resume(self, gain_db: float) -> None:
        self.set_gain(gain_db)
        self._set_paused(False)

    def stop(self) -> None:
        """End the story. The report says where it was."""
        if self._wish is not None:
            self._report_state(self._wish, "stopped")
            self._send("stop")
            self._forget()

    def set_gain(self, gain_db: float) -> None:
        volume = volume_pct(gain_db)
        if self._wish is not None:
            self._wish.gain_db = gain_db
            self._send("set_property", "volume", volume)

    def hold(self, position_s: float, for_s: float) -> None:
        if self._wish is not None and not self._wish.paused:
            self._end_hold()
            self._hold = _Hold(position_s, for_s)

    @property
    def due_s(self) -> float | None:
        if self._hold is None or self._wish is None or not self._loaded:
            return None
        if self._hold.until_s is not None:
            return self._hold.until_s
        return self._wish.at_s + self._hold.position_s - self._wish.position_s

    def close(self) -> None:
        """Silence within a second: mpv is asked to end, then made to."""
        self._forget()
        self._unlink(patience_s=0.5)

    def step(self, at_s: float) -> list[SpeakerReport]:
        """What happened since the last call. ``at_s`` is real monotonic time, for the sound is real."""
        self._now_s = at_s
        for message in self._link.messages() if self._link is not None else ():
            self._hear(message)
        if not self._asked:
            self._owed_since_s = None
        elif self._owed_since_s is None:
            self._owed_since_s = at_s
        elif at_s - self._owed_since_s > SILENT_S:
            self._lose("mpv does not answer")
        if self._restart_due_s is not None and at_s >= self._restart_due_s:
            self._start()
        self._step_hold(at_s)
        if self._loaded and self._wish is not None and not self._wish.paused and at_s >= self._ask_due_s:
            self._ask_due_s = at_s + ASK_S
            self._ask(_Question(self._wish, None))
        told, self._told = self._told, []
        return [replace(report, at_s=at_s) for report in told]

    def _step_hold(self, at_s: float) -> None:
        due_s, hold = self.due_s, self._hold
        if due_s is None or hold is None or at_s < due_s:
            return
        if hold.until_s is None:
            hold.until_s = at_s + hold.for_s
            self._send("set_property", "pause", True)
        else:
            self._end_hold()

    def _end_hold(self) -> None:
        """Go on where the story stands still."""
        hold, self._hold = self._hold, None
        if hold is not None and hold.until_s is not None and self._wish is not None and not self._wish.paused:
            self._wish.at_s = self._now_s
            self._send("set_property", "pause", False)

    # ---- what mpv is told ----

    def _start(self) -> None:
        self._restart_due_s = None
        try:
            self._link = MpvLink(self._command, self.socket_path, self._wake)
        except FileNotFoundError:
            self._fail(f"There is no {self._command[0]} to tell stories with; install it: sudo apt install mpv")
        except OSError as error:
            self._fail(f"mpv cannot be started: {error}.")

    def _load(self, wish: _Wish) -> None:
        """Give mpv the whole wish. (``start`` is set apart: loadfile's own options moved in mpv 0.38.)"""
        self._send("set_property", "volume", volume_pct(wish.gain_db))
        self._send("set_property", "pause", wish.paused)
        self._send("set_property", "start", f"{wish.position_s:.3f}")
        self._asked[self._send("loadfile", str(wish.path), "replace")] = _Question(wish, None, loads=True)

    def _set_paused(self, paused: bool) -> None:
        if self._wish is not None:
            self._hold = None
            self._wish.paused = paused
            self._send("set_property", "pause", paused)
            self._report_state(self._wish, "paused" if paused else "playing")

    def _report_state(self, wish: _Wish, state: SpeakerState) -> None:
        """Report with the exact place, if there is an mpv to say it."""
        if self._loaded:
            self._ask(_Question(wish, state))
        else:
            self._tell(wish, state)

    def _ask(self, question: _Question) -> None:
        self._asked[self._send("get_property", "time-pos")] = question

    def _send(self, *command: object) -> int:
        return self._link.send(*command) if self._link is not None and self._up else 0

    # ---- what mpv says ----

    def _hear(self, message: dict[str, Any]) -> None:
        event = message.get("event")
        entry = message.get("playlist_entry_id")
        if event is None:
            self._hear_answer(message)
        elif event == LINK_UP:
            self._up = True
            if self._wish is not None:
                self._load(self._wish)
        elif event == LINK_DOWN:
            self._lose("mpv ended")
        elif event == "start-file":
            self._current = entry
        elif event == "playback-restart" and self._wish is not None and self._current == self._entry:
            if self._loaded:  # only the first says that the sound is there
                return
            self._loaded = True
            self._loaded_s = self._ask_due_s = self._wish.at_s = self._now_s
            self._report_due_s = self._now_s + REPORT_S
            self._tell(self._wish, "paused" if self._wish.paused else "playing")
        elif event == "end-file" and self._wish is not None and entry == self._entry:
            self._hear_end(self._wish, message)

    def _hear_answer(self, message: dict[str, Any]) -> None:
        self._owed_since_s = None
        number, data = message.get("request_id"), message.get("data")
        question = self._asked.pop(number, None) if isinstance(number, int) else None
        if question is None:
            return
        if question.loads:
            if question.wish is not self._wish:  # stopped before mpv took it
                return
            self._entry = data.get("playlist_entry_id") if isinstance(data, dict) else None
            if self._entry is None:
                self._fail(f"mpv does not take the story {question.wish.path.name}: {message.get('error')}.")
            return
        if isinstance(data, int | float) and 0 <= data < 1e7:  # none before the first sound
            question.wish.position_s, question.wish.at_s = float(data), self._now_s
        if question.state is not None:
            self._tell(question.wish, question.state)
        elif question.wish is self._wish and self._now_s >= self._report_due_s:
            self._tell(question.wish, "playing")

    def _hear_end(self, wish: _Wish, message: dict[str, Any]) -> None:
        reason = message.get("reason")
        if reason == "eof":
            self._tell(wish, "ended")
            self._forget()
        elif reason == "stop":  # by another hand than ours
            self._tell(wish, "stopped")
            self._forget()
        elif reason != "quit":  # then mpv goes, and LINK_DOWN deals with it
            error = str(message.get("file_error", reason))
            if "audio output" in error:
                self._fail(f"The speaker cannot be used ({error}); is it plugged in, and free of other players?")
            else:
                self._fail(f"{wish.path.name} cannot be told: it is not audio that mpv knows, or broken ({error}).")

    # ---- what becomes of it ----

    def _lose(self, how: str) -> None:
        """There is no mpv any more, or none worth keeping: a story that was on is carried on by a fresh one."""
        exit_code = self._link.exit_code if self._link is not None else None
        was_up = self._up
        self._unlink(patience_s=0.0)
        wish = self._wish
        if wish is None:
            return
        if was_up and self._now_s - self._loaded_s > HEALTHY_S:
            self._restarts = 0
        if not was_up and exit_code is not None and exit_code > 0:
            self._fail(f"mpv does not start (exit code {exit_code}); try in a terminal: {shlex.join(self._command)}")
        elif self._restarts >= len(BACKOFF_S):
            self._fail(f"mpv keeps ending while it tells {wish.path.name}; try another story.")
        else:
            self._restart_due_s = self._now_s + BACKOFF_S[self._restarts]
            self._restarts += 1
            log.warning("%s (exit code %s); carrying on at %.1f s", how, exit_code, wish.position_s)

    def _unlink(self, patience_s: float) -> None:
        self._up = self._loaded = False
        self._entry = self._current = None
        self._owed_since_s = None
        if self._link is not None:
            self._link.close(patience_s)
            self._link = None
        self._settle()

    def _settle(self) -> None:
        """Nothing more will be answered: report what was asked for, with the last place known."""
        for question in self._asked.values():
            if question.state is not None:
                self._tell(question.wish, question.state)
        self._asked.clear()

    def _fail(self, problem: str) -> None:
        assert self._wish is not None
        self._tell(self._wish, "failed", problem)
        self._send("stop")
        self._forget()

    def _forget(self) -> None:
        self._wish = self._entry = self._restart_due_s = self._hold = None
        self._loaded = False

    def _tell(self, wish: _Wish, state: SpeakerState, problem: str = "") -> None:
        self._report_due_s = self._now_s + REPORT_S
        self._told.append(SpeakerReport(self._now_s, state, wish.path, wish.position_s, problem))
