"""Goodbyes over a network that may hang: all at once, so that together they take no longer than the slowest."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol


class Closing(Protocol):
    """What takes note of how to end something; an ``ExitStack`` does, too."""

    def callback(self, close: Callable[[], object], /) -> object: ...


class Goodbyes:
    """At the end of its ``with`` everything noted runs, each on a thread of its own, and is waited for.

    Each has to bound itself. The first thing that one of them raises is raised when all are over.
    """

    def __init__(self) -> None:
        self._closes: list[Callable[[], object]] = []
        self._crashes: list[BaseException] = []

    def callback(self, close: Callable[[], object], /) -> object:
        self._closes.append(close)
        return close

    def __enter__(self) -> "Goodbyes":
        return self

    def __exit__(self, kind: type[BaseException] | None, crash: BaseException | None, at: TracebackType | None) -> None:
        threads = [threading.Thread(target=self._say, args=(close,), name="goodbye") for close in self._closes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._crashes:
            raise self._crashes[0]

    def _say(self, close: Callable[[], object]) -> None:
        try:
            close()
        except BaseException as crash:
            self._crashes.append(crash)
