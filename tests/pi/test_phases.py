"""The table of phases: whole, sensible, and drawn."""

import pytest

from somnisphere.bedtime.phases import TRANSITIONS, Cue, Phase, diagram


def test_every_phase_can_be_reached_and_left() -> None:
    reached = {Phase.IDLE}
    while True:
        further = reached | {to for (phase, _), to in TRANSITIONS.items() if phase in reached}
        if further == reached:
            break
        reached = further
    assert reached == set(Phase)
    assert all((phase, Cue.STOP) in TRANSITIONS for phase in Phase if phase is not Phase.IDLE)


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.IDLE])
def test_stop_and_the_end_of_the_night_always_lead_home(phase: Phase) -> None:
    assert TRANSITIONS[phase, Cue.STOP] is Phase.IDLE
    assert TRANSITIONS[phase, Cue.NIGHT_OVER] is Phase.IDLE


@pytest.mark.parametrize("phase", [Phase.ASLEEP, Phase.STIRRING, Phase.STORY, Phase.DRIFTING])
def test_the_clock_never_begins_an_evening_over_a_story_or_a_sleeper(phase: Phase) -> None:
    assert (phase, Cue.BEGIN) not in TRANSITIONS


@pytest.mark.parametrize("phase", list(Phase))
def test_one_more_page_is_had_at_any_hour(phase: Phase) -> None:
    assert TRANSITIONS[phase, Cue.PAGE] is Phase.STORY


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in (Phase.ASLEEP,)])
def test_sleep_is_believed_in_every_phase(phase: Phase) -> None:
    assert TRANSITIONS[phase, Cue.SLEPT] is Phase.ASLEEP


def test_nothing_but_a_hand_leads_out_of_sleep_into_a_story() -> None:
    ways = {cue for (phase, cue), to in TRANSITIONS.items() if phase is Phase.ASLEEP and to is Phase.STORY}
    assert ways == {Cue.PAGE}


def test_the_table_is_not_to_be_changed_at_run_time() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[Phase.IDLE, Cue.STOP] = Phase.STORY  # type: ignore[index]


def test_the_diagram_names_every_row() -> None:
    drawn = diagram()
    assert drawn.startswith("stateDiagram-v2\n    [*] --> idle\n")
    arrows = {}
    for line in drawn.splitlines()[2:]:
        way, _, cues = line.strip().partition(": ")
        phase, to = way.split(" --> ")
        arrows[phase, to] = set(cues.split(", "))
    for (phase, cue), to in TRANSITIONS.items():
        assert cue.value in arrows[phase.value, to.value]
    assert sum(map(len, arrows.values())) == len(TRANSITIONS)
