"""What an evening does with story and lamp, and how seconds wear on it. Pure; ``ritual.py`` decides about phases.

``tick`` returns actions and the cues that time or the falling page give; nothing here changes the phase.

How long a story may be heard is counted in *listening* seconds, so a pause costs nothing and a restart gives nothing.
"""

from dataclasses import replace

from somnisphere.bedtime.fades import FallingPage
from somnisphere.bedtime.holding import moved_on, next_hold, without_hold
from somnisphere.bedtime.learned_margin import LearnedMargin
from somnisphere.bedtime.phases import Cue, Phase
from somnisphere.bedtime.reading import Reading
from somnisphere.bedtime.sentences import begin_of, last_word_s, number_at
from somnisphere.bedtime.shelf import Shelf
from somnisphere.bedtime.state import RitualSettings, RitualState, volume_gain_db
from somnisphere.events import (
    DimLamp,
    KeepBookmark,
    LandLamp,
    PauseStory,
    PlayStory,
    ResumeStory,
    RitualAction,
    Say,
    SetGain,
)
from somnisphere.story import Mark, Story

Actions = list[RitualAction]

GAIN_STEP_DB = 0.2
"""The speaker is told of a fade in steps this small: at 1 dB in 10 s, every other second."""
LAMP_STEP_PCT = 1.0
LAMP_S_PER_PCT = 4.0
"""The lamp follows the page in steps of L*, each taken this slowly ..."""
LAMP_FOLLOW_S = 20.0
"""... and never faster than this."""
WORTH_PLAYING_S = 5.0
PLACE_S = 5.0
"""Where no sentence is known, the place in the story is kept this often."""

WITH_STORY = (Phase.STORY, Phase.DRIFTING)
IN_SLEEP = (Phase.ASLEEP, Phase.STIRRING)


class Evening:
    """One bedside. ``state`` may be read at any time; every method returns what is to be done, in order."""

    def __init__(self, settings: RitualSettings, shelf: Shelf) -> None:
        self.settings = settings
        self.learned = LearnedMargin()
        self.shelf = shelf
        self.page = FallingPage(settings.fade)
        self.reading = Reading()
        self.state = RitualState(fade_min=settings.fade.fade_s / 60, follow_sleep=settings.follow_sleep)
        self.state = replace(self.state, volume_pct=self.allowed_pct(settings.volume_pct))

    def take(self, settings: RitualSettings) -> None:
        """The rules of another listener; the fade goes on as it is."""
        self.settings = settings
        self.page = FallingPage(replace(settings.fade, fade_s=self.page.settings.fade_s), self.page.state)

    def start_anew(self, at_s: float) -> None:
        """From the top: the fade, the reading, the timer. The limit too, unless a story was heard not long ago."""
        listened_s = 0.0 if self._is_fresh(at_s) else self.state.listened_s
        self.page.renew()
        self.reading.forget()
        self.state = replace(
            self.state,
            listened_s=listened_s,
            timer_left_s=self.settings.sleep_timer_s,
            sleep_seen=False,
            unknown_since_s=None,
            unknown_said=False,
            failures=0,
            fade_db=0.0,
            lamp_base_pct=self.settings.story_lightness_pct,
        )

    @property
    def margin_s(self) -> float:
        """So long before sleep came the story begins next time: as it was set, moved by what tellings taught."""
        return max(0.0, self.settings.bookmark_margin_s + self.learned.further_back_s)

    # ---- the story --------------------------------------------------------------------------------------------------

    def play(self, story: Story, position_s: float, at_s: float) -> Actions:
        self.state = replace(self.state, evened_db=story.evened_db)
        gain_db = self.gain_db()
        self.reading.interrupted(at_s)
        self.reading.heard(story.key, at_s, position_s)
        self.shelf.choose(story.key)
        self.state = replace(
            self.state,
            story_key=story.key,
            position_s=position_s,
            position_at_s=at_s,
            playing=True,
            loaded=True,
            paused_by_hand=False,
            silent_at_position_s=None,
            gain_db=gain_db,
            bookmark_due_s=at_s + self.settings.bookmark_every_s,
        )
        self.state = without_hold(self.state)
        return [PlayStory(story.path, position_s, gain_db)]

    def move_on(self, at_s: float) -> None:
        """While a story plays its position follows time; the player's reports correct it."""
        state = self.state
        if not state.playing or state.story_key is None or state.position_s is None:
            return
        self.state = moved_on(state, at_s)
        assert self.state.position_s is not None
        self.reading.heard(state.story_key, at_s, self.state.position_s)

    def put_right(self, position_s: float, at_s: float) -> None:
        """The player says where it is."""
        self.state = replace(self.state, position_s=position_s, position_at_s=at_s)
        self.move_on(at_s)

    def fall_silent(self, at_s: float) -> Actions:
        """Pause what plays. Whoever is awake finds it where it was; a sleeper's bookmark stays where sleep came."""
        if not self.state.playing:
            return []
        self.move_on(at_s)
        self.reading.interrupted(at_s)
        self.state = without_hold(replace(self.state, playing=False, landing=False, silent_at_position_s=None))
        return [PauseStory()] if self.state.phase in IN_SLEEP else [PauseStory(), *self.keep_here()]

    def resume(self, at_s: float) -> Actions:
        """Go on where a hand paused it."""
        state, gain_db = self.state, self.gain_db()
        story = self.shelf.find(state.story_key) if state.story_key is not None else None
        if story is None or state.position_s is None:
            self.state = replace(state, paused_by_hand=False, loaded=False)
            return [Say("The story that was paused is no longer on the shelf.", "warning")]
        if not state.loaded:
            return self.play(story, state.position_s, at_s)
        self.reading.heard(story.key, at_s, state.position_s)
        self.state = without_hold(
            replace(state, playing=True, paused_by_hand=False, position_at_s=at_s, gain_db=gain_db)
        )
        return [ResumeStory(gain_db)]

    def lay_aside(self) -> None:
        """Nothing is in the player any more."""
        gone = replace(self.state, playing=False, loaded=False, paused_by_hand=False, landing=False)
        self.state = without_hold(replace(gone, silent_at_position_s=None))

    def keep(self, story_key: str, position_s: float, other_s: float | None = None) -> Actions:
        place = self.shelf.keep(story_key, position_s, other_s)
        return [KeepBookmark(story_key, place.position_s, self.shelf.listener, place.other_s)]

    def keep_here(self) -> Actions:
        """A bookmark where the sentence began; a few seconds back where no sentence is known."""
        key, position_s = self.state.story_key, self.state.position_s
        if key is None or position_s is None:
            return []
        return self.keep(key, self.back_a_little(position_s))

    def back_a_little(self, position_s: float) -> float:
        """Where a story that stopped at ``position_s`` goes on."""
        if marks := self.marks():
            return begin_of(marks, position_s)
        return max(0.0, position_s - self.settings.resume_rewind_s)

    def marks(self) -> tuple[Mark, ...]:
        """The sentences of the story that is in the player."""
        story = self.shelf.find(self.state.story_key) if self.state.story_key is not None else None
        return () if story is None else story.marks

    @property
    def place_number(self) -> int | None:
        """Changes whenever the story has gone on by a sentence: then its place is worth keeping. None: silence."""
        if not self.state.playing or self.state.position_s is None:
            return None
        marks = self.marks()
        return number_at(marks, self.state.position_s) if marks else int(self.state.position_s / PLACE_S)

    # ---- loudness and light -----------------------------------------------------------------------------------------

    def allowed_pct(self, volume_pct: float) -> float:
        """The person's volume, within the household's floor and ceiling."""
        return min(max(volume_pct, self.settings.volume_floor_pct), self.settings.volume_ceiling_pct)

    @property
    def heard_pct(self) -> float:
        """The person's volume, under the night's ceiling where that holds. It never changes the volume itself."""
        return min(self.state.volume_pct, self.settings.night_ceiling_pct if self.state.is_night else 100.0)

    def gain_db(self) -> float:
        """The only place where the person's volume, the recording's own loudness and the fade meet."""
        return min(volume_gain_db(self.heard_pct) + self.state.evened_db, 0.0) + self.page.fade_db

    def dim(self, lightness_pct: float, over_s: float) -> Actions:
        """Nothing when the lamp is there already, or on its way."""
        if self.state.lamp_target_pct == lightness_pct:
            return []
        self.state = replace(self.state, lamp_target_pct=lightness_pct)
        return [DimLamp(lightness_pct, over_s)]

    def sink_lamp(self, at_s: float) -> Actions:
        """The story is over: dark, slowly. Left as it is when a hand has it, or when the sensor was lost."""
        lost = self.state.sleep_seen and self.is_unknown(at_s)
        if lost or self.state.lamp_by_hand:
            return []
        self.state = replace(self.state, lamp_base_pct=0.0)
        return self.dim(0.0, self.settings.lamp_out_s)

    def _follow_page(self) -> Actions:
        state = self.state
        if state.lamp_by_hand or state.lamp_lands_at_s is not None or state.lamp_base_pct <= 0:
            return []
        wanted_pct = round(state.lamp_base_pct * self.page.lamp_factor, 2)
        change_pct = abs(wanted_pct - state.lamp_target_pct)
        if change_pct < LAMP_STEP_PCT and (wanted_pct > 0 or change_pct == 0):
            return []
        return self.dim(wanted_pct, max(LAMP_FOLLOW_S, change_pct * LAMP_S_PER_PCT))

    # ---- time -------------------------------------------------------------------------------------------------------

    def tick(self, at_s: float, sleep_probability: float | None) -> tuple[Actions, list[Cue]]:
        """A second or so has passed. Returns actions, and the cues that follow from time alone."""
        elapsed_s = 0.0 if self.state.at_s is None else max(0.0, at_s - self.state.at_s)
        self.state = replace(self.state, at_s=at_s)
        if self.state.playing:
            self.move_on(at_s)
            self.state = replace(
                self.state,
                listened_s=self.state.listened_s + elapsed_s,
                listened_until_s=at_s,
                timer_left_s=self.state.timer_left_s - elapsed_s,
            )
        if not self.state.follow_sleep:
            sleep_probability = None
        actions = self._watch_sensor(at_s, sleep_probability) + self._land_lamp(at_s)
        phase, for_s = self.state.phase, at_s - self.state.since_s
        if phase not in (Phase.IDLE, *IN_SLEEP) and for_s >= self.settings.quiet_limit_s:
            return [*actions, Say("Nobody seems to be here any more.")], [Cue.NIGHT_OVER]
        if phase is Phase.WIND_DOWN:
            actions += self._wind_down(at_s)
            return actions, [Cue.SETTLED] if for_s >= self.settings.wind_down_s else []
        if phase in WITH_STORY or self.state.playing:
            faded, cues = self._fade(at_s, sleep_probability)
            return actions + faded, cues
        return actions, []

    def _wind_down(self, at_s: float) -> Actions:
        settings, state = self.settings, self.state
        if state.lamp_sinks_at_s is None or at_s < state.lamp_sinks_at_s:
            return []
        self.state = replace(state, lamp_sinks_at_s=None)
        if state.lamp_by_hand:
            return []
        ends_s = state.since_s + settings.wind_down_s
        return self.dim(settings.story_lightness_pct, max(ends_s - at_s, LAMP_FOLLOW_S))

    def _fade(self, at_s: float, sleep_probability: float | None) -> tuple[Actions, list[Cue]]:
        left_s = self._left_s(at_s) if self.state.playing else None
        fade_db = self.page.step(at_s, sleep_probability, left_s, self.state.landing)
        self.state = replace(self.state, fade_db=fade_db)
        actions = self._follow_page() if self.state.phase in WITH_STORY else []
        if not self.state.playing:
            return actions, []
        gain_db = self.gain_db()
        if abs(gain_db - self.state.gain_db) >= GAIN_STEP_DB:
            self.state = replace(self.state, gain_db=gain_db)
            actions.append(SetGain(gain_db))
        if left_s is not None and left_s <= 0:
            return [*actions, Say("The story's time is over for tonight.")], [Cue.TIME_UP]
        if (hold := next_hold(self.state, self.marks(), self._pause_s())) is not None:
            self.state = replace(self.state, hold_position_s=hold.position_s, hold_for_s=hold.for_s)
            actions.append(hold)
        if self.state.landing:
            return actions + self._land(at_s, sleep_probability), []
        if at_s >= self.state.bookmark_due_s and self.state.phase not in IN_SLEEP:
            self.state = replace(self.state, bookmark_due_s=at_s + self.settings.bookmark_every_s)
            actions += self.keep_here()
        return actions, self._cues_of_page(at_s, sleep_probability)

    def _pause_s(self) -> float:
        """By how much the pause between two sentences has grown."""
        return self.settings.sentence_pause_s * (1.0 - self.page.lamp_factor)

    def _land(self, at_s: float, sleep_probability: float | None) -> Actions:
        """Asleep, and the page at its floor: a few sentences more once sleep is settled, then silence."""
        settings, state = self.settings, self.state
        assert state.position_s is not None
        if not self.page.at_floor:
            return []
        silent_s = state.silent_at_position_s
        if silent_s is None:
            if sleep_probability is not None and sleep_probability < settings.settled_likelihood:
                return []
            silent_s = last_word_s(self.marks(), state.position_s, settings.last_sentences)
            self.state = replace(state, silent_at_position_s=silent_s)
        return self.fall_silent(at_s) if state.position_s >= silent_s else []

    def _land_lamp(self, at_s: float) -> Actions:
        """A lamp that a touch stopped goes on, unless a hand or a new phase had it meanwhile."""
        due_s = self.state.lamp_lands_at_s
        if due_s is None or at_s < due_s:
            return []
        self.state = replace(self.state, lamp_lands_at_s=None)
        return [] if self.state.lamp_by_hand else [LandLamp()]

    def _cues_of_page(self, at_s: float, sleep_probability: float | None) -> list[Cue]:
        fade = self.page.state
        drowsy = sleep_probability is not None and sleep_probability >= self.page.settings.drowsy_from
        if self.state.phase is Phase.STORY and drowsy and fade.sleep_db <= self.settings.drifting_db:
            return [Cue.DROWSY]
        if self.state.phase is Phase.DRIFTING and fade.raised_s == at_s:
            return [Cue.ROUSED]
        return []

    def _watch_sensor(self, at_s: float, sleep_probability: float | None) -> Actions:
        state = self.state
        if sleep_probability is not None:
            self.state = replace(state, sleep_seen=True, unknown_since_s=None, unknown_said=False)
            return []
        if state.unknown_since_s is None:
            self.state = replace(state, unknown_since_s=at_s)
        if not state.follow_sleep or state.unknown_said or not state.playing or not self.is_unknown(at_s):
            return []
        # Lost after the timer would have rung: it still ends with a whole fade, not with a cut.
        left_s = max(state.timer_left_s, self.page.settings.fade_s) if state.sleep_seen else state.timer_left_s
        self.state = replace(self.state, unknown_said=True, timer_left_s=left_s)
        minutes = round(min(left_s, self.limit_left_s(at_s)) / 60)
        return [Say(f"Nothing is known about sleep: the story ends by the timer, in {minutes} minutes.", "warning")]

    def is_unknown(self, at_s: float) -> bool:
        since_s = self.state.unknown_since_s
        return since_s is not None and at_s - since_s >= self.settings.unknown_after_s

    def _is_fresh(self, at_s: float) -> bool:
        heard_s = self.state.listened_until_s
        return heard_s is None or at_s - heard_s >= self.settings.fresh_after_s

    def limit_left_s(self, at_s: float) -> float:
        """Listening seconds until the parent's limit."""
        begins = self.state.phase in (Phase.IDLE, Phase.MORNING) and self._is_fresh(at_s)
        return self.settings.story_limit_s - (0.0 if begins else self.state.listened_s)

    def _left_s(self, at_s: float) -> float:
        """Listening seconds until silence: the limit, or the timer too while nothing is known about sleep."""
        limit_s = self.limit_left_s(at_s)
        return min(limit_s, self.state.timer_left_s) if self.is_unknown(at_s) else limit_s
