"""The rooms of the page there are, in the order of the navigation. A new room is one more line here."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.routing import BaseRoute

from somnisphere.page import circle, circle_evening, coach, dreams, morning, shelf, tonight, weaver
from somnisphere.page.house import House
from somnisphere.page.words import gettext_noop


@dataclass(frozen=True, slots=True)
class Room:
    """``name``: of its module, its templates (``<name>*.html``), its catalogue (``<name>.po``) and its address
    (``/<name>``). ``title``: marked for translation here, translated in the room's catalogue. ``words_from``: further
    folders or files below ``pi/somnisphere`` whose marked texts that catalogue translates. ``lets_in``: which
    addresses of the room are open to guests who have no PIN."""

    name: str
    title: str
    routes: Callable[[House], list[BaseRoute]]
    words_from: tuple[str, ...] = ()
    lets_in: Callable[[House], Callable[[str], bool]] | None = None


ROOMS: tuple[Room, ...] = (
    Room("tonight", gettext_noop("Tonight"), tonight.routes),
    Room("morning", gettext_noop("Morning"), morning.routes),
    Room("shelf", gettext_noop("Shelf"), shelf.routes),
    Room("weaver", gettext_noop("Weaver's table"), weaver.routes),
    Room("dreams", gettext_noop("Dreams"), dreams.routes),
    Room("circle", gettext_noop("Circle"), circle.routes, lets_in=circle_evening.lets_in),
    Room("coach", gettext_noop("Coach"), coach.routes),
)
