"""The ritual: cues and hands come in, actions for lamp and speaker go out. Pure; time is an argument.

Rules of this file
    1. A person is obeyed at once: no hand is ever queued, delayed or overruled, except by the parent's limit.
    2. A lamp touched by hand is the hand's until the next phase.
    3. The person's volume and the fade are two numbers, and the fade never outlives the evening.
    4. Nothing that gets lost (sensor, speaker, broker) makes light or sound. The story then ends by the plain timer,
       and the lamp stays as it is.
    5. Only ``_receive`` changes the phase, and only to what the table in ``phases.py`` says.
"""

from collections.abc import Mapping
from typing import Any

from somnisphere.bedtime.evening import IN_SLEEP, WITH_STORY, WORTH_PLAYING_S, Actions, Evening
from somnisphere.bedtime.hands import Hands
from somnisphere.bedtime.phases import OF_THE_BODY, TRANSITIONS, Cue, Phase
from somnisphere.bedtime.restart import restored, saved
from somnisphere.bedtime.shelf import Shelf
from somnisphere.bedtime.state import RitualSettings, RitualState
from somnisphere.events import (
    Announce,
    PauseStory,
    PlayerReported,
    Press,
    RitualAction,
    Say,
    StopStory,
)

__all__ = ["Ritual", "RitualAction", "RitualSettings", "RitualState"]

FAILURES = 3
"""So many stories in a row that cannot be played, and the evening is quiet."""

FORGOTTEN_S = 2 * 3600.0
"""Silent and drifting for so long: sleep was never seen (there may be no sensor), and a new evening may begin."""

_ANNOUNCED = {
    Cue.BEGIN: ("lights_down",),
    Cue.DROWSY: ("drifting",),
    Cue.SLEPT: ("fell_asleep",),
    Cue.STIRRED: ("stirred",),
    Cue.DISTRESSED: ("distress",),
    Cue.WOKE: ("woke_up", "morning"),
    Cue.ROSE: ("left_bed",),
}


class Ritual(Hands):
    """One bedside's ritual. ``state`` may be read at any time; every method returns what is to be done, in order."""

    def __init__(self, settings: RitualSettings, shelf: Shelf) -> None:
        super().__init__(Evening(settings, shelf))

    # ---- cues -----------------------------------------------------------------------------------------------------

    def receive(self, cue: Cue, at_s: float) -> Actions:
        """Something happened. Where sleep onset is known with hindsight, call ``slept`` instead."""
        return self.slept(at_s, at_s, cue) if cue in (Cue.SLEPT, Cue.RESETTLED) else self._receive(cue, at_s)

    def slept(self, at_s: float, onset_s: float, cue: Cue = Cue.SLEPT) -> Actions:
        """Asleep; ``onset_s`` is when that began, seen with hindsight. ``cue``: SLEPT, or RESETTLED after stirring."""
        was_awake = self.state.phase not in IN_SLEEP
        actions = self._receive(cue, at_s)
        return actions + self.date_onset(onset_s) if was_awake and self.state.phase is Phase.ASLEEP else actions

    def date_onset(self, onset_s: float, latest_s: float | None = None) -> Actions:
        """Put the bookmark where the story was when sleep came; may be called again when that is known better.

        ``latest_s``: sleep may as well have come only then; the place heard then is kept beside the bookmark.
        """
        evening = self._evening
        heard_s = onset_s - evening.margin_s
        place = evening.reading.place_at(heard_s)
        if place is None:
            return []
        told_to_its_end = self.state.story_key is None and heard_s >= evening.reading.stretches[-1].until_s
        if told_to_its_end:  # before sleep came: the next evening has the next story
            return []
        other = None
        if latest_s is not None and latest_s - onset_s >= evening.settings.unsure_s:
            other = evening.reading.place_at(latest_s - evening.margin_s)
        evening.shelf.choose(place[0])
        return evening.keep(*place, other[1] if other is not None and other[0] == place[0] else None)

    @property
    def story_ended_s(self) -> float | None:
        """When this evening's story was last heard."""
        return self._evening.reading.ended_s

    def _receive(self, cue: Cue, at_s: float) -> Actions:
        came_from, evening = self.state.phase, self._evening
        if cue is Cue.STIRRED and came_from is Phase.ASLEEP and self.state.playing:
            cue = Cue.ROUSED  # not so asleep that the story had ended: it is told on
        if cue is Cue.BEGIN and came_from is Phase.DRIFTING and self._forgotten(at_s):
            return [*self._receive(Cue.STOP, at_s), *self._receive(cue, at_s)]
        to = TRANSITIONS.get((came_from, cue))
        if to is None:
            text = f"Nothing to do for “{cue}” in phase “{came_from}”."
            return [Say(text, "detail" if cue in OF_THE_BODY else "info")]
        if cue is Cue.PAGE and evening.limit_left_s(at_s) < WORTH_PLAYING_S:
            return [Say("No more pages: the limit for tonight is reached.")]
        if to is not came_from:
            self._note(phase=to, since_s=at_s, lamp_by_hand=False, lamp_sinks_at_s=None, lamp_lands_at_s=None)
        announced: Actions = [Announce(moment, at_s) for moment in _ANNOUNCED.get(cue, ())]
        return announced + self._act(cue, came_from, at_s)

    def _forgotten(self, at_s: float) -> bool:
        return not self.state.playing and at_s - (self.story_ended_s or self.state.since_s) >= FORGOTTEN_S

    def _act(self, cue: Cue, came_from: Phase, at_s: float) -> Actions:
        evening = self._evening
        match cue:
            case Cue.BEGIN:
                return self._begin(at_s)
            case Cue.SETTLED:
                return self._tell(at_s)
            case Cue.PAGE:
                return self._page(came_from, at_s)
            case Cue.STORY_OVER:
                return self._story_over(at_s)
            case Cue.TIME_UP:
                silent = evening.fall_silent(at_s)
                return silent if self.state.phase in IN_SLEEP else silent + evening.sink_lamp(at_s)
            case Cue.SLEPT | Cue.RESETTLED:
                self._note(landing=self.state.playing and self.state.follow_sleep)
                return evening.dim(0.0, evening.settings.asleep_lamp_out_s)
            case Cue.ROUSED if came_from is Phase.ASLEEP:
                self._note(landing=False, silent_at_position_s=None, lamp_base_pct=0.0)  # told on, in the dark
            case Cue.WOKE:
                self._note(listened_s=0.0)
                return evening.fall_silent(at_s)
            case Cue.STOP | Cue.NIGHT_OVER:
                return self._end(cue, came_from, at_s)
        return []

    def _begin(self, at_s: float) -> Actions:
        evening, settings = self._evening, self._evening.settings
        silent = evening.fall_silent(at_s)
        evening.start_anew(at_s)
        self._note(lamp_sinks_at_s=at_s + settings.lamp_on_s)
        return silent + evening.dim(settings.evening_lightness_pct, settings.lamp_on_s)

    def _page(self, came_from: Phase, at_s: float) -> Actions:
        """One more page: more time; audible again if it had grown faint; from the bookmark if it was laid aside."""
        evening, settings, actions = self._evening, self._evening.settings, Actions()
        if came_from in (Phase.IDLE, Phase.MORNING):
            evening.start_anew(at_s)
            actions += evening.dim(settings.story_lightness_pct, settings.lamp_on_s)
        elif came_from in IN_SLEEP:
            self._note(lamp_base_pct=0.0)  # the dark stays
            self._note(is_night=self.state.is_night or not self.state.playing)
        playing, paused = self.state.playing, self.state.paused_by_hand
        if came_from is not Phase.WIND_DOWN:
            evening.page.lift(at_s, silent=not playing)
            left_s = max(0.0, self.state.timer_left_s) if playing or paused else 0.0
            self._note(
                landing=False,
                silent_at_position_s=None,
                fade_db=evening.page.fade_db,
                timer_left_s=left_s + settings.one_more_page_s,
            )
        if playing:
            return actions
        return actions + (evening.resume(at_s) if paused else self._tell(at_s))

    def _tell(self, at_s: float) -> Actions:
        """Play the evening's story from its bookmark."""
        evening = self._evening
        story, actions = evening.shelf.current(), Actions()
        if story is None:
            actions.append(Say("There is no story on the shelf; the evening is quiet.", "warning"))
        elif evening.limit_left_s(at_s) < WORTH_PLAYING_S:
            actions.append(Say("No story: the limit for tonight is reached."))
        else:
            told = evening.play(story, evening.shelf.bookmark_s(story.key), at_s)
            return [*told, Announce("story_began", at_s)]
        evening.lay_aside()
        return actions + self._receive(Cue.STORY_OVER, at_s)

    def _story_over(self, at_s: float) -> Actions:
        """The story came to its end. Who slept through it finds it at the bookmark; for others the next one is due."""
        evening, was_playing, key = self._evening, self.state.playing, self.state.story_key
        evening.reading.interrupted(at_s)
        evening.lay_aside()
        actions: Actions = [StopStory()] if was_playing else []
        if self.state.phase in IN_SLEEP:
            return actions
        actions += evening.sink_lamp(at_s)
        if was_playing and key is not None:
            actions += evening.keep(key, 0.0)  # the reading stays: sleep may turn out to have come before this end
            following = evening.shelf.next_after(key)
            if following is not None:
                evening.shelf.choose(following.key)
            self._note(story_key=None, position_s=None)
        return actions

    def _end(self, cue: Cue, came_from: Phase, at_s: float) -> Actions:
        evening, actions = self._evening, Actions()
        if self.state.loaded:
            actions.append(StopStory())
        if self.state.playing and came_from not in IN_SLEEP:
            evening.move_on(at_s)
            actions += evening.keep_here()
        evening.lay_aside()
        evening.page.renew()
        evening.reading.forget()
        self._note(fade_db=0.0, lamp_base_pct=0.0)
        if cue is Cue.NIGHT_OVER:
            self._note(listened_s=0.0, is_night=False)
        if came_from is not Phase.MORNING and (cue is Cue.STOP or came_from not in IN_SLEEP):
            actions += evening.dim(0.0, evening.settings.stop_lamp_out_s)
        return actions

    def begun_after(self, at_s: float) -> bool:
        """Whether an evening goes on whose phase began after ``at_s``."""
        return self.state.since_s > at_s and self.state.phase not in (Phase.IDLE, Phase.MORNING, *IN_SLEEP)

    # ---- time and player ------------------------------------------------------------------------------------------

    def tick(self, at_s: float, sleep_probability: float | None) -> Actions:
        """A second or so has passed. ``sleep_probability`` is None while nothing is known."""
        actions, cues = self._evening.tick(at_s, sleep_probability)
        for cue in cues:
            actions += self._receive(cue, at_s)
        return actions

    def player(self, report: PlayerReported) -> Actions:
        """Where the speaker is. Reports about a story that was left meanwhile are old news."""
        evening = self._evening
        story = evening.shelf.find(self.state.story_key) if self.state.story_key is not None else None
        about_other = report.path is not None and story is not None and report.path != story.path
        if not self.state.playing or about_other:
            return []
        if report.state == "playing":
            self._note(failures=0)
            evening.put_right(report.position_s, report.at_s)
            return []
        if report.state == "ended":
            return self._receive(Cue.STORY_OVER, report.at_s)
        return self._failed(report) if report.state == "failed" else []

    def _failed(self, report: PlayerReported) -> Actions:
        """Try the next story; after a few the evening is quiet. Nobody asleep is read another one."""
        evening, key = self._evening, self.state.story_key
        actions: Actions = [Say(f"“{key}” cannot be played: {report.problem or 'no reason given'}", "warning")]
        self._note(failures=self.state.failures + 1)
        following = evening.shelf.next_after(key)
        evening.lay_aside()
        if self.state.phase in WITH_STORY and following is not None and self.state.failures < FAILURES:
            return actions + evening.play(following, evening.shelf.bookmark_s(following.key), report.at_s)
        actions.append(Say("No story can be played; the evening is quiet.", "warning"))
        return actions + self._receive(Cue.STORY_OVER, report.at_s)

    # ---- hands ----------------------------------------------------------------------------------------------------

    def press(self, press: Press, at_s: float) -> Actions:
        """Tap: begin, or one more page. Double: pause and go on. Hold: stop."""
        phase = self.state.phase
        if press is Press.HOLD:
            return self._receive(Cue.STOP, at_s)
        if press is Press.TAP:
            return self._receive(Cue.BEGIN if phase in (Phase.IDLE, Phase.MORNING) else Cue.PAGE, at_s)
        if phase in WITH_STORY and self.state.playing:
            return self.pause(at_s)
        return self.resume(at_s) if phase in WITH_STORY and self.state.paused_by_hand else self.one_more_page(at_s)

    def resume(self, at_s: float) -> Actions:
        """What a hand paused goes on; where somebody slept meanwhile that is one more page."""
        if not self.state.paused_by_hand:
            return [Say("No story was paused.")]
        return self._evening.resume(at_s) if self.state.phase in WITH_STORY else self.one_more_page(at_s)

    def play(self, key_or_title: str, position_s: float | None, at_s: float) -> Actions:
        """Tell this story now, at any hour, from where it was left or from ``position_s``."""
        evening, state = self._evening, self.state
        story = evening.shelf.find(key_or_title)
        if story is None:
            return [Say(f"There is no story “{key_or_title}” on the shelf.", "warning")]
        if story.key == state.story_key and (state.playing or state.paused_by_hand):
            moved = [] if position_s is None else self.seek(position_s, at_s)
            return moved if state.playing else moved + self.resume(at_s)
        if state.phase in WITH_STORY and (state.playing or state.paused_by_hand):
            moved = self.choose_story(story.key, at_s)
            return moved if position_s is None else moved + self.seek(position_s, at_s)
        silent = [*evening.fall_silent(at_s), StopStory()] if state.loaded else []
        evening.lay_aside()
        evening.shelf.choose(story.key)
        self._note(story_key=None, position_s=None)
        kept = [] if position_s is None else evening.keep(story.key, max(0.0, position_s))
        return [*silent, *kept, *self.one_more_page(at_s)]

    def one_more_page(self, at_s: float) -> Actions:
        return self._receive(Cue.PAGE, at_s)

    def choose_story(self, key_or_title: str, at_s: float) -> Actions:
        """The evening's story; while one is being told it changes at once."""
        evening = self._evening
        before = self.state.story_key
        story = evening.shelf.choose(key_or_title)
        if story is None:
            return [Say(f"There is no story “{key_or_title}” on the shelf.", "warning")]
        telling = self.state.phase in WITH_STORY and (self.state.playing or self.state.paused_by_hand)
        if story.key == before and telling:
            return []
        if not telling:
            self._note(story_key=None, position_s=None)  # whatever was paused is no longer the evening's
            return [Say(f"The story is “{story.title}”.")]
        kept = evening.fall_silent(at_s)
        return [a for a in kept if not isinstance(a, PauseStory)] + evening.play(
            story, evening.shelf.bookmark_s(story.key), at_s
        )

    def listen(self, listener: str, settings: RitualSettings, folder: str, at_s: float) -> Actions:
        """Another listener: their stories, places, limit and volume. What is told to somebody else ends."""
        evening, state = self._evening, self.state
        if listener == evening.shelf.listener:
            return []
        silent = [*evening.fall_silent(at_s), StopStory()] if state.loaded else []
        evening.lay_aside()
        volumes_pct = {**state.volumes_pct, state.listener: state.volume_pct}
        evening.shelf.listen(listener, folder)
        evening.take(settings)
        self._note(
            listener=listener,
            volumes_pct=volumes_pct,
            volume_pct=evening.allowed_pct(volumes_pct.get(listener, settings.volume_pct)),
            story_key=None,
            position_s=None,
            listened_s=0.0,
        )
        return silent + (self._tell(at_s) if state.phase in WITH_STORY and state.playing else [])

    # ---- the journal ----------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All that must survive a kill, as JSON can hold it. Bookmarks are kept by ``KeepBookmark``."""
        return saved(self._evening)

    def restore(self, plain: Mapping[str, Any], shift_s: float, at_s: float) -> Actions:
        """Carry on from ``to_dict``. ``shift_s`` is added to its times to make them this run's; ``at_s`` is now."""
        return restored(self._evening, plain, shift_s, at_s)

    @property
    def place_number(self) -> tuple[Phase, str | None, int | None]:
        """Changes whenever what ``to_dict`` says is worth keeping at once."""
        return self.state.phase, self.state.story_key, self._evening.place_number
