"""Some minutes after the last fault: is everything well again, and does the home see what is so?"""

import json

from tests.chaos.bed import Bed
from tests.chaos.box import Box

from somnisphere_home.messages import Topics
from somnisphere_home.states import group_values, groups, values_differ

SELDOM = frozenset(("vitals", "box"))
"""Groups that are said at most every half minute or quarter of an hour: what the home sees of them may be older."""


LOOKS, LOOK_S = 4, 6.0
"""What changes at this very moment is said within five seconds."""


def untidy(box: Box, bed: Bed) -> list[str]:
    """What is not as it should be and stays so, in sentences."""
    for _ in range(LOOKS):
        problems = _untidy(box, bed)
        if not problems:
            break
        box.run(bed.clock.at_s + LOOK_S)
    return problems


def _untidy(box: Box, bed: Bed) -> list[str]:
    snapshot, retained = box.daemon.snapshot(), bed.broker.retained
    health = snapshot.health
    said = {
        "the sensor": snapshot.sensor_problem,
        "the player": snapshot.player_problem,
        "the journal": health.journal_problem,
        "the lamp": health.lamp_problem,
        "the household": health.household_problem,
        "sensing": health.sensing_problem,
    }
    problems = [f"{part} is in trouble still: {problem}" for part, problem in said.items() if problem]
    if not (snapshot.pulse_ok and snapshot.motion_ok):
        problems.append(f"pulse ok: {snapshot.pulse_ok}, motion ok: {snapshot.motion_ok}")
    if not box.link.is_connected:
        problems.append("the broker is not connected")
    topics = Topics("bedside")
    statuses = (topics.status, topics.part_status("sensor"), topics.part_status("player"))
    problems += [f"{t} says {retained.get(t)!r}" for t in statuses if retained.get(t) != b"online"]
    for group, members in groups(box.made.session._entities).items():
        payload = retained.get(topics.state(group))
        if payload is None:
            problems.append(f"the broker keeps nothing of {group}")
        elif group not in SELDOM and values_differ(
            members, _plain(json.loads(payload)), _plain(group_values(members, snapshot))
        ):
            problems.append(f"{group}: the broker keeps {payload!r}, the box says {group_values(members, snapshot)}")
    return problems


def _plain(values: dict[str, object]) -> dict[str, object]:
    """As JSON has them; without the place in a story, which moves on."""
    return {key: value for key, value in json.loads(json.dumps(values)).items() if key != "story_position"}
