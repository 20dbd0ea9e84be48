"""A saved evening in which a disk or a hand changed something: refused whole, said so, and a new one begins."""

from typing import Any

import pytest
from tests.core_bedside import Bedside, of

from somnisphere.bedtime.phases import Phase
from somnisphere.events import PlayStory, Say


def saved() -> dict[str, Any]:
    it = Bedside()
    it.until_story()
    it.live(20.0)
    return it.core.ritual_state()


def test_as_it_was_it_goes_on() -> None:
    it = Bedside()
    assert of(PlayStory, it.core.restore_ritual(saved(), 0.0, 90.0))
    assert it.in_phase(Phase.STORY)


@pytest.mark.parametrize(
    ("part", "key", "value", "says"),
    [
        ("state", "volume_pct", "loud", "volume_pct is loud"),
        ("state", "volume_pct", 101, "volume_pct is 101"),
        ("state", "position_s", -1.0, "position_s is -1.0"),
        ("state", "story_key", {"a": 1}, "story_key is"),
        ("state", "failures", True, "failures is True"),
        ("state", "at_s", float("nan"), "at_s is nan"),
        ("state", "at_s", 10**400, "at_s is 1000"),
        ("state", "volumes_pct", {"Mia": "x"}, "volumes_pct is"),
        ("state", "new_key_of_tomorrow", 1, "new_key_of_tomorrow"),
        ("fade", "fade_db", None, "fade_db is None"),
        ("fade", "probability", 7.0, "probability is 7.0"),
    ],
)
def test_one_wrong_value_is_enough(part: str, key: str, value: object, says: str) -> None:
    plain = saved()
    it = Bedside()
    done = it.core.restore_ritual({**plain, part: plain[part] | {key: value}}, 0.0, 90.0)
    said = of(Say, done)
    assert len(done) == len(said) == 1
    assert says in said[0].text
    assert "a new one begins" in said[0].text
    assert it.in_phase(Phase.IDLE)


def test_a_clock_that_is_none() -> None:
    it = Bedside()
    (said,) = of(Say, it.core.restore_ritual(saved(), float("inf"), 90.0))
    assert "no clock" in said.text
