"""What the doctor looks at beside the configuration: files and clocks of the machine. Tests give another machine."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class World:
    """``root``: where /proc, /sys, /dev, /run, /etc and /boot are. ``daemon_runs``: None to look for it.

    ``listen_s``: how long the chips are listened to; ``knock_s``: how long a machine of the network may take to answer
    at all; ``login_s``: for two greetings of ``HomeLink``, the second with the older MQTT; ``echo_s``: for a message to
    come back from the broker.
    """

    root: Path = Path("/")
    daemon_runs: bool | None = None
    now_s: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    wall_s: Callable[[], float] = time.time
    disk: Callable[[Path], os.statvfs_result] = os.statvfs
    listen_s: float = 5.0
    knock_s: float = 3.0
    login_s: float = 10.0
    echo_s: float = 2.0

    def at(self, path: str) -> Path:
        """``path`` without its first slash: "dev/i2c-1"."""
        return self.root / path

    def text(self, path: str) -> str:
        """What a small file says, without white space around it; "" where it cannot be read."""
        try:
            return self.at(path).read_bytes().decode(errors="replace").strip().strip("\0")
        except OSError:
            return ""


THIS_MACHINE = World()
