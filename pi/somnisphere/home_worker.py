"""One question to Home Assistant at a time, asked on a thread, so that whoever asks never waits for the answer.

There is no queue: who is told that the worker is free decides then what matters most, so that newer wishes have
replaced the older ones by themselves.
"""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from somnisphere_home.rest import HomeAssistantClient

Answer = TypeVar("Answer")


class HomeWorker(Generic[Answer]):
    """``wake`` is called on the worker's thread when there is an answer to fetch."""

    def __init__(self, client: HomeAssistantClient, wake: Callable[[], None] | None = None) -> None:
        self._client = client
        self._wake = wake
        self._jobs: queue.SimpleQueue[Callable[[HomeAssistantClient], Answer] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.is_busy = False
        """A question was asked, and its answer not fetched."""

    def ask(self, job: Callable[[HomeAssistantClient], Answer]) -> None:
        """Have ``job`` done. Only when not busy."""
        assert not self.is_busy
        self.is_busy = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="home-worker", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def answer(self) -> Answer | None:
        """The answer, once; None while there is none."""
        try:
            answer = self._answers.get_nowait()
        except queue.Empty:
            return None
        self.is_busy = False
        return answer

    def close(self, last: Callable[[HomeAssistantClient], Answer] | None = None, patience_s: float = 2.0) -> None:
        """Do one ``last`` thing after what is being done, and end; what takes longer is left behind."""
        if last is not None and self._thread is None:
            self.ask(last)
        elif last is not None:
            self._jobs.put(last)
        self._jobs.put(None)
        if self._thread is not None:
            self._thread.join(patience_s)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._answers.put(job(self._client))
            if self._wake is not None:
                self._wake()
        self._client.close()
