"""The picture of what was heard: every beat once and in its place, doubts and holes shown, small for any length."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli_words import Output, error_of, rows_of
from tests.pulse_waves import beat_times, light, lying_still

from somnisphere.cli import main
from somnisphere.heard import Heard, heard_in
from somnisphere.picture_beats import LEFT_PX, PLOT_PX, WIDTH_PX, clock, draw_beats
from somnisphere.recordings import Recording, beats_of
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS

FS_HZ = 50.0
SVG = "{http://www.w3.org/2000/svg}"


def recording(seconds: float = 60.0, **changed: Any) -> Recording:
    ir = light(beat_times(seconds, 60.0), seconds, FS_HZ, noise=15)
    still = Recording(name="a & <b>", rate_hz=FS_HZ, ir=ir, polarity=-1, is_counts=True)
    return replace(still, **changed)


def drawn(heard: Heard) -> ET.Element:
    return ET.fromstring(draw_beats(heard))


def kinds(root: ET.Element, tag: str, kind: str) -> list[ET.Element]:
    return [element for element in root.iter(SVG + tag) if element.get("class") == kind]


def hatched(root: ET.Element, kind: str) -> list[ET.Element]:
    """Hatched boxes, those of the legend left out."""
    boxes = [rect for rect in root.iter(SVG + "rect") if rect.get("fill") == f"url(#{kind})"]
    return [box for box in boxes if box.get("height") != "14"]


def words_of(root: ET.Element) -> str:
    return " ".join(element.text or "" for element in root.iter(SVG + "text"))


def test_every_beat_is_drawn_once_and_in_its_place() -> None:
    made = recording()
    heard = heard_in(made, 0.0, 60.0)
    expected = list(beats_of(made))
    assert [beat.at_s for beat in heard.inside] == [beat.at_s for beat in expected]
    sticks = [rect for rect in drawn(heard).iter(SVG + "rect") if rect.find(SVG + "title") is not None]
    assert len(sticks) == len(expected) > 55
    row_s = 10.0
    for stick, beat in zip(sticks, expected, strict=True):
        middle_px = float(stick.get("x", "0")) + float(stick.get("width", "0")) / 2
        assert middle_px == pytest.approx(LEFT_PX + beat.at_s % row_s * PLOT_PX / row_s, abs=0.11)


def test_beats_stand_on_the_rise_of_the_wave() -> None:
    """Systole is up: after a beat the wave is higher than before."""
    heard = heard_in(recording(), 0.0, 60.0)
    for beat in heard.inside[2:-2]:
        before, after = np.interp([beat.at_s - 0.1, beat.at_s + 0.1], heard.times_s, heard.wave)
        assert after > before + 0.002


def test_doubt_is_told_by_shape_and_height_not_by_colour_alone() -> None:
    ir = light(beat_times(60.0, 60.0), 60.0, FS_HZ, noise=15)
    ir[1000:1500] = 120_000 + np.random.default_rng(1).normal(0, 500, 500)
    heard = heard_in(recording(ir=ir), 0.0, 60.0)
    root = drawn(heard)
    sure = [float(r.get("height", "0")) for r in kinds(root, "rect", "believed")[:-1]]
    doubted = [r for r in kinds(root, "rect", "doubted") if r.find(SVG + "title") is not None]
    assert doubted
    assert max(float(r.get("height", "0")) for r in doubted) < min(sure)
    assert hatched(root, "no-interval")
    assert "doubted: hollow" in words_of(root)


def test_gaps_and_clipped_light_are_hatched_and_named() -> None:
    ir = light(beat_times(60.0, 60.0), 60.0, FS_HZ, noise=15)
    ir[500:1000] = np.nan
    ir[2000:2250] = PULSE_FULL_SCALE_COUNTS
    heard = heard_in(recording(ir=ir), 0.0, 60.0)
    ((gap_from_s, gap_to_s),), ((clipped_from_s, clipped_to_s),) = heard.gaps, heard.clipped
    assert (gap_from_s, gap_to_s) == pytest.approx((10.0, 20.0))
    assert (clipped_from_s, clipped_to_s) == pytest.approx((40.0, 45.0))
    beside = heard.wave[np.isfinite(heard.wave)]
    assert np.abs(beside).max() < 0.02, "what is too bright to read does not bend what is beside it"
    root = drawn(heard)
    assert sum(float(box.get("width", "0")) for box in hatched(root, "gap")[1:]) == pytest.approx(PLOT_PX, abs=1)
    assert hatched(root, "clipped")
    for words in ("no samples", "too bright to read", "Missing 10.0 s; clipped 5.0 s"):
        assert words in words_of(root)
    for path in root.iter(SVG + "path"):
        if path.get("class") == "wave" and "L" in path.get("d", ""):
            for run in path.get("d", "").split("M")[1:]:
                xs = [float(point.split()[0]) for point in run.split("L")]
                assert np.diff(xs).max(initial=0.0) < 5, "no line is drawn across a gap"


def test_a_moving_body_is_shaded_and_no_accelerometer_is_said() -> None:
    accel_g = lying_still(60.0, FS_HZ)
    accel_g[1500:1600] += np.sin(np.arange(100))[:, None] * 0.5
    moving = heard_in(recording(accel_g=accel_g, accel_rate_hz=FS_HZ), 0.0, 60.0)
    assert moving.moved == ((30.0, 32.0),)
    assert "the body moved" in words_of(drawn(moving))
    assert heard_in(recording(accel_g=lying_still(60.0, FS_HZ), accel_rate_hz=FS_HZ), 0.0, 60.0).moved == ()
    assert heard_in(recording(), 0.0, 60.0).moved is None
    assert "No accelerometer" in words_of(drawn(heard_in(recording(), 0.0, 60.0)))


def test_a_stretch_looks_as_it_does_within_the_whole() -> None:
    made = recording(120.0)
    whole, part = heard_in(made, 0.0, 120.0), heard_in(made, 50.0, 70.0)
    assert part.inside == tuple(beat for beat in whole.beats if 50.0 <= beat.at_s <= 70.0)
    middle = (whole.times_s >= 50.0) & (whole.times_s <= 70.0)
    np.testing.assert_allclose(part.wave, whole.wave[middle], atol=1e-9)
    assert not part.untrusted, "the neighbour outside is known"


def test_hours_are_no_bigger_than_minutes() -> None:
    minutes = recording(300.0)
    hours = replace(minutes, ir=np.tile(minutes.ir, 96))
    small, big = draw_beats(heard_in(minutes, 0, 300)), draw_beats(heard_in(hours, 0, 8 * 3600.0))
    assert len(big) < 400_000
    assert len(small) < 300_000
    assert "beats of 12 s" in words_of(ET.fromstring(big))
    assert "8:00:00" in big


def test_it_can_be_read_aloud_and_by_night() -> None:
    text = draw_beats(heard_in(recording(), 0.0, 60.0))
    root = ET.fromstring(text)
    assert root.get("role") == "img"
    title, desc = root.find(SVG + "title"), root.find(SVG + "desc")
    assert title is not None
    assert desc is not None
    assert title.text == "Heartbeats of a & <b>"
    assert re.search(r"0:00 to 1:00 of 1:00, 50 Hz\. \d\d beats heard, \d+ of them doubted", desc.text or "")
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"(href|src|@import|url\((?!#))", text), "nothing is fetched from elsewhere"
    styled = set(re.findall(r"\.([a-z-]+)", text[: text.index("</style>")]))
    used = {kind for element in root.iter() for kind in (element.get("class") or "").split()}
    assert used <= styled


def test_everything_stays_on_the_paper() -> None:
    root = drawn(heard_in(recording(95.0), 3.3, 91.0))
    height = float(root.get("height", "0"))
    for element in root.iter():
        for key, most in (("x", WIDTH_PX), ("y", height)):
            if element.tag != SVG + "pattern":
                assert 0 <= float(element.get(key, "0")) <= most


@pytest.mark.parametrize("ir", [np.full(500, np.nan), np.full(500, 1000.0), np.array([5.0]), np.zeros(500)])
def test_where_nothing_is_to_be_heard_it_says_so(ir: np.ndarray[Any, Any]) -> None:
    root = drawn(heard_in(recording(ir=ir), 0.0, 300.0))
    assert "no interval could be taken" in words_of(root)
    assert "nan" not in ET.tostring(root, encoding="unicode")


def test_clock_times() -> None:
    assert [clock(s) for s in (0.0, 59.6, 61, 3599.4, 7325)] == ["0:00", "1:00", "1:01", "59:59", "2:02:05"]


# ---- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bed.npz"
    np.savez(path, fs_hz=FS_HZ, polarity=-1, ir=recording(60.0).ir)
    return path


def test_a_picture_comes_in_place_of_rows_unless_they_are_named(file: Path, tmp_path: Path, capsys: Output) -> None:
    picture = tmp_path / "out.svg"
    assert main(["beats", str(file), "--plot", str(picture)]) == 0
    assert capsys.readouterr().out == f"{picture}: 0:00 to 1:00 of 1:00 is drawn.\n"
    ET.parse(picture)
    assert main(["beats", str(file), "--plot", str(picture), "--json", "--from", "10", "--seconds", "20"]) == 0
    said = capsys.readouterr()
    assert len(rows_of(said.out)) > 55, "rows are of the whole recording"
    assert "0:10 to 0:30 of 1:00 is drawn. --from and --seconds" in said.err
    assert main(["beats", str(file), "--plot", str(picture), "--csv"]) == 0
    assert capsys.readouterr().out.startswith("at_s,ibi_s,quality\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "10"], "--plot FILE.svg"),
        (["--plot", "x.svg", "--from", "61"], "60 s long"),
        (["--plot", "/no/such/folder/x.svg"], "cannot be written"),
    ],
)
def test_what_cannot_be_drawn_names_the_mend(arguments: list[str], words: str, file: Path, capsys: Output) -> None:
    assert main(["beats", str(file), *arguments]) == 2
    assert words in error_of(capsys)
