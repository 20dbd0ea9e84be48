"""The configured card reader, and the thread that polls it: a USB device or a second I2C bus must not hold up the rest.

What the reader says goes to the daemon's inbox; only the main thread asks what a card means.
"""

from somnisphere.config import Config
from somnisphere_hardware.card_reader import CardReader


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
