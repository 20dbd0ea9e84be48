"""What can be wrong with what hangs on the box: chips, what they say, pins, sound and stories."""

import shutil
import sys
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
from gpiozero import LED, Device
from tests.doctor_box import BUS, DoctorBox
from tests.doctor_faults.fault import fault

from somnisphere_hardware.simulated.body import Phantom
from somnisphere_hardware.simulated.faults import DriverBound, Forbidden, StuckBus, timed_out
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050

# ---- bus and chips ---------------------------------------------------------------------------------------------------


@fault("I2C bus", "cannot be opened", "raspi-config")
def i2c_is_off(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["sensor"]["bus"] = 250


@fault("I2C bus", "there is i2c-20", "sensor.bus")
def another_bus(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["sensor"]["bus"] = 250
    box.put("dev/i2c-20")


@fault("I2C bus", "is there, but", "modprobe i2c-dev")
def no_device_node(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["sensor"]["bus"] = 250
    box.put("sys/bus/i2c/devices/i2c-250/name", "bcm2835")


@fault("I2C bus", "usermod -aG i2c")
def bus_of_others(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.bus.add_fault(Forbidden())


@fault("I2C bus", "held low")
def bus_held_low(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.bus.add_fault(StuckBus(high=False))


@fault("I2C bus", "every address reads the same")
def bus_held_high(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.bus.add_fault(StuckBus(high=True))


@fault("I2C bus", "1000 kHz", "i2c_arm_baudrate=400000")
def bus_too_fast(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.put(f"sys/class/i2c-adapter/i2c-{BUS}/of_node/clock-frequency", (1_000_000).to_bytes(4, "big"))


@fault("pulse chip", "no pulse sensor answers", "3.3 V")
def pulse_chip_gone(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.bus.detach(0x57)


@fault("pulse chip", "MAX30100", "another chip")
def older_pulse_chip(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.bus.detach(0x57)
    box.bus.attach(SimulatedMax30102(Phantom(), part_id=0x11))


@fault("motion chip", "id 0x33", "clock board")
def clock_board_at_the_address(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.bus.detach(0x68)
    box.bus.attach(SimulatedMpu6050(Phantom(), who_am_i=0x33))


@fault("motion chip", "rtc-ds1307", "dtoverlay")
def kernel_driver_at_the_address(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    from somnisphere_hardware.bus import Bus

    monkeypatch.setattr(Bus, "kernel_driver", lambda _, address: "rtc-ds1307" if address == 0x68 else "")
    box.bus.add_fault(DriverBound(0x68))


# ---- what they say ---------------------------------------------------------------------------------------------------


@fault("signal", "more light than the chip can count")
def sun_on_the_sensor(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.bus.detach(0x57)
    box.bus.attach(SimulatedMax30102(Phantom(20_000.0, 20_000.0)))


@fault("signal", "repeats one sample")
def pulse_chip_repeats_itself(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("somnisphere_hardware.simulated.max30102._SIGNAL_NOISE", 0.0)
    monkeypatch.setattr("somnisphere_hardware.simulated.max30102._FLOOR_NOISE_NA", 0.0)
    assert box.bus


@fault("signal", "An LED shows in no channel")
def one_led_is_dead(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.bus.detach(0x57)
    box.bus.attach(SimulatedMax30102(Phantom(red_na_per_ma=0.0)))


@fault("signal", "samples came where 200 were due")
def pulse_chip_far_too_slow(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.bus.detach(0x57)
    box.bus.attach(SimulatedMax30102(Phantom(), clock_error=-0.5))


@fault("signal", "answers but takes no samples")
def pulse_chip_stalls(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedMax30102, "_push", lambda *_: None)
    assert box.bus


@fault("signal", "gravity measures as 0.50 g")
def motion_clone_of_another_range(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.bus.detach(0x68)
    box.bus.attach(SimulatedMpu6050(Phantom(accel_g=(0.0, 0.0, 0.5))))


@fault("signal", "stuck")
def bus_that_sticks_while_listening(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.bus.add_fault(timed_out(from_s=0.5))


# ---- pins ------------------------------------------------------------------------------------------------------------


@fault("lamp, button", "no GPIO", "python3-lgpio")
def no_pins(_box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_pins(monkeypatch)
    monkeypatch.setitem(sys.modules, "lgpio", None)


@fault("lamp, button", "no GPIO", "0.0.0.2")
def the_empty_lgpio(_box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_pins(monkeypatch)
    monkeypatch.setitem(sys.modules, "lgpio", SimpleNamespace(__file__="/opt/lgpio.py"))


@fault("lamp, button", "no GPIO", "set LG_WD")
def lgpio_without_a_folder_for_its_pipe(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_pins(monkeypatch)
    (box.folder / "modules").mkdir()
    (box.folder / "modules/lgpio.py").write_text("open('/no/folder/.lgd-nfy-3')\n")
    monkeypatch.delitem(sys.modules, "lgpio", raising=False)
    monkeypatch.syspath_prepend(str(box.folder / "modules"))


def _without_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    from gpiozero.exc import BadPinFactory

    def none(*_: Any, **__: Any) -> None:
        raise BadPinFactory("Unable to load any default pin factory!")

    monkeypatch.setattr("somnisphere_hardware.lamp.PWMLED", none)
    monkeypatch.setattr("somnisphere_hardware.button.DigitalInputDevice", none)


@fault("lamp", "GPIO 18 cannot be used", "another program has it")
def pin_taken(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    assert Device.pin_factory is not None
    box.stack.enter_context(closing(LED(18)))


@fault("button", "the button is down", "touches ground")
def button_stuck(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("somnisphere_hardware.button.Button.is_pressed", True)
    assert box.pins


@fault("lamp", "no hardware PWM", "dtoverlay=pwm")
def no_pwm_overlay(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["lamp"]["hardware_pwm"] = True


# ---- sound and stories -----------------------------------------------------------------------------------------------


@fault("player", "mpv is not installed", "apt install mpv")
def no_mpv(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = box.folder / "programs"
    programs.mkdir()
    espeak = shutil.which("espeak-ng")
    assert espeak
    (programs / "espeak-ng").symlink_to(espeak)
    monkeypatch.setenv("PATH", str(programs))


@fault("player", "no sound card", "dtparam=audio=on")
def no_sound_card(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["speaker"]["ao"] = "alsa"
    (box.root / "dev/snd/pcmC0D0p").unlink()


@fault("player", "no sound card Dac", "Headphones")
def another_sound_card(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["speaker"] |= {"ao": "alsa", "device": "alsa/plughw:CARD=Dac,DEV=0"}


@fault("player", "mpv cannot play on", "speaker.ao")
def mpv_plays_nothing(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["speaker"]["ao"] = "nothing_such"


@fault("story", "broken.mp3", "replace or remove it")
def a_broken_story(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    shelf = box.folder / "shelf"
    shelf.mkdir()
    (shelf / "whole.txt").write_text("The moon went home. It was late.\n")
    (shelf / "broken.mp3").write_text("no sound")
    box.keys["stories"] = {"folder": shelf}


@fault("voice", "is not there", "voice.piper_voice")
def a_voice_that_is_gone(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["voice"] = {"piper_voice": "/no/voice.onnx"}
