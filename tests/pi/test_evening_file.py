"""The evening's file: whole after any kill, whatever the disk does."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.number_bedside import NumberBedside
from tests.pi.test_evening_promises import TOLD

from somnisphere.bedtime.phases import Phase
from somnisphere.bedtime.ritual import RitualSettings
from somnisphere.evening_file import SLOT_BYTES, EveningFile
from somnisphere.events import Press

NOW = (50.0, 1000.0)  # at_s, wall_s


def state(number: int) -> dict[str, object]:
    return {"state": {"at_s": float(number), "number": number}}


def test_the_newest_evening_comes_back_in_this_runs_time(tmp_path: Path) -> None:
    file = EveningFile(tmp_path / "deep" / "evening")
    assert file.load(*NOW) is None
    for number in range(1, 6):
        file.save(state(number), 100.0 + number, 900.0 + number)
    for again in (file, EveningFile(file.path)):
        saved = again.load(*NOW)
        assert saved is not None
        assert saved.state == state(5)
        assert saved.shift_s == 800.0 - 950.0
        assert saved.last_s == 5.0 - 150.0
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_after_a_restart_numbers_go_on(tmp_path: Path) -> None:
    path = tmp_path / "evening"
    first = EveningFile(path)
    for number in range(1, 4):
        first.save(state(number), 0.0, 0.0)
    second = EveningFile(path)
    second.load(*NOW)
    second.save(state(99), 0.0, 0.0)
    saved = EveningFile(path).load(*NOW)
    assert saved is not None
    assert saved.state == state(99)


@settings(max_examples=60)
@given(cut=st.integers(0, 400), which=st.integers(0, 1), scrap=st.binary(max_size=60))
def test_a_torn_slot_leaves_the_other(
    tmp_path_factory: pytest.TempPathFactory, cut: int, which: int, scrap: bytes
) -> None:
    path = tmp_path_factory.mktemp("torn") / "evening"
    file = EveningFile(path)
    file.save(state(1), 0.0, 0.0)
    file.save(state(2), 0.0, 0.0)
    content = bytearray(path.read_bytes())
    before = bytes(content)
    content[which * SLOT_BYTES + cut : which * SLOT_BYTES + cut + len(scrap)] = scrap
    path.write_bytes(bytes(content))
    saved = EveningFile(path).load(*NOW)
    assert saved is not None
    other = 1 if which == 0 else 2  # the first is in slot 1, the second in slot 0
    if bytes(content) == before:
        other = 2
    assert saved.state in (state(other), state(2))


def test_a_disk_that_takes_a_half_leaves_the_last_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = EveningFile(tmp_path / "evening")
    assert file.save(state(1), 101.0, 901.0)
    assert file.save(state(2), 102.0, 902.0)
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda handle, data, at: real(handle, data[: len(data) // 2], at))
    assert [file.save(state(number), 100.0 + number, 900.0 + number) for number in (3, 4, 5)] == [False] * 3
    monkeypatch.undo()
    for again in (file, EveningFile(file.path)):
        saved = again.load(*NOW)
        assert saved is not None
        assert saved.state == state(2)
    assert file.save(state(6), 106.0, 906.0)
    saved = EveningFile(file.path).load(*NOW)
    assert saved is not None
    assert saved.state == state(6)


def test_a_disk_that_refuses_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = EveningFile(tmp_path / "file" / "evening")
    file.save(state(1), 0.0, 0.0)
    assert file.load(*NOW) is None
    (tmp_path / "scrap").write_bytes(b"\x00\xff" * 70_000)
    assert EveningFile(tmp_path / "scrap").load(*NOW) is None


def test_a_kill_costs_at_most_one_sentence(tmp_path: Path) -> None:
    """Killed after any second: the story goes on with the sentence that was being told."""
    file = EveningFile(tmp_path / "evening")
    bed = NumberBedside(RitualSettings(wind_down_s=5.0), [TOLD])
    bed.press(Press.TAP)
    place: object = None
    for second in range(120):
        bed.live(1, 0.05)
        if (now := bed.ritual.place_number) != place:
            place = now
            file.save(bed.ritual.to_dict(), bed.at_s, bed.at_s)
        if not bed.playing or second % 7:
            continue
        saved = EveningFile(file.path).load(bed.at_s + 20.0, bed.at_s + 20.0)
        assert saved is not None
        again = NumberBedside(RitualSettings(wind_down_s=5.0), [TOLD])
        again.at_s = bed.at_s + 20.0
        again.do(again.ritual.restore(saved.state, saved.shift_s, again.at_s))
        assert again.in_phase(Phase.STORY)
        assert again.playing
        assert 0.0 <= bed.position_s - again.position_s <= 7.0 + 0.5
