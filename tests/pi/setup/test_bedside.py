"""The box tried by the first run: chips on simulated buses, a lamp and a button on mock pins, a real mpv."""

import os
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gpiozero import Device
from tests.living_bus import living_chips

from somnisphere.setup import bedside
from somnisphere.setup.bedside import (
    bus_numbers,
    light_lamp,
    list_sounds,
    look_at_stories,
    play_sound,
    scan_buses,
    tell_time,
    wait_for_press,
)
from somnisphere.setup.deeds import Press, SeenChip
from somnisphere_hardware.button import open_button
from somnisphere_hardware.mpv_devices import AudioDevice, devices_in
from somnisphere_hardware.simulated.pins import SimulatedPins, simulated_pins


@pytest.fixture
def pins() -> Iterator[SimulatedPins]:
    with simulated_pins() as hand:
        yield hand


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bedside, "FADE_S", 0.1)
    monkeypatch.setattr(bedside, "LIT_S", 0.05)


def test_chips_are_found_on_the_bus_that_has_them() -> None:
    with living_chips(83):
        first, second = scan_buses(250, [83, 250])
    assert (first.number, first.chips, "raspi-config" in first.problem) == (250, (), True)
    assert second.chips == (
        SeenChip("pulse", "MAX30102 (pulse)", True),
        SeenChip("motion", "LIS3DH (motion)", True),
    )


def test_the_buses_of_a_box(tmp_path: Path) -> None:
    for name in ("i2c-1", "i2c-20", "i2c-x", "tty1"):
        (tmp_path / name).touch()
    assert bus_numbers(tmp_path) == [1, 20]


@pytest.mark.usefixtures("quick", "pins")
def test_the_lamp_goes_on_and_out() -> None:
    pin = Device.pin_factory.pin(18)
    assert light_lamp(18, hardware_pwm=False) == ""
    seen = [state for _, state in pin.states if isinstance(state, float)]
    assert max(seen) > 0.2, "L* 60 is 28 % of the light"
    assert pin.state == 0, "and it is out"


@pytest.mark.usefixtures("pins")
def test_a_lamp_whose_pin_is_taken() -> None:
    button, _ = open_button(18, lambda _: None)
    assert button is not None
    assert "GPIO 18 cannot be used" in light_lamp(18, hardware_pwm=False)
    button.close()


def test_a_press_is_waited_for(pins: SimulatedPins) -> None:
    def hand() -> None:
        pins.press(17)
        threading.Timer(0.1, pins.release, [17]).start()

    threading.Timer(0.1, hand).start()
    assert wait_for_press(17, 5.0) == Press(True)


@pytest.mark.usefixtures("pins")
def test_a_press_that_does_not_come_or_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    missed = wait_for_press(17, 0.05)
    assert (missed.seen, "No press came within 0.05 s" in missed.problem) == (False, True)
    monkeypatch.setattr("somnisphere_hardware.button.Button.is_pressed", True)
    assert "down already" in wait_for_press(17, 0.05).problem


@pytest.mark.mpv
def test_a_real_mpv_plays_the_sound_and_says_where_it_could() -> None:
    if shutil.which("mpv") is None:
        pytest.skip("mpv is not installed (apt install mpv)")
    assert play_sound("null", "", 50.0) == ""
    sounds = list_sounds()
    assert sounds.problem == ""
    assert "auto" in [offer.answer for offer in sounds.offers]


@pytest.mark.mpv
def test_a_device_that_is_not_there() -> None:
    if shutil.which("mpv") is None:
        pytest.skip("mpv is not installed (apt install mpv)")
    assert play_sound("alsa", "alsa/plughw:CARD=Nobody", 50.0) != ""


def test_without_mpv_the_mend_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    assert "sudo apt install mpv" in list_sounds().problem
    assert "sudo apt install mpv" in play_sound("null", "", 50.0)


def test_what_mpv_prints_of_its_devices() -> None:
    text = (
        "List of detected audio devices:\n  'auto' (Autoselect device)\n"
        "  'alsa/plughw:CARD=Box,DEV=0' (USB Audio (it's (good)))\nrubbish\n"
    )
    assert devices_in(text) == [
        AudioDevice("auto", "Autoselect device"),
        AudioDevice("alsa/plughw:CARD=Box,DEV=0", "USB Audio (it's (good))"),
    ]


def test_what_the_box_takes_for_the_time(tmp_path: Path) -> None:
    zone = tmp_path / "usr" / "zoneinfo" / "Europe" / "Vienna"
    zone.parent.mkdir(parents=True)
    zone.touch()
    link = tmp_path / "localtime"
    link.symlink_to(zone)
    told = tell_time(lambda: datetime(2026, 3, 7, 21, 3, tzinfo=UTC), link).words
    assert told.endswith("2026, Europe/Vienna")
    assert "March" in told


def test_what_stands_in_the_folder_of_stories(tmp_path: Path) -> None:
    assert look_at_stories("", ()).startswith("7 in ")
    assert "is no folder. mend: sudo mkdir -p" in look_at_stories(f"{tmp_path}/none", ())
    assert "story add FILE" in look_at_stories(str(tmp_path), ())
    (tmp_path / "one.txt").write_text("Once.")
    assert look_at_stories(str(tmp_path), ()) == f"1 in {tmp_path}."
    assert "The service sees nothing below" in look_at_stories(str(tmp_path), (str(tmp_path.parents[-2]),))
