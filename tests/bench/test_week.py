"""The week's bench in small: twenty minutes in bed keep the promises of a week in memory and on disk."""

import gc
import tracemalloc
from pathlib import Path

from tests.bench.week import NOON_S, TO_BED_S, Running, Week, counted

from somnisphere.config import Config
from somnisphere.rehearsal import RehearsalClock
from somnisphere.simulation import simulate

SPELL_S = 300.0
EPOCH_BYTES = 6000
"""What an epoch may take in memory for the rest of its night: its figures, its answer, its row that waits."""
HANDED_BYTES_PER_HOUR = 300_000
"""What may be handed to the kernel for the disk in an hour in bed."""


def test_a_night_grows_by_its_epochs_and_writes_little(tmp_path: Path) -> None:
    clock = RehearsalClock(TO_BED_S - 60.0, NOON_S)
    used: list[int] = []
    handed: list[int] = []
    with counted() as counter, simulate(
        Config(), Week(2, 7.5), clock, tmp_path / "journal.db", until_s=TO_BED_S + 3600.0
    ) as simulation:  # fmt: skip
        running = Running(simulation, tmp_path, counter)
        running.until(TO_BED_S + 240.0)
        tracemalloc.start()
        try:
            for spell in range(1, 4):
                running.until(TO_BED_S + 240.0 + spell * SPELL_S)
                gc.collect()
                used.append(tracemalloc.get_traced_memory()[0])
                handed.append(running.bill().handed_bytes)
        finally:
            tracemalloc.stop()
        assert simulation.daemon.snapshot().night_id
        assert (tmp_path / "journal.db.minutes").stat().st_size > 500, "the minutes wait in the journal's tail"
        running.write_back.close()
    epochs = SPELL_S / 30.0
    assert used[2] - used[1] < epochs * EPOCH_BYTES
    assert (handed[2] - handed[1]) * 3600.0 / SPELL_S < HANDED_BYTES_PER_HOUR
    assert counter.lines < 10, counter.kinds
