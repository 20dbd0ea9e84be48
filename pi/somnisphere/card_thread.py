"""The configured card reader, and the thread that polls it: a USB device or a second I2C bus must not hold up the rest.

What the reader says goes to the daemon's inbox; only the main thread asks what a card means.
"""

import threading
from collections.abc import Callable

from somnisphere.clock import Clock
from somnisphere.config import Config
from somnisphere_hardware.card_reader import CardReader, CardSign


def card_reader(config: Config) -> CardReader | None:
    """The reader of the configuration, not yet opened; None when there is none."""
    cards = config.cards
    if cards.reader == "none":
        return None
    if cards.reader == "pn532":
        from somnisphere_hardware.bus import Bus
        from somnisphere_hardware.pn532 import Pn532

        number = config.sensor.bus if cards.bus is None else cards.bus
        return Pn532(lambda: Bus.open(number))
    from somnisphere_hardware.card_keyboard import CardKeyboard

    return CardKeyboard(cards.reader)


class CardThread(threading.Thread):
    """Polls the reader whenever it is due. A fault of the program ends the process, to be restarted."""

    def __init__(
        self,
        reader: CardReader,
        put: Callable[[CardSign], None],
        clock: Clock,
        on_crash: Callable[[BaseException], None],
    ) -> None:
        super().__init__(name="cards", daemon=True)
        self._reader = reader
        self._put = put
        self._clock = clock
        self._on_crash = on_crash
        self._stop_asked = threading.Event()

    def run(self) -> None:
        try:
            while not self._stop_asked.is_set():
                for sign in self._reader.poll(self._clock.now_s()):
                    self._put(sign)
                self._stop_asked.wait(max(0.0, self._reader.due_s - self._clock.now_s()))
            self._reader.close()
        except BaseException as problem:
            self._on_crash(problem)

    def stop(self) -> None:
        """The reader's field goes off and its device is given back."""
        self._stop_asked.set()
        self.join(timeout=2.0)
