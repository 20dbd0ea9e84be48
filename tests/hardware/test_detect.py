"""What answers, and what is said about it."""

import errno
import re

import pytest
from tests.hardware.scripted_bus import Answer, ScriptedBus

from somnisphere_hardware.bus import BusError
from somnisphere_hardware.detect import find, probe, scan


def bus_with(**ids: int) -> ScriptedBus:
    """``at57=0x15``: what each address answers in its id register."""
    register = {0x57: 0xFF, 0x68: 0x75, 0x69: 0x75, 0x18: 0x0F, 0x19: 0x0F, 0x53: 0x00, 0x1D: 0x00}
    answers: dict[tuple[int, int], Answer | list[Answer]] = {}
    for key, chip_id in ids.items():
        address = int(key.removeprefix("at"), 16)
        answers[address, register[address]] = bytes([chip_id])
    return ScriptedBus(answers)


@pytest.mark.parametrize(
    ("address", "chip_id", "chip"),
    [
        (0x57, 0x15, "MAX30102"),
        (0x68, 0x68, "MPU-6050"),
        (0x69, 0x68, "MPU-6050"),
        (0x68, 0x70, "MPU-6500"),
        (0x68, 0x71, "MPU-9250"),
        (0x68, 0x72, "MPU-6050 clone"),
        (0x68, 0x73, "MPU-9255"),
        (0x68, 0x98, "ICM-20689"),
        (0x18, 0x33, "LIS3DH"),
        (0x19, 0x33, "LIS3DH"),
        (0x53, 0xE5, "ADXL345"),
        (0x1D, 0xE5, "ADXL345"),
    ],
)
def test_known_chips(address: int, chip_id: int, chip: str) -> None:
    found = probe(bus_with(**{f"at{address:x}": chip_id}), address)
    assert found is not None
    assert (found.chip, found.chip_id, found.usable) == (chip, chip_id, True)


@pytest.mark.parametrize(
    ("address", "chip_id", "words"),
    [
        (0x57, 0x11, "MAX30100 answers at address 0x57"),
        (0x57, 0x42, r"unknown chip \(id 0x42\)"),
        (0x57, 0xFF, "0xFF everywhere"),
        (0x68, 0x00, "DS3231.*AD0 to 3.3 V"),
        (0x68, 0xFF, "0xFF everywhere"),
        (0x18, 0x32, "unknown chip"),
        (0x53, 0x00, "unknown chip"),
    ],
)
def test_what_is_not_ours_is_named(address: int, chip_id: int, words: str) -> None:
    found = probe(bus_with(**{f"at{address:x}": chip_id}), address)
    assert found is not None
    assert not found.usable
    assert re.search(words, found.problem)


def test_scan_lists_all_and_find_prefers_what_works() -> None:
    bus = bus_with(at57=0x15, at68=0x00, at19=0x33)
    assert [(found.address, found.usable) for found in scan(bus)] == [(0x57, True), (0x68, False), (0x19, True)]
    found = find(bus, "motion")
    assert found is not None
    assert found.chip == "LIS3DH"
    clock_only = find(bus_with(at68=0x00), "motion")
    assert clock_only is not None
    assert "DS3231" in clock_only.problem
    assert find(bus_with(), "pulse") is None


def test_a_stuck_bus_is_told_once() -> None:
    stuck = BusError(errno.ETIMEDOUT, "the bus is stuck")
    bus = ScriptedBus({(0x57, 0xFF): stuck})
    found = scan(bus)
    assert len(found) == 1
    assert found[0].problem == "Address 0x57 cannot be read: the bus is stuck."
    assert bus.traffic.transactions == 1


def test_one_bad_address_does_not_hide_the_others() -> None:
    bus = bus_with(at57=0x15, at53=0xE5)
    bus.answers[0x68, 0x75] = BusError(errno.EIO, "the transfer broke off")
    assert [found.address for found in scan(bus)] == [0x57, 0x68, 0x53]


def test_a_kernel_driver_on_the_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = bus_with(at57=0x15)
    monkeypatch.setattr(bus, "kernel_driver", lambda address: "max30102" if address == 0x57 else "")
    found = probe(bus, 0x57)
    assert found is not None
    assert "kernel driver max30102 owns address 0x57" in found.problem
