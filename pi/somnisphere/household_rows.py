"""Rows of the household's file that a disk, a hand or another version may have changed: read where they make sense.

One row that cannot be read must not take the others with it: it is left out, stays in the file as it is, and that is
said in the log.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

log = logging.getLogger(__name__)

T = TypeVar("T")

_NOT_OURS = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError, msgspec.MsgspecError)


def readable(rows: Iterable[tuple[Any, ...]], read: Callable[..., T], what: str) -> list[T]:
    """``read`` of each row's values; ``what`` they are, for the log."""
    found = []
    for row in rows:
        try:
            found.append(read(*row))
        except _NOT_OURS as problem:
            log.warning("One of the %s in the household's file cannot be read and is left out: %.200s", what, problem)
    return found


def as_declared(kind: type[T], **values: Any) -> T:
    """``kind(**values)``, each value of the declared type. Raises ``msgspec.ValidationError``."""
    return msgspec.convert(values, kind)
