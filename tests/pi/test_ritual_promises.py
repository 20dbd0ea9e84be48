"""What the ritual promises over any evening, and over a kill in the middle of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.number_bedside import LONG, NumberBedside

from somnisphere.bedtime.phases import Cue, Phase
from somnisphere.bedtime.ritual import Ritual, RitualSettings
from somnisphere.bedtime.shelf import Shelf
from somnisphere.bedtime.state import SILENT_DB, volume_gain_db
from somnisphere.events import (
    PlayerReported,
    PlayStory,
    Press,
    ResumeStory,
    Say,
    SetGain,
)

# ---- killed and begun again ------------------------------------


def reborn(bed: NumberBedside, away_s: float) -> NumberBedside:
    """The daemon was killed and comes back, on a machine whose monotonic clock began anew."""
    saved, shift_s = bed.ritual.to_dict(), 10.0 - (bed.at_s + away_s)
    after = NumberBedside()
    for key, position_s in bed.bookmarks.items():
        after.shelf.keep(key, position_s)
    after.at_s = 10.0
    after.do(after.ritual.restore(saved, shift_s, after.at_s))
    return after


def test_a_story_goes_on_after_a_kill() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.live(200, 0.6)
    after = reborn(bed, 20.0)
    assert after.phase is bed.phase
    assert after.playing
    assert after.position_s == pytest.approx(bed.position_s - 5, abs=1)
    assert after.gain_db == pytest.approx(bed.gain_db, abs=0.3)
    assert after.lamp_pct == bed.lamp_pct
    after.live(600, 0.95)
    assert after.in_phase(Phase.DRIFTING)
    after.do(after.ritual.slept(after.at_s, 10.0 - 20.0 - 100.0))
    assert after.bookmarks[LONG.key] == pytest.approx(bed.position_s - 130, abs=2), "dated back over the kill"


def test_a_sleeper_is_left_in_the_dark_and_the_quiet() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.cue(Cue.SLEPT)
    bed.live(30, 0.9)
    for away_s in (5.0, 5000.0):
        after = reborn(bed, away_s)
        after.live(120, 0.9)
        assert after.in_phase(Phase.ASLEEP)
        assert not after.playing
        assert after.lamp_pct == 0.0


def test_nobody_is_woken_by_a_box_that_comes_back_late() -> None:
    bed = NumberBedside()
    bed.begin()
    after = reborn(bed, 3600.0)
    after.live(60, None)
    assert not after.playing
    assert after.lamp_pct == 0.0
    assert any(isinstance(action, PlayStory) for action in after.press(Press.TAP)), "but a hand goes on with it"


@pytest.mark.parametrize("cues", [(Cue.SLEPT,), (Cue.SLEPT, Cue.STIRRED), (Cue.SLEPT, Cue.WOKE), ()])
def test_a_box_that_was_unplugged_in_the_night_begins_another_evening(cues: tuple[Cue, ...]) -> None:
    """It was asleep when its plug was pulled; a day later nobody is, and a tap must not ask for one more page."""
    bed = NumberBedside()
    bed.begin()
    for cue in cues:
        bed.cue(cue)
    after = reborn(bed, 20 * 3600.0)
    assert after.in_phase(Phase.IDLE)
    after.live(60, None)
    assert (after.lamp_pct, after.playing) == (0.0, False)
    after.press(Press.TAP)
    assert after.in_phase(Phase.WIND_DOWN)
    assert after.ritual.state.listened_s == 0.0


def test_a_pause_by_hand_outlives_a_kill() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.press(Press.DOUBLE)
    after = reborn(bed, 20.0)
    assert not after.playing
    (played,) = after.press(Press.DOUBLE)
    assert isinstance(played, PlayStory)
    assert played.position_s == pytest.approx(bed.position_s, abs=1)


@pytest.mark.parametrize(
    "saved", [{}, {"state": {"x": 1}}, {"state": {}, "fade": {}, "stretches": [3], "chosen": None}]
)
def test_an_evening_of_another_version_is_not_carried_on(saved: dict[str, object]) -> None:
    ritual = Ritual(RitualSettings(), Shelf([LONG]))
    (said,) = ritual.restore(saved, 0.0, 0.0)
    assert isinstance(said, Say)
    assert ritual.state.phase is Phase.IDLE


# ---- over any evening ------------------------------------

hands = st.one_of(
    st.sampled_from(list(Cue)).map(lambda cue: ("cue", cue)),
    st.sampled_from(list(Press)).map(lambda press: ("press", press)),
    st.tuples(st.just("sleep"), st.one_of(st.none(), st.floats(0, 1))),
    st.floats(0, 100).map(lambda pct: ("lamp", pct)),
    st.sampled_from(["The attic", "boat.mp3", "no such story"]).map(lambda key: ("story", key)),
    st.sampled_from(["failed", "ended", "playing", "stopped"]).map(lambda state: ("player", state)),
    st.just(("kill", None)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(hands, st.integers(0, 400)), max_size=25))
def test_whatever_happens_the_promises_hold(course: list[tuple[tuple[str, object], int]]) -> None:
    limits = RitualSettings(story_limit_s=1500.0, volume_pct=55.0, volume_ceiling_pct=70.0, wind_down_s=60.0)
    bed = NumberBedside(limits)
    probability: float | None = None
    nights_over = 0
    for (kind, value), seconds in course:
        match kind:
            case "cue":
                assert isinstance(value, Cue)
                bed.cue(value)
                nights_over += value in (Cue.NIGHT_OVER, Cue.WOKE)
            case "press":
                assert isinstance(value, Press)
                bed.press(value)
            case "sleep":
                assert value is None or isinstance(value, float)
                probability = value
            case "lamp":
                assert isinstance(value, float)
                bed.do(bed.ritual.lamp_by_hand(value, 1.0, bed.at_s))
                assert bed.lamp_pct == value
            case "story":
                bed.do(bed.ritual.choose_story(str(value), bed.at_s))
            case "player":
                report = PlayerReported(bed.at_s, value, bed.path, bed.position_s, "trouble")  # type: ignore[arg-type]
                if value in ("failed", "ended"):
                    bed.playing = False
                bed.do(bed.ritual.player(report))
            case "kill":
                heard_s = bed.heard_s
                saved, at_s, marks = bed.ritual.to_dict(), bed.at_s, bed.bookmarks
                bed = NumberBedside(limits)
                bed.at_s, bed.heard_s, bed.bookmarks = at_s, heard_s, marks
                for key, position_s in marks.items():
                    bed.shelf.keep(key, position_s)
                bed.do(bed.ritual.restore(saved, 0.0, at_s))
        before_db, was_playing = bed.gain_db, bed.playing
        for action in bed.live(seconds, probability):
            if isinstance(action, PlayStory | ResumeStory | SetGain):
                assert action.gain_db <= volume_gain_db(55.0) + 1e-9, "the fade only lowers"
            if isinstance(action, SetGain):
                before_db = action.gain_db
        assert bed.playing == bed.ritual.state.playing, "the ritual knows what is heard"
        assert not (was_playing and bed.phase is Phase.IDLE and bed.playing)
        assert bed.ritual.state.volume_pct == 55.0, "the fade never leaks into the person's volume"
        assert bed.heard_s <= (nights_over + 1) * (limits.story_limit_s + 2)
        assert before_db >= SILENT_DB - 30
    bed.live(1600 + 60, None)
    assert not bed.playing, "an evening left alone ends in silence, within the limit"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_loudness_in_an_undisturbed_evening(night: list[float]) -> None:
    bed = NumberBedside()
    bed.press(Press.TAP)
    bed.live(301, night[0])
    last_probability = night[0]
    heard: list[tuple[float, float, float]] = []
    for probability in night:
        for _ in range(30):
            before_db = bed.gain_db
            bed.live(1, probability)
            heard.append((bed.at_s, before_db, bed.gain_db))
            if probability > last_probability:
                assert bed.gain_db <= before_db
            assert bed.gain_db <= volume_gain_db(50.0)
        last_probability = probability
    for start in range(0, len(heard), 10):
        window = heard[start : start + 11]
        assert window[0][1] - window[-1][2] <= 1.1 + 0.2 + 1e-9, "1 dB in 10 s, and one step of the speaker"
