"""What hands do to story, loudness and lamp without changing the phase. Pure; ``ritual.py`` has the rest."""

from dataclasses import replace
from typing import Any

from somnisphere.bedtime.evening import WITH_STORY, Actions, Evening
from somnisphere.bedtime.fades import FallingPage
from somnisphere.bedtime.learned_margin import LearnedMargin
from somnisphere.bedtime.state import RitualState
from somnisphere.events import DimLamp, FreezeLamp, PauseStory, Say, SetGain


class Hands:
    """Every method returns what is to be done, in order."""

    def __init__(self, evening: Evening) -> None:
        self._evening = evening

    @property
    def state(self) -> RitualState:
        return self._evening.state

    @property
    def learned(self) -> LearnedMargin:
        """To be set from outside: what tellings taught about the moment of sleep."""
        return self._evening.learned

    def _note(self, **changes: Any) -> None:
        self._evening.state = replace(self._evening.state, **changes)

    def start_over(self, at_s: float) -> Actions:
        """The evening's story from its beginning: at once while it is told, else the next time."""
        evening = self._evening
        story = evening.shelf.current() if self.state.story_key is None else evening.shelf.find(self.state.story_key)
        if story is None:
            return [Say("There is no story on the shelf.", "warning")]
        evening.shelf.choose(story.key)
        if self.state.phase in WITH_STORY and self.state.playing:
            return evening.keep(story.key, 0.0) + evening.play(story, 0.0, at_s)
        evening.lay_aside()
        self._note(story_key=None, position_s=None)
        return evening.keep(story.key, 0.0)

    def pause(self, at_s: float) -> Actions:
        """The story stands still until a hand lets it go on; the evening stays what it is."""
        if not self.state.playing:
            return [Say("No story is playing.")]
        actions = self._evening.fall_silent(at_s)
        self._note(paused_by_hand=True)
        return actions

    def lend_player(self) -> None:
        """The player gets something else to play; what was paused in it is loaded anew when it goes on."""
        self._note(loaded=False)

    def seek(self, position_s: float, at_s: float) -> Actions:
        """To another place of the story that plays, or was paused."""
        evening, state = self._evening, self.state
        story = evening.shelf.find(state.story_key) if state.story_key is not None else None
        if story is None or not (state.playing or state.paused_by_hand):
            return [Say("No story is playing.")]
        longest_s = position_s if story.duration_s is None else max(0.0, story.duration_s - 1.0)
        position_s = min(max(0.0, position_s), longest_s)
        if state.playing:
            quiet = [action for action in evening.fall_silent(at_s) if not isinstance(action, PauseStory)]
            return quiet + evening.play(story, position_s, at_s)
        self._note(position_s=position_s, loaded=False)  # the player is told when it goes on
        return evening.keep(story.key, position_s)

    def other_place(self, at_s: float) -> Actions:  # noqa: ARG002 - every hand has its time
        """The next evening begins at the other of two places; pressed again, at the first."""
        shelf = self._evening.shelf
        story = shelf.current()
        place = None if story is None else shelf.place(story.key)
        if story is None or place is None or place.other_s is None:
            return [Say("There is only one place where the story may go on.")]
        if self.state.story_key == story.key and not self.state.playing:
            self._note(story_key=None, position_s=None)
        return self._evening.keep(story.key, place.other_s, place.position_s)

    def set_volume(self, volume_pct: float, at_s: float) -> Actions:  # noqa: ARG002
        """The person's own volume, heard at once; the fade stays what it is."""
        evening = self._evening
        self._note(volume_pct=evening.allowed_pct(volume_pct))
        self._note(gain_db=evening.gain_db())
        return [SetGain(self.state.gain_db)] if self.state.loaded else []

    def set_fade_time(self, fade_min: float, at_s: float) -> Actions:  # noqa: ARG002
        """How long the page takes from full to its floor, at the least."""
        page = self._evening.page
        fade_min = max(1.0, fade_min)
        self._evening.page = FallingPage(replace(page.settings, fade_s=fade_min * 60.0), page.state)
        self._note(fade_min=fade_min)
        return []

    def set_follow_sleep(self, follow: bool, at_s: float) -> Actions:  # noqa: ARG002
        """Whether sleep ends the story, or a plain timer."""
        left_s = max(self.state.timer_left_s, 0.0) or self._evening.settings.sleep_timer_s
        self._note(follow_sleep=follow, timer_left_s=left_s, landing=self.state.landing and follow)
        return []

    def lamp_by_hand(self, lightness_pct: float, over_s: float, at_s: float) -> Actions:  # noqa: ARG002
        """A hand on the lamp: obeyed, and the ritual keeps off it until the next phase."""
        self._note(lamp_by_hand=True, lamp_target_pct=lightness_pct, lamp_lands_at_s=None)
        return [DimLamp(lightness_pct, over_s)]

    def touch_lamp(self, at_s: float) -> Actions:
        """A touch: a lamp on its way stops where it is, and goes on later."""
        self._note(lamp_lands_at_s=at_s + self._evening.settings.lamp_rest_s)
        return [FreezeLamp()]
