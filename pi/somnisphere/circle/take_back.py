"""A story taken back: the household that offered it says so under its key, and every household honours it for good."""

from datetime import date

from msgspec import Struct

from somnisphere.circle.identity import Identity
from somnisphere.circle.manifest import Day, HouseholdId, Sha256
from somnisphere.circle.signed import RefusedError, Said, read_signed, signed

KIND = "take-back"
MOST_BYTES = 2048


class TakeBack(Struct, frozen=True, forbid_unknown_fields=True):
    circle: HouseholdId
    sha256: Sha256
    on: Day


def sign_take_back(identity: Identity, circle: str, sha256: str, today: date) -> bytes:
    return signed(identity, KIND, TakeBack(circle, sha256, today.isoformat()))


def read_take_back(payload: bytes, circle: str) -> Said[TakeBack]:
    """Raises ``RefusedError``. Who may take back what is for ``protocol.py`` to say."""
    said = read_signed(payload, KIND, TakeBack, MOST_BYTES)
    if said.body.circle != circle:
        raise RefusedError("it is meant for another circle")
    return said
