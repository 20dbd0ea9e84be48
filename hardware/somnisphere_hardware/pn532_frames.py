"""Frames of the PN532: a command to bytes, bytes to an answer, an answer to a card. Pure.

Source: NXP UM0701-02 (PN532 user manual, rev. 02): 6.2.1.1 information frame, 6.2.1.3 ACK, 6.2.1.4 NACK, 6.2.1.5 error
frame, 6.2.1.6 preamble and postamble; 7.2.2 GetFirmwareVersion, 7.2.9 SetParameters, 7.2.10 SAMConfiguration, 7.3.1
RFConfiguration, 7.3.5 InListPassiveTarget. Lengths of card numbers (4, 7, 10 bytes): ISO/IEC 14443-3.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from somnisphere_hardware.chip import ChipError

ACK: Final = bytes([0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00])
NACK: Final = bytes([0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00])

_TO_CHIP: Final = 0xD4
_FROM_CHIP: Final = 0xD5
_SYNTAX_ERROR: Final = 0x7F
_START: Final = b"\x00\xff"
_UID_LENGTHS: Final = (4, 7, 10)
_IC: Final = 0x32


class FrameError(ChipError):
    """Bytes that are no whole frame, or a frame that does not belong here."""


class Kind(Enum):
    """What a frame of the chip is."""

    ACK = 0
    NACK = 1
    ANSWER = 2


@dataclass(frozen=True, slots=True)
class Command:
    """``answer_bytes``: length of the longest whole frame it is answered with. ``takes_s``: how long that needs."""

    name: str
    code: int
    parameters: tuple[int, ...]
    answer_bytes: int
    takes_s: float = 0.005

    @property
    def frame(self) -> bytes:
        content = bytes([_TO_CHIP, self.code, *self.parameters])
        length = len(content)
        return bytes([0x00, 0x00, 0xFF, length, -length & 0xFF, *content, -sum(content) & 0xFF, 0x00])


NORMAL_MODE: Final = Command("SAMConfiguration", 0x14, (0x01, 0x00, 0x00), 9)
"""No security module, no interrupt wire. The first command after power-up: it ends the low-battery state."""
FIRMWARE: Final = Command("GetFirmwareVersion", 0x02, (), 13)
NO_RATS: Final = Command("SetParameters", 0x12, (0x04,), 9)
"""Automatic RATS off: a card with a processor is listed by its number alone, so that an answer has at most 25 bytes."""
ONE_TRY: Final = Command("RFConfiguration", 0x32, (0x05, 0xFF, 0x01, 0x00), 9)
"""MaxRetries of the activation 0: with no card there, the answer comes at once. As the chip starts, it never comes."""
LIST: Final = Command("InListPassiveTarget", 0x4A, (0x01, 0x00), 25, 0.02)
"""One card at most, 106 kbit/s type A. Switches the field on."""
FIELD_OFF: Final = Command("RFConfiguration", 0x32, (0x01, 0x00), 9)
"""A card that is left without power starts anew, so that it answers the next listing, whatever state it was in."""

SETUP: Final = (NORMAL_MODE, FIRMWARE, NO_RATS, ONE_TRY)
SCAN: Final = (LIST, FIELD_OFF)


def unpack(data: bytes) -> tuple[Kind, bytes]:
    """What ``data`` (without the status byte) holds, and the content of an answer, its code first.

    Raises ``FrameError`` for anything else, among it every frame of which a checksum is wrong or a byte is missing.
    """
    start = data.find(_START)
    if start < 0 or any(data[:start]) or len(data) < start + 4:
        raise FrameError("no frame begins there")
    length, check = data[start + 2], data[start + 3]
    if (length, check) == (0x00, 0xFF):
        return Kind.ACK, b""
    if (length, check) == (0xFF, 0x00):
        return Kind.NACK, b""
    if length == 0 or (length + check) & 0xFF:
        raise FrameError("the length of a frame does not fit its checksum")
    content = data[start + 4 : start + 5 + length]
    if len(content) <= length:
        raise FrameError("a frame is cut short")
    if sum(content) & 0xFF:
        raise FrameError("a frame does not fit its checksum")
    if content[0] == _SYNTAX_ERROR and length == 1:
        raise FrameError("it does not understand the command")
    if content[0] != _FROM_CHIP or length < 2:
        raise FrameError("a frame that is not from the reader")
    return Kind.ANSWER, content[1:length]


def answer_to(command: Command, content: bytes) -> bytes:
    """What follows the code of an answer to ``command``; ``FrameError`` when it answers another one."""
    if content[0] != command.code + 1:
        raise FrameError(f"{command.name} is answered by the answer to something else")
    return content[1:]


def version_of(answer: bytes) -> str:
    """``PN532 1.6`` from an answer to GetFirmwareVersion."""
    if len(answer) != 4 or answer[0] != _IC:
        raise FrameError(f"it says it is something else (0x{answer.hex()})")
    return f"PN532 {answer[1]}.{answer[2]}"


def card_of(answer: bytes) -> str:
    """The card's number in upper-case hexadecimal from an answer to InListPassiveTarget, "" when there is no card."""
    if answer == b"\x00":
        return ""
    if len(answer) < 6 or answer[:2] != b"\x01\x01":
        raise FrameError("a list of cards that nobody asked for")
    length, uid = answer[5], answer[6:]
    if length not in _UID_LENGTHS or len(uid) != length:
        raise FrameError("a card number of a length that does not exist")
    return uid.hex().upper()
