"""Who belongs to a circle.

Each household keeps a signed card at its own topic: its name, and whom it vouches for. Whoever a member vouches for is
a member. A stranger comes in by an invitation, signed by a member, that expires and serves once: the stranger's card
proves to know its secret, and the inviting household says yes when both have compared their five words.
"""

import base64
import hashlib
import hmac
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from somnisphere.circle.identity import KEY_BYTES, SIGNATURE_BYTES, Identity, is_signed
from somnisphere.circle.manifest import HouseholdId, Line
from somnisphere.circle.signed import RefusedError, Said, read_signed, signed
from somnisphere.circle.spoken import spoken
from somnisphere.library.titles import one_line

KIND = "card"
MOST_BYTES = 32_768
MOST_MEMBERS = 64
INVITATION = "SOMNISPHERE-CIRCLE:"
INVITATION_S = 24 * 3600
"""An invitation holds for a day."""

_NONCE_BYTES = 16
_MOST_INVITATION_LETTERS = 1200

Key = Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]


class Vouched(Struct, frozen=True, forbid_unknown_fields=True):
    name: Line
    key: Key


class Card(Struct, frozen=True, forbid_unknown_fields=True):
    """``serial`` grows with every new card of a household, so that an old one cannot come back."""

    circle: HouseholdId
    name: Line
    serial: Annotated[int, Meta(ge=0, le=2**53)]
    left: bool
    invited_by: Annotated[str, Meta(max_length=40)]
    proof: Annotated[bytes, Meta(max_length=32)]
    vouches: Annotated[tuple[Vouched, ...], Meta(max_length=MOST_MEMBERS)]


class Invitation(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the QR code says: short, for the code is to be read in the light of a bedside. ``host``: where the circle's
    brokers meet; the nonce is the secret."""

    circle: Annotated[bytes, Meta(min_length=10, max_length=10)]
    circle_name: Line
    household_name: Line
    nonce: Annotated[bytes, Meta(min_length=_NONCE_BYTES, max_length=_NONCE_BYTES)]
    expires_at_s: Annotated[int, Meta(ge=0, le=2**53)]
    host: Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9.:_-]+$")]
    port: Annotated[int, Meta(ge=1, le=65535)]
    tls: bool

    @property
    def circle_id(self) -> str:
        return spoken(self.circle)


def sign_card(identity: Identity, card: Card) -> bytes:
    return signed(identity, KIND, card)


def read_card(payload: bytes, circle: str) -> Said[Card]:
    """Raises ``RefusedError``."""
    said = read_signed(payload, KIND, Card, MOST_BYTES)
    if said.body.circle != circle:
        raise RefusedError("it is meant for another circle")
    for name in (said.body.name, *(one.name for one in said.body.vouches)):
        if name != one_line(name):
            raise RefusedError("a name in it has signs that are not printed")
    return said


def invitation_text(identity: Identity, invitation: Invitation) -> str:
    """Capital letters and digits, which a QR code holds in the smallest room."""
    body = msgspec.msgpack.encode(invitation)
    packed = identity.key + identity.sign(_under_the_pen(body)) + body
    return INVITATION + base64.b32encode(packed).decode().rstrip("=")


def read_invitation(text: str, now_s: float) -> tuple[bytes, Invitation]:
    """The inviting household's key and what it says. Raises ``RefusedError``; also when its time is over."""
    letters = "".join(text.split()).upper()
    if not letters.startswith(INVITATION) or len(letters) > _MOST_INVITATION_LETTERS:
        raise RefusedError(f"this is no invitation to a circle; one begins with {INVITATION}")
    letters = letters.removeprefix(INVITATION)
    try:
        packed = base64.b32decode(letters + "=" * (-len(letters) % 8))
        key, signature = packed[:KEY_BYTES], packed[KEY_BYTES : KEY_BYTES + SIGNATURE_BYTES]
        body = packed[KEY_BYTES + SIGNATURE_BYTES :]
        if not is_signed(key, signature, _under_the_pen(body)):
            raise RefusedError("the invitation was altered or not copied whole; copy it again")
        invitation = msgspec.msgpack.decode(body, type=Invitation)
    except (ValueError, msgspec.DecodeError, RecursionError):
        raise RefusedError("the invitation was not copied whole; copy it again") from None
    if now_s >= invitation.expires_at_s:
        raise RefusedError("the invitation is over; ask for a new one")
    if any(one_line(name) != name for name in (invitation.circle_name, invitation.household_name)):
        raise RefusedError("a name in the invitation has signs that are not printed")
    return key, invitation


def proof(nonce: bytes, key: bytes) -> bytes:
    """That the owner of ``key`` holds the invitation; of no use to whoever overhears it."""
    return hmac.new(nonce, b"somnisphere circle joining\n" + key, hashlib.sha256).digest()


def proves(nonce: bytes, key: bytes, said: bytes) -> bool:
    return hmac.compare_digest(proof(nonce, key), said)


def _under_the_pen(body: bytes) -> bytes:
    return b"somnisphere circle 1 invitation\n" + body
