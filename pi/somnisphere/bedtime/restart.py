"""The evening into the journal and back: what goes on after a restart, and what stays quiet. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from somnisphere.bedtime.evening import WITH_STORY, Actions, Evening
from somnisphere.bedtime.fades import FallingPage
from somnisphere.bedtime.holding import without_hold
from somnisphere.bedtime.phases import Phase
from somnisphere.bedtime.reading import Reading
from somnisphere.bedtime.state import from_plain, to_plain
from somnisphere.events import DimLamp, Say


def saved(evening: Evening) -> dict[str, Any]:
    """All that must survive a kill, as JSON can hold it."""
    chosen = evening.shelf.chosen
    return to_plain(
        evening.state, evening.page.state, evening.reading.stretches, None if chosen is None else chosen.key
    )


def restored(evening: Evening, plain: Mapping[str, Any], shift_s: float, at_s: float) -> Actions:
    """Carry on from ``saved``, its times moved by ``shift_s``. The shelf already is the listener's."""
    try:
        state, fade, stretches, chosen = from_plain(plain, shift_s)
    except (KeyError, TypeError, ValueError) as problem:
        return [Say(f"The saved evening cannot be read ({problem!r}); a new one begins.", "warning")]
    was_playing, last_s = state.playing, at_s if state.at_s is None else state.at_s
    away_s = max(0.0, at_s - last_s)
    evening.state = without_hold(
        replace(
            state,
            at_s=at_s,
            playing=False,
            loaded=False,
            landing=False,
            silent_at_position_s=None,
            volume_pct=evening.allowed_pct(state.volume_pct),
        )
    )
    evening.page = FallingPage(replace(evening.settings.fade, fade_s=state.fade_min * 60.0), replace(fade, at_s=at_s))
    evening.reading = Reading(stretches)
    if chosen is not None:
        evening.shelf.choose(chosen)
    if state.phase is Phase.IDLE:
        return []
    lamp: Actions = [DimLamp(state.lamp_target_pct, 2.0)]
    if state.phase in WITH_STORY and was_playing and state.position_s is not None and state.story_key is not None:
        lamp += evening.keep(state.story_key, evening.back_a_little(state.position_s))
    if away_s > evening.settings.night_away_limit_s:
        return _another_day(evening)
    if away_s > evening.settings.away_limit_s:
        return _back_late(evening, lamp)
    story = evening.shelf.find(state.story_key) if state.story_key is not None else None
    if state.phase in WITH_STORY and was_playing and story is not None and state.position_s is not None:
        return lamp + evening.play(story, evening.back_a_little(state.position_s), at_s)
    return lamp


def _back_late(evening: Evening, lamp: Actions) -> Actions:
    """The daemon was away for long: whatever was going on, nobody is waiting for it any more."""
    phase = evening.state.phase
    if phase not in (Phase.WIND_DOWN, *WITH_STORY):
        return lamp
    evening.state = replace(
        evening.state,
        phase=Phase.IDLE if phase is Phase.WIND_DOWN else Phase.DRIFTING,
        lamp_base_pct=0.0,
        lamp_target_pct=0.0,
        lamp_sinks_at_s=None,
        paused_by_hand=False,
    )
    return [DimLamp(0.0, 2.0), Say("Back after a long while: the evening stays quiet; a tap goes on with it.")]


def _another_day(evening: Evening) -> Actions:
    """The night is not carried on either: whatever phase it ended in, another evening may begin."""
    evening.state = replace(
        evening.state,
        phase=Phase.IDLE,
        listened_s=0.0,
        is_night=False,
        fade_db=0.0,
        lamp_base_pct=0.0,
        lamp_target_pct=0.0,
        lamp_by_hand=False,
        lamp_sinks_at_s=None,
        lamp_lands_at_s=None,
        paused_by_hand=False,
    )
    evening.page.renew()
    evening.reading.forget()
    return [DimLamp(0.0, 2.0), Say("Back after hours: that night is over.")]
