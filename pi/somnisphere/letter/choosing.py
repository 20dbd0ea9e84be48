"""The same night is always told in the same words, and two nights seldom in the same. Pure."""

import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def chosen(ways: Sequence[T], night_id: str, place: str) -> T:
    """One of several ways to say a thing at one place of a letter."""
    return ways[zlib.crc32(f"{night_id} {place}".encode()) % len(ways)]
