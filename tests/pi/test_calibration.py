import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.box import box
from tests.cli_words import configured, error_of
from tests.hardware.bed import bed_of
from tests.pulse_waves import beat_times, light, pulse_blocks

from somnisphere.calibration import Reading, fit_line
from somnisphere.cli import main
from somnisphere.cli_calibrate import readings_of, words_of
from somnisphere.config import Config, load
from somnisphere.config_keys import Sensor
from somnisphere.config_text import example
from somnisphere.doctor.examine import check_oxygen
from somnisphere.entities import ENTITIES
from somnisphere.errors import UserError
from somnisphere.sleep.pipeline import SleepPipeline
from somnisphere_hardware.samples import PartState, Sample
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050
from somnisphere_hardware.simulated.sleeper import Sleeper, ratio_of_ratios


def readings(ratios: list[float], *, offset: float = 111.0, slope: float = -34.0, noise: float = 0.5) -> list[Reading]:
    rng = np.random.default_rng(3)
    return [Reading(ratio, offset + slope * ratio + float(rng.normal(0, noise))) for ratio in ratios]


def test_a_line_is_found_and_one_wrong_reading_does_not_bend_it() -> None:
    right = readings([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    line = fit_line([*right, Reading(0.45, 75.0)])
    assert line.slope_fitted
    assert line.slope_pct == pytest.approx(-34.0, abs=3.0)
    assert line.offset_pct == pytest.approx(111.0, abs=2.0)
    assert fit_line(right).left_out_error_pct < 1.5
    assert fit_line(right).reading_count == 7


@pytest.mark.parametrize("ratios", [[0.5, 0.51, 0.52, 0.5, 0.49, 0.51], [0.4, 0.8, 1.0]], ids=["one level", "few"])
def test_readings_that_cannot_tell_a_slope_fit_the_offset_alone(ratios: list[float]) -> None:
    line = fit_line(readings(ratios, offset=106.0, slope=-17.0, noise=0.1))
    assert not line.slope_fitted
    assert line.slope_pct == -17.0
    assert line.offset_pct == pytest.approx(106.0, abs=0.3)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (readings([0.5, 0.6]), "too few"),
        ([*readings([0.5, 0.6, 0.7]), Reading(9.0, 97.0)], "ratio of 9"),
        ([*readings([0.5, 0.6, 0.7]), Reading(0.5, 105.0)], "50 to 100"),
        (readings([0.4, 0.5, 0.6, 0.7, 0.8, 0.9], offset=60.0, slope=+30.0), "Take them anew"),
    ],
)
def test_readings_that_cannot_be_are_refused_with_the_mend(wrong: list[Reading], words: str) -> None:
    with pytest.raises(UserError, match=words):
        fit_line(wrong)


def test_the_command_prints_lines_that_the_configuration_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "readings.csv"
    rows = "".join(f"{r.ratio:.3f},{r.oximeter_pct:.1f}\n" for r in readings([0.4, 0.5, 0.6, 0.8, 0.9, 1.0]))
    path.write_text("ratio,oximeter_pct\n" + rows)
    left_alone = configured(tmp_path, "# mine\n[box]\n")
    words = ["--config", str(left_alone), "calibrate", "oxygen", str(path), "--dry-run", "--against", "a CMS50D"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert left_alone.read_text() == "# mine\n[box]\n"
    assert "not a medical device" in said
    config = load(configured(tmp_path, said))
    assert config.oxygen_curve is not None
    assert config.oxygen_curve[0] == pytest.approx(-34.0, abs=4.0)
    assert config.sensor.oxygen_calibrated.startswith("against a CMS50D, 20")


def test_the_line_goes_into_the_configuration_and_the_doctor_tells_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readings_path = tmp_path / "readings.csv"
    rows = "".join(f"{r.ratio:.3f},{r.oximeter_pct:.1f}\n" for r in readings([0.4, 0.5, 0.6, 0.8, 0.9, 1.0]))
    readings_path.write_text("ratio,oximeter_pct\n" + rows)
    path = configured(tmp_path, example())
    path.chmod(0o640)
    words = ["--config", str(path), "calibrate", "oxygen", str(readings_path), "--against", 'a "CMS50D"\n \\ 2']
    for _ in range(2):  # a second calibration takes the place of the first
        assert main(words) == 0
        assert f"Written to [sensor] in {path}" in capsys.readouterr().out
    sensor = load(path).sensor
    assert sensor.oxygen_slope_pct == pytest.approx(-34.0, abs=4.0)
    assert sensor.oxygen_calibrated.startswith('against a "CMS50D" \\ 2, 20')
    assert path.stat().st_mode & 0o777 == 0o640
    kept = [line for line in path.read_text().splitlines() if line in example().splitlines()]
    assert kept == example().splitlines(), "every line that a person can read is still there"
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([path.name, "readings.csv"])
    (found,) = check_oxygen(load(path))
    assert "CMS50D" in found.verdict


def test_the_home_is_told_whether_oxygen_is_calibrated(tmp_path: Path) -> None:
    oxygen = next(entity for entity in ENTITIES if entity.key == "oxygen")
    assert oxygen.attributes is not None
    with box(tmp_path / "one.db") as it:
        said = oxygen.attributes(it.daemon.snapshot())
    assert said == {"calibrated": False, "note": "uncalibrated; follow its course, not its value"}
    line = Sensor(oxygen_offset_pct=110.0, oxygen_slope_pct=-30.0, oxygen_calibrated="against a CMS50D, 2026-11-23")
    with box(tmp_path / "two.db", sensor=line) as it:
        said = oxygen.attributes(it.daemon.snapshot())
    assert said == {"calibrated": True, "note": "calibrated against a CMS50D, 2026-11-23; no medical device"}
    assert Config(sensor=Sensor(oxygen_calibrated="against nothing")).oxygen_calibrated == "", "there is no line"
    assert Config(sensor=Sensor(oxygen_offset_pct=110.0, oxygen_slope_pct=-30.0)).oxygen_calibrated


def test_a_configuration_that_cannot_be_edited_is_left_alone_and_the_lines_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "sensor = { bus = 1 } # in one line\n"
    path = configured(tmp_path, text)
    readings_path = tmp_path / "readings.csv"
    readings_path.write_text("ratio,oximeter_pct\n0.5,97\n0.5,97\n0.51,97\n")
    assert main(["--config", str(path), "calibrate", "oxygen", str(readings_path)]) == 0
    said = capsys.readouterr().out
    assert f"Put these lines under [sensor] in {path}" in said
    assert "oxygen_offset_pct = 105.5" in said
    assert "offset alone" in said
    assert path.read_text() == text


def test_a_reading_far_off_the_line_is_named() -> None:
    right = readings([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    wrong = Reading(0.45, 75.0)
    line = fit_line([*right, wrong])
    assert line.outliers == (wrong,)
    assert any("75 % at ratio 0.450" in text for text in words_of(line))
    assert fit_line(right).outliers == ()


def test_one_reading_at_the_end_tells_no_slope() -> None:
    alone = readings([0.50, 0.505, 0.51, 0.515, 0.52, 0.9], noise=0.0)
    assert not fit_line(alone).slope_fitted
    assert fit_line([*alone, *readings([0.85], noise=0.0)]).slope_fitted


def test_the_error_left_out_is_of_the_same_kind_of_line() -> None:
    exact = readings([0.4, 0.5, 0.6, 0.7, 0.8, 0.9], noise=0.0)
    assert fit_line(exact).left_out_error_pct == pytest.approx(0.0, abs=1e-9)


def test_from_chips_to_the_line_of_a_known_curve() -> None:
    """A unit whose true curve is 112 - 30 R: bodies at known ratios, their ratio measured through chip and driver."""
    found = []
    for simulated_pct in (98.0, 96.0, 94.0, 92.0, 90.0, 88.0, 86.0):
        body = Sleeper(5, [("awake", 120.0)], spo2_pct=simulated_pct)
        pipeline = SleepPipeline()
        with bed_of(SimulatedMax30102(body), SimulatedMpu6050(body)) as bed:
            for sample in bed.run(90.0):
                pipeline.add(sample)
        pipeline.advance(90.0)
        assert pipeline.oxygen_ratio is not None
        found.append(Reading(pipeline.oxygen_ratio, round(112 - 30 * ratio_of_ratios(simulated_pct))))
    line = fit_line(found)
    assert line.slope_fitted
    assert line.slope_pct == pytest.approx(-30.0, abs=3.0)  # an oximeter shows whole percents
    for ratio in (0.5, 0.7, 0.85):
        assert line.offset_pct + line.slope_pct * ratio == pytest.approx(112 - 30 * ratio, abs=0.7)
    assert line.left_out_error_pct < 0.7
    assert line.outliers == ()


def test_a_file_and_live_at_once_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "oxygen", str(tmp_path / "a.csv"), "--live"]) == 2
    assert "name one of the two" in error_of(capsys)


def test_half_a_line_in_the_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="belong together"):
        load(configured(tmp_path, "[sensor]\noxygen_slope_pct = -20"))


def test_a_file_with_a_hole_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "readings.csv"
    path.write_text("ratio,oximeter_pct\n0.5,97\n0.6,\n")
    assert main(["calibrate", "oxygen", str(path), "--dry-run"]) != 0
    assert "oximeter_pct" in error_of(capsys)


def test_typed_readings_are_paired_with_the_ratio_of_that_moment(capsys: pytest.CaptureFixture[str]) -> None:
    """A finger whose red light pulses at 0.5, later at 0.8 of the infrared; one poll is half a second."""
    seconds = 120.0
    beats = beat_times(seconds)
    t = np.arange(round(seconds * 50)) / 50.0
    first, later = (light(beats, seconds, 50.0, depth=0.01 * ratio) for ratio in (0.5, 0.8))
    blocks = list(pulse_blocks(light(beats, seconds, 50.0), 50.0, red=np.where(t < 60, first, later)))
    polls, now_s = iter(blocks), 0.0

    def poll() -> list[Sample]:
        nonlocal now_s
        block = next(polls)
        now_s = block.end_s
        return [block]

    due = iter([(5.0, "97\n"), (55.0, "97 %\n"), (56.0, "about 97\n"), (110.0, "92\n"), (111.0, "\n")])
    coming = [next(due)]

    def typed(wait_s: float) -> str | None:
        assert wait_s > 0
        if now_s < coming[0][0]:
            return None
        text = coming.pop()[1]
        coming.extend([next(due)] if text.strip() else [])
        return text

    found = list(readings_of(poll, lambda: now_s, typed))
    assert [reading.oximeter_pct for reading in found] == [97.0, 92.0]
    assert [reading.ratio for reading in found] == pytest.approx([0.5, 0.8], rel=0.05)
    said = capsys.readouterr().out
    assert "No steady pulse" in said
    assert "is no number" in said


def test_a_lost_sensor_ends_the_calibration_with_its_mend() -> None:
    lost = PartState("pulse", 0.0, ok=False, problem="The pulse sensor does not answer.")

    def once() -> Iterator[list[Sample]]:
        yield [lost]

    polls = once()
    with pytest.raises(UserError, match="does not answer"):
        list(readings_of(lambda: next(polls), lambda: 0.0, lambda _: io.StringIO("").readline()))
