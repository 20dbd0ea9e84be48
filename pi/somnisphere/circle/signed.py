"""What a household says under its key: one kind of JSON message, with exactly one spelling.

The signature covers the kind and the body; a message that is spelt in any other way than ours (other order, spaces, a
key twice) is refused, so two programs never read two things into one signature.
"""

from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from somnisphere.circle.identity import KEY_BYTES, SIGNATURE_BYTES, Identity, household_id, is_signed
from somnisphere.library.titles import one_line

FORMAT = 1

Body = TypeVar("Body", bound=Struct)


class RefusedError(Exception):
    """A message that is not taken. The text says why, for a person."""


class _Envelope(Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    kind: Annotated[str, Meta(max_length=32)]
    body: Raw
    key: Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
    signature: Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]


@dataclass(frozen=True, slots=True)
class Said(Generic[Body]):
    """A message whose signature holds: who said what."""

    household: str
    key: bytes
    body: Body


def signed(identity: Identity, kind: str, body: Struct) -> bytes:
    """A message under this household's key."""
    words = msgspec.json.encode(body)
    signature = identity.sign(_under_the_pen(kind, words))
    return msgspec.json.encode(_Envelope(FORMAT, kind, Raw(words), identity.key, signature))


def read_signed(payload: bytes, kind: str, body: type[Body], most_bytes: int) -> Said[Body]:
    """Raises ``RefusedError`` for what is too long, no such message, unsigned, or signed by somebody else's key."""
    if len(payload) > most_bytes:
        raise RefusedError(f"it has {len(payload)} bytes; a message of this kind has {most_bytes} at most")
    try:
        found = msgspec.json.decode(payload, type=_Envelope)
        if found.format != FORMAT:
            raise RefusedError(f"it is of format {found.format}; this version reads {FORMAT}")
        if found.kind != kind:
            raise RefusedError(f"it calls itself {found.kind!r}, not {kind!r}")
        words = bytes(found.body)
        if not is_signed(found.key, found.signature, _under_the_pen(kind, words)):
            raise RefusedError("its signature does not hold: it was altered, or signed with another key")
        said = msgspec.json.decode(words, type=body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        unsigned = "missing required field `signature`" in str(problem) or "missing required field `key`" in str(
            problem
        )
        why = "it is not signed" if unsigned else f"it is not written as such a message is ({one_line(problem)})"
        raise RefusedError(why) from None
    if msgspec.json.encode(said) != words or msgspec.json.encode(found) != payload:
        raise RefusedError("it is spelt in another way than this circle spells its messages")
    return Said(household_id(found.key), found.key, said)


def _under_the_pen(kind: str, words: bytes) -> bytes:
    return f"somnisphere circle {FORMAT} {kind}\n".encode() + words
