"""The card reader through the real smbus2 against a chip written apart from it: cards on and off, every fault of the
bus, and what it costs the bus."""

import errno

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hardware.bed import TellTale, bed_of
from tests.hardware.desk import BEAR, FOX, LONG, PASS, Desk, desk_of, reading
from tests.hardware.scripted_bus import ScriptedBus

from somnisphere_hardware.bus import Bus, BusError
from somnisphere_hardware.card_reader import CardSeen, ReaderState
from somnisphere_hardware.pn532 import ADDRESS, LONGEST_POLL_BYTES, Pn532
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.faults import (
    BrownOut,
    CutRead,
    Fault,
    Forbidden,
    NoNode,
    Refused,
    StuckBus,
    Unplugged,
    nack,
    timed_out,
    try_again,
)
from somnisphere_hardware.simulated.lis3dh import SimulatedLis3dh
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.pn532 import SimulatedCard, SimulatedPn532


def test_a_card_is_said_once_when_laid_on_and_once_when_taken_off() -> None:
    with reading() as (desk, chip):
        desk.run(5.0)
        assert desk.signs == [ReaderState(desk.signs[0].at_s, True, "PN532 1.6", "")]
        assert desk.signs[0].at_s < 0.3
        chip.lay_on(BEAR)
        desk.run(20.0)
        assert desk.cards == [("on", "04A2B3C4D5E680")]
        assert 5.0 <= desk.signs[-1].at_s < 5.8
        chip.take_off()
        desk.run(30.0)
        assert desk.cards == [("on", "04A2B3C4D5E680"), ("off", "04A2B3C4D5E680")]
        assert desk.signs[-1].at_s < 21.6
        assert len(desk.states) == 1


@pytest.mark.parametrize("card", [BEAR, FOX, LONG, PASS])
def test_cards_of_every_kind_give_their_number(card: SimulatedCard) -> None:
    with reading() as (desk, chip):
        chip.lay_on(card)
        desk.run(2.0)
        assert desk.cards == [("on", card.uid.hex().upper())]


def test_a_card_exchanged_for_another_between_two_listings() -> None:
    with reading() as (desk, chip):
        chip.lay_on(BEAR)
        desk.run(2.0)
        chip.lay_on(FOX)
        desk.run(4.0)
        assert desk.cards == [("on", "04A2B3C4D5E680"), ("off", "04A2B3C4D5E680"), ("on", "DEADBEEF")]


def test_a_card_missed_once_still_lies_there() -> None:
    with reading() as (desk, chip):
        chip.lay_on(BEAR)
        desk.run(2.0)
        for _ in range(20):
            chip.take_off()
            listed = chip.commands.count(0x4A)
            while chip.commands.count(0x4A) == listed:
                desk.run(desk.at_s + 0.005)
            desk.run(desk.at_s + 0.1)
            chip.lay_on(BEAR)
            desk.run(desk.at_s + 0.6)
        assert desk.cards == [("on", "04A2B3C4D5E680")]


def test_the_field_is_off_between_listings_and_after_the_end() -> None:
    with reading() as (desk, chip):
        chip.lay_on(BEAR)
        on = 0
        for step in range(1000):
            desk.run(1.0 + step * 0.01)
            on += chip.field_on
        assert 20 < on < 150, "about 40 ms of each half second"
        while not chip.field_on:
            desk.run(desk.at_s + 0.005)
        desk.reader.close()
        assert not chip.field_on


def test_what_the_chip_was_doing_before_is_ended_first() -> None:
    chip = SimulatedPn532()
    with desk_of(chip) as desk, Bus_of(desk) as other:
        other.send(ADDRESS, bytes.fromhex("0000ff05fbd4140100001700"))
        desk.sim.wait(0.01)
        assert other.receive(ADDRESS, 7)[1:] == bytes.fromhex("0000ff00ff00")
        other.send(ADDRESS, bytes.fromhex("0000ff04fcd44a0100e100"))  # lists for ever: it never had RFConfiguration
        desk.run(2.0)
        assert chip.aborted == 1
        assert [state.ok for state in desk.states] == [True]
        chip.lay_on(FOX)
        desk.run(4.0)
        assert desk.cards == [("on", "DEADBEEF")]


class Bus_of:  # noqa: N801 (reads as a phrase)
    """Another program's hand on the same bus."""

    def __init__(self, desk: Desk) -> None:
        self._bus = Bus.open(desk.sim.number)

    def __enter__(self) -> Bus:
        return self._bus

    def __exit__(self, *_: object) -> None:
        self._bus.close()


# ---- the bus ---------------------------------------------------------------------------------------------------------


def test_no_poll_holds_the_bus_for_long() -> None:
    """And in sum the reader is a guest there: the sensors need 500 bytes a second."""
    with reading() as (desk, chip):
        for minute in range(2):
            chip.lay_on(LONG if minute % 2 else PASS)
            desk.run(60.0 * (minute + 1))
        assert max(desk.poll_bytes) <= LONGEST_POLL_BYTES == 29
        assert max(desk.poll_took_s) < 0.001
        traffic = desk.reader.traffic
        assert (traffic.transactions, traffic.bytes) == (desk.sim.transactions, desk.sim.wire_bytes)
        assert traffic.bytes / 120.0 < 200.0
        assert traffic.transactions / 120.0 < 24.0
        assert traffic.errors == 0


def test_polled_too_early_nothing_happens_and_polled_too_late_all_is_well() -> None:
    with reading() as (desk, chip):
        desk.run(1.0)
        chip.lay_on(FOX)
        before = desk.sim.transactions
        desk.reader.poll(desk.reader.due_s - 0.1)
        assert desk.sim.transactions == before
        for step in range(40):  # every poll comes three seconds late
            desk.sim.now_s = desk.at_s = 1.0 + 3.0 * step
            desk.signs += desk.reader.poll(desk.at_s)
        assert desk.cards == [("on", "DEADBEEF")]
        assert all(state.ok for state in desk.states)


def test_the_sensors_on_the_same_bus_lose_nothing_and_are_never_late() -> None:
    """Heart and motion are polled on time beside a reader with a card on it: no gap, and every sample true."""
    body, chip = TellTale(), SimulatedPn532()
    chip.lay_on(BEAR)
    with bed_of(SimulatedMax30102(body), SimulatedLis3dh(body), chip) as bed:
        reader, seen = Pn532(lambda: Bus.open(1)), 0
        at_s, latest_s = 0.0, 0.0
        while at_s < 120.0:
            bed.sim.now_s = max(bed.sim.now_s, at_s)
            if reader.due_s <= at_s:
                seen += sum(isinstance(sign, CardSeen) for sign in reader.poll(at_s))
            if bed.bedside.due_s <= at_s:
                latest_s = max(latest_s, bed.sim.now_s - at_s)
                bed.samples += bed.bedside.poll(bed.sim.now_s)
            at_s = max(at_s + 0.001, min(reader.due_s, bed.bedside.due_s))
        reader.close()
    assert seen == 1
    assert latest_s < 0.001, "the most that a poll of the reader held the bus"
    assert sum(len(block.ir) for block in bed.pulse) > 5900, "50 a second"
    assert (bed.gaps("pulse"), bed.gaps("motion")) == (0, 0)
    assert bed.bedside.samples_lost == {"pulse": 0, "motion": 0}
    bed.check_time()
    bed.check_truth(body)


@pytest.mark.parametrize(
    "fault",
    [
        nack(ADDRESS, from_s=5.0, times=1),
        nack(ADDRESS, from_s=5.0, times=2),
        try_again(ADDRESS, from_s=5.0),
        Refused(errno.EIO, ADDRESS, from_s=5.0, times=2),
        CutRead(ADDRESS, from_s=5.0, times=2),
        CutRead(ADDRESS, from_s=5.0, times=2, after_bytes=20, least_bytes=20),
        BrownOut(ADDRESS, 5.0),
    ],
)
def test_a_passing_fault_is_not_worth_a_word(fault: Fault) -> None:
    with reading() as (desk, chip):
        chip.lay_on(BEAR)
        desk.sim.add_fault(fault)
        desk.run(10.0)
        chip.lay_on(FOX)
        desk.run(15.0)
        assert [state.ok for state in desk.states] == [True]
        assert desk.cards == [("on", "04A2B3C4D5E680"), ("off", "04A2B3C4D5E680"), ("on", "DEADBEEF")]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Unplugged(ADDRESS, 5.0, 20.0), "does not answer: check its SDA"),
        (nack(ADDRESS, 5.0, 20.0), "switches stand at I2C"),
        (timed_out(ADDRESS, 5.0, 20.0), "stuck"),
        (StuckBus(high=True, from_s=5.0, until_s=20.0), "0xFF everywhere"),
        (StuckBus(high=False, from_s=5.0, until_s=20.0), "stuck"),
        (CutRead(ADDRESS, from_s=5.0, until_s=20.0), "broke off"),
        (Refused(errno.EIO, ADDRESS, 5.0, 20.0), "broke off"),
        (Refused(errno.ENODEV, ADDRESS, 5.0, 20.0), "unplugged"),
    ],
)
def test_a_lasting_fault_is_said_once_and_ends_by_itself(fault: Fault, words: str) -> None:
    with reading() as (desk, chip):
        chip.lay_on(BEAR)
        desk.sim.add_fault(fault)
        desk.run(60.0)
        assert [state.ok for state in desk.states] == [True, False, True]
        assert words in desk.states[1].problem
        assert desk.states[1].at_s < 9.0
        assert 20.0 <= desk.states[2].at_s < 37.0
        assert desk.cards == [("on", "04A2B3C4D5E680")], "it lay there all the time"


def test_a_card_taken_off_while_the_reader_was_unplugged_is_gone_afterwards() -> None:
    with reading() as (desk, chip):
        chip.lay_on(BEAR)
        desk.sim.add_fault(Unplugged(ADDRESS, 5.0, 20.0))
        desk.run(10.0)
        chip.take_off()
        desk.run(60.0)
        assert desk.cards == [("on", "04A2B3C4D5E680"), ("off", "04A2B3C4D5E680")]
        assert desk.signs[-1].at_s > 20.0


def test_a_reader_that_is_not_there_is_asked_ever_more_seldom() -> None:
    with desk_of() as desk:
        desk.run(300.0)
        assert [state.ok for state in desk.states] == [False]
        assert desk.sim.transactions <= 3 * 15


@pytest.mark.parametrize(
    ("fault", "words"), [(NoNode(until_s=5.0), "raspi-config"), (Forbidden(until_s=5.0), "usermod")]
)
def test_a_bus_that_cannot_be_opened(fault: Fault, words: str) -> None:
    with reading() as (desk, chip):
        chip.lay_on(FOX)
        desk.sim.add_fault(fault)
        desk.run(15.0)
        assert [state.ok for state in desk.states] == [False, True]
        assert words in desk.states[0].problem
        assert desk.cards == [("on", "DEADBEEF")]


def test_a_kernel_driver_that_owns_the_address_is_named() -> None:
    class Bound(ScriptedBus):
        def kernel_driver(self, address: int) -> str:
            return "pn533_i2c" if address == ADDRESS else ""

    reader = Pn532(lambda: Bound())
    signs = [sign for at_s in (0.0, 0.1, 0.2) for sign in reader.poll(at_s)]
    assert [type(sign) for sign in signs] == [ReaderState]
    assert isinstance(signs[0], ReaderState)
    assert "pn533_i2c owns" in signs[0].problem


def test_an_adapter_that_came_back_is_opened_anew() -> None:
    """The descriptor of one that was unplugged stays dead for ever."""
    opened: list[Bus] = []

    def open_bus() -> Bus:
        opened.append(Bus.open(1))
        return opened[-1]

    with reading() as (desk, chip):
        chip.lay_on(FOX)
        desk.reader = Pn532(open_bus)
        desk.sim.add_fault(Refused(errno.ENODEV, ADDRESS, 5.0, 6.0))
        desk.run(10.0)
        assert [state.ok for state in desk.states] == [True, False, True]
        assert len(opened) == 2
        assert desk.reader.traffic.transactions == sum(bus.traffic.transactions for bus in opened)
        desk.reader.close()


# ---- bytes that are wrong --------------------------------------------------------------------------------------------


def test_an_answer_with_a_bad_checksum_is_asked_for_again() -> None:
    with reading() as (desk, chip):
        desk.run(2.0)
        chip.lay_on(BEAR)
        spoiled = 0

        def once(frame: bytes) -> bytes:
            nonlocal spoiled
            if len(frame) > 20 and not spoiled:
                spoiled += 1
                return frame[:15] + bytes([frame[15] ^ 0x10]) + frame[16:]
            return frame

        chip.mangle = once
        listed = chip.commands.count(0x4A)
        desk.run(2.6)
        assert spoiled == 1
        assert chip.commands.count(0x4A) - listed <= 2
        assert chip.commands.count(0x14) == 1, "nothing had to be set up anew"
        assert desk.cards == [("on", "04A2B3C4D5E680")]


def test_a_frame_that_is_not_ready_after_all_is_waited_for() -> None:
    class Hesitant(SimulatedPn532):
        def __init__(self) -> None:
            super().__init__()
            self.hesitations = 0

        def read(self, count: int) -> bytes:
            if count > 1 and self.hesitations < 10:
                self.hesitations += 1
                return bytes(count)
            return super().read(count)

    chip = Hesitant()
    chip.lay_on(BEAR)
    with desk_of(chip) as desk:
        desk.run(2.0)
        assert chip.hesitations == 10
        assert chip.commands.count(0x14) == 1, "nothing had to be begun anew"
        assert desk.cards == [("on", "04A2B3C4D5E680")]


@pytest.mark.parametrize(
    ("mangle", "words"),
    [
        (lambda _: bytes(6), "no frame begins"),
        (lambda _: bytes.fromhex("0000ffff0000"), "not acknowledged"),
        (lambda frame: frame if len(frame) == 6 else bytes.fromhex("0000ff01ff7f8100"), "does not understand"),
        (lambda frame: frame if len(frame) == 6 else frame[:-2] + b"\x55\x00", "checksum"),
        (lambda frame: frame if len(frame) == 6 else bytes.fromhex("0000ff00ff00"), "not answered"),
    ],
)
def test_a_chip_that_speaks_wrongly_is_a_sentence(mangle: object, words: str) -> None:
    with reading() as (desk, chip):
        chip.lay_on(BEAR)
        chip.mangle = mangle  # type: ignore[assignment]
        desk.run(10.0)
        assert [state.ok for state in desk.states] == [False]
        assert words in desk.states[0].problem
        chip.mangle = bytes
        desk.run(30.0)
        assert desk.states[-1].ok
        assert desk.cards == [("on", "04A2B3C4D5E680")]


def test_another_chip_of_the_family_is_no_reader_of_ours() -> None:
    with desk_of(SimulatedPn532(silicon=b"\x33\x02\x07\x07")) as desk:
        desk.run(5.0)
        assert "something else" in desk.states[0].problem


class Babble:
    """Something at 0x24 that answers with what it is given, over and over."""

    address = ADDRESS

    def __init__(self, said: bytes) -> None:
        self._said = said
        self._at = 0
        self.given: list[bytes] = []

    def power_on(self, at_s: float) -> None: ...
    def advance(self, now_s: float) -> None: ...
    def write(self, payload: bytes) -> None: ...

    def read(self, count: int) -> bytes:
        out = bytes(self._said[(self._at + k) % len(self._said)] for k in range(count))
        self._at += count
        self.given.append(out)
        return out


@pytest.mark.parametrize("byte", range(0, 256, 15))
def test_a_port_expander_at_the_same_address_is_told_from_a_reader(byte: int) -> None:
    with desk_of(Babble(bytes([byte]))) as desk:
        desk.run(10.0)
        assert [state.ok for state in desk.states] == [False]
        assert desk.cards == []


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=120))
def test_random_bytes_never_raise_and_never_are_a_card(said: bytes) -> None:
    with desk_of(Babble(said)) as desk:
        desk.run(8.0)
        assert desk.cards == []
        assert all(not state.ok for state in desk.states)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_real_chip_over_a_bad_wire_never_gives_a_wrong_card(data: st.DataObject) -> None:
    """Single bytes of any frame spoiled at any time: the card or nothing, and afterwards the card."""
    card = data.draw(st.sampled_from([BEAR, FOX, LONG, PASS]))
    random = data.draw(st.randoms(use_true_random=False))

    def spoil(frame: bytes) -> bytes:
        if random.random() < 0.5:
            return frame
        place = random.randrange(len(frame))
        return frame[:place] + bytes([random.randrange(256)]) + frame[place + 1 :]

    with reading() as (desk, chip):
        chip.lay_on(card)
        chip.mangle = spoil
        desk.run(20.0)
        chip.mangle = bytes
        desk.run(60.0)
        assert {card_id for _, card_id in desk.cards} == {card.uid.hex().upper()}
        assert desk.states[-1].ok


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([errno.EREMOTEIO, errno.EIO, errno.EAGAIN, errno.ETIMEDOUT]), st.floats(0, 20)),
        max_size=12,
    ),
    st.lists(st.tuples(st.floats(0.1, 20), st.integers(1, 26)), max_size=6),
)
def test_any_mixture_of_faults_ends_well(refused: list[tuple[int, float]], cut: list[tuple[float, int]]) -> None:
    with reading() as (desk, chip):
        chip.lay_on(BEAR)
        for number, from_s in refused:
            desk.sim.add_fault(Refused(number, ADDRESS, from_s, from_s + 0.5))
        for from_s, after in cut:
            desk.sim.add_fault(CutRead(ADDRESS, after_bytes=after, from_s=from_s, until_s=from_s + 0.5))
        desk.run(90.0)
        assert desk.states[-1].ok
        assert desk.cards == [("on", "04A2B3C4D5E680")]


# ---- the bus's plain transfers ---------------------------------------------------------------------------------------


def test_plain_transfers_name_no_register_and_their_errors_say_where() -> None:
    sim = SimulatedBus(1)
    with sim.installed():
        bus = Bus.open(1)
        for transfer in (lambda: bus.send(0x24, b"\x01"), lambda: bus.receive(0x24, 3)):
            with pytest.raises(BusError, match=r"I2C 0x24: no chip answers"):
                transfer()
        assert (bus.traffic.errors, bus.traffic.transactions, bus.traffic.bytes) == (2, 2, 6)
        bus.close()
