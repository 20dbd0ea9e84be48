"""A simulated desk for tests: a PN532 on a simulated bus under the real smbus2, a driver polled when it is due, and
what it said kept in order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from somnisphere_hardware.bus import Bus
from somnisphere_hardware.card_reader import CardGone, CardSeen, CardSign, ReaderState
from somnisphere_hardware.pn532 import Pn532
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.pn532 import SimulatedCard, SimulatedPn532

BEAR = SimulatedCard(bytes.fromhex("04a2b3c4d5e680"), sel_res=0x00)
FOX = SimulatedCard(bytes.fromhex("deadbeef"))
LONG = SimulatedCard(bytes.fromhex("04112233445566778899"), sel_res=0x00)
PASS = SimulatedCard(bytes.fromhex("04010203040506"), sel_res=0x20, ats=bytes.fromhex("067577810280"))
"""A card with a processor: it answers RATS with an ATS."""


@dataclass(slots=True)
class Desk:
    sim: SimulatedBus
    reader: Pn532
    at_s: float = 0.0
    signs: list[CardSign] = field(default_factory=list)
    poll_bytes: list[int] = field(default_factory=list)
    poll_took_s: list[float] = field(default_factory=list)

    def run(self, until_s: float) -> None:
        """Polls whenever the reader is due, never twice in the same millisecond."""
        while self.at_s < until_s:
            self.sim.now_s = max(self.sim.now_s, self.at_s)
            before_bytes, before_s = self.sim.wire_bytes, self.sim.now_s
            self.signs += self.reader.poll(self.at_s)
            self.poll_bytes.append(self.sim.wire_bytes - before_bytes)
            self.poll_took_s.append(self.sim.now_s - before_s)
            self.at_s = max(self.at_s + 0.001, self.reader.due_s)
        self.at_s = until_s

    @property
    def cards(self) -> list[tuple[str, str]]:
        """("on" or "off", card) in order."""
        return [
            ("on" if isinstance(sign, CardSeen) else "off", sign.card_id)
            for sign in self.signs
            if isinstance(sign, CardSeen | CardGone)
        ]

    @property
    def states(self) -> list[ReaderState]:
        return [sign for sign in self.signs if isinstance(sign, ReaderState)]


@contextmanager
def desk_of(*chips: Any) -> Iterator[Desk]:
    sim = SimulatedBus(number=1)
    for chip in chips:
        sim.attach(chip)
    with sim.installed():
        reader = Pn532(lambda: Bus.open(1))
        yield Desk(sim, reader)
        reader.close()


@contextmanager
def reading() -> Iterator[tuple[Desk, SimulatedPn532]]:
    chip = SimulatedPn532()
    with desk_of(chip) as desk:
        yield desk, chip
