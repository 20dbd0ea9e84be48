"""A fault of a bedside, as it is staged: ``@fault`` keeps it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.doctor_box import DoctorBox

Stage = Callable[[DoctorBox, pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    """``bad``: every part that must be bad, and no other may be. ``words``: of its verdict or mend."""

    name: str
    bad: frozenset[str]
    words: tuple[str, ...]
    stage: Stage


FAULTS: list[Fault] = []


def fault(bad: str, *words: str) -> Callable[[Stage], Stage]:
    def kept(stage: Stage) -> Stage:
        FAULTS.append(Fault(stage.__name__.strip("_"), frozenset(bad.split(", ")), words, stage))
        return stage

    return kept
