"""Hardware PWM over the files the kernel would show, made in a folder."""

import threading
from pathlib import Path

import pytest

from somnisphere_hardware.fade import luminance
from somnisphere_hardware.lamp import open_lamp
from somnisphere_hardware.pwm import SysfsPwmOutput, find_channel


def make_chip(root: Path, number: int, device: str, channel: int | None = None, period: str = "0") -> Path:
    """A pwmchip folder as the kernel lays it out, with ``channel`` exported already unless None."""
    device_dir = root / "devices" / device
    device_dir.mkdir(parents=True)
    chip = root / "class" / f"pwmchip{number}"
    chip.mkdir(parents=True)
    (chip / "device").symlink_to(device_dir)
    (chip / "export").write_text("")
    (chip / "unexport").write_text("")
    if channel is not None:
        make_channel(chip, channel, period)
    return chip


def make_channel(chip: Path, channel: int, period: str = "0") -> None:
    files = chip / f"pwm{channel}.new"
    files.mkdir()
    for name, text in (("period", period), ("duty_cycle", "0"), ("enable", "0")):
        (files / name).write_text(text)
    files.rename(chip / f"pwm{channel}")


def test_the_chip_is_found_by_its_device(tmp_path: Path) -> None:
    make_chip(tmp_path, 0, "1f0009c000.pwm")  # the fan of a Pi 5
    header = make_chip(tmp_path, 2, "1f00098000.pwm")
    assert find_channel(18, tmp_path / "class") == (header, 2)
    assert find_channel(12, tmp_path / "class") == (header, 0)
    with pytest.raises(OSError, match="GPIO 17"):
        find_channel(17, tmp_path / "class")


@pytest.mark.parametrize("device", ["2020c000.pwm", "3f20c000.pwm", "fe20c000.pwm"])
def test_older_boards_have_two_channels(tmp_path: Path, device: str) -> None:
    chip = make_chip(tmp_path, 0, device)
    assert find_channel(18, tmp_path / "class") == (chip, 0)
    assert find_channel(13, tmp_path / "class") == (chip, 1)


def test_hardware_pwm_writes_nanoseconds_and_goes_dark(tmp_path: Path) -> None:
    chip = make_chip(tmp_path, 0, "fe20c000.pwm", channel=0, period="5000")
    output = SysfsPwmOutput(18, root=tmp_path / "class")
    files = chip / "pwm0"
    assert (files / "period").read_text() == "800000\n"
    assert (files / "enable").read_text() == "1\n"
    output.write(luminance(1.0))
    assert (files / "duty_cycle").read_text() == "880\n"
    output.write(0.00012)
    assert (files / "duty_cycle").read_text() == "0\n"  # below the floor of 100 ns
    output.write(luminance(1.0))
    (files / "duty_cycle").write_text("untouched")
    output.write(luminance(1.0))
    assert (files / "duty_cycle").read_text() == "untouched"
    output.close()
    assert (files / "duty_cycle").read_text() == "0\n"
    assert (files / "enable").read_text() == "0\n"
    assert (chip / "unexport").read_text() == "0\n"


def test_hardware_pwm_waits_for_files_that_udev_hands_over_late(tmp_path: Path) -> None:
    chip = make_chip(tmp_path, 0, "fe20c000.pwm")
    ended = threading.Event()

    def kernel() -> None:
        while not ended.wait(0.005):
            if (chip / "export").read_text() == "0\n":
                make_channel(chip, 0)
                return

    thread = threading.Thread(target=kernel)
    thread.start()
    try:
        SysfsPwmOutput(18, root=tmp_path / "class", patience_s=10.0)
    finally:
        ended.set()
        thread.join()
    assert (chip / "pwm0" / "enable").read_text() == "1\n"


def test_hardware_pwm_that_is_not_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("somnisphere_hardware.lamp.SysfsPwmOutput", lambda pin: SysfsPwmOutput(pin, root=tmp_path))
    lamp, problem = open_lamp(18, hardware_pwm=True)
    assert "dtoverlay=pwm" in problem
    lamp.close()


def test_files_that_never_come_are_an_error(tmp_path: Path) -> None:
    make_chip(tmp_path, 0, "fe20c000.pwm")
    with pytest.raises(OSError, match="pwm0"):
        SysfsPwmOutput(18, root=tmp_path / "class", patience_s=0.0)
