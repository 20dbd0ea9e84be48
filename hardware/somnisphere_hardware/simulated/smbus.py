"""The kernel's emulation of SMBus calls over plain messages (i2c-core-smbus.c), for the calls a Pi's adapter has."""

import errno
import os
from typing import Any

_WORD_DATA, _PROC_CALL, _I2C_BLOCK_DATA = 3, 4, 8


def messages_of(request: Any) -> tuple[bytes | None, int]:
    """The write payload (None: no write message) and the number of bytes to read (-1: no read message)."""
    command = bytes([request.command])
    data = request.data.contents
    reads = request.read_write == 1
    match request.size:
        case 0:  # quick: the address alone
            return (None, 0) if reads else (b"", -1)
        case 1:
            return (None, 1) if reads else (command, -1)
        case 2:
            return (command, 1) if reads else (command + bytes([data.byte]), -1)
        case 3:
            return (command, 2) if reads else (command + data.word.to_bytes(2, "little"), -1)
        case 4:
            return command + data.word.to_bytes(2, "little"), 2
        case 5 if not reads:
            return command + bytes(data.block[0 : data.block[0] + 1]), -1
        case 8:
            length = data.block[0]
            return (command, length) if reads else (command + bytes(data.block[1 : length + 1]), -1)
    # A block read needs the chip to say its length first; i2c-bcm2835 cannot.
    raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))


def store_answer(request: Any, answer: bytes) -> None:
    """Put what was read where the caller looks for it."""
    data = request.data.contents
    if request.size == _I2C_BLOCK_DATA:
        data.block[1 : len(answer) + 1] = list(answer)
    elif request.size in (_WORD_DATA, _PROC_CALL):
        data.word = int.from_bytes(answer, "little")
    else:
        data.byte = answer[0]
