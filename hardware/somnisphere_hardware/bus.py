"""The I2C bus as the drivers use it: one combined transfer per call, its traffic counted, its errors in words.

A Pi's controller (i2c-bcm2835: Zero to 4) takes one read per combined transfer, and only as the last message; two reads
are EOPNOTSUPP. So every read here is exactly one ``[write register, read n]`` pair, which runs on every Pi. No SMBus
block call is used: those stop at 32 bytes, which is no multiple of a sample's 6.
"""

import errno
from dataclasses import dataclass
from pathlib import Path

from smbus2 import SMBus, i2c_msg

NOBODY_ANSWERS = frozenset({errno.EREMOTEIO, errno.ENXIO})
"""What Linux says when no chip acknowledges its address (i2c-bcm2835 and designware; i2c-gpio)."""

_OPEN_HINTS = {
    errno.ENOENT: "I2C is not switched on: run `sudo raspi-config nonint do_i2c 0`, reboot, and look for /dev/i2c-*",
    errno.EACCES: "this user may not use it: `sudo usermod -aG i2c $USER`, then log in again",
    errno.ENODEV: "the adapter is gone: is its overlay still in /boot/firmware/config.txt, its USB plug in?",
}
_TRANSFER_HINTS = {
    errno.EREMOTEIO: "no chip answers: check SDA, SCL, 3.3 V and ground",
    errno.ENXIO: "no chip answers: check SDA, SCL, 3.3 V and ground",
    errno.EIO: "the transfer broke off: a loose wire, a cable over 30 cm, or pull-ups that are too weak",
    errno.ETIMEDOUT: "the bus is stuck: a wire holds SDA or SCL low, or a chip hangs; take the power off and on",
    errno.EAGAIN: "the bus was taken: another bus master, or SDA held low by a hanging chip",
    errno.EBUSY: "a kernel driver owns this address: remove its dtoverlay line from /boot/firmware/config.txt",
    errno.EOPNOTSUPP: "this adapter does not do combined transfers of plain I2C",
    errno.ENODEV: "the adapter is gone: was it unplugged?",
}


class BusError(Exception):
    """A transfer that did not happen. ``hint`` is a sentence about what to mend."""

    def __init__(self, code: int, hint: str, address: int | None = None, register: int | None = None) -> None:
        self.code = code
        self.errno_name = errno.errorcode.get(code, str(code))
        self.address = address
        self.register = register
        self.hint = hint
        place = (
            "" if address is None else f"0x{address:02x}" + ("" if register is None else f" register 0x{register:02x}")
        )
        super().__init__(f"I2C {place + ': ' if place else ''}{hint} ({self.errno_name})")

    @property
    def nobody_answered(self) -> bool:
        return self.code in NOBODY_ANSWERS

    @property
    def bus_is_stuck(self) -> bool:
        """The call itself blocked for about a second: do not repeat it at once."""
        return self.code == errno.ETIMEDOUT

    @property
    def adapter_is_gone(self) -> bool:
        """The open file is of no more use: open the bus anew."""
        return self.code in (errno.ENODEV, errno.EBADF, errno.ESHUTDOWN)


@dataclass(slots=True)
class BusTraffic:
    """What went over the wire. ``bytes`` counts every byte with its address bytes: a read of n from a register is
    address, register, address again, n; a plain read of n is address, n."""

    transactions: int = 0
    bytes: int = 0
    errors: int = 0


class Bus:
    """One I2C bus. Not for two threads at once."""

    def __init__(self, smbus: SMBus, number: int) -> None:
        self._smbus = smbus
        self.number = number
        self.traffic = BusTraffic()
        # Messages are built once: 170 000 transfers a night ask for the same few.
        self._asks: dict[tuple[int, int], i2c_msg] = {}
        self._answers: dict[tuple[int, int], i2c_msg] = {}

    @classmethod
    def open(cls, number: int) -> "Bus":
        """Opens ``/dev/i2c-<number>``; a BusError says how to mend it."""
        try:
            return cls(SMBus(number), number)
        except OSError as error:
            code = error.errno or errno.EIO
            hint = _OPEN_HINTS.get(code, error.strerror or "it cannot be opened")
            raise BusError(code, f"/dev/i2c-{number}: {hint}") from error

    def read(self, address: int, register: int, length: int) -> bytes:
        """``length`` bytes from ``register`` on, in one combined transfer."""
        ask = self._asks.get((address, register))
        if ask is None:
            ask = self._asks[address, register] = i2c_msg.write(address, [register])
        answer = self._answers.get((address, length))
        if answer is None:
            answer = self._answers[address, length] = i2c_msg.read(address, length)
        traffic = self.traffic
        traffic.transactions += 1
        traffic.bytes += 3 + length
        try:
            self._smbus.i2c_rdwr(ask, answer)
        except OSError as error:
            raise self._failed(error, address, register) from error
        return bytes(answer)

    def write(self, address: int, register: int, *values: int) -> None:
        """Writes ``values`` from ``register`` on, in one transfer."""
        self.traffic.transactions += 1
        self.traffic.bytes += 2 + len(values)
        try:
            self._smbus.i2c_rdwr(i2c_msg.write(address, [register, *values]))
        except OSError as error:
            raise self._failed(error, address, register) from error

    def send(self, address: int, data: bytes) -> None:
        """Writes ``data`` as it is, for chips that speak in frames and have no registers."""
        self.traffic.transactions += 1
        self.traffic.bytes += 1 + len(data)
        try:
            self._smbus.i2c_rdwr(i2c_msg.write(address, list(data)))
        except OSError as error:
            raise self._failed(error, address) from error

    def receive(self, address: int, length: int) -> bytes:
        """Reads ``length`` bytes without naming a register before."""
        answer = i2c_msg.read(address, length)
        self.traffic.transactions += 1
        self.traffic.bytes += 1 + length
        try:
            self._smbus.i2c_rdwr(answer)
        except OSError as error:
            raise self._failed(error, address) from error
        return bytes(answer)

    def kernel_driver(self, address: int) -> str:
        """Name of the kernel driver bound to ``address``, "" if none. A plain transfer would not be refused, and two
        drivers would steal each other's samples."""
        link = Path(f"/sys/bus/i2c/devices/{self.number}-{address:04x}/driver")
        return link.resolve().name if link.exists() else ""

    def close(self) -> None:
        self._smbus.close()

    def _failed(self, error: OSError, address: int, register: int | None = None) -> BusError:
        self.traffic.errors += 1
        code = error.errno or errno.EIO
        return BusError(code, _TRANSFER_HINTS.get(code, error.strerror or "the transfer failed"), address, register)
