"""Killed at any moment: what then lies on disk, each time taken up by another daemon, some seconds or minutes later.

A copy of the journal's files between two events is what a SIGKILL at that moment would leave behind.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from somnisphere.bedtime.phases import Phase
from somnisphere.bedtime.state import RitualSettings
from somnisphere.config import Config
from somnisphere.journal import Journal, KeptNight
from somnisphere.night import EPOCH_S
from somnisphere.rehearsal import RehearsalClock
from somnisphere.simulation import BEGIN_S, open_rehearsal, simulate
from somnisphere.sleep.pipeline import CLOSE_AFTER_S
from somnisphere.snapshot import Snapshot
from somnisphere_hardware.simulated.body import Body

COMMIT_S = 60.0
SENTENCE_S = 20.0
SAVED_S = 2.0 + SENTENCE_S
"""The evening (phase, place in the story) is written with each sentence; where none is known, every five seconds."""
BOOKMARK_S = 15.0 + COMMIT_S
"""The bookmark in the journal is noted four times a minute and written with the next commit."""
KILLS_S = [*range(431, 1500, 73), *range(1517, 2700, 191)]
"""Prime steps: at every distance from the last commit and the last epoch's end."""
AWAY_S = (1.0, 8.0, 45.0, 137.0)
LIVED_S = 150.0


@dataclass
class Lived:
    """The night as it goes when nobody kills it, and the disk at every moment of ``KILLS_S``."""

    folder: Path
    body: Body
    wall_start_s: float
    snapshots: list[Snapshot]
    kept: KeptNight

    def between(self, from_s: float, until_s: float) -> list[Snapshot]:
        return [snapshot for snapshot in self.snapshots if from_s <= snapshot.at_s <= until_s]


@dataclass
class Again:
    """The first minutes after a restart."""

    disk: KeptNight
    bookmarks: dict[str, float]
    kept: KeptNight
    snapshots: list[Snapshot]
    moments: list[str]


def copy(source: Path, target: Path) -> None:
    target.mkdir()
    for path in source.glob("rehearsal.sqlite*"):
        shutil.copy(path, target)


def the_night_in(folder: Path) -> tuple[KeptNight, dict[str, float]]:
    journal = Journal(folder / "rehearsal.sqlite")
    try:
        (night_id,) = journal.nights()
        return journal.load(night_id), journal.bookmarks()
    finally:
        journal.close()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder = tmp_path_factory.mktemp("lived")
    snapshots: list[Snapshot] = []

    def look(snapshot: Snapshot) -> None:
        snapshots.append(snapshot)
        if round(snapshot.at_s) in KILLS_S:
            copy(folder, folder / str(round(snapshot.at_s)))

    with open_rehearsal(Config(), folder, seed=2, hours=1.0, speed=0.0, broker=None, show=look) as simulation:
        simulation.rehearsal.run(KILLS_S[-1] + 100.0)
        body, wall_start_s = simulation.body, simulation.clock.wall_start_s
    kept, _ = the_night_in(folder)
    return Lived(folder, body, wall_start_s, snapshots, kept)


@pytest.fixture(scope="module")
def restart(lived: Lived, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Again]:
    known: dict[int, Again] = {}

    def start_again(killed_s: int) -> Again:
        if killed_s in known:
            return known[killed_s]
        folder = tmp_path_factory.mktemp("again") / "disk"
        copy(lived.folder / str(killed_s), folder)
        disk, bookmarks = the_night_in(folder)
        start_s = killed_s + AWAY_S[KILLS_S.index(killed_s) % len(AWAY_S)]
        moments: list[str] = []
        snapshots: list[Snapshot] = []
        clock = RehearsalClock(start_s, lived.wall_start_s)
        path = folder / "rehearsal.sqlite"
        with simulate(
            Config(), lived.body, clock, path, until_s=start_s + LIVED_S, show=snapshots.append
        ) as simulation:
            simulation.daemon.publish_through(
                lambda message: (
                    moments.append(json.loads(message.payload)["event_type"])
                    if message.topic.endswith("sleep_moment/event")
                    else None
                )
            )
            simulation.daemon.home_connected(start_s)
            simulation.rehearsal.run(simulation.until_s)
        kept, _ = the_night_in(folder)
        known[killed_s] = Again(disk, bookmarks, kept, snapshots, moments)
        return known[killed_s]

    return start_again


@pytest.mark.parametrize("killed_s", KILLS_S)
def test_at_most_a_minute_of_night_is_lost(killed_s: int, lived: Lived, restart: Callable[[int], Again]) -> None:
    disk = restart(killed_s).disk
    closed_until_s = lived.wall_start_s + killed_s - CLOSE_AFTER_S
    told = [epoch for epoch in lived.kept.epochs if epoch.start_s + EPOCH_S <= closed_until_s]
    assert (len(told) - len(disk.epochs)) * EPOCH_S <= COMMIT_S
    assert disk.epochs == lived.kept.epochs[: len(disk.epochs)]
    assert disk.live == lived.kept.live[: len(disk.epochs)]
    assert disk.ended_wall_s is None


@pytest.mark.parametrize("killed_s", KILLS_S)
def test_the_night_is_carried_on(killed_s: int, lived: Lived, restart: Callable[[int], Again]) -> None:
    again = restart(killed_s)
    assert again.kept.times.night_id == lived.kept.times.night_id
    before, epochs = len(again.disk.epochs), again.kept.epochs
    assert epochs[:before] == again.disk.epochs
    assert [epoch.index for epoch in epochs] == list(range(len(epochs)))
    first_s = epochs[0].start_s
    assert all(abs(epoch.start_s - first_s - EPOCH_S * epoch.index) <= EPOCH_S / 2 for epoch in epochs)
    restarted_s = again.snapshots[0].wall_s
    lost = [epoch for epoch in epochs[before:] if epoch.start_s < restarted_s - EPOCH_S / 2]
    assert all(epoch.beat_count == 0 and epoch.presence is None for epoch in lost)
    assert len(lost) == round((restarted_s - first_s) / EPOCH_S) - before
    new = [epoch for epoch in epochs[before:] if epoch.start_s >= restarted_s - EPOCH_S / 2]
    assert len(new) >= 3
    assert any(epoch.heart_bpm is not None for epoch in new)
    assert all(snapshot.night_id == lived.kept.times.night_id for snapshot in again.snapshots)


@pytest.mark.parametrize("killed_s", KILLS_S)
def test_the_evening_is_carried_on(killed_s: int, lived: Lived, restart: Callable[[int], Again]) -> None:
    again = restart(killed_s)
    back, shortly = again.snapshots[1], lived.between(killed_s - SAVED_S, killed_s)
    phases = {snapshot.phase for snapshot in shortly}
    if Phase.WIND_DOWN in phases:
        phases.add(Phase.STORY)  # its five minutes may have passed meanwhile
    assert back.phase in phases
    playing = [snapshot.story_position_s for snapshot in shortly if snapshot.story_playing]
    if len(playing) == len(shortly) and back.phase is not Phase.ASLEEP:
        assert back.story_playing
        position_s = back.story_position_s
        assert position_s is not None
        assert playing[-1] is not None
        rewound_s = SAVED_S + RitualSettings().resume_rewind_s
        assert playing[-1] - rewound_s <= position_s <= playing[-1] + 2.0
        assert max(again.bookmarks.values()) >= playing[-1] - BOOKMARK_S - rewound_s
    if back.phase is Phase.ASLEEP:  # a sleeper is not read to again
        assert not any(s.story_playing for s in again.snapshots if s.phase is Phase.ASLEEP)
    if all(snapshot.phase is Phase.ASLEEP for snapshot in lived.between(killed_s - BOOKMARK_S, killed_s)):
        assert "fell_asleep" not in again.moments
        assert again.snapshots[-1].lamp_lightness_pct == 0.0
        assert again.bookmarks == the_night_in(lived.folder)[1]


def test_the_kills_fall_into_every_part_of_the_evening(lived: Lived) -> None:
    phases = {snapshot.phase for snapshot in lived.snapshots if round(snapshot.at_s) in KILLS_S}
    assert {Phase.WIND_DOWN, Phase.STORY, Phase.DRIFTING, Phase.ASLEEP} <= phases
    assert KILLS_S[0] > BEGIN_S + COMMIT_S
