"""Which chips sit on the bus, and a clear word for what answers but is not one of ours."""

from dataclasses import dataclass

from somnisphere_hardware import adxl345, lis3dh, max30102, mpu6050
from somnisphere_hardware.bus import Bus, BusError
from somnisphere_hardware.samples import Part

ID_REGISTERS: dict[int, int] = {
    max30102.ADDRESS: 0xFF,
    **dict.fromkeys(mpu6050.ADDRESSES, 0x75),
    **dict.fromkeys(lis3dh.ADDRESSES, 0x0F),
    **dict.fromkeys(adxl345.ADDRESSES, 0x00),
}
"""Address -> register that tells what sits there. The order is the order of preference."""

ADDRESSES: dict[Part, tuple[int, ...]] = {
    "pulse": (max30102.ADDRESS,),
    "motion": (*mpu6050.ADDRESSES, *lis3dh.ADDRESSES, *adxl345.ADDRESSES),
}

_MAX30100_ID = 0x11


@dataclass(frozen=True, slots=True)
class Found:
    """What answers at an address. ``problem`` is a sentence for a person when it cannot be used, else ""."""

    address: int
    part: Part
    chip: str
    chip_id: int | None
    problem: str = ""

    @property
    def usable(self) -> bool:
        return not self.problem


def probe(bus: Bus, address: int) -> Found | None:
    """What sits at ``address``; None if nobody answers. Any other trouble of the bus is raised."""
    part: Part = "pulse" if address in ADDRESSES["pulse"] else "motion"
    try:
        chip_id = bus.read(address, ID_REGISTERS[address], 1)[0]
    except BusError as error:
        if error.nobody_answered:
            return None
        raise
    chip, problem = identify(address, chip_id)
    if not problem and (driver := bus.kernel_driver(address)):
        problem = (
            f"The kernel driver {driver} owns address 0x{address:02x}: remove its dtoverlay line from "
            "/boot/firmware/config.txt and reboot."
        )
    return Found(address, part, chip, chip_id, problem)


def identify(address: int, chip_id: int) -> tuple[str, str]:
    """(name of the chip, problem sentence or "") for an id read at an address."""
    where = f"at address 0x{address:02x}"
    if chip_id == 0xFF:
        return "", f"What answers {where} reads 0xFF everywhere: SDA is loose or held high; check the wires."
    if address == max30102.ADDRESS:
        if chip_id == max30102.PART_ID:
            return "MAX30102", ""
        if chip_id == _MAX30100_ID:
            return "MAX30100", (
                f"A MAX30100 answers {where}: another chip, with a 16-bit FIFO. "
                "A MAX30102, MAX30101 or MAX30105 is needed."
            )
        return "", f"An unknown chip (id 0x{chip_id:02x}) answers {where}, where the pulse sensor should be (id 0x15)."
    if address in mpu6050.ADDRESSES:
        if chip_id in mpu6050.NAMES:
            return mpu6050.NAMES[chip_id], ""
        return "", (
            f"What answers {where} is no motion sensor of the MPU family (id 0x{chip_id:02x}). If it is a clock board "
            "(DS3231, DS1307, PCF8523), connect the MPU-6050's AD0 to 3.3 V: it then moves to 0x69."
        )
    if address in lis3dh.ADDRESSES:
        if chip_id == lis3dh.WHO_AM_I:
            return "LIS3DH", ""
        return "", f"An unknown chip (id 0x{chip_id:02x}) answers {where}, where a LIS3DH would be (id 0x33)."
    if chip_id == adxl345.DEVID:
        return "ADXL345", ""
    return "", f"An unknown chip (id 0x{chip_id:02x}) answers {where}, where an ADXL345 would be (id 0xe5)."


def find(bus: Bus, part: Part) -> Found | None:
    """The first usable chip for ``part``; else the first one that answers, with its problem; else None."""
    answered: Found | None = None
    for address in ADDRESSES[part]:
        found = probe(bus, address)
        if found is not None and found.usable:
            return found
        answered = answered or found
    return answered


def scan(bus: Bus) -> list[Found]:
    """Everything that answers at an address of ours. A broken bus is told once, as the problem of the first address
    that could not be read: every further one would block for a second."""
    answers: list[Found] = []
    for part, addresses in ADDRESSES.items():
        for address in addresses:
            try:
                found = probe(bus, address)
            except BusError as error:
                answers.append(Found(address, part, "", None, f"Address 0x{address:02x} cannot be read: {error.hint}."))
                if error.bus_is_stuck:
                    return answers
                continue
            if found is not None:
                answers.append(found)
    return answers
