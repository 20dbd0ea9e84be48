"""CPU a simulated night costs before any driver or pipeline: chips, body and the replaced system calls.

    OPENBLAS_NUM_THREADS=1 python tests/bench/simulated_bus.py [hours]

Reads a sleeping body's chips as a driver would, twice a second (50 Hz red and infrared, 25 Hz motion), through smbus2.
The second figure leaves out smbus2's own packing, by calling the bus below it.
"""

import sys
import time
from collections.abc import Callable

from smbus2 import SMBus, i2c_msg

from somnisphere_hardware.simulated.adxl345 import SimulatedAdxl345
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.chip import Chip
from somnisphere_hardware.simulated.lis3dh import SimulatedLis3dh
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050
from somnisphere_hardware.simulated.sleeper import Sleeper

Read = Callable[[int, int, int], bytes]

_SETTINGS: dict[int, list[tuple[int, int]]] = {
    0x57: [(0x08, 0x10), (0x0A, 0x23), (0x0C, 32), (0x0D, 32), (0x09, 3)],
    0x68: [(0x6B, 1), (0x19, 39), (0x1A, 4), (0x23, 8), (0x6A, 4), (0x6A, 0x40)],
    0x18: [(0x23, 0x88), (0x24, 0x40), (0x2E, 0x80), (0x20, 0x37)],
    0x53: [(0x2C, 0x08), (0x31, 0x08), (0x38, 0x80), (0x2D, 0x08)],
}


def motion(address: int, read: Read) -> int:
    """Empty the motion chip; how many samples."""
    if address == 0x68:
        count = int.from_bytes(read(0x68, 0x72, 2)) // 6
        if count:
            read(0x68, 0x74, 6 * count)
    elif address == 0x18:
        count = read(0x18, 0x2F, 1)[0] & 0x1F
        if count:
            read(0x18, 0xA8, 6 * count)
    else:
        count = left = read(0x53, 0x39, 1)[0]
        while left:
            left = read(0x53, 0x32, 8)[7]
    return count


def night(hours: float, chip: Callable[[Sleeper], Chip], through_smbus2: bool) -> None:
    began_s = time.process_time()
    sleeper = Sleeper.usual_night(1)
    built_s = time.process_time() - began_s
    bus = SimulatedBus(1)
    other = chip(sleeper)
    bus.attach(SimulatedMax30102(sleeper))
    bus.attach(other)
    for address in (0x57, other.address):
        for register, value in _SETTINGS[address]:
            bus.transfer(address, bytes([register, value]), -1)
    pulses = motions = 0
    bus.transactions = bus.wire_bytes = 0
    with bus.installed(), SMBus(1) as smbus:

        def above(address: int, register: int, count: int) -> bytes:
            answer = i2c_msg.read(address, count)
            smbus.i2c_rdwr(i2c_msg.write(address, [register]), answer)
            return bytes(answer)

        def below(address: int, register: int, count: int) -> bytes:
            return bus.transfer(address, bytes([register]), count)

        read = above if through_smbus2 else below
        began_s = time.process_time()
        for poll in range(1, round(hours * 7200) + 1):
            bus.now_s = poll * 0.5
            write_at, _, read_at = read(0x57, 4, 3)
            waiting = (write_at - read_at) % 32
            if waiting:
                read(0x57, 7, 6 * waiting)
            pulses += waiting
            motions += motion(other.address, read)
        spent_s = time.process_time() - began_s
    print(
        f"{type(other).__name__:17} {'through smbus2' if through_smbus2 else 'below smbus2':14} "
        f"{spent_s + built_s:6.2f} s of CPU for {hours:g} h ({built_s:.2f} s of it the sleeper); "
        f"{pulses} pulse and {motions} motion samples; "
        f"{bus.transactions / hours / 3600:.1f} transactions/s, {bus.wire_bytes / hours / 3600:.0f} bytes/s"
    )


if __name__ == "__main__":
    length_h = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    for make in (SimulatedMpu6050, SimulatedLis3dh, SimulatedAdxl345):
        for through in (True, False):
            night(length_h, make, through)
