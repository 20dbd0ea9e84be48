"""A small broker inside this process, for a rehearsal on a machine that has none. amqtt is imported when it starts.

It knows MQTT 3.1.1 alone, keeps nothing, asks for no password and listens on this machine only: not for a household.
"""

import asyncio
import logging
import socket
import threading
import warnings
from types import TracebackType
from typing import Any

START_S = 10.0


class EmbeddedBroker:
    """``with EmbeddedBroker() as (host, port): ...``; port 0 takes a free one."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._port = port
        self._started = threading.Event()
        self._trouble: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> tuple[str, int]:
        try:
            from amqtt.broker import Broker
        except ImportError as problem:
            raise RuntimeError("an embedded broker needs amqtt: pip install 'somnisphere[broker]'") from problem
        if not self._port:
            with socket.socket() as probe:
                probe.bind((self._host, 0))
                self._port = probe.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(Broker,), name="broker", daemon=True)
        self._thread.start()
        if not self._started.wait(START_S):
            raise RuntimeError(f"the embedded broker did not start within {START_S:g} s")
        if self._trouble is not None:
            self._thread.join()
            raise RuntimeError(f"the embedded broker did not start: {self._trouble}") from self._trouble
        return self._host, self._port

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(START_S)

    def _run(self, broker_class: Any) -> None:
        for name in ("amqtt", "transitions"):  # they tell of every packet; what matters is in our own log
            logging.getLogger(name).setLevel(logging.CRITICAL)
        asyncio.run(self._serve(broker_class))

    async def _serve(self, broker_class: Any) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        # A client that leaves in mid-sentence ends one of amqtt's tasks with an error that nobody awaits.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                broker = broker_class(
                    {
                        "listeners": {"default": {"type": "tcp", "bind": f"{self._host}:{self._port}"}},
                        "plugins": {
                            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
                        },
                    }
                )
                await broker.start()
        except Exception as problem:
            self._trouble = problem
            return
        finally:
            self._started.set()
        await self._stop.wait()
        await broker.shutdown()
