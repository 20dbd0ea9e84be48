"""Evenings on the disk: each a folder of its own with what was told, and at the end its story."""

import secrets
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import BinaryIO

from somnisphere.circle.evening import Evening, Passage, Refusal, RefusedStepError, begin, consent_of, sentences_of
from somnisphere.circle.partial import KEEP_FREE_BYTES
from somnisphere.circle.spoken import spoken, unspoken
from somnisphere.library import ffmpeg
from somnisphere.library.audio import read_audio
from somnisphere.library.broken import UnreadableError
from somnisphere.library.sent_sound import take_sound
from somnisphere.library.story_writer import file_name, write_story
from somnisphere.small_file import read_small, write_small
from somnisphere.story import Book, Recording
from somnisphere.telling.spoken import Untellable
from somnisphere.telling.spoken import tell as speak
from somnisphere.telling.voices import Voice

VERSION = 1
FILE = "evening.json"
LARGEST_SOUND_BYTES = 30_000_000
"""Of one passage: twenty minutes of speech and more."""
LARGEST_EVENING_BYTES = 600_000_000
MOST_EVENINGS = 200


class Evenings:
    """``folder``: of all evenings. Methods raise ``OSError``. Several threads may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def begin(self, title: str, language: str, licence: str, today: date) -> Evening:
        evening = begin(spoken(secrets.token_bytes(10)), title, language, licence, today)
        if len(self.all()) >= MOST_EVENINGS:
            raise OSError(28, "there are very many evenings; take some away", str(self._folder))
        self._room(evening.id).mkdir(mode=0o700, parents=True)
        self._write(evening)
        return evening

    def find(self, ident: str) -> Evening | None:
        """By its five words; None for any other words."""
        try:
            unspoken(ident)
            kept = read_small(self._room(ident) / FILE, VERSION, "evening")
            passages = tuple(Passage(**one) for one in kept.pop("passages"))
            tellers = tuple(kept.pop("tellers"))
            return Evening(**kept, tellers=tellers, passages=passages)
        except (ValueError, TypeError, KeyError, RecursionError, FileNotFoundError):
            return None

    def all(self) -> list[Evening]:
        """The latest first."""
        found = [self.find(path.name) for path in self._folder.iterdir()] if self._folder.is_dir() else []
        return sorted((one for one in found if one is not None), key=lambda one: (one.on, one.id), reverse=True)

    def change(self, ident: str, step: Callable[[Evening], Evening]) -> Evening | None:
        """One step at a time, whoever takes it; ``RefusedStepError`` comes through."""
        with self._lock:
            evening = self.find(ident)
            if evening is None:
                return None
            evening = step(evening)
            self._write(evening)
            return evening

    def tell(self, ident: str, step: Callable[[Evening, str], Evening], sound: BinaryIO | None) -> Evening | None:
        """A step that brings a recording along: kept only when the step is taken. Raises ``NotSoundError``."""
        if self.find(ident) is None:
            return None
        name = "" if sound is None else self._keep_sound(ident, sound)
        try:
            return self.change(ident, lambda evening: step(evening, name))
        except RefusedStepError:
            if name:
                (self._room(ident) / name).unlink(missing_ok=True)
            raise

    def sound(self, ident: str, name: str) -> Path:
        return self._room(ident) / name

    def story(self, evening: Evening) -> Path:
        """Where the story of an evening that ended lies."""
        return self._room(evening.id) / file_name(evening.title)

    def make_story(self, evening: Evening, voice: Voice, cache: Path) -> Path:
        """All passages as one ``.story``. Raises ``UnreadableError`` when its sound cannot be joined."""
        to = self.story(evening)
        recordings = (self._joined(evening, voice, cache),) if any(one.sound for one in evening.passages) else ()
        write_story(
            Book(
                key=to.name,
                title=evening.title,
                path=to,
                teller=consent_of(evening).by,
                language=evening.language,
                licence=evening.licence,
                sentences=sentences_of(evening),
                recordings=recordings,
            ),
            to,
        )
        with suppress(OSError):
            (self._room(evening.id) / "whole.mka").unlink(missing_ok=True)
        return to

    def _joined(self, evening: Evening, voice: Voice, cache: Path) -> Recording:
        """The passages one behind the other. One that was typed is spoken by the household's voice in between."""
        parts: list[tuple[Path, float]] = []
        for n, passage in enumerate(evening.passages, 1):
            path = self._room(evening.id) / passage.sound
            if not passage.sound:
                only = Evening("", evening.title, evening.language, "", evening.on, passages=(passage,))
                book = Book(f"{n}", evening.title, path, language=evening.language, sentences=sentences_of(only))
                told = speak(book, voice, cache)
                if isinstance(told, Untellable):
                    raise UnreadableError(told.reason)
                path = told.path
            parts.append((path, _length_s(path)))
        whole = self._room(evening.id) / "whole.mka"
        ffmpeg.join(parts, whole)
        consent = consent_of(evening)
        return Recording(whole, consent.by, read_audio(whole).duration_s, consent=consent)

    def _keep_sound(self, ident: str, sound: BinaryIO) -> str:
        room = self._room(ident)
        if shutil.disk_usage(room).free < KEEP_FREE_BYTES + LARGEST_SOUND_BYTES:
            raise OSError(28, "the disk is nearly full", str(room))
        if sum(path.stat().st_size for path in room.glob("passage-*")) > LARGEST_EVENING_BYTES:
            raise RefusedStepError(Refusal.TOO_LONG)
        return take_sound(sound, room, f"passage-{secrets.token_hex(6)}", LARGEST_SOUND_BYTES).name

    def _room(self, ident: str) -> Path:
        return self._folder / ident

    def _write(self, evening: Evening) -> None:
        write_small(self._room(evening.id) / FILE, VERSION, "evening", asdict(evening))


def _length_s(path: Path) -> float:
    """What a browser records does not say how long it is: it is heard to its end."""
    said_s = read_audio(path).duration_s
    return said_s or sum(len(block) for block in ffmpeg.decode(path)) / ffmpeg.RATE_HZ
