"""Bytes of a fuzzer as choices: the same bytes are always the same choices, and no bytes at all are still some."""

import json
import math
from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")

_ODD_NUMBERS = (
    0,
    -1,
    1,
    0.5,
    -0.0,
    1e308,
    1e-320,
    math.nan,
    math.inf,
    -math.inf,
    2**31,
    2**53 + 1,
    2**63,
    2**64,
    10**400,
)
_ODD_TEXTS = (
    "",
    " ",
    "\0",
    "x" * 300,
    "\ud800",
    "é\u200d\u202e",
    "1e400",
    "nan",
    "../../x",
    "/etc/x",
    "\r\n",
    "2026-02-30",
)
_DEEPEST = 4


class Dough:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def over(self) -> bool:
        return self._at >= len(self._data)

    def byte(self) -> int:
        """0 when there is nothing left."""
        if self.over:
            return 0
        self._at += 1
        return self._data[self._at - 1]

    def flag(self) -> bool:
        return self.byte() % 2 == 1

    def number(self, most: int) -> int:
        """0 to ``most``."""
        if most < 256:
            return self.byte() % (most + 1)
        found = int.from_bytes(bytes(self.byte() for _ in range((most.bit_length() + 7) // 8)), "big")
        return found % (most + 1)

    def choice(self, ways: Sequence[T]) -> T:
        return ways[self.number(len(ways) - 1)]

    def blob(self, most: int = 255) -> bytes:
        """Up to ``most`` of the bytes that are left."""
        length = self.number(most)
        found = self._data[self._at : self._at + length]
        self._at += len(found)
        return found

    def rest(self) -> bytes:
        found = self._data[self._at :]
        self._at = len(self._data)
        return found

    def text(self, most: int = 60) -> str:
        return self.blob(most).decode("utf-8", "replace")

    def float_(self) -> float:
        """Of any kind: small ones, times, and those that are no number."""
        match self.number(4):
            case 0:
                return float(self.byte())
            case 1:
                return self.byte() / 16.0 - 8.0
            case 2:
                return 1.7e9 + self.number(1 << 24)
            case 3:
                return float(self.choice(_ODD_NUMBERS[:13]))
            case _:
                return math.ldexp(self.byte() - 128, self.byte() - 128)

    def odd(self, keys: Sequence[str] = (), depth: int = 0) -> Any:
        """A value as JSON may hold one, of any shape. ``keys``: names that mean something to whoever reads it."""
        way = self.number(9 if depth < _DEEPEST else 6)
        match way:
            case 0:
                return None
            case 1:
                return self.flag()
            case 2:
                return self.byte() - 2
            case 3:
                return self.float_()
            case 4:
                return self.choice(_ODD_NUMBERS)
            case 5:
                return self.choice(_ODD_TEXTS)
            case 6:
                return self.choice(keys) if keys and self.flag() else self.text()
            case 7:
                return [self.odd(keys, depth + 1) for _ in range(self.number(5))]
            case _:
                return {
                    self.choice(keys) if keys and self.byte() % 4 else self.text(12): self.odd(keys, depth + 1)
                    for _ in range(self.number(6))
                }

    def altered(self, value: Any, keys: Sequence[str] = (), depth: int = 0) -> Any:
        """``value`` with something in it, or all of it, exchanged for something odd."""
        if depth > 6 or self.byte() % 8 == 1:
            return self.odd(keys)
        if isinstance(value, dict) and value:
            inside = dict(value)
            key = self.choice(sorted(inside, key=str))
            if self.byte() % 8 == 1:
                del inside[key]
            else:
                inside[key] = self.altered(inside[key], keys, depth + 1)
            return inside
        if isinstance(value, list | tuple) and value:
            items = list(value)
            place = self.number(len(items) - 1)
            if self.byte() % 8 == 1:
                del items[place]
            else:
                items[place] = self.altered(items[place], keys, depth + 1)
            return items
        return self.odd(keys)


def as_json(value: Any) -> bytes:
    """As Python writes it: NaN and lone surrogates too."""
    return json.dumps(value).encode()


def flipped(dough: Dough, data: bytes, most: int = 12) -> bytes:
    """``data`` with a few bytes exchanged, taken out or put in, or its end cut off."""
    found = bytearray(data)
    for _ in range(1 + dough.number(most)):
        if not found:
            break
        at = dough.number(len(found) - 1)
        match dough.number(4):
            case 0 | 1:
                found[at] = dough.byte()
            case 2:
                found[at] ^= 1 << dough.number(7)
            case 3:
                found[at:at] = dough.blob(8)
            case _:
                del found[at : at + 1 + dough.number(16)]
    if dough.byte() % 16 == 1:
        del found[dough.number(len(found)) :]
    return bytes(found)
