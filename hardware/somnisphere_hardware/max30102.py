"""MAX30102 pulse sensor (also MAX30101 and MAX30105, which carry the same part id): map and driver.

Source: Maxim 19-7740 (MAX30102 datasheet). One poll is two transfers: seven bytes from 0x00 (both status registers, the
enables and the three FIFO pointers), then one burst of whole samples from FIFO_DATA, whose address does not advance.
Reading the status clears it; nobody else wants it, and it brings the brown-out witness (PWR_RDY) with every poll.
"""

from typing import Final

import numpy as np

from somnisphere_hardware.bus import Bus
from somnisphere_hardware.chip import (
    ALL_FF,
    NOTHING,
    ChipError,
    Fetched,
    LostSettingsError,
    MisreadError,
    all_ff,
    ends_lifeless,
)
from somnisphere_hardware.registers import Field, Register, RegisterMap

ADDRESS: Final = 0x57
PART_ID: Final = 0x15
FIFO_SAMPLES: Final = 32
LED_STEP_MA: Final = 0.2
LED_MAX_MA: Final = 51.0

MAP: Final = RegisterMap(
    "MAX30102",
    Register(
        0x00,
        "INT_STATUS_1",
        (
            Field("a_full", 7, 7),
            Field("ppg_rdy", 6, 6),
            Field("alc_ovf", 5, 5),
            Field("prox", 4, 4),
            Field("pwr_rdy", 0, 0),
        ),
        reset=0x01,
    ),
    Register(0x01, "INT_STATUS_2", (Field("die_temp_rdy", 1, 1),)),
    Register(
        0x02,
        "INT_ENABLE_1",
        (Field("a_full", 7, 7), Field("ppg_rdy", 6, 6), Field("alc_ovf", 5, 5), Field("prox", 4, 4)),
    ),
    Register(0x03, "INT_ENABLE_2", (Field("die_temp_rdy", 1, 1),)),
    Register(0x04, "FIFO_WR_PTR", (Field("pointer", 4, 0),)),
    Register(0x05, "OVF_COUNTER", (Field("lost", 4, 0),)),
    Register(0x06, "FIFO_RD_PTR", (Field("pointer", 4, 0),)),
    Register(0x07, "FIFO_DATA"),
    Register(
        0x08,
        "FIFO_CONFIG",
        (
            Field("averaging", 7, 5, ("1", "2", "4", "8", "16", "32", "32", "32")),
            Field("rollover", 4, 4),
            Field("a_full", 3, 0),
        ),
    ),
    Register(
        0x09,
        "MODE",
        (
            Field("shutdown", 7, 7),
            Field("reset", 6, 6),
            Field("mode", 2, 0, ("-", "-", "red", "red+ir", "-", "-", "-", "slots")),
        ),
    ),
    Register(
        0x0A,
        "SPO2_CONFIG",
        (
            Field("range", 6, 5, ("2048 nA", "4096 nA", "8192 nA", "16384 nA")),
            Field("rate", 4, 2, ("50/s", "100/s", "200/s", "400/s", "800/s", "1000/s", "1600/s", "3200/s")),
            Field("pulse", 1, 0, ("69 us", "118 us", "215 us", "411 us")),
        ),
    ),
    Register(0x0C, "LED1_PA", (Field("current", 7, 0),)),
    Register(0x0D, "LED2_PA", (Field("current", 7, 0),)),
    Register(0x10, "PILOT_PA", (Field("current", 7, 0),)),
    Register(0x11, "SLOTS_12", (Field("slot2", 6, 4), Field("slot1", 2, 0))),
    Register(0x12, "SLOTS_34", (Field("slot4", 6, 4), Field("slot3", 2, 0))),
    Register(0x1F, "TEMP_INTEGER"),
    Register(0x20, "TEMP_FRACTION", (Field("sixteenths", 3, 0),)),
    Register(0x21, "TEMP_ENABLE", (Field("enable", 0, 0),)),
    Register(0x30, "PROX_INT_THRESH"),
    Register(0xFE, "REVISION_ID", reset=None),
    Register(0xFF, "PART_ID", reset=PART_ID),
)

_STATUS: Final = 0x00
_INT_ENABLE_1: Final = 0x02
_WR_PTR: Final = 0x04
_FIFO_DATA: Final = 0x07
_FIFO_CONFIG: Final = 0x08
_MODE: Final = 0x09
_LED1: Final = 0x0C
_PWR_RDY: Final = 0x01
_A_FULL: Final = 0x80

_ALIKE_AT_MOST: Final = 12
"""Samples in a row. With something in their light both channels carry noise of several counts; only darkness and a rail
may stand still."""
_DARK: Final = 2000
"""Counts of 18 bits: less is next to no light."""

RATES: Final[dict[float, tuple[int, int, float]]] = {25.0: (0, 1, 1.0), 50.0: (0, 0, 0.5), 100.0: (1, 0, 0.25)}
"""Samples a second -> (rate code, averaging code, seconds between polls). 25 Hz is 50/s averaged in pairs: the least
light for the data, as the LEDs flash at the full rate. Polls leave a quarter of the 32-deep FIFO free."""

_WEIGHTS: Final = np.array([1 << 16, 1 << 8, 1], np.int32)


def led_code(current_ma: float) -> int:
    """The register value nearest to a LED current (0.2 mA a step)."""
    if not 0.0 <= current_ma <= LED_MAX_MA:
        raise ValueError(f"LED current {current_ma} mA is outside 0..{LED_MAX_MA}")
    return round(current_ma / LED_STEP_MA)


def decode(data: bytes) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """FIFO bytes -> shape (n, 2): LED1 and LED2 counts. Three bytes each, big-endian, bits 23:18 unused."""
    counts = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32) @ _WEIGHTS
    counts &= 0x3FFFF
    return counts.reshape(-1, 2)


def _may_stand_still(sample: bytes) -> bool:
    return all(not _DARK <= count < 0x3FFFF for count in decode(sample)[0].tolist())


class Max30102:
    """The driver. FIFO channels are (LED1, LED2): (red, infrared) as printed in the datasheet, exchanged on the boards
    whose two dies are mounted the wrong way round (``swap_leds`` of the settings is about those)."""

    name = "MAX30102"
    address = ADDRESS
    reset_wait_s = 0.01

    def __init__(self, rate_hz: float, led1_ma: float, led2_ma: float) -> None:
        rate, averaging, self.poll_s = RATES[rate_hz]
        self.rate_hz = rate_hz
        self.leds = (led_code(led1_ma), led_code(led2_ma))
        # Rollover off: a full FIFO keeps its oldest 32, which then still join the block before. A_FULL at 0 free slots.
        self._settings = bytes(
            [
                MAP["FIFO_CONFIG"].encode(averaging=averaging, rollover=0, a_full=0),
                MAP["MODE"].encode(mode=3),
                MAP["SPO2_CONFIG"].encode(range=1, rate=rate, pulse=3),
            ]
        )

    def reset(self, bus: Bus) -> None:
        bus.write(ADDRESS, _MODE, MAP["MODE"].encode(reset=1))

    def is_reset(self, bus: Bus) -> bool:
        mode = bus.read(ADDRESS, _MODE, 1)
        if all_ff(mode):
            raise MisreadError(f"The pulse sensor {ALL_FF}")
        return not MAP["MODE"].decode(mode[0])["reset"]

    def start(self, bus: Bus) -> None:
        bus.read(ADDRESS, _STATUS, 2)  # clears PWR_RDY: from here on it means a brown-out
        bus.write(ADDRESS, _INT_ENABLE_1, _A_FULL, 0)
        bus.write(ADDRESS, _LED1, *self.leds)
        bus.write(ADDRESS, _FIFO_CONFIG, *self._settings)
        try:
            self.verify(bus)
        except LostSettingsError as error:
            raise ChipError(f"The pulse sensor does not keep its settings: {error}") from error
        self.clear(bus)

    def clear(self, bus: Bus) -> None:
        bus.write(ADDRESS, _WR_PTR, 0, 0, 0)

    def fetch(self, bus: Bus, expected: float) -> Fetched:
        head = bus.read(ADDRESS, _STATUS, 7)
        status, write, lost, read = head[0], head[4], head[5], head[6]
        if (write | lost | read) > 0x1F:
            raise MisreadError(
                "The pulse sensor's FIFO pointers read impossible values: a wire of the bus is loose or shorted."
            )
        if status & _PWR_RDY or not head[2] & _A_FULL:
            raise LostSettingsError("The pulse sensor lost its power for a moment.")
        count = (write - read) & 0x1F
        full = False
        if count == 0:
            # Empty or full. A_FULL is latched, so it counts only if that many samples can have come since.
            full = lost > 0 or (status & _A_FULL != 0 and expected > FIFO_SAMPLES / 2)
            if not full:
                return NOTHING
            count = FIFO_SAMPLES
        elif lost:
            raise MisreadError("The pulse sensor's FIFO pointers contradict each other.")
        data = bus.read(ADDRESS, _FIFO_DATA, 6 * count)
        if all_ff(data):
            raise MisreadError(f"The pulse sensor {ALL_FF}")
        if ends_lifeless(data):
            self.verify(bus)
        if count >= _ALIKE_AT_MOST and data == data[:6] * count and not _may_stand_still(data[:6]):
            raise MisreadError("The pulse sensor repeats one sample, as no light does: it hangs, or a wire is loose.")
        return Fetched(decode(data), lost_after=full)

    def verify(self, bus: Bus) -> None:
        found = bus.read(ADDRESS, _FIFO_CONFIG, 6)
        if all_ff(found):
            raise MisreadError(f"The pulse sensor {ALL_FF}")
        if found[:3] != self._settings or (found[4], found[5]) != self.leds:
            raise LostSettingsError("; ".join(MAP.describe(_FIFO_CONFIG, found)))

    def set_leds(self, bus: Bus, led1_ma: float, led2_ma: float) -> int:
        """Changes both currents. Returns how many samples wait that were still taken with the old ones."""
        self.leds = (led_code(led1_ma), led_code(led2_ma))
        bus.write(ADDRESS, _LED1, *self.leds)
        write, _, read = bus.read(ADDRESS, _WR_PTR, 3)
        return (write - read) & 0x1F

    def sleep(self, bus: Bus) -> None:
        bus.write(ADDRESS, _MODE, MAP["MODE"].encode(shutdown=1, mode=3))
