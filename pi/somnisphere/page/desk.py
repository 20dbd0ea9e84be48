"""What all rooms of one page share: the house, its words and templates, who is signed in, what is to be said next."""

import logging
import secrets
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from starlette.requests import Request

from somnisphere.page import csrf, hosts
from somnisphere.page.cookies import YEAR_S, cookie
from somnisphere.page.house import House
from somnisphere.page.light import CHOICES
from somnisphere.page.rendering import Rendering
from somnisphere.page.sessions import Sessions
from somnisphere.page.sign_in import Tries
from somnisphere.page.visit import Cookies, Visit, chosen, darkness, languages, visitor_of
from somnisphere.page.words import all_words, language_for

log = logging.getLogger(__name__)

MOST_NOTES = 200
Kind = Literal["good", "sorry"]


class Desk:
    """One for each running page. ``monotonic_s``: the clock that tries of the PIN are counted by."""

    def __init__(
        self, house: House, templates: dict[str, object], monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        page = house.config.page
        self.house = house
        self.monotonic_s = monotonic_s
        self.sessions = Sessions(house.household)
        self.tries = Tries()
        self.pin_lock = threading.Lock()
        """One PIN is hashed at a time: each takes 16 MiB."""
        self.https = page.https
        self.cookies = Cookies.of(house.config.box.node)
        self.hosts = frozenset(page.hosts.lower().split())
        self._words = all_words()
        self.rendering = Rendering(self._words, templates)
        self._notes: OrderedDict[str, tuple[Kind, str]] = OrderedDict()
        self._notes_lock = threading.Lock()
        self.guests: tuple[Callable[[str], bool], ...] = ()
        """Which addresses are open to whoever knows them."""
        self.form_key = self._form_key()

    def _form_key(self) -> bytes:
        try:
            return self.sessions.form_key()
        except (sqlite3.Error, OSError) as problem:
            log.warning("%s cannot be opened: %s; forms hold until the page ends", self.house.household, problem)
            return secrets.token_bytes(32)

    def lets_in(self, path: str) -> bool:
        """Whether a guest without a PIN may go there."""
        return any(opens(path) for opens in self.guests)

    def receive(self, request: Request) -> Visit:
        """Raises ``sqlite3.Error`` or ``OSError`` when it cannot be known whether this visitor is signed in."""
        visit = self.stranger(request)
        token = request.cookies.get(self.cookies.session, "")
        if visit.at_the_box or not token:
            return visit
        return replace(visit, session=self.sessions.find(token, self.house.now_s()))

    def stranger(self, request: Request) -> Visit:
        """The visit as long as nobody looked whether they are signed in."""
        house, names = self.house, self.cookies
        page, now_s = house.config.page, house.now_s()
        asked, kept = request.query_params, request.cookies
        language = chosen(asked.get("lang", ""), kept.get(names.language, ""), languages())
        light = chosen(asked.get("light", ""), kept.get(names.light, ""), CHOICES) or "auto"
        visitor = visitor_of(kept.get(names.visitor, ""))
        client = request.client.host if request.client else None
        host = request.headers.get("host", "")
        at_the_box = not page.loopback_needs_pin and hosts.is_at_the_box(client, host, request.headers.keys())
        accepted = request.headers.get("accept-language", "")
        cookies = [
            cookie(name, value, YEAR_S, https=self.https)
            for name, value in ((names.visitor, visitor), (names.language, language), (names.light, light))
            if value and value != kept.get(name, "auto" if name == names.light else "")
        ]
        return Visit(
            words=self._words[language_for(language, accepted, house.config.box.language)],
            light=light,
            dark=darkness(light, now_s, house.utc_offset_s(now_s), page.latitude, page.longitude),
            visitor=visitor,
            form_token=csrf.token_for(self.form_key, visitor),
            device=hosts.neighbourhood(client),
            host=host,
            at_the_box=at_the_box,
            further_cookies=tuple(cookies),
        )

    # ---- what is said on the next page -------------------------------------------------------------------------------

    def leave_note(self, visitor: str, kind: Kind, text: str) -> None:
        with self._notes_lock:
            self._notes[visitor] = (kind, text)
            while len(self._notes) > MOST_NOTES:
                self._notes.popitem(last=False)

    def take_note(self, visitor: str) -> tuple[Kind, str] | None:
        with self._notes_lock:
            return self._notes.pop(visitor, None)


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk
