"""Voices at the weaver's table: a line recorded by whoever told it, heard again, or read aloud by the household's."""

import threading
from collections.abc import Iterable
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute

from somnisphere.library.sent_sound import NotSoundError
from somnisphere.page.forms import Form, posted, shown
from somnisphere.page.house import House
from somnisphere.page.household_voice import teller_of
from somnisphere.page.replies import see, trouble
from somnisphere.page.visit import visit_of
from somnisphere.page.weaver_desk import WeaverDesk, address
from somnisphere.page.words import gettext_noop
from somnisphere.story import Book
from somnisphere.telling.encoding import FfmpegError
from somnisphere.weaver.binding import sentences_of
from somnisphere.weaver.store import Version
from somnisphere.weaver.table import MOST_LINES, Line, Table, TableError
from somnisphere.weaver.voices import BUSY_S, LARGEST_SOUND_BYTES, MEDIA_TYPES, Voice

MOST_ALOUD_CHARS = 20_000
"""About twenty minutes: more is heard line by line, or from the shelf."""
NOT_KEPT = {
    "kind": gettext_noop("This is no recording that can be played. Record it again."),
    "silent": gettext_noop("Nothing can be heard in this recording. Is the microphone muted?"),
    "long": gettext_noop("This recording is too long for one line. Ten minutes are the most."),
    "large": gettext_noop("This recording is too large. Record it again, or in another format."),
    "busy": gettext_noop("The box is busy with another voice. Try it again in a minute."),
}
SANDBOX = {"content-security-policy": "sandbox"}


def routes(house: House, desk: WeaverDesk) -> list[BaseRoute]:
    speaking = threading.Lock()  # one at a time: the night is computed on the same few cores

    def record(request: Request, form: Form) -> Response:
        latest, words = desk.of(form), visit_of(request).words
        back, number = address(latest), form.whole("line", 0, MOST_LINES)
        upload, voice = form.file("sound"), None
        try:
            line = latest.table.line(MOST_LINES if number is None else number)
            if form.choice("wish", ("out",)):
                changed = latest.table.recorded(number or 0, "", 0.0)
            elif upload is None:
                return see(request, back, words.gettext("There was no recording in it. Choose or record one."), "sorry")
            else:
                voice = desk.voices.ready(upload.file, latest.table.title, line.teller)
                today = house.moment(house.now_s()).date().isoformat()
                circle = form.choice("circle", ("yes",)) == "yes"
                changed = latest.table.recorded(number or 0, voice.name, voice.duration_s, on=today, circle=circle)
        except TableError:
            return see(request, back, words.gettext("This line is no longer there."), "sorry")
        except NotSoundError as problem:
            return see(request, back, words.gettext(NOT_KEPT[problem.why]), "sorry")
        except FfmpegError as problem:
            said = words.gettext("The recording could not be kept: %(problem)s", problem=str(problem))
            return see(request, back, said, "sorry")
        if not _kept(form, changed, voice):
            said = words.gettext("Somebody else told a line meanwhile. Look at it first.")
            return see(request, back, said, "sorry")
        return see(request, back, words.gettext("The voice is kept.") if voice else "")

    def _kept(form: Form, changed: Table, voice: Voice | None) -> bool:
        try:
            return desk.keep(form, changed, voice)
        finally:
            if voice is not None:
                desk.voices.let_go(voice)

    def voice(request: Request) -> Response:
        latest = desk.latest(request.query_params.get("n", ""))
        name = latest.table.line(_line_of(request)).recording
        path = desk.voices.files().get(name)
        if path is None:
            raise HTTPException(404)
        return _sound(path)

    def aloud(request: Request) -> Response:
        table = desk.latest(request.query_params.get("n", "")).table
        if "line" in request.query_params:
            table = alone(table, _line_of(request))
        if not is_heard_whole(table):
            raise HTTPException(413, "hear it line by line")
        words = visit_of(request).words
        if not speaking.acquire(timeout=BUSY_S):
            raise HTTPException(503, "another story is being read aloud")
        try:
            told = teller_of(house).tell(_book(table))
        finally:
            speaking.release()
        if told is None:
            return trouble(
                request,
                503,
                words.gettext("The household's voice could not tell it."),
                words.gettext("The log of the page says why. somnisphere doctor looks for what is missing."),
            )
        return _sound(told.path)

    def guarded(request: Request) -> Response:
        try:
            return voice(request) if request.url.path.endswith("/voice") else aloud(request)
        except TableError:
            raise HTTPException(404) from None

    return [
        posted("/weaver/record", record, most_bytes=LARGEST_SOUND_BYTES + 64_000),
        shown("/weaver/voice", guarded),
        shown("/weaver/aloud", guarded),
    ]


def is_heard_whole(table: Table) -> bool:
    """Whether the household's voice reads all of it in one go."""
    return bool(table.lines) and sum(len(line.text) for line in table.lines) <= MOST_ALOUD_CHARS


def _line_of(request: Request) -> int:
    text = request.query_params.get("line", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else MOST_LINES


def alone(table: Table, number: int) -> Table:
    """One line as a table of its own."""
    return Table(table.title, table.language, lines=(table.line(number),))


def forget_spoken(house: House, versions: Iterable[Version]) -> None:
    """What the household's voice read aloud of a table that is cleared. Raises ``OSError``."""
    teller, done = teller_of(house), set[Table]()
    for table in (version.table for version in versions):
        for part in (_words(table), *(_words(alone(table, number)) for number in range(len(table.lines)))):
            if part not in done and is_heard_whole(part):
                done.add(part)
                teller.forget(_book(part))


def _words(table: Table) -> Table:
    """What the voice makes of it: the same words sound the same."""
    return Table(table.title, table.language, lines=tuple(Line(line.teller, line.text) for line in table.lines))


def _book(table: Table) -> Book:
    sentences, _ = sentences_of(table)
    return Book("", table.title, Path(table.title), language=table.language, sentences=sentences)


def _sound(path: Path) -> Response:
    return FileResponse(path, media_type=MEDIA_TYPES.get(path.suffix, "application/octet-stream"), headers=SANDBOX)
