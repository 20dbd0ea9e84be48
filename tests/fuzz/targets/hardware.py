"""What chips and programs at the bed may say: frames of the card reader, typed cards, mpv's lines, chip registers."""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from unittest.mock import patch

import numpy as np
from tests.fuzz.dough import Dough
from tests.fuzz.target import Target, sentence

from somnisphere.sleep.pipeline import SleepPipeline
from somnisphere_hardware import mpv_speaker
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus, BusError, BusTraffic
from somnisphere_hardware.card_keyboard import Typed
from somnisphere_hardware.card_reader import CardGone, ReaderState
from somnisphere_hardware.mpv_ipc import LINK_UP, MpvLink
from somnisphere_hardware.pn532 import Pn532
from somnisphere_hardware.pn532_frames import ACK, FIELD_OFF, LIST, SETUP, FrameError, card_of, unpack, version_of
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS, MotionBlock, PartState, PulseBlock

_CARD = re.compile("[0-9A-F]{4,32}")
_STORY = Path(__file__)
_CODES = (121, 110, 5, 11, 19, 95)


class _Wire(Bus):
    """Answers with what the fuzzer says: a frame, any bytes, or no answer at all."""

    def __init__(self, dough: Dough, answers: Callable[[Dough, int], bytes]) -> None:
        self.number = 1
        self.traffic = BusTraffic()
        self._dough, self._say = dough, answers

    def read(self, address: int, register: int, length: int) -> bytes:
        self._hang(address, register)
        if (known := _CHIP_IDS.get((address, register))) is not None and self._dough.byte() % 16 != 1:
            return bytes([known]).ljust(length, b"\0")
        return self.receive(address, length)

    def receive(self, address: int, length: int) -> bytes:
        self._hang(address, None)
        return self._say(self._dough, length).ljust(length, b"\0")[:length]

    def write(self, address: int, register: int, *values: int) -> None:
        assert all(0 <= value <= 255 for value in values)
        self._hang(address, register)

    def send(self, address: int, data: bytes) -> None:
        assert data
        self._hang(address, None)

    def kernel_driver(self, address: int) -> str:  # noqa: ARG002
        return ""

    def close(self) -> None:
        pass

    def _hang(self, address: int, register: int | None) -> None:
        if self._dough.byte() == 255:
            raise BusError(self._dough.choice(_CODES), "it hangs", address, register)


_CHIP_IDS = {(0x57, 0xFF): 0x15, (0x68, 0x75): 0x68, (0x18, 0x0F): 0x33, (0x53, 0x00): 0xE5}


def one(data: bytes) -> None:
    dough = Dough(data)
    _WAYS[dough.number(len(_WAYS) - 1)](dough)


# ---- the card reader ------------------------------------------------------------------------------------------------


def _frame(code: int, answer: bytes) -> bytes:
    content = bytes([0xD5, (code + 1) & 0xFF, *answer])
    head = bytes([0, 0, 0xFF, len(content) & 0xFF, -len(content) & 0xFF])
    return b"\x01" + head + content + bytes([-sum(content) & 0xFF, 0])


_GOOD = (
    b"\x01" + ACK,
    *(_frame(command.code, b"") for command in SETUP),
    _frame(SETUP[1].code, b"\x32\x01\x06\x07"),
    _frame(LIST.code, b"\x01\x01\0\x04\x08\x04\x01\x02\x03\x04"),
    _frame(LIST.code, b"\0"),
    _frame(FIELD_OFF.code, b""),
    b"\0",
)


def _reader_answers(dough: Dough, length: int) -> bytes:
    way = dough.byte()
    if way < 200:
        return _GOOD[way % len(_GOOD)]
    return _frame(dough.byte(), dough.blob(30)) if way < 230 else dough.blob(length)


def _reader(dough: Dough) -> None:
    wire = _Wire(dough, _reader_answers)
    reader, at_s = Pn532(lambda: wire), 0.0
    while not dough.over and at_s < 600.0:
        for sign in reader.poll(at_s):
            if isinstance(sign, ReaderState):
                assert sign.ok or len(sign.problem) > 10
            else:
                assert _CARD.fullmatch(sign.card_id), sign
                assert isinstance(sign, CardGone) or sign.at_s == at_s
        assert math.isfinite(reader.due_s)
        at_s = max(at_s + 0.001, reader.due_s)
    reader.close()


def _frames(dough: Dough) -> None:
    data = dough.rest()
    try:
        _, content = unpack(data)
    except FrameError as problem:
        sentence(problem)
        return
    for read in (card_of, version_of):
        try:
            assert len(read(content[1:])) <= 32
        except FrameError as problem:
            sentence(problem)


def _typed(dough: Dough) -> None:
    typed, at_s = Typed(), 0.0
    while not dough.over:
        at_s += dough.byte() / 64
        for number in typed.feed(dough.blob(255), at_s):
            assert _CARD.fullmatch(number)


# ---- mpv ------------------------------------------------------------------------------------------------------------


class _Link(MpvLink):
    """Without a process: what it hears is given to it."""

    def __init__(self, command: Sequence[str], socket_path: Path, wake: Callable[[], None] | None = None) -> None:
        assert command
        assert socket_path.name
        self._socket = None
        self._wake = wake
        self._last_id = 0
        self._inbox = SimpleQueue()
        self._tell({"event": LINK_UP})

    @property
    def exit_code(self) -> int | None:
        return None

    def close(self, patience_s: float = 0.5) -> None:
        assert patience_s >= 0

    def hear(self, line: bytes) -> None:
        self._hear(line)


_EVENTS = ("start-file", "playback-restart", "end-file", "link-down", "link-up", "idle")
_MPV_KEYS = ("event", "playlist_entry_id", "request_id", "data", "error", "reason", "file_error")


def _line(dough: Dough) -> bytes:
    match dough.number(3):
        case 0:
            return dough.blob(200)
        case 1:
            event = {"event": dough.choice(_EVENTS), "playlist_entry_id": dough.number(2), "reason": "eof"}
            return json.dumps(event | ({"reason": dough.odd()} if dough.flag() else {})).encode()
        case 2:
            entry = {"playlist_entry_id": dough.number(2)} if dough.flag() else dough.odd()
            return json.dumps({"request_id": dough.number(12), "data": entry, "error": "success"}).encode()
        case _:
            return json.dumps(dough.odd(_MPV_KEYS)).encode()


def _mpv(dough: Dough) -> None:
    with patch.object(mpv_speaker, "MpvLink", _Link):
        speaker, at_s = mpv_speaker.MpvSpeaker(Path("/run")), 0.0
        while not dough.over:
            _wish(speaker, dough)
            link = speaker._link
            if isinstance(link, _Link):
                for _ in range(dough.number(4)):
                    link.hear(_line(dough))
            at_s += dough.byte() / 32
            for report in speaker.step(at_s):
                assert math.isfinite(report.position_s)
                assert report.position_s >= 0.0
                assert (report.state == "failed") == bool(report.problem)
            assert speaker.due_s is None or math.isfinite(speaker.due_s)
        speaker.close()


def _wish(speaker: mpv_speaker.MpvSpeaker, dough: Dough) -> None:
    match dough.number(8):
        case 0 | 1:
            speaker.play(_STORY, dough.byte() / 8, -20.0)
        case 2:
            speaker.pause()
        case 3:
            speaker.resume(-10.0)
        case 4:
            speaker.stop()
        case 5:
            speaker.hold(dough.byte() / 8, 2.0)
        case 6:
            speaker.set_gain(-dough.byte() / 4)


# ---- chips ----------------------------------------------------------------------------------------------------------


def _chips(dough: Dough) -> None:
    """Registers of any content: blocks within the chips' own bounds, or a sentence; the pipeline takes all of them."""
    wire = _Wire(
        dough, lambda dough, length: dough.blob(length) if dough.byte() % 4 else bytes([dough.byte()]) * length
    )
    bedside, pipeline, at_s = Bedside(lambda: wire), SleepPipeline(), 0.0
    while not dough.over and at_s < 300.0:
        for sample in bedside.poll(at_s):
            _check(sample)
            pipeline.add(sample)
        for epoch in pipeline.advance(at_s):
            assert epoch.heart_bpm is None or 20 <= epoch.heart_bpm <= 300
        assert math.isfinite(bedside.due_s)
        at_s = max(at_s + 0.005, bedside.due_s)
    bedside.close()


def _check(sample: PulseBlock | MotionBlock | PartState) -> None:
    match sample:
        case PulseBlock():
            for light in (sample.red, sample.ir):
                assert light.min() >= 0
                assert light.max() <= PULSE_FULL_SCALE_COUNTS
            assert len(sample.ir) == len(sample.red)
        case MotionBlock():
            assert np.isfinite(sample.accel_g).all()
            assert np.abs(sample.accel_g).max() <= 17.0
        case PartState():
            assert sample.ok or len(sample.problem) > 10


_WAYS: tuple[Callable[[Dough], None], ...] = (_reader, _frames, _typed, _mpv, _chips)


def seeds() -> Iterator[bytes]:
    ack, ready = b"\0\0\0\0", b"\0\0\0\x08"
    yield b"\0" + b"".join(ack + ready for _ in range(20))
    yield b"\0" + bytes(400)
    for good in _GOOD:
        yield b"\x01" + good[1:]
    yield b"\x02\x08\xf0" + b"".join(bytes(18) + bytes([code, 0, 1, 0, 0, 0]) for code in (2, 3, 4, 5, 28))[:240]
    yield b"\x03" + bytes([0, 8, 2, 2, 1, 1, 1, 4, 7, 2, 1, 0, 1, 0, 0, 1, 1, 1, 0, 4, 1, 2, 3])
    yield b"\x03" + bytes(range(200))
    yield b"\x04" + bytes(600)
    yield b"\x04" + bytes(k * 7 % 251 for k in range(3000))


TARGET = Target(one, seeds, words=(*_EVENTS, *_MPV_KEYS, "\x00\x00\x7f", "success"))
