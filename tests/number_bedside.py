"""A bedside of plain numbers for tests of the ritual: does what it says, second by second, and remembers."""

from collections.abc import Sequence
from pathlib import Path

from somnisphere.bedtime.phases import Cue, Phase
from somnisphere.bedtime.ritual import Ritual, RitualSettings
from somnisphere.bedtime.shelf import Shelf
from somnisphere.bedtime.state import SILENT_DB
from somnisphere.events import (
    MOMENTS,
    Announce,
    DimLamp,
    FreezeLamp,
    HoldStory,
    KeepBookmark,
    LandLamp,
    PauseStory,
    PlayerReported,
    PlayStory,
    Press,
    ResumeStory,
    RitualAction,
    Say,
    SetGain,
    StopStory,
)
from somnisphere.story import Story

LONG = Story("attic.mp3", "The attic", Path("attic.mp3"), 5400.0)
SHORT = Story("boat.mp3", "The boat", Path("boat.mp3"), 600.0)


class NumberBedside:
    """``live`` lets seconds pass with one likelihood of sleep; ``done`` is every action so far."""

    def __init__(self, ritual_settings: RitualSettings | None = None, stories: Sequence[Story] = (LONG, SHORT)) -> None:
        self.shelf = Shelf(stories)
        self.ritual = Ritual(ritual_settings or RitualSettings(), self.shelf)
        self.at_s = 0.0
        self.path: Path | None = None
        self.playing = False
        self.position_s = 0.0
        self.gain_db = SILENT_DB
        self.lamp_pct = 0.0
        self.heard_s = 0.0
        self.hold: tuple[float, float] | None = None
        self.still_s = 0.0
        self.bookmarks: dict[str, float] = {}
        self.done: list[RitualAction] = []

    def in_phase(self, phase: Phase) -> bool:
        return self.ritual.state.phase is phase

    @property
    def phase(self) -> Phase:
        return self.ritual.state.phase

    def do(self, actions: Sequence[RitualAction]) -> Sequence[RitualAction]:
        for action in actions:
            match action:
                case PlayStory():
                    self.path, self.position_s = action.path, action.position_s
                    self.hold, self.still_s = None, 0.0
                    self.gain_db, self.playing = action.gain_db, True
                case PauseStory():
                    self.playing, self.hold, self.still_s = False, None, 0.0
                case ResumeStory():
                    assert self.path is not None, "there must be something to resume"
                    self.gain_db, self.playing = action.gain_db, True
                case StopStory():
                    self.path, self.playing = None, False
                case SetGain():
                    self.gain_db = action.gain_db
                case DimLamp():
                    assert 0 <= action.lightness_pct <= 100
                    assert action.over_s > 0
                    self.lamp_pct = action.lightness_pct
                case HoldStory():
                    assert self.playing
                    assert action.position_s >= self.position_s
                    self.hold = (action.position_s, action.for_s)
                case FreezeLamp() | LandLamp():
                    pass
                case KeepBookmark():
                    self.bookmarks[action.story_key] = action.position_s
                case Announce():
                    assert action.type in MOMENTS
                case Say():
                    assert action.text
        self.done += actions
        return actions

    def cue(self, cue: Cue) -> Sequence[RitualAction]:
        return self.do(self.ritual.receive(cue, self.at_s))

    def press(self, press: Press) -> Sequence[RitualAction]:
        return self.do(self.ritual.press(press, self.at_s))

    def live(self, seconds: float, probability: float | None = 0.05) -> list[RitualAction]:
        done_before = len(self.done)
        for _ in range(round(seconds)):
            self.at_s += 1.0
            if self.playing:
                self.position_s += self._gone_on()
                self.heard_s += 1.0
                story = next(story for story in self.shelf.stories if story.path == self.path)
                if self.position_s >= (story.duration_s or 1e9):
                    self.playing = False
                    self.do(self.ritual.player(PlayerReported(self.at_s, "ended", self.path, self.position_s)))
                elif self.at_s % 5 == 0:
                    self.do(self.ritual.player(PlayerReported(self.at_s, "playing", self.path, self.position_s)))
            self.do(self.ritual.tick(self.at_s, probability))
        return self.done[done_before:]

    def _gone_on(self) -> float:
        """How far the story gets in a second: a pause between two sentences stands still."""
        if self.hold is not None and self.position_s + 1.0 > self.hold[0]:
            (reached_s, self.still_s), self.hold = self.hold, None
            to_go_s = reached_s - self.position_s
            rest_s = 1.0 - to_go_s
            stood_s = min(rest_s, self.still_s)
            self.still_s -= stood_s
            return to_go_s + rest_s - stood_s
        stood_s = min(1.0, self.still_s)
        self.still_s -= stood_s
        return 1.0 - stood_s

    def announced(self) -> list[str]:
        return [action.type for action in self.done if isinstance(action, Announce)]

    def said(self) -> str:
        return " ".join(action.text for action in self.done if isinstance(action, Say))

    def begin(self) -> None:
        """Up to the middle of a story."""
        self.press(Press.TAP)
        self.live(300 + 60)
        assert self.phase is Phase.STORY
        assert self.playing
