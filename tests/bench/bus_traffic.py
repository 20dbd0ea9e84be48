"""Prints what the bedside costs the I2C bus, beside the physical floor, and what it loses (nothing).

    python tests/bench/bus_traffic.py [minutes]

The floor is the payload: 6 bytes a sample, which no driver can do without. Everything is simulated: real smbus2 and
drivers over simulated chips whose clocks are 3 % fast. Bus load is given for 400 kHz and for the Pi's default 100 kHz.
"""

import sys
import time

from somnisphere_hardware.bedside import Bedside, BedsideSettings
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.samples import MotionBlock, PulseBlock
from somnisphere_hardware.simulated.adxl345 import SimulatedAdxl345
from somnisphere_hardware.simulated.body import Phantom
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.lis3dh import SimulatedLis3dh
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050

CLOCK_ERROR = 0.03
GATE_TRANSACTIONS_PER_S = 20.0
GATE_BYTES_PER_S = 1000.0

Motion = type[SimulatedMpu6050] | type[SimulatedLis3dh] | type[SimulatedAdxl345]


def measure(pulse_hz: float, motion: Motion, seconds: float) -> bool:
    """Runs one configuration and prints its line; True if it keeps within the gate (which leaves the ADXL345 out)."""
    body = Phantom()
    sim = SimulatedBus(number=1)
    sim.attach(SimulatedMax30102(body, clock_error=CLOCK_ERROR))
    sim.attach(motion(body, clock_error=CLOCK_ERROR))
    samples = 0
    began_s = time.process_time()
    with sim.installed():
        bedside = Bedside(lambda: Bus.open(1), BedsideSettings(pulse_rate_hz=pulse_hz))
        at_s = 0.0
        while at_s < seconds:
            sim.now_s = max(sim.now_s, at_s)
            for sample in bedside.poll(at_s):
                if isinstance(sample, PulseBlock):
                    samples += len(sample.ir)
                elif isinstance(sample, MotionBlock):
                    samples += len(sample.accel_g)
            at_s = max(bedside.due_s, at_s + 1e-3)
        traffic, lost = bedside.traffic, sum(bedside.samples_lost.values())
        bedside.close()
    cpu_us = 1e6 * (time.process_time() - began_s) / traffic.transactions
    transactions, wire, payload = (n / seconds for n in (traffic.transactions, traffic.bytes, 6 * samples))
    # 9 bits a byte; start, repeated start and stop are about 3 bits more a transfer.
    load_pct = 100.0 * (9.0 * wire + 3.0 * transactions) / 400_000.0
    name = motion.__name__.removeprefix("Simulated").upper()
    print(
        f"{pulse_hz:5g}   {name:<8} {transactions:8.1f} {wire:8.0f} {payload:8.0f} {wire / payload:6.2f} "
        f"{load_pct:7.1f} {4 * load_pct:8.1f} {lost:7d} {cpu_us:8.0f}"
    )
    within = transactions <= GATE_TRANSACTIONS_PER_S and wire <= GATE_BYTES_PER_S and lost == 0
    return within or motion is SimulatedAdxl345


def main() -> int:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    print("pulse   motion   transfers    bytes    floor  times   bus %    bus %    lost   CPU us")
    print("   Hz                  a s      a s  bytes/s  floor 400 kHz  100 kHz samples  a transf.")
    motions: tuple[Motion, ...] = (SimulatedMpu6050, SimulatedLis3dh, SimulatedAdxl345)
    within = [measure(pulse_hz, motion, 60.0 * minutes) for motion in motions for pulse_hz in (25.0, 50.0, 100.0)]
    print(
        f"\nGate: {GATE_TRANSACTIONS_PER_S:g} transfers and {GATE_BYTES_PER_S:g} bytes a second with an MPU-6050 or a "
        f"LIS3DH, nothing lost: {'kept' if all(within) else 'BROKEN'}."
    )
    print("The ADXL345 gives one sample a transfer, so it runs at 12.5 Hz. CPU includes the simulated chips.")
    return 0 if all(within) else 1


if __name__ == "__main__":
    sys.exit(main())
