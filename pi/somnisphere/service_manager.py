"""What the service manager is told: that we are ready, that we live, that we stop (systemd's sd_notify(3)).

Datagrams to the socket that ``NOTIFY_SOCKET`` names; without one nobody is told, and nothing changes. A manager that
cannot be reached is no trouble of the night: it will do what it does to whoever says nothing.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class ServiceManager:
    """``environment``: as the manager made it. Made once, before any thread."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        self._every_s = 0.0
        self._fed_s = float("-inf")
        pid, period = environment.get("WATCHDOG_PID", ""), environment.get("WATCHDOG_USEC", "")
        if period.isdecimal() and pid in ("", str(os.getpid())):
            self._every_s = int(period) / 1e6 / 3

    def ready(self) -> None:
        self._tell("READY=1")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    def feed(self, at_s: float) -> None:
        """We live: three times within the manager's patience. ``at_s``: monotonic seconds."""
        if self._every_s and at_s - self._fed_s >= self._every_s:
            self._fed_s = at_s
            self._tell("WATCHDOG=1")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.setblocking(False)
            line.sendto(state.encode(), self._address)
