import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.cli_words import configured, error_of
from tests.pulse_waves import beat_times, light, pulse_blocks

from somnisphere.calibration import Reading, fit_line
from somnisphere.cli import main
from somnisphere.cli_calibrate import readings_of
from somnisphere.config import load
from somnisphere.errors import UserError
from somnisphere_hardware.samples import PartState, Sample


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
    assert main(["calibrate", "oxygen", str(path), "--against", "a CMS50D"]) == 0
    said = capsys.readouterr().out
    assert "not a medical device" in said
    config = load(configured(tmp_path, said))
    assert config.oxygen_curve is not None
    assert config.oxygen_curve[0] == pytest.approx(-34.0, abs=4.0)
    assert config.sensor.oxygen_calibrated.startswith("against a CMS50D, 20")


def test_half_a_line_in_the_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="belong together"):
        load(configured(tmp_path, "[sensor]\noxygen_slope_pct = -20"))


def test_a_file_with_a_hole_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "readings.csv"
    path.write_text("ratio,oximeter_pct\n0.5,97\n0.6,\n")
    assert main(["calibrate", "oxygen", str(path)]) != 0
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
