"""A PN532 in raw bytes. Written from the user manual, not from the driver.

Facts modelled, and where from (UM: NXP UM0701-02 rev. 02; AN: NXP AN10609_3):

- Frames to the chip: 00 00 FF, length, its complement, D4, code ..., checksum, 00. One with a wrong checksum is not
  acknowledged; one with a code that does not exist gets the error frame 00 00 FF 01 FF 7F 81 00 (UM 6.2.1).
- Each read begins with a status byte, 01 when a frame follows and 00 when none is ready yet; a read of that byte alone
  leaves the frame where it is (UM 6.2, I2C).
- An ACK frame from the host ends the command in work: it is not answered any more. A NACK frame brings the last answer
  once more (UM 6.2.1.3, 6.2.1.4). A new command takes the place of an unfinished one.
- GetFirmwareVersion: 32 01 06 07 (UM 7.2.2). SetParameters bit 4: RATS by itself, on after power-up (UM 7.2.9).
- RFConfiguration item 1 bit 0: field; item 5, third byte: tries to activate a card, FF (for ever) after power-up
  (UM 7.3.1). InListPassiveTarget switches the field on and lists number, target, SENS_RES, SEL_RES, length and card
  number, and the ATS where RATS was sent (UM 7.3.5).
- After power-up the chip is in its low-battery state until SAMConfiguration (AN). What it says to InListPassiveTarget
  there is not told: nothing, here.

A frame of which only a part was read is gone, as the harsher reading of what the manual leaves open.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

_ACK = bytes.fromhex("0000ff00ff00")
_NACK = bytes.fromhex("0000ffff0000")
_ERROR = bytes.fromhex("0000ff01ff7f8100")
_ACK_AFTER_S = 0.001
_TRY_S = 0.005
_LIST_S = 0.015


@dataclass(frozen=True, slots=True)
class SimulatedCard:
    """A type A card: its number, what it says it is, and the ATS of one that has a processor."""

    uid: bytes
    sel_res: int = 0x08
    ats: bytes = b""


class SimulatedPn532:
    """The chip at 0x24. ``mangle`` is what the wires do to each frame it sends."""

    def __init__(self, *, silicon: bytes = b"\x32\x01\x06\x07") -> None:
        self.address = 0x24
        self.card: SimulatedCard | None = None
        self.field_on = False
        self.mangle: Callable[[bytes], bytes] = bytes
        self.commands: list[int] = []
        self.aborted = 0
        self._silicon = silicon
        self._now_s = 0.0
        self.power_on(0.0)

    # -- the world ---------------------------------------------------------------------------------------------------

    def lay_on(self, card: SimulatedCard) -> None:
        self.card = card

    def take_off(self) -> None:
        self.card = None

    # -- the bus -----------------------------------------------------------------------------------------------------

    def power_on(self, at_s: float) -> None:
        self._now_s = max(self._now_s, at_s)
        self.field_on = False
        self._low_battery = True
        self._sends_rats = True
        self._tries = 0xFF
        self._acknowledges_s = math.inf
        self._answers_s = math.inf
        self._answer: Callable[[], bytes | None] | None = None
        self._last = b""

    def advance(self, now_s: float) -> None:
        self._now_s = max(self._now_s, now_s)

    def write(self, payload: bytes) -> None:
        if payload == _ACK:
            self.aborted += self._answer is not None
            self._forget()
        elif payload == _NACK:
            if self._last:
                again = self._last
                self._answer, self._answers_s = (lambda: again), self._now_s + _ACK_AFTER_S
        elif self._is_whole(payload):
            self._forget()
            self._acknowledges_s = self._now_s + _ACK_AFTER_S
            self._obey(payload[6], payload[7:-2])

    def read(self, count: int) -> bytes:
        frame = self._ready()
        if frame is None:
            return bytes(count)
        if count > 1:
            self._taken()
            frame = self.mangle(frame)
        return (b"\x01" + frame + bytes(count))[:count]

    # -- inside ------------------------------------------------------------------------------------------------------

    @staticmethod
    def _is_whole(payload: bytes) -> bool:
        if len(payload) < 9 or payload[:3] != b"\x00\x00\xff" or payload[5] != 0xD4:
            return False
        length = payload[3]
        return (
            (length + payload[4]) % 256 == 0 and len(payload) == length + 7 and sum(payload[5 : 6 + length]) % 256 == 0
        )

    def _forget(self) -> None:
        self._acknowledges_s = self._answers_s = math.inf
        self._answer = None

    def _ready(self) -> bytes | None:
        if self._acknowledges_s < math.inf:
            return _ACK if self._now_s >= self._acknowledges_s else None
        if self._answer is not None and self._now_s >= self._answers_s:
            return self._answer()
        return None

    def _taken(self) -> None:
        if self._acknowledges_s < math.inf:
            self._acknowledges_s = math.inf
            return
        assert self._answer is not None
        self._last = self._answer() or b""
        self._forget()

    def _obey(self, code: int, parameters: bytes) -> None:
        self.commands.append(code)
        answer, takes_s = b"", 0.002
        if code == 0x14:
            self._low_battery = False
        elif code == 0x02:
            answer = self._silicon
        elif code == 0x12:
            self._sends_rats = bool(parameters[0] & 0x10)
        elif code == 0x32 and parameters[0] == 0x01:
            self.field_on = bool(parameters[1] & 0x01)
        elif code == 0x32 and parameters[0] == 0x05:
            self._tries = parameters[3]
        elif code == 0x4A:
            self._list()
            return
        else:
            self._answer, self._answers_s = (lambda: _ERROR), self._now_s + takes_s
            return
        frame = _framed(bytes([code + 1]) + answer)
        self._answer, self._answers_s = (lambda: frame), self._now_s + takes_s

    def _list(self) -> None:
        if self._low_battery:
            return
        self.field_on = True
        for_ever = self._tries == 0xFF
        takes_s = _LIST_S if self.card is not None or for_ever else _TRY_S * (1 + self._tries)

        def listed() -> bytes | None:
            card = self.card
            if card is None:
                return None if for_ever else _framed(b"\x4b\x00")
            sens_res = bytes([0x00, {4: 0x04, 7: 0x44, 10: 0x84}.get(len(card.uid), 0x04)])
            target = b"\x4b\x01\x01" + sens_res + bytes([card.sel_res, len(card.uid)]) + card.uid
            return _framed(target + (card.ats if self._sends_rats else b""))

        self._answer, self._answers_s = listed, self._now_s + takes_s


def _framed(content: bytes) -> bytes:
    """``content`` (its code first) as the chip sends it."""
    data = b"\xd5" + content
    return bytes([0, 0, 0xFF, len(data), 256 - len(data)]) + data + bytes([(256 - sum(data) % 256) % 256, 0])
