"""Tonight: what the evening is doing, and the few things a hand may want of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from somnisphere.bedtime.phases import Phase
from somnisphere.page.dreams_offer import offered
from somnisphere.page.forms import Form, posted, shown
from somnisphere.page.house import BoxError, BoxView, House
from somnisphere.page.replies import render, see
from somnisphere.page.visit import visit_of
from somnisphere.page.words import Words, gettext_noop
from somnisphere_home.entity import LIGHT_SCALE

PHASES = {
    Phase.IDLE: gettext_noop("The evening has not begun."),
    Phase.WIND_DOWN: gettext_noop("The light is going down. The story waits a little."),
    Phase.STORY: gettext_noop("A story is being told."),
    Phase.DRIFTING: gettext_noop("The story grows quieter and the light goes."),
    Phase.ASLEEP: gettext_noop("It is dark and quiet. Asleep, as far as we can guess."),
    Phase.STIRRING: gettext_noop("Somebody stirs. We wait, and do nothing."),
    Phase.MORNING: gettext_noop("Morning."),
}
PRESSES = {"begin": "begin", "one-more-page": "one_more_page", "pause": "pause", "resume": "resume", "stop": "stop"}
"""By the last part of the address: the button of the box."""
LIGHTS_PCT = {"off": 0.0, "glow": 5.0, "reading": 45.0}
STEP_PCT = 5


@dataclass(frozen=True, slots=True)
class Now:
    """What Tonight shows, in the reader's words."""

    is_there: bool
    absence: str = ""
    problem: str = ""
    phase: str = ""
    can_begin: bool = False
    can_turn: bool = False
    can_stop: bool = False
    is_playing: bool = False
    is_paused: bool = False
    title: str = ""
    teller: str = ""
    place: str = ""
    cover: str = ""
    lamp: str = ""
    volume_pct: float | None = None
    listener: str = ""
    listeners: tuple[str, ...] = ()
    troubles: tuple[str, ...] = field(default=())


def routes(house: House) -> list[BaseRoute]:
    def page(request: Request) -> Response:
        return render(request, "tonight.html", now=_now(house, visit_of(request).words), offer=offered(house))

    def piece(request: Request) -> Response:
        now = _now(house, visit_of(request).words)
        return render(request, "tonight_now.html", whole=False, now=now, offer=offered(house))

    def wish(key: str, payload: Callable[[Form], str | None]) -> Callable[[Request, Form], Response]:
        def act(request: Request, form: Form) -> Response:
            return _wish(house, request, key, payload(form))

        return act

    def loudness(form: Form) -> str | None:
        now_pct = None if house.box is None else _number(house.box.view().value("story", "volume"))
        step = {"softer": -STEP_PCT, "louder": STEP_PCT}.get(form.choice("go", ("softer", "louder")))
        return None if now_pct is None or step is None else f"{min(100.0, max(0.0, now_pct + step)):g}"

    names = [listener.name for listener in house.config.listeners if listener.name]
    return [
        shown("/tonight", page),
        shown("/tonight/now", piece),
        *(posted(f"/tonight/{path}", wish(key, lambda _: "PRESS")) for path, key in PRESSES.items()),
        posted("/tonight/lamp", wish("lamp", _light)),
        posted("/tonight/loudness", wish("volume", loudness)),
        posted("/tonight/listener", wish("listener", lambda form: form.choice("listener", names) or None)),
    ]


def _light(form: Form) -> str | None:
    light = form.choice("light", LIGHTS_PCT)
    if not light:
        return None
    brightness = round(LIGHTS_PCT[light] / 100 * LIGHT_SCALE)
    return json.dumps({"state": "ON", "brightness": brightness} if brightness else {"state": "OFF"})


def _wish(house: House, request: Request, key: str, payload: str | None) -> Response:
    words = visit_of(request).words
    if payload is None:
        return see(request, "/tonight", words.gettext("The page did not understand what was wished."), "sorry")
    try:
        if house.box is None:
            raise BoxError("this page was started without a way to the bedside")
        house.box.command(key, payload)
    except BoxError as problem:
        said = words.gettext("The bedside did not do it: %(problem)s", problem=str(problem))
        return see(request, "/tonight", said, "sorry")
    return see(request, "/tonight")


def _now(house: House, words: Words) -> Now:
    view = house.box.view() if house.box is not None else BoxView()
    if not view.is_there:
        if view.reached and view.online is False:
            absence = words.gettext("The bedside is switched off, or was just cut off.")
        elif view.reached:
            absence = words.gettext("The bedside has not said anything yet.")
        else:
            absence = words.gettext("The bedside cannot be reached just now.")
        return Now(False, absence=absence, problem=view.problem)
    known = str(view.value("ritual", "phase"))
    phase = Phase(known) if known in Phase._value2member_map_ else None
    playing = view.value("story", "story_playing_attributes")
    playing = playing if isinstance(playing, dict) else {}
    is_paused = playing.get("paused") is True
    is_playing = bool(view.value("story", "story_playing")) and not is_paused
    title = _text(playing.get("title")) or _text(view.value("story", "story"))
    key = _text(playing.get("story_key"))
    problems = view.value("health", "sensor_problem_attributes")
    return Now(
        True,
        phase=words.gettext(PHASES[phase]) if phase is not None else words.gettext("What it does is not known."),
        can_begin=phase in (Phase.IDLE, Phase.MORNING),
        can_turn=phase not in (Phase.IDLE, Phase.MORNING, None),
        can_stop=phase not in (Phase.IDLE, None),
        is_playing=is_playing,
        is_paused=is_paused,
        title=title,
        teller=_text(playing.get("teller")),
        place=_place(view, playing, words),
        cover=f"/shelf/cover?key={quote(key)}" if key else "",
        lamp=_lamp(view, words),
        volume_pct=_number(view.value("story", "volume")),
        listener=_text(view.value("story", "listener")),
        listeners=tuple(one.name for one in house.config.listeners if one.name),
        troubles=tuple(_text(said) for said in problems.values() if said) if isinstance(problems, dict) else (),
    )


def _place(view: BoxView, playing: dict[str, object], words: Words) -> str:
    at_s, duration_s = _number(view.value("story", "story_position")), _number(playing.get("duration_s"))
    if not playing.get("story_key") or at_s is None:
        return words.gettext("This story comes next.")
    minutes = int(at_s // 60)
    if minutes < 1:
        return words.gettext("at its beginning")
    if duration_s is not None and duration_s - at_s < 90:
        return words.gettext("nearly at its end")
    if duration_s is None:
        return words.ngettext("%(num)s minute told", "%(num)s minutes told", minutes)
    whole = max(1, round(duration_s / 60))
    return words.ngettext("%(told)s of %(num)s minute told", "%(told)s of %(num)s minutes told", whole, told=minutes)


def _lamp(view: BoxView, words: Words) -> str:
    state, brightness = view.value("lamp", "state"), _number(view.value("lamp", "brightness"))
    if state == "OFF":
        return words.gettext("It is off.")
    if state != "ON" or brightness is None:
        return words.gettext("There is none, or it does not say.")
    share = brightness / LIGHT_SCALE
    if share < 0.08:
        return words.gettext("It glows.")
    return words.gettext("It is low.") if share < 0.35 else words.gettext("It is bright.")


def _text(value: object) -> str:
    """The broker is anybody's."""
    return "".join(sign for sign in value if sign.isprintable())[:300] if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or abs(value) > 1e9:
        return None
    return float(value)
