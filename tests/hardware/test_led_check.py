"""The check for swapped LEDs."""

import pytest

from somnisphere_hardware.bus import Bus, BusError
from somnisphere_hardware.led_check import LedReport, check_leds
from somnisphere_hardware.simulated.body import Phantom
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.faults import nack
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102


def test_a_board_in_order_lights_each_channel_and_ends_dark() -> None:
    sim = SimulatedBus(number=1)
    sim.attach(SimulatedMax30102(Phantom()))
    lit: list[str] = []
    with sim.installed():
        bus = Bus.open(1)
        report = check_leds(bus, sim.wait, lit.append)
        assert bus.read(0x57, 0x09, 1)[0] & 0x80, "shut down"
        bus.close()
    assert report.verdict == "straight"
    # 10 mA on the phantom's 240 and 260 nA/mA, 15.63 pA a count
    assert report.led1_alone[0] == pytest.approx(240 * 10 / 0.015625, rel=0.01)
    assert report.led2_alone[1] == pytest.approx(260 * 10 / 0.015625, rel=0.01)
    assert lit == ["LED1", "LED2"]


def test_swapped_dies_show_in_how_brightly_each_led_returns() -> None:
    sim = SimulatedBus(number=1)
    sim.attach(SimulatedMax30102(Phantom(), swapped_leds=True))
    with sim.installed():
        bus = Bus.open(1)
        report = check_leds(bus, sim.wait)
        bus.close()
    assert max(report.led1_alone) == pytest.approx(260 * 10 / 0.015625, rel=0.01)
    assert "set swap_leds" in report.sentence


def test_the_light_is_put_out_though_the_check_breaks_off() -> None:
    sim = SimulatedBus(number=1)
    sim.attach(SimulatedMax30102(Phantom()))
    sim.add_fault(nack(0x57, from_s=1.0, until_s=1.3))
    with sim.installed():
        bus = Bus.open(1)
        with pytest.raises(BusError):
            check_leds(bus, lambda seconds: sim.wait(seconds + 0.06))
        sim.now_s = 2.0
        other = Bus.open(1)
        assert other.read(0x57, 0x0C, 2) is not None
        other.close()
        bus.close()


@pytest.mark.parametrize(
    ("led1_alone", "led2_alone", "verdict", "words"),
    [
        ((90000.0, 20.0), (30.0, 80000.0), "straight", "glowed red in the second half"),
        ((20.0, 90000.0), (80000.0, 30.0), "crossed", "the LEDs are swapped"),
        ((20.0, 10.0), (30.0, 80000.0), "dark", "shows in no channel"),
        ((90000.0, 20.0), (0.0, 0.0), "dark", "shows in no channel"),
    ],
)
def test_verdicts(led1_alone: tuple[float, float], led2_alone: tuple[float, float], verdict: str, words: str) -> None:
    report = LedReport(led1_alone, led2_alone)
    assert report.verdict == verdict
    assert words in report.sentence
