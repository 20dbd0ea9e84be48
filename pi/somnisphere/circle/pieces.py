"""Asking for pieces of a story, and a piece on its way.

An ask is signed, for only members are answered. A piece is not: it counts when its hash is the one the offer promised,
whoever brought it.
"""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from somnisphere.circle.identity import Identity
from somnisphere.circle.manifest import MOST_PIECES, PIECE_SIZES, HouseholdId, Sha256
from somnisphere.circle.signed import RefusedError, Said, read_signed, signed

KIND = "ask"
MOST_ASK_BYTES = 2048
MOST_AT_ONCE = 8
_HEAD_BYTES = 32 + 4

Index = Annotated[int, Meta(ge=0, lt=MOST_PIECES)]


class Ask(Struct, frozen=True, forbid_unknown_fields=True):
    circle: HouseholdId
    to: HouseholdId
    sha256: Sha256
    pieces: Annotated[tuple[Index, ...], Meta(min_length=1, max_length=MOST_AT_ONCE)]


@dataclass(frozen=True, slots=True)
class Piece:
    sha256: str
    index: int
    data: bytes


def sign_ask(identity: Identity, ask: Ask) -> bytes:
    return signed(identity, KIND, ask)


def read_ask(payload: bytes, circle: str) -> Said[Ask]:
    """Raises ``RefusedError``."""
    said = read_signed(payload, KIND, Ask, MOST_ASK_BYTES)
    if said.body.circle != circle:
        raise RefusedError("it is meant for another circle")
    return said


def piece_bytes(piece: Piece) -> bytes:
    """Hash of the story (32), number of the piece (4, big-endian), its bytes."""
    return bytes.fromhex(piece.sha256) + piece.index.to_bytes(4, "big") + piece.data


def read_piece(payload: bytes) -> Piece:
    """Raises ``RefusedError`` for what is no piece at all; whether it is the right one, ``Offer.fits`` says."""
    if not _HEAD_BYTES < len(payload) <= _HEAD_BYTES + PIECE_SIZES[-1]:
        raise RefusedError(f"a piece does not have {len(payload)} bytes")
    return Piece(payload[:32].hex(), int.from_bytes(payload[32:_HEAD_BYTES], "big"), payload[_HEAD_BYTES:])
