"""Thirty chaos nights on every run. A thousand by hand: ``python -m tests.chaos --seed 1 --nights 1000``."""

import pytest
from tests.chaos.schedule import week_of
from tests.chaos.week import live

NIGHTS = 6


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_nothing_is_broken(seed: int) -> None:
    week = week_of(seed, NIGHTS)
    outcome = live(week)
    said = "\n".join(f"night {day}: {sentence}" for day, sentence in outcome.problems)
    assert not outcome.problems, f"{said}\n{week}"
    assert outcome.nights == NIGHTS
    assert outcome.due > 0
    assert outcome.blocks > 0
