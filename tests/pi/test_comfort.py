"""The ladder of comfort: what it does, when it does not, and what no night can make it do."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from somnisphere.bedtime.phases import Cue, Phase
from somnisphere.bedtime.ritual import Ritual, RitualSettings
from somnisphere.bedtime.shelf import Shelf
from somnisphere.bedtime.state import volume_gain_db
from somnisphere.comfort.at_the_bed import Comfort
from somnisphere.comfort.ladder import (
    GLOW_MOST_PCT,
    LADDER,
    SOUND_S,
    ComfortAction,
    ComfortSettings,
    Ladder,
    Room,
    Step,
)
from somnisphere.comfort.memory import STRIKES, ComfortMemory, Note
from somnisphere.comfort.sound import FAR_DB, gain_at_db
from somnisphere.comfort_file import ComfortFile, beside
from somnisphere.config import ConfigError, load
from somnisphere.core import Core
from somnisphere.cues import CueGiven, SleepWatch
from somnisphere.events import (
    Announce,
    ButtonPressed,
    CommandReceived,
    DimLamp,
    KeepComfort,
    PlayerReported,
    PlayStory,
    Press,
    Say,
    SetGain,
    StopStory,
    Tick,
)
from somnisphere.night import EPOCH_S, Epoch, Stage, StageEstimate, unknown_epoch
from somnisphere.sleep.pipeline import SleepPipeline
from somnisphere.story import Story

RAIN = Path("/sounds/rain.ogg")
ALL = ComfortSettings(steps=LADDER, sound=RAIN)
HERE = Room()


class Bed:
    """A ladder, its clock, and what is lit and heard because of it."""

    def __init__(self, setting: ComfortSettings = ALL, memory: ComfortMemory | None = None) -> None:
        self.ladder = Ladder(setting, memory)
        self.at_s = 0.0
        self.lamp_pct = 0.0
        self.sound_since_s: float | None = None
        self.loudest_db = float("-inf")
        self.tried: list[str] = []
        self.words = 0
        self.said: list[str] = []

    def do(self, actions: Sequence[ComfortAction]) -> list[ComfortAction]:
        for action in actions:
            match action:
                case DimLamp():
                    self.lamp_pct = action.lightness_pct
                case PlayStory():
                    self.sound_since_s, self.loudest_db = self.at_s, max(self.loudest_db, action.gain_db)
                case SetGain():
                    assert self.sound_since_s is not None, "only its own sound"
                    self.loudest_db = max(self.loudest_db, action.gain_db)
                case StopStory():
                    assert self.sound_since_s is not None, "it stops nothing but its own sound"
                    self.sound_since_s = None
                case KeepComfort():
                    self.ladder.memory = self.ladder.memory.noted(Note(self.at_s, action.step, action.what))
                    if action.what == "tried":
                        self.tried.append(action.step)
                case Announce():
                    assert action.type == "quiet_word"
                    self.words += 1
                case Say():
                    self.said.append(action.text)
        return list(actions)

    def pass_s(self, seconds: float) -> None:
        for _ in range(round(seconds * 2)):
            self.at_s += 0.5
            self.do(self.ladder.tick(self.at_s))

    def epoch(
        self,
        move: float | None = 10.0,
        *,
        began: bool = False,
        goes_on: bool = True,
        learned: int = 10,
        room: Room = HERE,
    ) -> None:
        self.pass_s(EPOCH_S)
        self.do(self.ladder.epoch(move, self.at_s, began=began, goes_on=goes_on, learned_nights=learned, room=room))

    def uneasy(self, epochs: int, move: float | None = 10.0, **more: object) -> None:
        """Four quiet half minutes, then distress, then so many that go on like it."""
        for _ in range(ALL.wait_epochs):
            self.epoch(move, goes_on=False)
        self.epoch(move, began=True, **more)  # type: ignore[arg-type]
        for _ in range(epochs):
            self.epoch(move, **more)  # type: ignore[arg-type]


# ---- what it does ---------------------------------------------------------------------------------------------------


def test_a_step_every_two_minutes_while_it_goes_on_and_nothing_gets_worse() -> None:
    bed = Bed()
    bed.uneasy(0)
    assert bed.tried == ["note"]
    assert (bed.lamp_pct, bed.sound_since_s) == (0.0, None)
    for _ in range(4):
        bed.epoch()
    assert bed.tried == ["note", "glow"]
    assert bed.lamp_pct == ALL.glow_pct < 1.0
    for _ in range(4):
        bed.epoch()
    assert bed.tried == ["note", "glow", "sound"]
    assert bed.sound_since_s == bed.at_s
    bed.pass_s(SOUND_S + 1)
    assert bed.sound_since_s is None
    bed.at_s -= SOUND_S + 1
    for _ in range(4):
        bed.epoch()
    assert bed.tried == [*LADDER]
    assert bed.words == 1
    bed.pass_s(ALL.glow_s)
    assert bed.lamp_pct == 0.0


def test_more_movement_than_before_ends_it_and_so_does_movement_that_is_not_known() -> None:
    for after in (11.0, None):
        bed = Bed()
        bed.uneasy(4)
        for _ in range(20):
            bed.epoch(after)
        assert bed.tried == ["note", "glow"]
        assert "stops here" in bed.said[-1]


def test_what_passes_by_itself_is_left_alone() -> None:
    bed = Bed()
    bed.uneasy(4)
    assert bed.tried == ["note", "glow"]
    for _ in range(4):
        bed.epoch(0.0, goes_on=False)
    bed.pass_s(ALL.glow_s)
    assert (bed.tried, bed.lamp_pct) == (["note", "glow"], 0.0)


def test_it_is_off_unless_turned_on_and_waits_for_ten_learned_nights() -> None:
    off = Bed(ComfortSettings())
    off.uneasy(20)
    young = Bed()
    young.uneasy(20, learned=9)
    assert off.tried == young.tried == []


def test_a_lamp_or_speaker_that_somebody_has_is_left_out() -> None:
    bed = Bed()
    bed.uneasy(12, room=Room(lamp_free=False, speaker_free=False))
    assert bed.tried == ["note", "word"]
    bed = Bed(replace(ALL, sound=None))
    bed.uneasy(12)
    assert bed.tried == ["note", "glow", "word"]


def test_a_hand_makes_dark_and_quiet_at_once_and_it_rests() -> None:
    bed = Bed()
    bed.uneasy(8)
    assert bed.lamp_pct
    assert bed.ladder.sounding
    bed.do(bed.ladder.hand(bed.at_s))
    assert bed.lamp_pct == 0.0
    assert not bed.ladder.sounding
    bed.uneasy(8)
    assert bed.tried == ["note", "glow", "sound"], "not again so soon"
    bed.pass_s(ALL.cool_down_s)
    bed.uneasy(0)
    assert bed.tried[3:] == ["note"]


def test_a_step_that_twice_comes_with_waking_retires_and_says_so() -> None:
    bed = Bed(replace(ALL, steps=(Step.GLOW, Step.WORD)))
    for time in range(STRIKES):
        bed.uneasy(0)
        assert bed.tried == ["glow"] * (time + 1)
        bed.pass_s(60.0)
        bed.do(bed.ladder.woke(bed.at_s - 40.0, bed.at_s))
        assert bed.lamp_pct == 0.0
        bed.pass_s(ALL.cool_down_s)
    assert any("left out" in text for text in bed.said)
    assert bed.ladder.memory.retired("glow")
    bed.uneasy(0)
    assert bed.tried == ["glow", "glow", "word"]


def test_a_waking_long_after_or_before_a_step_is_not_its_doing() -> None:
    bed = Bed()
    bed.uneasy(4)
    bed.do(bed.ladder.woke(bed.at_s - EPOCH_S - 1.0, bed.at_s))
    bed.uneasy(4)
    bed.pass_s(ALL.wakes_within_s + 1)
    bed.do(bed.ladder.woke(bed.at_s, bed.at_s))
    assert bed.ladder.memory.strikes == {}


# ---- what no night can make it do ------------------------------------------------------------------------------------

things = st.one_of(
    st.tuples(st.just("epoch"), st.one_of(st.none(), st.floats(0, 200)), st.booleans(), st.booleans(), st.booleans()),
    st.tuples(st.sampled_from(["hand", "woke", "ended", "night", "wait", "kill"])),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(things, max_size=120),
    st.floats(0.01, 5.0),
    st.floats(0, 15),
    st.lists(st.sampled_from(LADDER), unique=True).map(tuple),
)
def test_no_sequence_exceeds_loudness_light_or_count_and_all_end_quiet(
    course: list[tuple[object, ...]], glow_pct: float, volume_pct: float, steps: tuple[Step, ...]
) -> None:
    level_db = volume_gain_db(volume_pct)
    setting = ComfortSettings(
        tuple(s for s in LADDER if s in steps), glow_pct=glow_pct, sound=RAIN, sound_gain_db=level_db
    )
    bed = Bed(setting)
    lit_since_s: float | None = None

    def check() -> None:
        nonlocal lit_since_s
        assert bed.lamp_pct <= GLOW_MOST_PCT
        assert bed.loudest_db <= level_db
        assert bed.sound_since_s is None or bed.at_s - bed.sound_since_s <= SOUND_S
        lit_since_s = None if bed.lamp_pct == 0 else bed.at_s if lit_since_s is None else lit_since_s
        assert lit_since_s is None or bed.at_s - lit_since_s <= setting.glow_s + EPOCH_S
        for step in LADDER:
            assert bed.tried.count(step) <= setting.most_episodes
        assert bed.words <= setting.most_episodes

    for kind, *rest in course:
        if kind == "epoch":
            move, began, goes_on, free = rest
            bed.epoch(move, began=began, goes_on=goes_on, room=Room(free, free))  # type: ignore[arg-type]
        elif kind == "hand":
            bed.do(bed.ladder.hand(bed.at_s))
            assert (bed.lamp_pct, bed.sound_since_s) == (0.0, None)
        elif kind == "woke":
            bed.do(bed.ladder.woke(bed.at_s - 20.0, bed.at_s))
            assert (bed.lamp_pct, bed.sound_since_s) == (0.0, None)
        elif kind == "ended" and bed.sound_since_s is not None:
            bed.ladder.player_ended()
            bed.sound_since_s = None
        elif kind == "night":
            bed.do(bed.ladder.hand(bed.at_s))
            bed.ladder.begin_night()
            bed.tried, bed.words = [], 0
        elif kind == "kill":  # the lamp and the speaker of this box end with it
            tried, words, at_s, memory = bed.tried, bed.words, bed.at_s, bed.ladder.memory
            bed = Bed(setting, memory)
            bed.at_s, bed.tried, bed.words = at_s, tried, words
            bed.ladder.carry_on(at_s, at_s)
        elif kind == "wait":
            bed.pass_s(600.0)
        check()
    for step in LADDER:
        if bed.ladder.memory.retired(step):
            before = len(bed.tried)
            bed.pass_s(setting.cool_down_s)
            bed.ladder.begin_night()
            bed.uneasy(12)
            assert step not in bed.tried[before:]
            break
    bed.pass_s(setting.glow_s + SOUND_S)
    assert (bed.lamp_pct, bed.sound_since_s) == (0.0, None), "left alone it ends dark and quiet"
    assert not bed.ladder.lit
    assert not bed.ladder.sounding


@given(st.floats(-60, 0), st.floats(0, 40))
def test_the_sound_rises_from_far_below_and_falls_there_again(level_db: float, since_s: float) -> None:
    gain_db = gain_at_db(level_db, since_s, SOUND_S)
    assert level_db - FAR_DB - 1e-9 <= gain_db <= level_db
    assert gain_at_db(level_db, 0.0, SOUND_S) == gain_at_db(level_db, SOUND_S, SOUND_S) == level_db - FAR_DB
    assert gain_at_db(level_db, SOUND_S / 2, SOUND_S) == level_db


# ---- at the bed -----------------------------------------------------------------------------------------------------


def at_the_bed(memory: ComfortMemory | None = None) -> tuple[Comfort, Ritual, SleepWatch]:
    ritual = Ritual(RitualSettings(wind_down_s=1.0), Shelf([Story("a", "A", Path("/a.ogg"), 900.0)]))
    watch = SleepWatch()
    watch.asleep = True
    return Comfort(replace(ALL, steps=(Step.GLOW, Step.SOUND)), memory, lambda: 10), ritual, watch


def distressed(at_s: float) -> list[CueGiven]:
    return [CueGiven(Cue.DISTRESSED, at_s, at_s - 60.0)]


def asleep(ritual: Ritual) -> None:
    ritual.receive(Cue.BEGIN, 0.0)
    ritual.tick(2.0, None)
    ritual.slept(3.0, 3.0)
    assert ritual.state.phase is Phase.ASLEEP


def test_nothing_while_the_story_is_told_or_nobody_sleeps() -> None:
    comfort, ritual, watch = at_the_bed()
    epoch = replace(unknown_epoch(0, 0.0), motion_counts=(30.0, 30.0))
    assert comfort.epoch(epoch, watch, distressed(30.0), ritual, 40.0) == [], "not asleep by the evening's own word"
    asleep(ritual)
    watch.asleep = None
    assert comfort.epoch(epoch, watch, distressed(60.0), ritual, 70.0) == []
    watch.asleep = True
    assert [
        a.step for a in comfort.epoch(epoch, watch, distressed(90.0), ritual, 100.0) if isinstance(a, KeepComfort)
    ] == [
        "glow",
        "glow",
    ]
    assert [type(a) for a in comfort.epoch(epoch, watch, [CueGiven(Cue.STIRRED, 130.0, 100.0)], ritual, 140.0)] == [
        DimLamp,
        KeepComfort,
        KeepComfort,
    ]


def test_the_evening_never_hears_of_the_sound_and_loads_its_story_anew() -> None:
    comfort, ritual, _ = at_the_bed()
    asleep(ritual)
    ritual.lend_player()
    comfort.ladder._sound_since_s = 5.0
    assert comfort.takes(PlayerReported(6.0, "playing", RAIN, 1.0))
    assert not comfort.takes(PlayerReported(6.0, "playing", Path("/a.ogg"), 1.0))
    assert comfort.takes(PlayerReported(7.0, "failed", RAIN, 0.0, "gone"))
    assert not comfort.ladder.sounding
    assert not ritual.state.loaded


def test_a_glow_left_burning_by_a_killed_run_goes_out() -> None:
    comfort, _, _ = at_the_bed(ComfortMemory(lit=True))
    assert comfort.carry_on(1.0, 1e9)[0] == DimLamp(0.0, 1.0)
    comfort, _, _ = at_the_bed()
    assert comfort.carry_on(1.0, 1e9) == []


class ScriptedPipeline(SleepPipeline):
    """Epochs as a test writes them."""

    def __init__(self, epochs: Sequence[Epoch]) -> None:
        super().__init__()
        self._script = list(epochs)

    def advance(self, now_s: float) -> list[Epoch]:
        due = [epoch for epoch in self._script if epoch.start_s + EPOCH_S <= now_s]
        self._script = self._script[len(due) :]
        return due


class SoundSleeper:
    """A stager of one mind."""

    def step(self, epoch: Epoch) -> StageEstimate:
        return StageEstimate(epoch.index, epoch.start_s, Stage.LIGHT, (0.04, 0.9, 0.03, 0.03), drowsiness=0.99)


def night_of(*body: tuple[float, float]) -> list[Epoch]:
    """(heart_bpm, count) for each half minute."""
    return [
        replace(
            unknown_epoch(k, 0.0), in_bed=True, heart_bpm=bpm, heart_series_bpm=(bpm,) * 6, motion_counts=(count, count)
        )
        for k, (bpm, count) in enumerate(body)
    ]


def test_a_whole_uneasy_hour_through_the_core() -> None:
    """Asleep for half an hour, then a quick heart and steady restlessness; a hand ends it."""
    script = night_of(*[(58.0, 0.0)] * 70, *[(74.0, 30.0)] * 30)
    shelf = Shelf([Story("a", "A", Path("/a.ogg"), 900.0)])
    comfort = Comfort(ALL, None, lambda: 10)
    core = Core(
        Ritual(RitualSettings(wind_down_s=1.0), shelf),
        shelf,
        ScriptedPipeline(script),
        lambda _: SoundSleeper(),
        lambda epochs: [SoundSleeper().step(epoch) for epoch in epochs],
        comfort=comfort,
    )
    core.receive(Tick(0.0, 0.0))
    done = core.receive(ButtonPressed(0.5, Press.TAP))
    at_s = 0.5
    while not comfort.ladder.sounding:
        at_s += 0.5
        done = core.receive(Tick(at_s, at_s))
        assert at_s < len(script) * EPOCH_S, "it never came to the sound"
    assert any(isinstance(action, PlayStory) and action.path == RAIN for action in done)
    assert at_s > 70 * EPOCH_S
    assert not core.snapshot().story_playing
    core.receive(PlayerReported(at_s, "playing", RAIN, 0.5))
    assert not core.snapshot().story_playing, "the home is not told of a story"
    first, second = core.receive(CommandReceived(at_s + 1, "stop", None))[:2]
    assert isinstance(first, StopStory)
    assert second == DimLamp(0.0, 20.0)


# ---- on disk and in the configuration --------------------------------------------------------------------------------


def test_what_it_remembers_outlives_restarts_and_broken_files(tmp_path: Path) -> None:
    path = beside(tmp_path / "journal.db")
    kept = ComfortFile(path)
    for what in ("tried", "lit", "woke", "dark", "woke"):
        kept.keep(KeepComfort("glow", what, 1.0), 1000.0)
    again = ComfortFile(path)
    assert again.memory == kept.memory
    assert again.memory.retired("glow")
    assert not again.memory.lit
    path.write_text('{"version": 1, "comfort": {"strikes": {"rocket": 1}, "notes": [], "lit": false}}')
    broken = ComfortFile(path)
    assert broken.memory == ComfortMemory()
    assert "kept as" in broken.mended


def test_a_disk_that_refuses_is_said(tmp_path: Path) -> None:
    kept = ComfortFile(tmp_path / "no folder" / "comfort.json")
    kept.keep(KeepComfort("note", "tried", 1.0), 1000.0)
    assert "cannot be written" in kept.problem
    assert len(kept.memory.notes) == 1


def test_it_is_off_by_default_and_bounded_in_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "somnisphere.toml"
    path.write_text("")
    assert load(path).comfort_settings.steps == ()
    path.write_text('[comfort]\nenabled = true\nglow_pct = 0\nsound = "/rain.ogg"\nquiet_word = false\n')
    setting = load(path).comfort_settings
    assert setting.steps == (Step.NOTE, Step.SOUND)
    assert setting.sound_gain_db == volume_gain_db(5.0)
    for wrong in ("glow_pct = 1.0", "sound_volume_pct = 16", "siren = true"):
        path.write_text(f"[comfort]\n{wrong}\n")
        with pytest.raises(ConfigError, match="comfort"):
            load(path)
