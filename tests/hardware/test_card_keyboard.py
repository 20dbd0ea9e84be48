"""The reader that types: raw kernel events through a real FIFO, and through a real uinput device where there is one."""

import errno
import fcntl
import os
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere_hardware.card_keyboard import POLL_S, CardKeyboard, Typed
from somnisphere_hardware.card_reader import CardSeen, CardSign, ReaderState

# linux/input-event-codes.h, written down here apart from the driver
KEYS = {
    "1": 2, "2": 3, "3": 4, "4": 5, "5": 6, "6": 7, "7": 8, "8": 9, "9": 10, "0": 11,
    "a": 30, "b": 48, "c": 46, "d": 32, "e": 18, "f": 33, "\n": 28, "⇧": 42, "z": 44, " ": 57, "⌤": 96,
}  # fmt: skip
PAD = {"7": 71, "8": 72, "9": 73, "4": 75, "5": 76, "6": 77, "1": 79, "2": 80, "3": 81, "0": 82}
EVENT_BYTES = 24 if sys.maxsize > 2**32 else 16


def event(kind: int, code: int, value: int, at_us: int = 0) -> bytes:
    """One ``struct input_event``, field by field."""
    time_bytes = at_us.to_bytes(EVENT_BYTES - 8, sys.byteorder)
    packed = time_bytes + struct.pack("=HHi", kind, code, value)
    assert len(packed) == EVENT_BYTES
    return packed


def stroke(code: int) -> bytes:
    """Scan code, press, report, release, report: what a keyboard gives for one key."""
    return event(4, 4, 0x7001E) + event(1, code, 1, 1_700_000_000) + event(0, 0, 0) + event(1, code, 0) + event(0, 0, 0)


def typed(text: str, keys: dict[str, int] = KEYS) -> bytes:
    return b"".join(stroke(keys.get(letter, KEYS.get(letter, 0))) for letter in text)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0006543210\n", ["0006543210"]),
        ("1234567890⌤", ["1234567890"]),
        ("⇧d⇧e⇧a⇧dbeef\n", ["DEADBEEF"]),
        ("0006543210\n0006543210\n0007777777\n", ["0006543210", "0006543210", "0007777777"]),
        ("00065z43210\n", []),
        ("0006 543210\n1234567\n", ["1234567"]),
        ("\n\n\n", []),
        ("123\n1234\n", ["1234"]),
        ("1" * 32 + "\n", ["1" * 32]),
        ("1" * 33 + "\n", []),
        ("1" * 500 + "\n4444\n", ["4444"]),
        ("1234567890", []),
    ],
)
def test_digits_and_enter_are_a_number(text: str, numbers: list[str]) -> None:
    assert Typed().feed(typed(text), 1.0) == numbers


def test_the_number_pad_types_the_same() -> None:
    assert Typed().feed(typed("9876543210\n", PAD), 1.0) == ["9876543210"]


def test_repeats_and_releases_are_no_strokes() -> None:
    held = event(1, KEYS["5"], 1) + event(1, KEYS["5"], 2) * 30 + event(1, KEYS["5"], 0)
    assert Typed().feed(held + typed("678\n"), 1.0) == ["5678"]


@pytest.mark.parametrize("size", [1, 5, 7, EVENT_BYTES - 1, EVENT_BYTES + 1, 100])
def test_reads_that_end_anywhere(size: int) -> None:
    data, reader, numbers = typed("0006543210\n1234567\n"), Typed(), []
    for start in range(0, len(data), size):
        numbers += reader.feed(data[start : start + size], 1.0)
    assert numbers == ["0006543210", "1234567"]


def test_what_was_cut_off_is_not_the_beginning_of_the_next_card() -> None:
    reader = Typed()
    assert reader.feed(typed("00065"), 1.0) == []
    assert reader.feed(typed("1234567\n"), 5.0) == ["1234567"]
    assert reader.feed(typed("12"), 6.0) == []
    assert reader.feed(typed("34\n"), 6.2) == ["1234"]


def test_events_that_the_kernel_dropped_spoil_the_number() -> None:
    reader = Typed()
    assert reader.feed(typed("0006") + event(0, 3, 0) + typed("543210\n1234567\n"), 1.0) == ["1234567"]


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_any_bytes_are_read_without_a_word(chunks: list[bytes]) -> None:
    reader = Typed()
    for chunk in chunks:
        for number in reader.feed(chunk, 1.0):
            assert 4 <= len(number) <= 32
            assert set(number) <= set("0123456789ABCDEF")


# ---- through a file descriptor ---------------------------------------------------------------------------------------


class Fifo:
    """A FIFO in place of /dev/input/event*; grabbing it is written down."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.grabbed = 0
        self.end: int | None = None

    def plug(self) -> None:
        os.mkfifo(self.path)
        self.end = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)

    def unplug(self) -> None:
        assert self.end is not None
        self.path.unlink()
        os.close(self.end)
        self.end = None

    def type(self, data: bytes) -> None:
        assert self.end is not None
        os.write(self.end, data)

    def grab(self, descriptor: int) -> None:
        os.fstat(descriptor)
        self.grabbed += 1


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    made = Fifo(tmp_path / "event7")
    made.plug()
    yield made
    if made.end is not None:
        made.unplug()


def test_a_card_is_read_from_the_device_and_the_device_is_ours_alone(fifo: Fifo) -> None:
    reader = CardKeyboard(str(fifo.path), fifo.grab)
    assert reader.poll(0.0) == [ReaderState(0.0, True, "event7")]
    assert fifo.grabbed == 1
    assert reader.due_s == pytest.approx(POLL_S)
    fifo.type(typed("0006543210\n"))
    assert reader.poll(0.01) == [], "not before it is due"
    assert reader.poll(0.1) == [CardSeen(0.1, "0006543210")]
    assert reader.poll(0.2) == []
    reader.close()


def test_an_event_in_two_writes(fifo: Fifo) -> None:
    reader, data = CardKeyboard(str(fifo.path), fifo.grab), typed("0006543210\n")
    reader.poll(0.0)
    fifo.type(data[:777])
    assert reader.poll(0.1) == []
    fifo.type(data[777:])
    assert reader.poll(0.2) == [CardSeen(0.2, "0006543210")]
    reader.close()


def test_unplugged_and_plugged_in_again(fifo: Fifo) -> None:
    reader = CardKeyboard(str(fifo.path), fifo.grab)
    reader.poll(0.0)
    fifo.type(typed("0006") + event(1, KEYS["5"], 1)[:7])
    reader.poll(0.5)
    fifo.unplug()
    (gone,) = [sign for at_s in (1.0, 1.1, 3.1, 9.0) for sign in reader.poll(at_s)]
    assert isinstance(gone, ReaderState)
    assert not gone.ok
    assert "is it plugged in?" in gone.problem
    assert reader.due_s >= 11.0, "no hurry"
    fifo.plug()
    assert reader.poll(11.0) == [ReaderState(11.0, True, "event7")]
    assert fifo.grabbed == 2
    fifo.type(typed("1234567\n"))
    assert reader.poll(11.1) == [CardSeen(11.1, "1234567")], "and not the beginning of the other one"
    reader.close()


def test_a_card_read_just_before_the_plug_was_pulled_counts(fifo: Fifo) -> None:
    reader = CardKeyboard(str(fifo.path), fifo.grab)
    reader.poll(0.0)
    fifo.type(typed("1234567\n"))
    fifo.unplug()
    signs = reader.poll(1.0)
    assert signs[0] == CardSeen(1.0, "1234567")
    signs += reader.poll(1.1) + reader.poll(3.2)
    assert [type(sign) for sign in signs] == [CardSeen, ReaderState]


def opened(path: Path) -> int:
    """How many of this process's descriptors are of that file; others come and go with what is collected."""
    return [os.path.realpath(entry.path) for entry in os.scandir("/proc/self/fd")].count(str(path))


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.EBUSY, "another program"), (errno.EACCES, "usermod -aG input"), (errno.ENOTTY, "no input device")],
)
def test_a_device_that_cannot_be_grabbed_is_a_sentence_and_no_descriptor_is_left(
    code: int, words: str, fifo: Fifo
) -> None:
    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    before = opened(fifo.path)
    reader = CardKeyboard(str(fifo.path), refuse)
    signs = [sign for at_s in range(0, 60, 3) for sign in reader.poll(float(at_s))]
    assert len(signs) == 1
    assert isinstance(signs[0], ReaderState)
    assert words in signs[0].problem
    assert opened(fifo.path) == before


@pytest.mark.parametrize(("path", "words"), [("/nowhere/event0", "plugged in"), ("/dev/null", "no input device")])
def test_the_real_grab_tells_what_is_no_device(path: str, words: str) -> None:
    (sign,) = CardKeyboard(path).poll(0.0)
    assert isinstance(sign, ReaderState)
    assert path in sign.problem
    assert words in sign.problem


def test_a_key_that_something_lies_on_does_not_hold_us(fifo: Fifo) -> None:
    assert fifo.end is not None
    reader = CardKeyboard(str(fifo.path), fifo.grab)
    reader.poll(0.0)
    fcntl.fcntl(fifo.end, 1031, 1 << 20)  # F_SETPIPE_SZ
    fifo.type(event(1, KEYS["5"], 2) * 20_000)
    started_s = time.monotonic()
    assert reader.poll(0.1) == []
    assert time.monotonic() - started_s < 0.5
    reader.close()


# ---- a real device ---------------------------------------------------------------------------------------------------

UI_SET_EVBIT, UI_SET_KEYBIT, UI_DEV_CREATE, UI_DEV_DESTROY = 0x40045564, 0x40045565, 0x5501, 0x5502


@pytest.mark.skipif(not os.access("/dev/uinput", os.W_OK), reason="needs /dev/uinput, a kernel's own virtual keyboard")
def test_a_kernel_keyboard() -> None:
    made = os.open("/dev/uinput", os.O_WRONLY | os.O_NONBLOCK)
    try:
        fcntl.ioctl(made, UI_SET_EVBIT, 1)
        for code in KEYS.values():
            fcntl.ioctl(made, UI_SET_KEYBIT, code)
        name = b"Somnisphere test reader"
        os.write(made, name.ljust(80, b"\0") + struct.pack("=HHHHI", 3, 1, 1, 1, 0) + bytes(4 * 64 * 4))
        fcntl.ioctl(made, UI_DEV_CREATE)
        reader = CardKeyboard(node_of(name.decode()))
        try:
            deadline_s = time.monotonic() + 10.0
            signs: list[CardSign] = []
            while not any(isinstance(sign, ReaderState) and sign.ok for sign in signs):
                assert time.monotonic() < deadline_s, signs
                signs += reader.poll(time.monotonic())
                time.sleep(0.05)
            os.write(made, typed("0006543210\n"))
            while not any(isinstance(sign, CardSeen) for sign in signs):
                assert time.monotonic() < deadline_s, signs
                signs += reader.poll(time.monotonic())
                time.sleep(0.05)
            assert [sign.card_id for sign in signs if isinstance(sign, CardSeen)] == ["0006543210"]
        finally:
            reader.close()
    finally:
        fcntl.ioctl(made, UI_DEV_DESTROY)
        os.close(made)


def node_of(name: str) -> str:
    """The event node of the device with this name, waited for."""
    deadline_s = time.monotonic() + 10.0
    while time.monotonic() < deadline_s:
        for folder in Path("/sys/class/input").glob("event*"):
            if (folder / "device" / "name").read_text().strip() == name:
                return f"/dev/input/{folder.name}"
        time.sleep(0.05)
    raise AssertionError("the kernel made no event node")
