"""How soon a wish is obeyed: from a command on MQTT to the lamp's pin and to the player.

    python tests/bench/latency.py [COUNT]

A real mosquitto, the daemon's own threads, a lamp whose output and a player whose calls are timed; no chips. Prints the
median and the 99th percentile in milliseconds, and beside them the broker's own way there and back, which is in both.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from tests.brokers import mosquitto

from somnisphere.assemble import assemble, bedside_settings
from somnisphere.broker import broker_settings
from somnisphere.clock import SystemClock
from somnisphere.config import Config
from somnisphere.events import Tick
from somnisphere.household_clock import HouseholdClock
from somnisphere.journal import Journal
from somnisphere.live import Inbox, Live
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.lamp import Lamp
from somnisphere_hardware.simulated.speaker import SimulatedSpeaker
from somnisphere_home.mqtt import HomeLink

NO_BUS = 250
PATIENCE_S = 5.0


class Bell:
    """Rings when something happened, and says when."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._at_s = 0.0

    def ring(self) -> None:
        if not self._rung.is_set():
            self._at_s = time.perf_counter()
            self._rung.set()

    def time(self, act: Callable[[], object]) -> float:
        """Seconds from before ``act`` to the next ring."""
        self._rung.clear()
        begun_s = time.perf_counter()
        act()
        if not self._rung.wait(PATIENCE_S):
            raise RuntimeError(f"nothing happened within {PATIENCE_S:g} s")
        return self._at_s - begun_s


class TimedOutput:
    """A lamp's output that rings."""

    smallest_duty = 0.0

    def __init__(self, bell: Bell) -> None:
        self._bell = bell

    def write(self, duty: float, *, moving: bool = False) -> None:  # noqa: ARG002
        self._bell.ring()

    def close(self) -> None:
        pass


class TimedSpeaker(SimulatedSpeaker):
    """A player that rings when its gain is set."""

    def __init__(self, bell: Bell) -> None:
        super().__init__(lambda _: 3600.0)
        self._bell = bell

    def set_gain(self, gain_db: float) -> None:
        super().set_gain(gain_db)
        self._bell.ring()


def line(name: str, seconds: list[float]) -> str:
    middle, late = np.percentile(np.array(seconds) * 1e3, [50, 99])
    return f"{name:34} {middle:7.2f} ms median, {late:7.2f} ms 99th percentile ({len(seconds)} times)"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    clock, inbox, config = SystemClock(), Inbox(), Config()
    lamp_bell, player_bell, echo_bell = Bell(), Bell(), Bell()
    with mosquitto() as place, tempfile.TemporaryDirectory() as folder:
        bedside = Bedside(lambda: Bus.open(NO_BUS), bedside_settings(config))
        lamp = Lamp(TimedOutput(lamp_bell))
        journal = Journal(Path(folder) / "journal.db")
        tick = Tick(clock.now_s(), clock.wall_s())
        made = assemble(config, tick, journal, bedside, lamp, TimedSpeaker(player_bell))
        link = HomeLink(broker_settings(config, place), made.session.will, inbox.put)
        made.daemon.publish_through(link.publish)
        live = Live(made.daemon, bedside, link, inbox, HouseholdClock(clock))
        thread = threading.Thread(target=live.run)
        thread.start()
        link.start()
        hand = paho.Client(CallbackAPIVersion.VERSION2)
        hand.on_message = lambda *_: echo_bell.ring()
        hand.connect(*place)
        hand.loop_start()
        hand.subscribe("echo", qos=1)

        def say(key: str, payload: str) -> None:
            hand.publish(f"somnisphere/bedside/{key}/set", payload, qos=1)

        time.sleep(1.0)
        say("one_more_page", "PRESS")
        time.sleep(1.0)
        echo, lit, told = list[float](), list[float](), list[float]()
        for number in range(count):
            level = 400 + 100 * (number % 30)
            wish = f'{{"state":"ON","brightness":{level},"transition":0}}'
            echo.append(echo_bell.time(lambda: hand.publish("echo", b"", qos=1)))
            lit.append(lamp_bell.time(lambda wish=wish: say("lamp", wish)))  # type: ignore[misc]
            told.append(player_bell.time(lambda number=number: say("volume", str(20 + number % 40))))  # type: ignore[misc]
            time.sleep(0.013)  # at any distance from the daemon's own tick
        hand.loop_stop()
        live.stop()
        thread.join()
        link.stop([], 1.0)
        bedside.close()
        journal.close()
    for name, seconds in (("broker, there and back", echo), ("MQTT -> lamp", lit), ("MQTT -> player", told)):
        print(line(name, seconds))


if __name__ == "__main__":
    main()
