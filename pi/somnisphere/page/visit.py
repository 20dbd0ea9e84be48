"""Who asks, in which language and which light: one request, as the rooms see it."""

import secrets
from dataclasses import dataclass

from starlette.requests import Request

from somnisphere.page.light import CHOICES, is_dark
from somnisphere.page.sessions import Session
from somnisphere.page.words import LANGUAGES, Words

VISITOR_CHARS = 32


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names of the four, apart from those of another bedside on the same host (cookies know no ports)."""

    session: str
    visitor: str
    language: str
    light: str

    @classmethod
    def of(cls, node: str) -> "Cookies":
        return cls(*(f"somnisphere_{node}_{what}" for what in ("session", "visitor", "language", "light")))


@dataclass(frozen=True, slots=True)
class Visit:
    """``visitor``: a random name of this browser, for its forms and what is said to it; ``form_token`` goes into each
    form. ``at_the_box``: needs no PIN. ``device``: for which tries of the PIN are counted."""

    words: Words
    light: str
    dark: bool
    visitor: str
    form_token: str
    device: str
    host: str
    at_the_box: bool
    session: Session | None = None
    further_cookies: tuple[str, ...] = ()

    @property
    def may_enter(self) -> bool:
        return self.at_the_box or self.session is not None


def visit_of(request: Request) -> Visit:
    visit: Visit = request.state.visit
    return visit


def visitor_of(cookie: str) -> str:
    """The browser's name, if it has one of ours."""
    known = len(cookie) == VISITOR_CHARS and cookie.isascii() and cookie.isalnum()
    return cookie if known else secrets.token_hex(VISITOR_CHARS // 2)


def chosen(asked: str, cookie: str, allowed: tuple[str, ...]) -> str:
    """``?lang=`` and ``?light=`` go before what was chosen earlier; "" when nothing of it is known."""
    return asked if asked in allowed else cookie if cookie in allowed else ""


def languages() -> tuple[str, ...]:
    return tuple(LANGUAGES)


def darkness(
    light: str, wall_s: float, utc_offset_s: float, latitude_deg: float | None, longitude_deg: float | None
) -> bool:
    """``light``: what the reader chose, of ``CHOICES``."""
    if light in CHOICES[1:]:
        return light == "night"
    return is_dark(wall_s, utc_offset_s, latitude_deg, longitude_deg)


def device_words(user_agent: str) -> str:
    """What a browser says of itself, short enough to be told apart in a list."""
    systems = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "CrOS", "Linux")
    browsers = {"Firefox/": "Firefox", "Edg/": "Edge", "Chrome/": "Chrome", "Safari/": "Safari"}
    system = next((name for name in systems if name in user_agent), "")
    browser = next((name for sign, name in browsers.items() if sign in user_agent), "")
    return ", ".join(filter(None, (browser, system))) or "?"
