"""The falling page: one slow fade that follows the likelihood of sleep, for loudness and light together. Pure.

Theory of operation
    The fade is a number of decibels, 0 down to a floor, that is *added* to the person's own volume and never mixed with
    it. Two things pull it down, and the lower wins:

    * sleep: the likelier it is, the deeper the fade is allowed to go. What has been reached is kept: a
      likelihood that wavers does not make the story waver.
    * time: in the last minutes before the sleep timer or the parent's limit, a straight line down to the floor. It is
      all there is when nothing is known about sleep.

    Only two things raise it: a hand (``lift``), or a listener who is clearly awake for a while after the page fell.
    Both raise it to half of where it was, slowly. A waking does so not soon again, and no further than it lasts; a
    likelihood that grows holds it where it is.

    Falling is never faster than 1 dB in 10 s: a few seconds of change stay under the just noticeable difference for
    level of about 1 dB (Zwicker and Fastl, Psychoacoustics, ch. 7), so no step is heard.

The light follows the part of the fade that sleep made, not the part that time made: without a sensor the lamp is left
alone.
"""

from dataclasses import dataclass, replace

FALL_DB_PER_S = 0.1
"""No fade is faster than this."""


@dataclass(frozen=True, slots=True)
class FadeSettings:
    floor_db: float = -30.0
    """The deepest fade, relative to the person's volume: a whisper becomes nothing."""
    fade_s: float = 600.0
    """From full to the floor at the least, for sleep and for the timer alike."""
    drowsy_from: float = 0.25
    """Likelihood of sleep at which the page begins to fall; it is at the floor at ``drowsy_full``."""
    drowsy_full: float = 0.75
    awake_below: float = 0.15
    """Below this for ``awake_s`` the listener counts as awake. The space up to ``drowsy_from`` is the hysteresis."""
    awake_s: float = 60.0
    raise_db_per_s: float = 0.2
    raise_again_s: float = 300.0
    """After a raise by waking, none for this long."""
    raise_from_db: float = -3.0
    """A fade shallower than this is not worth raising."""
    hold_s: float = 120.0
    """After a hand asked for more, sleep does not lower the page for this long."""
    epoch_s: float = 30.0
    """A likelihood that grew holds every raise for this long (one epoch: how often it is news)."""

    @property
    def fall_db_per_s(self) -> float:
        return min(FALL_DB_PER_S, -self.floor_db / max(self.fade_s, 1.0))


@dataclass(frozen=True, slots=True)
class FadeState:
    """Everything the page remembers; times are monotonic seconds, None is *never* or *not now*."""

    fade_db: float = 0.0
    sleep_db: float = 0.0
    """How deep sleep alone has pulled the page: what the light follows."""
    raise_to_db: float | None = None
    raise_sleep_to_db: float = 0.0
    """``sleep_db`` goes to this while ``fade_db`` goes to ``raise_to_db``: light and loudness rise together."""
    at_s: float | None = None
    probability: float | None = None
    grew_s: float | None = None
    awake_since_s: float | None = None
    raised_s: float | None = None
    hold_until_s: float | None = None


class FallingPage:
    """``step`` it every second or so; read ``fade_db`` and ``lamp_factor``."""

    def __init__(self, settings: FadeSettings | None = None, state: FadeState | None = None) -> None:
        self.settings = settings or FadeSettings()
        self.state = state or FadeState()

    @property
    def fade_db(self) -> float:
        return self.state.fade_db

    @property
    def lamp_factor(self) -> float:
        """1 while awake, 0 when sleep has pulled the page to its floor."""
        return 1.0 - self.state.sleep_db / self.settings.floor_db

    @property
    def at_floor(self) -> bool:
        return self.state.fade_db <= self.settings.floor_db + 0.05

    def renew(self) -> None:
        """A new evening: from the top."""
        self.state = FadeState()

    def lift(self, at_s: float, *, silent: bool = False) -> None:
        """A hand asked for more: raise to half of where it was, and let sleep wait a little.

        ``silent``: nothing is heard yet, so nobody is startled if it begins there at once.
        """
        half_db = self.state.fade_db / 2
        self.state = replace(
            self.state,
            fade_db=half_db if silent else self.state.fade_db,
            raise_to_db=None if silent else half_db,
            sleep_db=self.state.sleep_db / 2 if silent else self.state.sleep_db,
            raise_sleep_to_db=self.state.sleep_db / 2,
            grew_s=None,
            awake_since_s=None,
            hold_until_s=at_s + self.settings.hold_s,
        )

    def step(
        self, at_s: float, sleep_probability: float | None, left_s: float | None = None, landing: bool = False
    ) -> float:
        """Advance to ``at_s`` and return the fade in dB.

        ``left_s``: seconds of story that are left, or None when there is no end. ``landing``: sleep is settled, go to
        the floor whatever the likelihood.
        """
        settings, state = self.settings, self.state
        elapsed_s = 0.0 if state.at_s is None else max(0.0, at_s - state.at_s)
        state = self._watch(replace(state, at_s=at_s), sleep_probability, at_s)
        fall_db, raise_db = elapsed_s * settings.fall_db_per_s, elapsed_s * settings.raise_db_per_s

        held = state.hold_until_s is not None and at_s < state.hold_until_s
        wanted_db = self._sleep_wants_db(sleep_probability, landing, held)
        sleep_db = state.sleep_db
        if wanted_db < sleep_db:
            sleep_db = max(wanted_db, sleep_db - fall_db)
        time_db = self._time_wants_db(left_s)

        fade_db = state.fade_db
        lowest_db = min(time_db, wanted_db)
        if lowest_db < fade_db:
            fade_db = max(lowest_db, fade_db - fall_db)
            state = replace(state, raise_to_db=None)
        elif state.raise_to_db is not None and not held and not self._is_awake(sleep_probability):
            state = replace(state, raise_to_db=None)  # not so awake after all
        elif state.raise_to_db is not None and (held or not self._is_growing(state, at_s)):
            fade_db = min(state.raise_to_db, lowest_db, fade_db + raise_db)
            sleep_db = max(sleep_db, min(state.raise_sleep_to_db, sleep_db + raise_db))
            if fade_db >= state.raise_to_db:
                state = replace(state, raise_to_db=None)
        self.state = replace(state, fade_db=fade_db, sleep_db=sleep_db)
        return fade_db

    def _watch(self, state: FadeState, probability: float | None, at_s: float) -> FadeState:
        """Keep book of growing likelihood and of being awake; decide on a raise."""
        settings = self.settings
        if probability is not None and state.probability is not None and probability > state.probability:
            state = replace(state, grew_s=at_s)
        if probability is not None:
            state = replace(state, probability=probability)
        if not self._is_awake(probability):
            return replace(state, awake_since_s=None)
        if state.awake_since_s is None:
            state = replace(state, awake_since_s=at_s)
        awake_for_s = at_s - (state.awake_since_s or at_s)
        soon = state.raised_s is not None and at_s - state.raised_s < settings.raise_again_s
        deep = min(state.fade_db, state.sleep_db) <= settings.raise_from_db
        if awake_for_s >= settings.awake_s and deep and not soon and state.raise_to_db is None:
            state = replace(
                state,
                raise_to_db=state.fade_db / 2,
                raise_sleep_to_db=state.sleep_db / 2,
                raised_s=at_s,
                awake_since_s=at_s,
            )
        return state

    def _is_awake(self, probability: float | None) -> bool:
        return probability is not None and probability < self.settings.awake_below

    def _is_growing(self, state: FadeState, at_s: float) -> bool:
        return state.grew_s is not None and at_s - state.grew_s < self.settings.epoch_s

    def _sleep_wants_db(self, probability: float | None, landing: bool, held: bool) -> float:
        settings = self.settings
        if landing:
            return settings.floor_db
        if probability is None or held:
            return 0.0
        share = (probability - settings.drowsy_from) / (settings.drowsy_full - settings.drowsy_from)
        return settings.floor_db * min(1.0, max(0.0, share))

    def _time_wants_db(self, left_s: float | None) -> float:
        if left_s is None:
            return 0.0
        share = 1.0 - max(0.0, left_s) / max(self.settings.fade_s, 1.0)
        return self.settings.floor_db * min(1.0, max(0.0, share))
