"""The lamp's two whites as the configuration has them."""

from somnisphere.config_keys import Lamp
from somnisphere_hardware.colour import Whites


def lamp_whites(lamp: Lamp) -> Whites | None:
    """What a two-channel lamp is made of; None for a lamp of one colour."""
    if lamp.cold_pin is None:
        return None
    return Whites(lamp.cold_pin, lamp.warm_k, lamp.cold_k, lamp.evening_k, lamp.night_k)
