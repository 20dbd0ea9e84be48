"""A machine that has it hard: what the signs mean, what is put off, and how it is said."""

from pathlib import Path

import pytest
from tests.box import box

from somnisphere.config_keys import Voice
from somnisphere.daemon import HOME_EVERY_S
from somnisphere.events import Tick
from somnisphere.machine_signs import EVERY_S, MachineSigns
from somnisphere.night_record import PICTURE_EVERY_S
from somnisphere.shelf_reader import ShelfReader
from somnisphere.strain import CALM_S, HOT_C, LATE_TICKS, WARM_C, Ease, Signs, Strain, judged
from somnisphere.telling.household import HouseholdTeller

PATIENCE_S = 90.0
WEAK, HOT, BUSY = "power supply", "too hot", "cannot keep up"


@pytest.mark.parametrize(
    ("signs", "ease", "words"),
    [
        (Signs(), Ease.NONE, ""),
        (Signs(False, False, False, False, WARM_C - 1.0), Ease.NONE, ""),
        (Signs(under_voltage=True), Ease.EASED, WEAK),
        (Signs(under_voltage=True, capped=True), Ease.EASED, WEAK),
        (Signs(under_voltage=True, throttled=True), Ease.SPARED, WEAK),
        (Signs(throttled=True), Ease.SPARED, HOT),
        (Signs(temperature_c=HOT_C), Ease.SPARED, f"({HOT_C:.0f} °C)"),
        (Signs(temperature_c=WARM_C), Ease.EASED, "warm"),
        (Signs(soft_limit=True), Ease.EASED, "warm"),
        (Signs(capped=True), Ease.EASED, "warm"),
        (Signs(late=LATE_TICKS - 1), Ease.NONE, ""),
        (Signs(late=LATE_TICKS), Ease.EASED, "busy"),
        (Signs(late=60, very_late=LATE_TICKS), Ease.SPARED, BUSY),
        (Signs(dropped=1), Ease.SPARED, BUSY),
    ],
)
def test_what_the_signs_mean(signs: Signs, ease: Ease, words: str) -> None:
    found, said = judged(signs)
    assert found is ease
    assert words in said
    assert bool(said) is (ease is not Ease.NONE)


def test_a_step_up_is_taken_at_once_and_down_after_ten_quiet_minutes() -> None:
    strain = Strain()
    assert not strain.look(Signs(), 0.0)
    assert strain.look(Signs(temperature_c=HOT_C), 30.0)
    assert (strain.ease, HOT in strain.problem) == (Ease.SPARED, True)
    assert not strain.look(Signs(temperature_c=WARM_C), 60.0), "no to and fro"
    assert strain.look(Signs(temperature_c=WARM_C), 30.0 + CALM_S)
    assert strain.ease is Ease.EASED
    assert not strain.look(Signs(), 60.0 + CALM_S)
    assert "a moment ago" in strain.problem
    assert strain.look(Signs(), 31.0 + 2 * CALM_S)
    assert (strain.ease, strain.problem) == (Ease.NONE, "")


# ---- the files of Linux ---------------------------------------------------------------------------------------------


def raspberry(root: Path, bits: str, thousandths_c: int = 51000) -> None:
    firmware = root / "sys/devices/platform/soc/soc:firmware/get_throttled"
    heat = root / "sys/class/thermal/thermal_zone0/temp"
    for file, text in ((firmware, bits), (heat, str(thousandths_c))):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        ("0", Signs(False, False, False, False, 51.0)),
        ("50005", Signs(True, False, True, False, 51.0)),
        ("80008", Signs(False, False, False, True, 51.0)),
        ("f0000", Signs(False, False, False, False, 51.0)),
        ("2", Signs(False, True, False, False, 51.0)),
        ("", Signs(temperature_c=51.0)),
        ("no number", Signs(temperature_c=51.0)),
    ],
)
def test_the_firmwares_bits(tmp_path: Path, bits: str, expected: Signs) -> None:
    raspberry(tmp_path, bits)
    assert MachineSigns(tmp_path).seen(Tick(0.0, 0.0), 0) == expected


def test_the_alarm_of_the_voltage_where_the_firmware_says_nothing(tmp_path: Path) -> None:
    for number, (name, alarm) in enumerate((("cpu_thermal", "1"), ("rpi_volt", "1"))):
        chip = tmp_path / f"sys/class/hwmon/hwmon{number}"
        chip.mkdir(parents=True)
        (chip / "name").write_text(name + "\n")
        (chip / "in0_lcrit_alarm").write_text(alarm + "\n")
    assert MachineSigns(tmp_path).seen(Tick(0.0, 0.0), 0) == Signs(under_voltage=True)


def test_what_came_late_is_counted_between_two_looks(tmp_path: Path) -> None:
    signs = MachineSigns(tmp_path)
    assert signs.seen(Tick(0.0, 0.0, late_s=3.0), 0) == Signs(late=1, very_late=1)
    for at_s in range(1, round(EVERY_S)):
        assert signs.seen(Tick(float(at_s), 0.0, late_s=0.6), 5) is None
    assert signs.seen(Tick(EVERY_S, 0.0), 7) == Signs(late=round(EVERY_S) - 1, dropped=7)
    assert signs.seen(Tick(2 * EVERY_S, 0.0), 7) == Signs()


# ---- what is put off ------------------------------------------------------------------------------------------------


def test_a_hot_machine_draws_no_picture_of_the_running_night_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    raspberry(tmp_path, "0")
    waits: list[bool] = []
    with box(tmp_path / "j.db") as it:
        parts = it.daemon._parts
        parts.signs, parts.put_off = MachineSigns(tmp_path), waits.append
        it.command("begin")
        it.live(60.0)
        assert it.states("health")[-1]["machine"] is False
        raspberry(tmp_path, "4", 84000)
        it.live(EVERY_S + 1.0)
        told = it.states("health")[-1]
        assert told["machine"] is True
        assert "too hot" in told["machine_attributes"]["strain"]
        assert "drawn in the morning" in told["machine_attributes"]["strain"]
        assert waits == [True]
        it.live(2 * PICTURE_EVERY_S, step_s=10.0)
        assert it.said("night/image") == []
        raspberry(tmp_path, "0")
        it.live(CALM_S + 2 * EVERY_S + HOME_EVERY_S, step_s=1.0)
        assert waits == [True, False]
        assert it.states("health")[-1]["machine"] is False
        assert len(it.said("night/image")) == 1, "it is drawn now"
    lines = [line for line in caplog.messages if "machine" in line.lower()]
    assert len([line for line in lines if "too hot" in line]) == 1


def test_nothing_is_spoken_ahead_of_time_until_the_machine_has_calmed_down(tmp_path: Path) -> None:
    folder, cache = tmp_path / "shelf", tmp_path / "cache"
    folder.mkdir()
    (folder / "whale.txt").write_text("Once there was a whale. It slept.")
    shelf = ShelfReader(folder, cache, HouseholdTeller(Voice(), cache / "spoken"), background=True)
    shelf.put_off(True)
    assert shelf.read() == ()
    assert shelf.wait(0.0)
    assert shelf.read() is None, "nothing is worked at"
    shelf.put_off(False)
    assert shelf.read() == ()
    assert shelf.wait(PATIENCE_S)
    assert [story.key for story in shelf.read() or ()] == ["whale.txt"]
