"""A simulated I2C bus under the real smbus2: its ``os.open``, ``os.close`` and ``ioctl`` are replaced, nothing else.

So smbus2's own packing, its 32-byte limit and its errors are the real ones. Numbers and structures: linux/i2c-dev.h,
linux/i2c.h. Rules of the adapter: i2c-bcm2835.c (Raspberry Pi Zero to 4) allows one read per combined transfer, as its
last message, else EOPNOTSUPP; a Pi 5 (i2c-designware) allows more.
"""

import ctypes
import errno
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import smbus2.smbus2 as real

from somnisphere_hardware.simulated.chip import Chip
from somnisphere_hardware.simulated.faults import (
    BrownOut,
    CutRead,
    DriverBound,
    Fault,
    Forbidden,
    LastingFault,
    NoNode,
    Refused,
    StuckBus,
    Unplugged,
)
from somnisphere_hardware.simulated.smbus import messages_of, store_answer

_I2C_MSG = struct.Struct("@HHHP")  # struct i2c_msg: address, flags, length, buffer; native size and alignment
_I2C_MSG_PAIR = struct.Struct("@HHHPHHHP")
_READ = 0x0001
_ANY_NOTHING = -1

_BIT_S = 1 / 400_000
_CALL_S = 60e-6  # one ioctl on a Pi, assumed; only how much time passes depends on it

FUNCTIONALITY = 0x0EFF0009
"""What i2c-bcm2835 says it can do: I2C, and SMBus emulated over it."""


def os_error(number: int, what: str = "") -> OSError:
    """The error a system call gives; Python picks the subclass (FileNotFoundError, PermissionError, ...)."""
    return OSError(number, os.strerror(number), what) if what else OSError(number, os.strerror(number))


class SimulatedBus:
    """One adapter, ``/dev/i2c-<number>``, with chips on it.

    ``now_s`` is set by the caller; each transfer then takes the time its bits need at 400 kHz, so a driver that polls a
    bit sees time pass. ``transactions`` counts ioctls that used the wires, ``wire_bytes`` address and data bytes.
    """

    def __init__(self, number: int = 1, *, several_reads: bool = False, seed: int = 0) -> None:
        self.number = number
        self.several_reads = several_reads
        self.now_s = 0.0
        self.transactions = 0
        self.wire_bytes = 0
        self._chips: dict[int, Chip] = {}
        self._off: set[int] = set()
        self._faults: list[LastingFault] = []
        self._events: list[tuple[float, str, int | None]] = []
        self._random = np.random.default_rng(seed)
        self._lock = threading.Lock()

    # -- what is on the bus ------------------------------------------------------------------------------------------

    def attach(self, chip: Chip) -> None:
        """Plug a chip in: it powers up now."""
        if chip.address in self._chips:
            raise ValueError(f"two chips at address 0x{chip.address:02x}")
        chip.power_on(self.now_s)
        self._chips[chip.address] = chip

    def detach(self, address: int) -> None:
        """Take a chip off the bus for good."""
        del self._chips[address]

    def add_fault(self, fault: Fault) -> None:
        """Schedule a fault."""
        with self._lock:
            if isinstance(fault, BrownOut):
                self._events.append((fault.at_s, "power", fault.address))
            elif isinstance(fault, Unplugged):
                self._events += [(fault.from_s, "off", fault.address), (fault.until_s, "power", fault.address)]
            else:
                self._faults.append(fault)
            self._events.sort(key=lambda event: event[0])

    def clear_faults(self) -> None:
        """End every fault; chips whose cable is off stay off until their time comes."""
        self._faults.clear()

    def wait(self, seconds: float) -> None:
        """Let time pass, as a driver's ``sleep``."""
        self.now_s += seconds

    # -- the system calls --------------------------------------------------------------------------------------------

    def open_errno(self) -> int:
        """0, or why the device node cannot be opened now."""
        for fault in self._faults:
            if isinstance(fault, (NoNode, Forbidden)) and fault.from_s <= self.now_s < fault.until_s:
                return errno.ENOENT if isinstance(fault, NoNode) else errno.EACCES
        return 0

    def select(self, address: int) -> None:
        """``I2C_SLAVE``: may this address be used by hand?"""
        for fault in self._faults:
            if isinstance(fault, DriverBound) and fault.address == address and self._active(fault):
                raise os_error(errno.EBUSY)

    def combined(self, request: Any) -> None:
        """``I2C_RDWR``: the messages of one transfer, their answers written back into the caller's buffers."""
        count = request.nmsgs
        if count == 2:
            first, flags1, len1, buf1, second, flags2, len2, buf2 = _I2C_MSG_PAIR.unpack(
                ctypes.string_at(request.msgs, _I2C_MSG_PAIR.size)
            )
            if flags2 == _READ and not flags1 and first == second:  # the usual pair, straight through
                answer = self.transfer(first, ctypes.string_at(buf1, len1), len2)
                ctypes.memmove(buf2, answer, len2)
                return
        packed = ctypes.string_at(request.msgs, _I2C_MSG.size * count)
        messages = list(_I2C_MSG.iter_unpack(packed))
        if not self.several_reads and any(flags & _READ for _, flags, _, _ in messages[:-1]):
            raise os_error(errno.EOPNOTSUPP)
        self.transactions -= len(messages) - 1
        for address, flags, length, buffer in messages:
            if flags & _READ:
                ctypes.memmove(buffer, self.transfer(address, None, length), length)
            else:
                self.transfer(address, ctypes.string_at(buffer, length), _ANY_NOTHING)

    def smbus(self, address: int, request: Any) -> None:
        """``I2C_SMBUS``: the kernel's emulation of SMBus calls over plain messages."""
        payload, length = messages_of(request)
        answer = self.transfer(address, payload, length)
        if length > 0:
            store_answer(request, answer)

    def transfer(self, address: int, payload: bytes | None, length: int) -> bytes:
        """One start to stop: write ``payload`` (None: no write message), then read ``length`` bytes (-1: no read)."""
        with self._lock:
            self.transactions += 1
            moved = (0 if payload is None else 1 + len(payload)) + (0 if length < 0 else 1 + length)
            self.wire_bytes += moved
            self.now_s += moved * 9 * _BIT_S + _CALL_S
            while self._events and self._events[0][0] <= self.now_s:
                self._happen(*self._events.pop(0))
            cut = self._struck(address, length) if self._faults else None
            if isinstance(cut, StuckBus):
                return b"\xff" * max(length, 0)
            chip = self._chips.get(address)
            if chip is None or address in self._off:
                raise os_error(errno.EREMOTEIO)
            chip.advance(self.now_s)
            if payload:
                chip.write(payload)
            if cut is not None:
                chip.read(min(length, length // 2 if cut.after_bytes is None else cut.after_bytes))
                raise os_error(cut.errno)
            return chip.read(length) if length > 0 else b""

    # -- faults ------------------------------------------------------------------------------------------------------

    def _active(self, fault: Refused | CutRead | StuckBus | DriverBound) -> bool:
        return fault.from_s <= self.now_s < fault.until_s

    def _happen(self, at_s: float, what: str, address: int | None) -> None:
        for place, chip in self._chips.items():
            if address in (None, place):
                chip.advance(at_s)
                if what == "off":
                    self._off.add(place)
                else:
                    self._off.discard(place)
                    chip.power_on(at_s)

    def _struck(self, address: int, length: int) -> CutRead | StuckBus | None:
        """Raise what a fault raises at once; return what must be done with the chip's help."""
        self._faults = [f for f in self._faults if not self._over(f)]
        for fault in self._faults:
            match fault:
                case StuckBus() if self._active(fault):
                    if fault.high:
                        return fault
                    self.now_s += 1.0
                    raise os_error(errno.ETIMEDOUT)
                case DriverBound(transfers=True) if fault.address == address and self._active(fault):
                    raise os_error(errno.EBUSY)
                case Refused() if fault.address in (None, address) and self._active(fault) and self._by_chance(fault):
                    self.now_s += fault.takes_s
                    raise os_error(fault.errno)
                case CutRead() if fault.address == address and length >= fault.least_bytes:
                    if self._active(fault) and self._by_chance(fault):
                        return fault
        return None

    def _over(self, fault: LastingFault) -> bool:
        return fault.until_s <= self.now_s or (isinstance(fault, (Refused, CutRead)) and fault.times <= 0)

    def _by_chance(self, fault: Refused | CutRead) -> bool:
        if fault.chance < 1.0 and self._random.random() >= fault.chance:
            return False
        fault.times -= 1
        return True

    # -- under smbus2 ------------------------------------------------------------------------------------------------

    @contextmanager
    def installed(self) -> Iterator["SimulatedBus"]:
        """While this lasts, smbus2 finds this bus at ``/dev/i2c-<number>``. Several numbers may coexist."""
        path = f"/dev/i2c-{self.number}"
        if path in _KERNEL.buses:
            raise ValueError(f"a simulated bus is already installed at {path}")
        _KERNEL.buses[path] = self
        _KERNEL.replace_smbus2()
        try:
            yield self
        finally:
            del _KERNEL.buses[path]
            _KERNEL.give_smbus2_back()


class _Kernel:
    """Stands for ``os`` and ``ioctl`` inside the smbus2 module; what is not a simulated bus goes to the real ones."""

    O_RDWR = os.O_RDWR

    def __init__(self) -> None:
        self.buses: dict[str, SimulatedBus] = {}
        self._open: dict[int, SimulatedBus] = {}
        self._address: dict[int, int] = {}
        self._next_fd = 1_000_000  # far above any real descriptor

    def replace_smbus2(self) -> None:
        vars(real).update(os=self, ioctl=self.ioctl)

    def give_smbus2_back(self) -> None:
        if not self.buses:
            vars(real).update(os=os, ioctl=_REAL_IOCTL)

    def open(self, path: str, flags: int) -> int:
        bus = self.buses.get(path)
        if bus is None:
            return os.open(path, flags)
        if number := bus.open_errno():
            raise os_error(number, path)
        fd = self._next_fd
        self._next_fd += 1
        self._open[fd] = bus
        return fd

    def close(self, fd: int) -> None:
        if self._open.pop(fd, None) is None:
            os.close(fd)
        self._address.pop(fd, None)

    def ioctl(self, fd: int, request: int, arg: Any = 0) -> int:
        bus = self._open.get(fd)
        if bus is None:
            if fd >= 1_000_000:
                raise os_error(errno.EBADF)
            result: int = _REAL_IOCTL(fd, request, arg)
            return result
        if request == real.I2C_RDWR:
            bus.combined(arg)
        elif request == real.I2C_SMBUS:
            bus.smbus(self._address[fd], arg)
        elif request in (real.I2C_SLAVE, real.I2C_SLAVE_FORCE):
            if request == real.I2C_SLAVE:
                bus.select(arg)
            self._address[fd] = arg
        elif request == real.I2C_FUNCS:
            arg.value = FUNCTIONALITY
        else:
            raise os_error(errno.ENOTTY)
        return 0


_REAL_IOCTL: Any = vars(real)["ioctl"]
_KERNEL = _Kernel()
