"""What can be wrong with a bedside, staged one at a time: each with the parts that are bad then, and words of it."""

import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gpiozero import LED, Device
from tests.brokers import free_port
from tests.certificates import certificates
from tests.doctor_box import BUS, DoctorBox

from somnisphere_hardware.simulated.body import Phantom
from somnisphere_hardware.simulated.faults import DriverBound, Forbidden, StuckBus, timed_out
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050

Stage = Callable[[DoctorBox, pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    """``bad``: every part that must be bad, and no other may be. ``words``: of its verdict or mend."""

    name: str
    bad: frozenset[str]
    words: tuple[str, ...]
    stage: Stage


FAULTS: list[Fault] = []


def fault(bad: str, *words: str) -> Callable[[Stage], Stage]:
    def kept(stage: Stage) -> Stage:
        FAULTS.append(Fault(stage.__name__.strip("_"), frozenset(bad.split(", ")), words, stage))
        return stage

    return kept


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


# ---- disk and files --------------------------------------------------------------------------------------------------


def _disk(box: DoctorBox, **changes: int) -> None:
    values = {"f_bavail": 10**6, "f_frsize": 4096, "f_flag": 0, "f_files": 10**6, "f_favail": 10**5, **changes}
    box.lives_in(disk=lambda _: SimpleNamespace(**values))


@fault("disk", "4 MB free", "free some space")
def full_disk(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _disk(box, f_bavail=1000)


@fault("disk", "read-only", "remount")
def read_only_disk(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _disk(box, f_flag=os.ST_RDONLY)


@fault("disk", "no file can be made")
def disk_without_inodes(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _disk(box, f_favail=0)


@fault("journal", "is broken", "keeps it aside")
def broken_journal(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    data = bytearray(box.journal.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    box.journal.write_bytes(data)


@fault("journal", "is broken")
def journal_that_is_no_database(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.journal.write_bytes(b"Dear diary" * 500)


@fault("journal", "newer Somnisphere")
def journal_of_the_future(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(box.journal)) as db:
        db.execute("PRAGMA user_version=1000")


@fault("rights", "token can be opened by others (0644)", "chmod 0600")
def token_for_everybody(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    (box.folder / "token").chmod(0o644)


@fault("rights", "journal.db can be opened by others (0640)")
def journal_for_the_group(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.journal.chmod(0o640)


# ---- clock and power -------------------------------------------------------------------------------------------------


@fault("clock", "it was never set", "set-ntp")
def clock_never_set(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.lives_in(wall_s=lambda: 1_000_000.0)


def program(box: DoctorBox, monkeypatch: pytest.MonkeyPatch, name: str, says: str) -> None:
    """A program of systemd's, as a box with these words has it."""
    programs = box.folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / name).write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\n")
    (programs / name).chmod(0o755)
    (box.root / "run/systemd/system").mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


def unit(box: DoctorBox, monkeypatch: pytest.MonkeyPatch, active: str, sub: str, **more: str) -> None:
    """A box whose unit is so."""
    state = {"LoadState": "loaded", "ActiveState": active, "SubState": sub, "UnitFileState": "enabled"} | more
    program(box, monkeypatch, "systemctl", "\n".join(f"{name}={value}" for name, value in state.items()))


@fault("clock", "not set by the network", "set-ntp")
def clock_not_synchronised(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    (box.root / "run/systemd/timesync/synchronized").unlink()
    program(box, monkeypatch, "timedatectl", "no")


@fault("time zone", "UTC: evenings would begin", "set-timezone")
def time_zone_never_set(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    (box.root / "etc/localtime").unlink()
    (box.root / "etc/localtime").symlink_to("/usr/share/zoneinfo/Etc/UTC")
    box.home.configuration["time_zone"] = "Africa/Abidjan"  # whose hands are those of UTC


@fault("time zone", "not there", "set-timezone")
def time_zone_gone(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    (box.root / "etc/localtime").unlink()
    box.home.configuration["time_zone"] = "Africa/Abidjan"


@fault("time zone", "Europe/Atlantis", "tzdata")
def time_zone_of_nowhere(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Atlantis")
    box.home.configuration["time_zone"] = "Africa/Abidjan"


@fault("time zone", "America/New_York, this box in Europe/Vienna")
def time_zone_of_another_house(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.home.configuration["time_zone"] = "America/New_York"


@fault("power", "voltage is too low now", "supply")
def weak_supply(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.put("sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n")


@fault("power", "too hot", "air")
def hot_box(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.put("sys/devices/platform/soc/soc:firmware/get_throttled", "e0008\n")


@fault("service", "failed (exit-code)", "journalctl")
def service_failed(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    unit(box, monkeypatch, "failed", "failed", Result="exit-code")


@fault("service", "started anew 7 times", "journalctl")
def service_in_a_loop(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    unit(box, monkeypatch, "activating", "auto-restart", NRestarts="7")


def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked for the address of a name."""
    real = socket.getaddrinfo

    def known(host: Any, *more: Any, **further: Any) -> Any:
        if host in ("127.0.0.1", "localhost"):
            return real(host, *more, **further)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", known)


@fault("service", "masked")
def service_masked(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    unit(box, monkeypatch, "inactive", "dead", LoadState="masked")


@fault("service", "will not start with the box", "systemctl enable")
def service_not_enabled(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    unit(box, monkeypatch, "active", "running", UnitFileState="disabled")
    box.home.rendered = "41"


# ---- broker ----------------------------------------------------------------------------------------------------------


@fault("broker", "nothing listens", "apt install mosquitto")
def no_broker(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["mqtt"]["port"] = free_port()


@fault("broker", "no machine is called", "mqtt.host")
def no_such_host(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    no_names(monkeypatch)
    box.keys["mqtt"]["host"] = "broker.invalid"


@fault("broker", "check the user name and password", "mqtt.username")
def wrong_password(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    passwords = box.folder / "passwords"
    passwords.write_text("bedside:$7$101$c2FsdHNhbHRzYWx0$" + 86 * "A" + "==\n")
    passwords.chmod(0o600)
    secret = box.folder / "password"
    secret.touch(0o600)
    secret.write_text("wrong")
    box.broker(f"allow_anonymous false\npassword_file {passwords}\nuser root")
    box.keys["mqtt"] |= {"username": "bedside", "password_file": secret}


@fault("broker", "password cannot be read", "sudo")
def no_password_file(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["mqtt"] |= {"username": "bedside", "password_file": box.folder / "password"}


def _tls(box: DoctorBox, **how: Any) -> Path:
    """The broker speaks TLS, and the box knows its authority. Returns a folder for others."""
    folder = box.folder / "tls"
    authority = certificates(folder, **how)
    box.broker(f"certfile {folder}/server.crt\nkeyfile {folder}/server.key\nuser root")
    box.keys["mqtt"] |= {"tls": True, "ca_file": authority}
    return box.folder / "other"


@fault("broker", "an authority that this box does not know", "mqtt.ca_file")
def unknown_authority(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["mqtt"]["ca_file"] = certificates(_tls(box))


@fault("broker", "has expired", "make-certificates.sh")
def expired_certificate(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _tls(box, valid_days=(-30, -1))


@fault("broker", "not valid yet", "clock")
def certificate_of_tomorrow(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _tls(box, valid_days=(1, 30))


@fault("broker", "for another name", "mqtt.host")
def certificate_of_another(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _tls(box, address="192.0.2.7")


@fault("broker", "speaks TLS, and mqtt.tls is false", "mqtt.tls = true")
def tls_not_spoken(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _tls(box)
    box.keys["mqtt"]["tls"] = False


@fault("broker", "speaks MQTT without TLS", "8883")
def tls_to_a_plain_port(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["mqtt"]["tls"] = True


def _acl(box: DoctorBox, *lines: str) -> None:
    acl = box.folder / "acl"
    acl.write_text("\n".join(lines) + "\n")
    acl.chmod(0o600)
    box.broker(f"allow_anonymous true\nacl_file {acl}\nuser root")


@fault("access list", "does not let this login write to somnisphere/bedside", "topic readwrite somnisphere/bedside/#")
def may_not_write(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _acl(box, "topic read somnisphere/#", "topic readwrite homeassistant/#")


@fault("access list", "drops it without a word", "topic readwrite somnisphere/bedside/#")
def may_not_read(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _acl(box, "topic write somnisphere/#", "topic readwrite homeassistant/#")


@fault("access list", "homeassistant/+/somnisphere_bedside/+/config")
def may_not_announce(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _acl(box, "topic readwrite somnisphere/bedside/#", "topic read homeassistant/#")


# ---- Home Assistant --------------------------------------------------------------------------------------------------


@fault("home", "nothing listens at", "home_assistant.url")
def no_home(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["home_assistant"]["url"] = f"http://127.0.0.1:{free_port()}"


@fault("home", "did not answer within", "home_assistant.url")
def home_that_hangs(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.home.mood = "hangs"


@fault("home", "does not accept the access token", "token_file")
def token_refused(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.home.mood = "401"


@fault("home", "cannot be asked", "home_assistant.url")
def another_web_server(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.home.mood = "garbage"


@fault("home entity", "there is no light.bedroom", "configuration")
def entity_gone(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    del box.home.states["light.bedroom"]


@fault("discovery", "no entity of somnisphere_bedside", "MQTT integration")
def home_of_another_broker(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.lives_in(daemon_runs=True)
