"""What was learned of bright and dark: per LED current, kept over restarts, and a broken file stops nobody."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.box import box

from somnisphere.light_memory import EVERY_S, LightMemory, beside
from somnisphere.sleep.learned_light import APART, SURE_S, LearnedLight

LOOKS = round(SURE_S / 4.0)


def learned(skin_counts: float = 120_000.0, empty_counts: float = 9_000.0, led_ma: float = 6.4) -> LearnedLight:
    light = LearnedLight()
    for _ in range(LOOKS):
        light.at(led_ma).skin.learn(skin_counts, 4.0)
        light.at(led_ma).empty.learn(empty_counts, 4.0)
    return light


def test_a_level_follows_what_it_sees_within_minutes_and_forgets_no_current() -> None:
    light = learned()
    level = light.at(6.4).skin
    assert level.counts == pytest.approx(120_000.0)
    assert level.is_sure
    for _ in range(5 * LOOKS):
        level.learn(60_000.0, 4.0)
    assert level.counts == pytest.approx(61_000.0, abs=500.0)
    assert light.at(6.40001) is light.at(6.4)
    assert light.at(3.2).skin.known_s == 0


def test_a_current_never_seen_borrows_from_the_nearest_in_proportion() -> None:
    light = learned(led_ma=6.4)
    light.at(2.0).skin.learn(50_000.0, 4.0)
    assert light.skin_counts(6.4) == pytest.approx(120_000.0)
    assert light.skin_counts(8.0) == pytest.approx(150_000.0)
    assert light.skin_counts(1.0) == pytest.approx(25_000.0)
    assert LearnedLight().skin_counts(6.4) is None


@pytest.mark.parametrize(("factor", "overlap"), [(1.0, True), (APART - 0.05, True), (APART + 0.05, False), (20, False)])
def test_levels_that_are_too_near_overlap(factor: float, overlap: bool) -> None:
    assert learned(9_000.0 * factor, 9_000.0).at(6.4).overlap is overlap
    assert learned(9_000.0, 9_000.0 * factor).at(6.4).overlap is overlap


def test_overlap_is_not_judged_before_both_are_known() -> None:
    light = LearnedLight()
    light.at(6.4).skin.learn(9_000.0, 4.0)
    light.at(6.4).empty.learn(9_000.0, 4.0)
    assert light.at(6.4).overlap is False


def test_it_is_the_same_after_a_restart(tmp_path: Path) -> None:
    memory = LightMemory(beside(tmp_path / "journal.db"))
    assert (memory.mended, memory.problem) == ("", "")
    for _ in range(LOOKS):
        memory.light.at(6.4).skin.learn(120_000.0, 4.0)
    memory.light.at(2.0).empty.learn(4_480.0, 4.0)
    memory.light.at(12.8)  # looked up, nothing learned: not worth a line
    assert memory.keep(0.0, now=True) is True
    again = LightMemory(tmp_path / "journal.light.json")
    assert again.light == memory.light
    assert again.light.at(2.0).empty.counts == 4_480.0
    assert sorted(json.loads(again.path.read_text())["led_ma"]) == ["2.0", "6.4"]
    assert [path.name for path in tmp_path.iterdir()] == ["journal.light.json"]


def test_it_is_written_seldom_and_only_when_something_was_learned(tmp_path: Path) -> None:
    memory = LightMemory(tmp_path / "light.json")
    memory.light.at(6.4).skin.learn(1.0, 4.0)
    assert [memory.keep(at_s) for at_s in (100.0, 101.0, 100.0 + EVERY_S - 1)] == [False, False, False]
    assert memory.keep(100.0 + EVERY_S) is True
    assert memory.keep(100.0 + 2 * EVERY_S) is False
    memory.light.at(6.4).skin.learn(2.0, 4.0)
    assert memory.keep(100.0 + 2 * EVERY_S + 1) is False
    assert memory.keep(100.0 + 3 * EVERY_S) is True


LEVEL: dict[str, Any] = {"counts": 1.0, "known_s": 1}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x00" * 300,
        b'{"version": 1, "led_ma": {"6.4": {"skin',
        b"[1, 2]",
        b'{"version": 2, "led_ma": {}}',
        b'{"version": 1, "led_ma": []}',
        b"[" * 90_000,
        b" " * 200_000,
        *(
            json.dumps({"version": 1, "led_ma": led_ma}).encode()
            for led_ma in (
                {"six": {"skin": LEVEL, "empty": LEVEL}},
                {"-1": {"skin": LEVEL, "empty": LEVEL}},
                {"nan": {"skin": LEVEL, "empty": LEVEL}},
                {"6.4": {"skin": LEVEL}},
                {"6.4": [1, 2]},
                {"6.4": {"skin": LEVEL, "empty": {"counts": float("nan"), "known_s": 1}}},
                {"6.4": {"skin": LEVEL, "empty": {"counts": 1e9, "known_s": 1}}},
                {"6.4": {"skin": LEVEL, "empty": {"counts": 1.0, "known_s": 500}}},
                {"6.4": {"skin": LEVEL, "empty": {"counts": 1.0, "known_s": "1"}}},
                {f"{0.1 * k:.1f}": {"skin": LEVEL, "empty": LEVEL} for k in range(1, 400)},
            )
        ),
    ],
)
def test_a_broken_file_is_put_aside_and_learning_begins_anew(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "light.json"
    (tmp_path / "light.json.broken-1").write_text("the one before")
    path.write_bytes(text)
    memory = LightMemory(path)
    assert memory.light == LearnedLight()
    assert "light.json.broken-2" in memory.mended
    assert memory.problem == ""
    assert (tmp_path / "light.json.broken-2").read_bytes() == text
    memory.light.at(6.4).skin.learn(5.0, 4.0)
    assert memory.keep(0.0, now=True) is True
    assert LightMemory(path).light.at(6.4).skin.counts == 5.0


def test_a_disk_that_refuses_is_said_and_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    memory = LightMemory(folder / "light.json")
    memory.light.at(6.4).skin.learn(5.0, 4.0)
    assert memory.keep(0.0, now=True) is False
    assert str(folder) in memory.problem
    folder.mkdir()
    assert memory.keep(1.0, now=True) is True
    assert memory.problem == ""
    (tmp_path / "a_folder").mkdir()
    assert "cannot be read" in LightMemory(tmp_path / "a_folder").problem


def test_a_box_says_a_broken_memory_and_keeps_what_it_learns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "journal.db"
    beside(path).write_text("not JSON")
    with box(path) as it:
        assert any("journal.light.json.broken-1" in record.message for record in caplog.records)
        memory = it.daemon._parts.light_memory
        assert memory is not None
        memory.light.at(6.4).skin.learn(5.0, 4.0)
        it.live(60.0)
        assert not beside(path).exists()
        it.daemon.keeping.light(it.at_s, now=True)
    with box(path) as it:
        memory = it.daemon._parts.light_memory
        assert memory is not None
        assert memory.light.at(6.4).skin.counts == 5.0
        memory.light.at(6.4).skin.learn(6.0, 4.0)
        before = beside(path).read_text()
        it.live(EVERY_S + 5.0, step_s=2.0)
        assert beside(path).read_text() != before
