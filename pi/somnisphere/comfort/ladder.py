"""The ladder of comfort: a note, a glow, a sound, a word to somebody who is awake. Pure; times in monotonic seconds.

Rules of this file
    1. It does nothing unless the household turned it on, and nothing before ten nights were learned.
    2. It begins at distress in sleep (``sleep/distress.py``, a guess) and climbs a step at the most each two minutes,
       and only while the distress goes on and the body did not move more after the last step than before it. Movement
       that is not known counts as more: what cannot be seen is not tried further.
    3. The glow stays below one percent and goes out after five minutes; the sound rises from near silence, stays below
       its ceiling and is over after twenty seconds. Nothing is done while a story plays or a hand has the lamp.
    4. A hand, a waking, a rising, the end of the night: dark and quiet at once.
    5. At most ``most_episodes`` a night, with a pause between them; each step at most once in an episode.
    6. A step after which the sleeper woke is remembered; the second time it retires itself, and says so.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from somnisphere.comfort.memory import STRIKES, ComfortMemory
from somnisphere.comfort.sound import gain_at_db
from somnisphere.events import Announce, DimLamp, KeepComfort, PlayStory, Say, SetGain, StopStory
from somnisphere.night import EPOCH_S

GLOW_MOST_PCT = 0.9
"""Lightness (L*): a thousandth of the lamp's light."""
GLOW_RISE_S = 20.0
SOUND_S = 20.0
SOUND_MOST_PCT = 15.0
"""Volume: nobody can set the sound louder than this. The box does not listen, so it cannot know the room's level."""
GAIN_STEP_DB = 1.0
NIGHT_S = 16 * 3600.0

ComfortAction = DimLamp | PlayStory | SetGain | StopStory | Announce | Say | KeepComfort


class Step(StrEnum):
    """In the order in which they are tried."""

    NOTE = "note"
    GLOW = "glow"
    SOUND = "sound"
    WORD = "word"


LADDER = tuple(Step)


@dataclass(frozen=True, slots=True)
class ComfortSettings:
    """``steps`` empty: off. ``sound`` None: that step is left out."""

    steps: tuple[Step, ...] = ()
    glow_pct: float = 0.8
    glow_s: float = 300.0
    sound: Path | None = None
    sound_gain_db: float = -40.0
    learned_nights: int = 10
    wait_epochs: int = 4
    cool_down_s: float = 45 * 60.0
    most_episodes: int = 3
    wakes_within_s: float = 180.0
    """A waking that began this soon after a step came together with it (an epoch counts from its beginning)."""


@dataclass(frozen=True, slots=True)
class Room:
    """What may be used now: the lamp is dark and nobody's, the speaker is silent."""

    lamp_free: bool = True
    speaker_free: bool = True


@dataclass(slots=True)
class _Episode:
    step: Step | None = None
    at_s: float = 0.0
    before: float | None = None
    """Movement in the epochs before the step, counts in 15 s on average; None: not known."""
    waited: int = 0


class Ladder:
    """One bedside. Every method returns what is to be done, in order."""

    def __init__(self, settings: ComfortSettings, memory: ComfortMemory | None = None) -> None:
        self.settings = settings
        self.memory = memory or ComfortMemory()
        self._moves: deque[float | None] = deque(maxlen=settings.wait_epochs)
        self._episode: _Episode | None = None
        self._tried: list[tuple[Step, float]] = []
        self._rests_until_s = float("-inf")
        self._episodes = 0
        self._dark_at_s: float | None = None
        self._sound_since_s: float | None = None
        self._gain_db = 0.0

    @property
    def sounding(self) -> bool:
        """Whether the speaker has comfort's sound."""
        return self._sound_since_s is not None

    @property
    def lit(self) -> bool:
        return self._dark_at_s is not None

    # ---- the night --------------------------------------------------------------------------------------------------

    def begin_night(self) -> None:
        self._moves.clear()
        self._episodes, self._tried, self._rests_until_s = 0, [], float("-inf")

    def carry_on(self, at_s: float, wall_s: float) -> None:
        """A night goes on after a restart: what was done in it counts, and it rests first."""
        steps = [note.step for note in self.memory.notes if note.what == "tried" and wall_s - note.wall_s < NIGHT_S]
        began = [
            k for k, step in enumerate(steps) if k == 0 or LADDER.index(Step(step)) <= LADDER.index(Step(steps[k - 1]))
        ]
        self._episodes, self._rests_until_s = len(began), at_s + self.settings.cool_down_s

    def epoch(
        self, move: float | None, at_s: float, *, began: bool, goes_on: bool, learned_nights: int, room: Room
    ) -> list[ComfortAction]:
        """Half a minute of sleep is over. ``move``: its movement, counts in 15 s; ``began``: distress is said now;
        ``goes_on``: its rule holds still; ``learned_nights``: how many nights taught what is usual."""
        self._moves.append(move)
        episode = self._episode
        if episode is None:
            may = began and self.settings.steps and learned_nights >= self.settings.learned_nights
            if not may or at_s < self._rests_until_s or self._episodes >= self.settings.most_episodes:
                return []
            self._episodes += 1
            self._episode = _Episode()
            return self._climb(at_s, room)
        episode.waited += 1
        if episode.waited < self.settings.wait_epochs:
            return []
        if not goes_on:
            return self._over(at_s)
        after, before = self._movement(), episode.before
        felt = episode.step is not Step.NOTE  # a note moves nobody
        if after is None or before is None or (felt and after > before):
            return [
                *self._over(at_s),
                Say("Comfort stops here: the sleeper moves more than before, or it is not known.", "detail"),
            ]
        return self._climb(at_s, room)

    def _movement(self) -> float | None:
        known = [move for move in self._moves if move is not None]
        return sum(known) / len(known) if known and len(known) == len(self._moves) else None

    def _climb(self, at_s: float, room: Room) -> list[ComfortAction]:
        episode = self._episode
        assert episode is not None
        higher = LADDER[0 if episode.step is None else LADDER.index(episode.step) + 1 :]
        for step in higher:
            if step in self.settings.steps and not self.memory.retired(step) and self._possible(step, room):
                episode.step, episode.at_s, episode.waited, episode.before = step, at_s, 0, self._movement()
                self._tried.append((step, at_s))
                return [KeepComfort(step, "tried", at_s), *self._do(step, at_s)]
        return self._over(at_s)

    def _possible(self, step: Step, room: Room) -> bool:
        if step is Step.GLOW:
            return room.lamp_free
        return step is not Step.SOUND or (room.speaker_free and self.settings.sound is not None)

    def _do(self, step: Step, at_s: float) -> list[ComfortAction]:
        settings = self.settings
        match step:
            case Step.NOTE:
                return [Say("Uneasy sleep, perhaps: a guess. It is noted.", "detail")]
            case Step.GLOW:
                self._dark_at_s = at_s + settings.glow_s
                glow = DimLamp(min(settings.glow_pct, GLOW_MOST_PCT), GLOW_RISE_S)
                return [
                    glow,
                    KeepComfort(step, "lit", at_s),
                    Say("Uneasy sleep still, perhaps: a faint glow.", "detail"),
                ]
            case Step.SOUND:
                assert settings.sound is not None
                self._sound_since_s, self._gain_db = at_s, gain_at_db(settings.sound_gain_db, 0.0, SOUND_S)
                return [
                    PlayStory(settings.sound, 0.0, self._gain_db),
                    Say("Uneasy sleep still, perhaps: the sound.", "detail"),
                ]
            case Step.WORD:
                return [Announce("quiet_word", at_s), Say("Uneasy sleep still, perhaps: the home is told.", "detail")]

    # ---- ends -------------------------------------------------------------------------------------------------------

    def tick(self, at_s: float) -> list[ComfortAction]:
        """A moment has passed: the sound rises and falls, light and sound come to their end."""
        actions: list[ComfortAction] = []
        if self._sound_since_s is not None:
            since_s = at_s - self._sound_since_s
            if since_s >= SOUND_S:
                actions += self._silence()
            elif (
                abs((gain_db := gain_at_db(self.settings.sound_gain_db, since_s, SOUND_S)) - self._gain_db)
                >= GAIN_STEP_DB
            ):
                self._gain_db = gain_db
                actions.append(SetGain(gain_db))
        if self._dark_at_s is not None and at_s >= self._dark_at_s:
            actions += self._darken(at_s)
        return actions

    def player_ended(self) -> None:
        """The sound came to its own end, or could not be played."""
        self._sound_since_s = None

    def hand(self, at_s: float) -> list[ComfortAction]:
        """Somebody did something, or nobody sleeps any more: the room is theirs."""
        return self._over(at_s, at_once=True)

    def woke(self, since_s: float, at_s: float) -> list[ComfortAction]:
        """The sleeper stirred, woke or rose, since ``since_s``."""
        actions: list[ComfortAction] = []
        for step, tried_s in self._tried:
            if step is Step.NOTE or not -EPOCH_S <= since_s - tried_s <= self.settings.wakes_within_s:
                continue
            actions.append(KeepComfort(step, "woke", at_s))
            if self.memory.strikes.get(step, 0) + 1 >= STRIKES and not self.memory.retired(step):
                actions.append(
                    Say(f"Twice somebody woke with the step “{step}”: it is left out from now on.", "warning")
                )
        self._tried = []
        return [*self._over(at_s, at_once=True), *actions]

    def _over(self, at_s: float, *, at_once: bool = False) -> list[ComfortAction]:
        """The episode is over. ``at_once``: and light and sound with it; else they come to their own end."""
        if self._episode is not None:
            self._episode = None
            self._rests_until_s = at_s + self.settings.cool_down_s
        return [*self._silence(), *self._darken(at_s)] if at_once else []

    def _silence(self) -> list[ComfortAction]:
        sounding, self._sound_since_s = self._sound_since_s is not None, None
        return [StopStory()] if sounding else []

    def _darken(self, at_s: float) -> list[ComfortAction]:
        lit, self._dark_at_s = self._dark_at_s is not None, None
        return [DimLamp(0.0, GLOW_RISE_S), KeepComfort(Step.GLOW, "dark", at_s)] if lit else []
