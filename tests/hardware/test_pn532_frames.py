"""Frames of the PN532, byte by byte from the user manual's own rules and, for any bytes, never a wrong card."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere_hardware.pn532_frames import (
    ACK,
    FIELD_OFF,
    FIRMWARE,
    LIST,
    NACK,
    NO_RATS,
    NORMAL_MODE,
    ONE_TRY,
    SCAN,
    SETUP,
    Command,
    FrameError,
    Kind,
    answer_to,
    card_of,
    unpack,
    version_of,
)


def framed(content: bytes) -> bytes:
    """Length, its complement, checksum: counted by hand here, apart from the driver."""
    return (
        b"\x00\x00\xff"
        + bytes([len(content), (256 - len(content)) % 256])
        + content
        + bytes([(256 - sum(content) % 256) % 256, 0])
    )


@pytest.mark.parametrize(
    ("command", "frame"),
    [
        (FIRMWARE, "0000ff02fed4022a00"),
        (NORMAL_MODE, "0000ff05fbd4140100001700"),
        (NO_RATS, "0000ff03fdd412041600"),
        (ONE_TRY, "0000ff06fad43205ff0100f500"),
        (LIST, "0000ff04fcd44a0100e100"),
        (FIELD_OFF, "0000ff04fcd4320100f900"),
    ],
)
def test_commands_are_framed_as_the_manual_says(command: Command, frame: str) -> None:
    assert command.frame.hex() == frame


def test_the_three_small_frames() -> None:
    assert unpack(ACK) == (Kind.ACK, b"")
    assert unpack(NACK) == (Kind.NACK, b"")
    with pytest.raises(FrameError, match="does not understand"):
        unpack(bytes.fromhex("0000ff01ff7f8100"))


def test_a_firmware_answer_and_what_is_another_chip() -> None:
    kind, content = unpack(bytes.fromhex("0000ff06fad50332010607e800"))
    assert kind is Kind.ANSWER
    assert version_of(answer_to(FIRMWARE, content)) == "PN532 1.6"
    with pytest.raises(FrameError, match="something else"):
        version_of(bytes.fromhex("33010607"))
    with pytest.raises(FrameError, match="something else"):
        answer_to(LIST, content)


@pytest.mark.parametrize("uid", ["deadbeef", "04a2b3c4d5e680", "04112233445566778899"])
def test_card_numbers_of_all_three_lengths(uid: str) -> None:
    number = bytes.fromhex(uid)
    data = framed(b"\xd5\x4b\x01\x01\x00\x44\x00" + bytes([len(number)]) + number)
    assert len(data) <= LIST.answer_bytes
    _, content = unpack(data)
    assert card_of(answer_to(LIST, content)) == uid.upper()


def test_no_card_is_no_card() -> None:
    _, content = unpack(framed(b"\xd5\x4b\x00"))
    assert card_of(answer_to(LIST, content)) == ""


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "00ff",  # no card, and more
        "02010004000404deadbeef",  # two targets were not asked for
        "01020004080 4deadbeef".replace(" ", ""),  # target 2
        "0101000408",  # cut
        "010100040804deadbe",  # three bytes of four
        "010100040804deadbeef06757781",  # an ATS though RATS is off
        "010100040805deadbeef01",  # five bytes
        "010100040800",
    ],
)
def test_a_list_that_cannot_be_is_refused(answer: str) -> None:
    with pytest.raises(FrameError):
        card_of(bytes.fromhex(answer))


def test_the_preamble_may_be_longer_or_missing() -> None:
    frame = framed(b"\xd5\x4b\x00")
    assert unpack(b"\x00\x00\x00" + frame) == unpack(frame[1:]) == unpack(frame)
    with pytest.raises(FrameError):
        unpack(b"\x07" + frame)


@pytest.mark.parametrize("cut", range(9))
def test_a_frame_cut_short_is_none(cut: int) -> None:
    with pytest.raises(FrameError):
        unpack(framed(b"\xd5\x4b\x00")[:cut])


def test_a_length_that_does_not_fit_its_own_checksum_is_not_believed() -> None:
    frame = bytearray(framed(b"\xd5\x4b\x00"))
    frame[4] ^= 0x01
    with pytest.raises(FrameError, match="length"):
        unpack(bytes(frame))


def test_our_own_frame_heard_back_is_no_answer() -> None:
    with pytest.raises(FrameError, match="not from the reader"):
        unpack(LIST.frame)


@given(st.binary(min_size=1, max_size=10).filter(lambda uid: len(uid) in (4, 7, 10)), st.integers(0, 24), st.data())
def test_one_wrong_byte_never_makes_another_card(uid: bytes, place: int, data: st.DataObject) -> None:
    frame = bytearray(framed(b"\xd5\x4b\x01\x01\x00\x44\x00" + bytes([len(uid)]) + uid))
    place %= len(frame)
    frame[place] = data.draw(st.integers(0, 255))
    try:
        kind, content = unpack(bytes(frame))
        found = card_of(answer_to(LIST, content)) if kind is Kind.ANSWER else None
    except FrameError:
        return
    assert found in (uid.hex().upper(), None)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_sound_frame_or_an_error(data: bytes) -> None:
    try:
        kind, content = unpack(data)
    except FrameError:
        return
    if kind is Kind.ANSWER:
        assert framed(b"\xd5" + content)[1:-1] in data  # all but the zeros around it, which may differ in number


def test_every_answer_fits_what_is_read_for_it() -> None:
    for command in SETUP + SCAN:
        assert command.answer_bytes <= LIST.answer_bytes == 25
