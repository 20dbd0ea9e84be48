"""A thread that polls one device whenever it is due, so that a slow one holds up nothing else."""

import threading
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from somnisphere.clock import Clock

T = TypeVar("T", covariant=True)
U = TypeVar("U")


class Polled(Protocol[T]):
    """Sensors of a bed, a card reader."""

    @property
    def due_s(self) -> float: ...

    def poll(self, at_s: float) -> Iterable[T]: ...


class PollThread(threading.Thread, Generic[U]):
    """A fault of the program ends the process, to be restarted. ``at_end`` runs on the thread when it is stopped."""

    def __init__(
        self,
        name: str,
        device: Polled[U],
        put: Callable[[U], None],
        clock: Clock,
        on_crash: Callable[[BaseException], None],
        at_end: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._device = device
        self._put = put
        self._clock = clock
        self._on_crash = on_crash
        self._at_end = at_end
        self._stop_asked = threading.Event()
        self._due_s = clock.now_s()

    def late_s(self, at_s: float) -> float:
        """By how much the next poll, or the end of the one that goes on, is overdue at ``at_s``: a device that answers,
        be it with a fault, is never late by more than it takes to ask it."""
        return at_s - self._due_s

    def run(self) -> None:
        try:
            while not self._stop_asked.is_set():
                for said in self._device.poll(self._clock.now_s()):
                    self._put(said)
                self._due_s = max(self._device.due_s, self._clock.now_s())
                self._stop_asked.wait(max(0.0, self._due_s - self._clock.now_s()))
            self._at_end()
        except BaseException as problem:
            self._on_crash(problem)

    def stop(self) -> None:
        self._stop_asked.set()
        self.join(timeout=2.0)
