"""`somnisphere dark`: what a killed daemon left shining goes out."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero import PWMLED
from tests.box import LAMP_PIN
from tests.living_bus import LivingBus

from somnisphere.cli import main
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.simulated.body import Phantom
from somnisphere_hardware.simulated.lis3dh import SimulatedLis3dh
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.pins import SimulatedPins, simulated_pins

BUS = 1
"""The usual one: a configuration that cannot be read is no reason to leave a light on."""
SHUTDOWN = 0x80


@pytest.fixture
def pulse_chip() -> Iterator[SimulatedMax30102]:
    """Left alone in the middle of its work."""
    body = Phantom()
    bus, chip = LivingBus(BUS), SimulatedMax30102(body)
    bus.attach(chip)
    bus.attach(SimulatedLis3dh(body))
    with bus.installed():
        killed = Bedside(lambda: Bus.open(BUS))
        end_s = time.monotonic() + 10.0
        while not chip._registers[0x0C] or chip._registers[0x09] & SHUTDOWN:
            assert time.monotonic() < end_s, "it never shone"
            killed.poll(time.monotonic())
            time.sleep(max(0.0, min(killed.due_s - time.monotonic(), 0.05)))
        yield chip


@pytest.fixture
def pins() -> Iterator[SimulatedPins]:
    with simulated_pins() as pins:
        yield pins


def configured(folder: Path) -> Path:
    path = folder / "somnisphere.toml"
    path.write_text(f"[sensor]\nbus = {BUS}\n[lamp]\npin = {LAMP_PIN}\n")
    return path


def left_on(pins: SimulatedPins) -> None:
    led = PWMLED(LAMP_PIN)
    led.value = 0.4
    pin = led.pin
    led._pin = None  # the process is gone, the pin stays as it was
    led.close()
    pin.factory.release_pins(led, LAMP_PIN)
    pin.factory._reservations.clear()
    assert pins.duty(LAMP_PIN) == 0.4


def test_light_and_lamp_go_out_after_a_kill(
    pulse_chip: SimulatedMax30102, pins: SimulatedPins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_RESULT", "signal")
    left_on(pins)
    assert main(["--config", str(configured(tmp_path)), "dark"]) == 0
    assert pins.duty(LAMP_PIN) == 0.0
    assert pulse_chip._registers[0x09] & SHUTDOWN


def test_a_clean_end_needs_nothing(
    pulse_chip: SimulatedMax30102, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_RESULT", "success")
    assert main(["--config", str(configured(tmp_path)), "dark"]) == 0
    assert not pulse_chip._registers[0x09] & SHUTDOWN


def test_a_broken_configuration_leaves_no_light_on(pulse_chip: SimulatedMax30102, tmp_path: Path) -> None:
    """The sensor is looked for at the usual bus, then."""
    path = tmp_path / "somnisphere.toml"
    path.write_text("[lamp\n")
    assert main(["--config", str(path), "dark"]) == 0
    assert pulse_chip._registers[0x09] & SHUTDOWN


def test_nothing_there_is_said_and_no_trouble(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "somnisphere.toml"
    path.write_text(f"[sensor]\nbus = 250\n[lamp]\npin = {LAMP_PIN}\n")
    assert main(["--config", str(path), "dark"]) == 0
    assert "lamp" in capsys.readouterr().out
