"""What the commands may say of a night: with ``sleeper.tell_first`` nothing before it was told and opened."""

import time
from collections.abc import Sequence
from pathlib import Path

from somnisphere.config import Config, load
from somnisphere.errors import UserError
from somnisphere.household_file import household_beside


def refuse_sealed(config: Path | None, night_id: str, *, open_now: bool) -> None:
    """Passes for a night that may be shown, and opens it when that is asked for. Raises ``UserError`` otherwise."""
    if sealed_of(load(config), [night_id], open_now=open_now):
        raise UserError(
            f"The night of {night_id} is sealed until it is told. Tell it on the house page, or add --open to see it."
        )


def sealed_of(config: Config, night_ids: Sequence[str], *, open_now: bool) -> set[str]:
    """Those of the nights that must not be shown. Raises ``DiaryError`` when that cannot be known."""
    if not config.sleeper.tell_first:
        return set()
    from somnisphere.diary.seal import Seal, lets_through
    from somnisphere.diary.store import Diary

    diary = Diary(household_beside(Path(config.journal.path)))
    if open_now:
        diary.open_all(list(night_ids), time.time())
    seals = diary.seals()
    return {night for night in night_ids if not lets_through(seals.get(night, Seal.SEALED))}
