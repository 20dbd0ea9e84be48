"""The reader of story cards."""

import time
from collections.abc import Iterator

from somnisphere.card_reading import card_reader
from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.service import daemon_runs
from somnisphere.doctor.world import THIS_MACHINE, World
from somnisphere_hardware.card_reader import CardSign, ReaderState

READER_WAIT_S = 3.0


def check_cards(config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    reader = card_reader(config)
    if reader is None:
        return
    if daemon_runs(world):
        reader.close()
        yield Finding("cards", True, "the daemon has the card reader")
        return
    until_s, said = time.monotonic() + READER_WAIT_S, list[CardSign]()
    while not said and time.monotonic() < until_s:
        said = reader.poll(time.monotonic())
        time.sleep(max(0.0, min(reader.due_s, until_s) - time.monotonic()))
    reader.close()
    state = next((sign for sign in said if isinstance(sign, ReaderState)), None)
    if state is None:
        yield Finding("cards", False, "the card reader says nothing", "hardware/README.md shows its wiring")
    elif not state.ok:
        yield Finding("cards", False, state.problem)
    else:
        yield Finding("cards", True, f"{state.reader} answers")
