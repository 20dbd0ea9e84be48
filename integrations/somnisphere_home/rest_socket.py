"""Home Assistant's WebSocket, its edges taken off: whatever goes wrong is one of two errors, and nothing waits longer
than ``read_s``. The only file that imports homeassistant_api's client for it, and niquests below that.

A read that times out leaves the line as it was (seen with niquests 3.21 and its urllib3-future 2.25): so one thread is
enough to listen, to ask whether the other end still lives, and to notice that it is to stop.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

READ_S = 5.0
NOT_INSTALLED = "homeassistant-api is not installed; mend: pip install 'somnisphere[home]'"


class SocketLostError(Exception):
    """No answer can be had; the text is a sentence for a person. It may be tried again."""


class SocketRefusedError(Exception):
    """The home answered, and said no to what was asked."""


class TokenRefusedError(SocketRefusedError):
    """The home does not know us; that will not change by trying."""


class HomeSocket:
    """A signed-in connection for one thread, as a context. ``url`` as in a browser."""

    def __init__(self, url: str, token: str, read_s: float = READ_S) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._read_s = read_s
        self._session: Any = None
        self._client: Any = None

    def __enter__(self) -> "HomeSocket":
        try:
            from homeassistant_api import WebsocketClient
            from niquests import Session
        except ImportError:
            raise SocketLostError(NOT_INSTALLED) from None
        self._session = Session(timeout=self._read_s)
        try:
            with self._in_words():
                self._client = WebsocketClient(f"{self._url}/api/websocket", self._token, session=self._session)
                self._client.__enter__()
        except TokenRefusedError:
            self._hang_up()
            raise
        except SocketRefusedError as problem:  # no answer to a greeting: it is no home, or none yet
            self._hang_up()
            raise SocketLostError(str(problem)) from problem
        except BaseException:
            self._hang_up()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()

    def ask(self, kind: str, **details: Any) -> Any:
        """One command; the result of it."""
        with self._in_words():
            return self._client.recv_result(self._client.send(kind, **details)).result

    def follow(self, template: str) -> int:
        """Have a template rendered now and with each change of what is in it; the number of this subscription."""
        with self._in_words():
            number: int = self._client.send("render_template", template=template)
            self._client.recv_result(number)
        return number

    def rendered(self, number: int) -> Any:
        """What the template says now; None when nothing was said within ``read_s``."""
        with self._in_words():
            event = self._within_s(lambda: self._client.recv_event(number).event)
            return None if event is None else event.result

    def ping(self) -> int:
        with self._in_words():
            number: int = self._client.send("ping")
        return number

    def ponged(self, number: int) -> bool:
        """Whether a ping was answered, within another ``read_s``."""
        with self._in_words():
            return self._within_s(lambda: self._client.recv_ping(number)) is not None

    def _within_s(self, hear: Any) -> Any:
        from niquests.exceptions import ReadTimeout

        try:
            return hear()
        except ReadTimeout:
            return None

    def _hang_up(self) -> None:
        """Of a line that is lost already, nothing more is wanted than that it is closed."""
        with suppress(Exception):
            # Its goodbye carries the close code 0, which nobody takes: Home Assistant would write a warning each time.
            self._client._ws._remote_shutdown = True
        with suppress(Exception):
            self._client.__exit__(None, None, None)
        with suppress(Exception):
            self._session.close()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Around calls of the library alone: it raises its own errors, niquests', urllib3's and pydantic's."""
        from homeassistant_api import errors
        from niquests.exceptions import Timeout

        try:
            yield
        except errors.UnauthorizedError:
            raise TokenRefusedError(
                f"{self._url} does not accept the access token; make a new one in your profile there, put it where"
                " home_assistant.token_file says, and restart"
            ) from None
        except errors.ResponseError as problem:
            raise SocketRefusedError(f"{self._url} refused: {problem}") from problem
        except Timeout:
            raise SocketLostError(f"{self._url} did not answer within {self._read_s:g} s") from None
        except Exception as problem:
            what = " ".join(str(problem).split())[:200]
            raise SocketLostError(f"{self._url} cannot be followed: {type(problem).__name__}: {what}") from problem
