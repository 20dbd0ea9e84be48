"""GPIO pins that are not there: gpiozero's own mock factory in place of the board's, for as long as wanted."""

from collections.abc import Iterator
from contextlib import contextmanager

from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin


class SimulatedPins:
    """What a hand and an eye do at mock pins."""

    def __init__(self, factory: MockFactory) -> None:
        self._factory = factory

    def press(self, pin: int) -> None:
        """A button to ground goes down."""
        self._factory.pin(pin).drive_low()

    def release(self, pin: int) -> None:
        self._factory.pin(pin).drive_high()

    def duty(self, pin: int) -> float:
        """Share of full light on a PWM pin, 0..1."""
        return float(self._factory.pin(pin).state)

    def forget(self) -> None:
        """A mock pin remembers every state it was in, which a week of nights makes long."""
        for pin in self._factory.pins.values():
            pin.clear_states()


@contextmanager
def simulated_pins() -> Iterator[SimulatedPins]:
    """Every gpiozero device made meanwhile sits on a mock pin."""
    factory = MockFactory(pin_class=MockPWMPin)
    real, Device.pin_factory = Device.pin_factory, factory
    try:
        yield SimulatedPins(factory)
    finally:
        factory.reset()
        Device.pin_factory = real
