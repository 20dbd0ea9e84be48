"""What the ritual is told (settings) and what it remembers (state), and how both go into the journal and back."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, get_args, get_origin

from somnisphere.bedtime.fades import FadeSettings, FadeState
from somnisphere.bedtime.phases import Phase
from somnisphere.bedtime.reading import STRETCHES, Stretch

SILENT_DB = -60.0


def volume_gain_db(volume_pct: float) -> float:
    """The person's volume as gain: every 10 dB is heard as twice as loud (Stevens' sone scale), so half the number is
    half as loud. 100 is 0 dB, 50 is -10 dB, 0 is silence."""
    if volume_pct <= 0:
        return SILENT_DB
    return max(SILENT_DB, 10.0 * (math.log2(min(volume_pct, 100.0)) - math.log2(100.0)))


@dataclass(frozen=True, slots=True)
class RitualSettings:
    wind_down_s: float = 300.0
    evening_lightness_pct: float = 45.0
    story_lightness_pct: float = 20.0
    lamp_on_s: float = 15.0
    """How long the lamp takes to the evening's light; then it sinks to the story's for the rest of winding down."""
    lamp_out_s: float = 300.0
    asleep_lamp_out_s: float = 120.0
    stop_lamp_out_s: float = 30.0
    volume_pct: float = 50.0
    volume_floor_pct: float = 5.0
    volume_ceiling_pct: float = 80.0
    night_ceiling_pct: float = 40.0
    """A story asked for after somebody had slept is never louder than this, until the night is over."""
    fade: FadeSettings = field(default_factory=FadeSettings)
    drifting_db: float = -1.5
    """So far must sleep have pulled the page for the evening to be called drifting."""
    follow_sleep: bool = True
    """The story follows the sleeper; False: a plain timer ends it, whatever is known about sleep."""
    sleep_timer_s: float = 1800.0
    """The plain timer that ends the story when nothing is known about sleep."""
    sentence_pause_s: float = 2.5
    """The pause between two sentences grows by this while the page falls to its floor; 0: it does not."""
    settled_likelihood: float = 0.6
    """Likelihood of sleep from which a story at its floor may fall silent."""
    last_sentences: int = 3
    """So many sentences are told near silence before the story pauses."""
    story_limit_s: float = 3600.0
    """The parent's limit: as much is heard in one night, whatever is pressed."""
    one_more_page_s: float = 600.0
    unknown_after_s: float = 120.0
    """Without news of sleep for this long the timer takes over."""
    bookmark_margin_s: float = 30.0
    """So long before sleep came the story begins next time."""
    unsure_s: float = 240.0
    """Where sleep may have come this much later as well, a second place is kept."""
    bookmark_every_s: float = 15.0
    resume_rewind_s: float = 5.0
    away_limit_s: float = 600.0
    """After a restart the story goes on only if the daemon was away for less; nobody is woken by a box that boots."""
    night_away_limit_s: float = 6 * 3600.0
    """Away for longer, and the whole night is over: the journal does not carry it on either."""
    fresh_after_s: float = 4 * 3600.0
    """An evening begun this long after the last story was heard has the whole limit again."""
    lamp_rest_s: float = 600.0
    """A lamp that a touch stopped on its way lands after this."""
    quiet_limit_s: float = 10 * 3600.0
    """A phase other than sleep that lasts longer is over: nobody is there."""


@dataclass(frozen=True, slots=True)
class RitualState:
    """All of it; times are monotonic seconds."""

    listener: str = ""
    volumes_pct: dict[str, float] = field(default_factory=dict)
    """The volume each other listener left."""

    phase: Phase = Phase.IDLE
    since_s: float = 0.0
    at_s: float | None = None
    """The last tick."""

    story_key: str | None = None
    position_s: float | None = None
    position_at_s: float = 0.0
    playing: bool = False
    loaded: bool = False
    """The player holds the story, playing or paused: it can be resumed where it is."""
    paused_by_hand: bool = False
    landing: bool = False
    """Asleep, and the story is on its way to silence."""
    silent_at_position_s: float | None = None
    """Landed and settled: the story pauses when it gets here, at the end of a sentence."""
    hold_position_s: float | None = None
    """The player was asked to pause here between two sentences ..."""
    hold_for_s: float = 0.0
    held_until_s: float = 0.0
    """... and stands still until then."""
    failures: int = 0
    bookmark_due_s: float = 0.0

    listened_s: float = 0.0
    listened_until_s: float | None = None
    timer_left_s: float = 0.0
    follow_sleep: bool = True
    is_night: bool = False
    """A story was asked for after somebody had slept: the night's ceiling holds."""
    sleep_seen: bool = False
    unknown_since_s: float | None = None
    unknown_said: bool = False

    volume_pct: float = 50.0
    fade_min: float = 10.0
    fade_db: float = 0.0
    evened_db: float = 0.0
    """``Story.evened_db`` of the story that was begun last."""
    gain_db: float = 0.0
    """The last one the speaker was told."""

    lamp_target_pct: float = 0.0
    lamp_base_pct: float = 0.0
    """The lamp's light with an awake listener; 0 when the dark is to stay."""
    lamp_by_hand: bool = False
    lamp_sinks_at_s: float | None = None
    lamp_lands_at_s: float | None = None
    """A touch stopped the lamp on its way; it goes on then."""


_TIMES = (
    "since_s",
    "at_s",
    "position_at_s",
    "bookmark_due_s",
    "listened_until_s",
    "unknown_since_s",
    "lamp_sinks_at_s",
    "lamp_lands_at_s",
    "held_until_s",
)
_FADE_TIMES = ("at_s", "grew_s", "awake_since_s", "raised_s", "hold_until_s")


def to_plain(state: RitualState, fade: FadeState, stretches: tuple[Stretch, ...], chosen: str | None) -> dict[str, Any]:
    """Everything as JSON can hold it."""
    return {
        "state": asdict(state),
        "fade": asdict(fade),
        "stretches": [asdict(stretch) for stretch in stretches],
        "chosen": chosen,
    }


def from_plain(
    saved: Mapping[str, Any], shift_s: float
) -> tuple[RitualState, FadeState, tuple[Stretch, ...], str | None]:
    """What ``to_plain`` wrote, its times moved by ``shift_s`` into this run's clock.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` when it was written by another version.
    """
    if not abs(shift_s) < _FAR_S:
        raise ValueError("its clock is no clock")
    state = RitualState(**saved["state"])
    state = replace(state, phase=Phase(state.phase))
    fade = FadeState(**saved["fade"])
    stretches = tuple(Stretch(**plain) for plain in saved["stretches"][:STRETCHES])
    chosen = saved["chosen"]
    parts: tuple[RitualState | FadeState | Stretch, ...] = (state, fade, *stretches)
    for part in parts:
        _check(part)
    if chosen is not None and not isinstance(chosen, str):
        raise ValueError("the chosen story has no name")
    state = replace(state, **_moved(state, _TIMES, shift_s))
    fade = replace(fade, **_moved(fade, _FADE_TIMES, shift_s))
    moved = (replace(one, from_s=one.from_s + shift_s, until_s=one.until_s + shift_s) for one in stretches)
    return state, fade, tuple(moved), chosen


def _check(part: RitualState | FadeState | Stretch) -> None:
    """``ValueError`` for a value that no evening has: a disk, or a hand, may have changed any of them."""
    for one in fields(part):
        value = getattr(part, one.name)
        kinds = get_args(one.type) or (one.type,)
        if get_origin(one.type) is dict:
            named = isinstance(value, dict) and all(isinstance(name, str) for name in value)
            fits = named and all(_is_number(pct, 0.0, 100.0) for pct in value.values())
        elif float in kinds and value is not None:
            least, most = next((bounds for end, bounds in _BOUNDS.items() if one.name.endswith(end)), _ANY)
            fits = _is_number(value, least, most)
        else:
            fits = isinstance(value, kinds) and not (one.type is int and isinstance(value, bool))
        if not fits:
            raise ValueError(f"{one.name} is {str(value)[:40]}")


def _is_number(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


_FAR_S = 1e11
_ANY = (-_FAR_S, _FAR_S)
_BOUNDS = {
    "_pct": (0.0, 100.0),
    "_db": (-200.0, 60.0),
    "_min": (1.0, 1440.0),
    "probability": (0.0, 1.0),
    "position_s": (0.0, _FAR_S),
    "listened_s": (0.0, _FAR_S),
}
"""By the end of a name."""


def _moved(part: RitualState | FadeState, names: tuple[str, ...], shift_s: float) -> dict[str, Any]:
    times = {name: getattr(part, name) for name in names}
    return {name: None if at_s is None else float(at_s) + shift_s for name, at_s in times.items()}
