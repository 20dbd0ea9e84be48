"""A house for tests of the page: a folder, a clock that stands still, and a box that does what it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from starlette.testclient import TestClient

from somnisphere.config import Config
from somnisphere.page.app import build_app
from somnisphere.page.csrf import token_for
from somnisphere.page.forms import TOKEN_FIELD
from somnisphere.page.house import BoxError, BoxView, House
from somnisphere.page.sessions import Sessions
from somnisphere.page.sign_in import hash_pin

PIN = "714285"
NOON_S = 1_781_438_400.0
"""14 June 2026, 12:00 UTC."""
GUEST = ("192.168.1.7", 50000)
AT_THE_BOX = ("127.0.0.1", 50000)

EVENING: Mapping[str, Mapping[str, Any]] = {
    "ritual": {"phase": "story"},
    "lamp": {"state": "ON", "brightness": 164},
    "story": {
        "story": "The attic of old stories",
        "story_playing": "The attic of old stories",
        "story_playing_attributes": {
            "story_key": "the-attic-of-old-stories.story",
            "title": "The attic of old stories",
            "teller": "Grandmother Ines",
            "duration_s": 540,
            "paused": False,
        },
        "story_position": 200,
        "volume": 40,
    },
}


@dataclass
class ToldBox:
    """``told``: what was wished of it, in order. ``refuses``: why it does none of it."""

    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: EVENING)
    reached: bool = True
    online: bool | None = True
    refuses: str = ""
    told: list[tuple[str, Any]] = field(default_factory=list)
    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def view(self) -> BoxView:
        return BoxView(self.reached, "" if self.reached else "nothing answers", self.online, True, self.groups)

    def command(self, key: str, payload: str) -> None:
        if self.refuses:
            raise BoxError(self.refuses)
        self.told.append((key, payload))

    def ask(self, name: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.refuses:
            raise BoxError(self.refuses)
        self.told.append((name, dict(said)))
        return self.answers.get(name, {})


@dataclass
class Time:
    """Stands still until somebody moves it. ``wall_s`` for the house, ``at_s`` for counting tries."""

    wall_s: float = NOON_S
    at_s: float = 1000.0


def house_in(folder: Path, time: Time | None = None, box: ToldBox | None = None, **sections: Any) -> House:
    """``sections``: of the configuration, such as ``page={"https": True}``."""
    config = msgspec.convert(
        {"stories": {"cache": str(folder / "cache")}, **sections, "journal": {"path": str(folder / "journal.db")}},
        Config,
    )
    now = time or Time()
    return House(config, folder / "journal.db", folder / "household.db", lambda: now.wall_s, lambda _: 0.0, box)


def with_pin(house: House) -> House:
    Sessions(house.household).set_pin(hash_pin(PIN, b"0123456789abcdef"))
    return house


class Browser(TestClient):
    """A browser at ``client``, asking for ``host``; ``fill_in`` sends a form with its token, as our own pages do."""

    def __init__(self, house: House, client: tuple[str, int] = AT_THE_BOX, host: str = "", time: Time | None = None):
        now = time or Time()
        host = host or ("localhost:8125" if client == AT_THE_BOX else "192.168.1.5:8125")
        app = build_app(house, monotonic_s=lambda: now.at_s)
        super().__init__(app, f"http://{host}", follow_redirects=False, client=client)
        self.desk = app.state.desk

    def token(self) -> str:
        """From the door, which is open to everybody; the browser has a name from then on."""
        page = self.get("/sign-in")
        visitor = self.cookies.get(self.desk.cookies.visitor)
        assert visitor, page.headers
        return token_for(self.desk.form_key, visitor)

    def fill_in(self, path: str, **fields: Any) -> Any:
        files = fields.pop("files", None)
        return self.post(path, data={TOKEN_FIELD: self.token(), **fields}, files=files)

    def sign_in(self, pin: str = PIN) -> Any:
        return self.fill_in("/sign-in", pin=pin, next="/")
