"""The picture of a staged night: every stage in its place, what is not known hatched, words beside it."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.cli_words import Output, error_of, rows_of

from somnisphere.cli import main
from somnisphere.night import EPOCH_S, Epoch, Stage, StageEstimate, unknown_epoch
from somnisphere.picture import STAGE_COLOUR
from somnisphere.picture_stages import BANDS_PX, LEFT_PX, PLOT_PX, draw_stages

SVG = "{http://www.w3.org/2000/svg}"
CHANCES = {Stage.AWAKE: (0.7, 0.1, 0.1, 0.1), Stage.DEEP: (0.1, 0.2, 0.6, 0.1)}


def made() -> tuple[list[Epoch], list[StageEstimate]]:
    """Ten epochs: awake four, not known two, deep four."""
    stages = [Stage.AWAKE] * 4 + [None] * 2 + [Stage.DEEP] * 4
    epochs = [
        replace(unknown_epoch(k, 100.0), heart_series_bpm=(60.0 + k,) * 6, motion_counts=(0.0, 100.0 * (k == 3)))
        for k in range(10)
    ]
    estimates = [
        StageEstimate(k, 100.0 + k * EPOCH_S, stage, None if stage is None else CHANCES[stage], "")
        for k, stage in enumerate(stages)
    ]
    return epochs, estimates


def drawn(reference: list[Stage | None] | None = None) -> ET.Element:
    return ET.fromstring(draw_stages(*made(), reference or [], "a & <b>", overnight=True))


def boxes(root: ET.Element, fill: str) -> list[tuple[float, float, float]]:
    """(from, width) in epochs, and y of the boxes of a colour; those of the legend left out."""
    epoch_px = PLOT_PX / 10
    return [
        (
            round((float(b.get("x", 0)) - LEFT_PX) / epoch_px, 2),
            round(float(b.get("width", 0)) / epoch_px, 2),
            float(b.get("y", 0)),
        )
        for b in root.iter(SVG + "rect")
        if b.get("fill") == fill and b.get("height") != "12.0"
    ]


def test_each_stage_is_in_its_place_and_the_unknown_is_hatched() -> None:
    root = drawn()
    assert [box[:2] for box in boxes(root, STAGE_COLOUR[Stage.AWAKE])] == [(0.0, 4.0)]
    assert [box[:2] for box in boxes(root, STAGE_COLOUR[Stage.DEEP])] == [(6.0, 4.0)]
    unknown = sorted(box[:2] for box in boxes(root, "url(#unknown)"))
    assert unknown == [(4.0, 1.0), (4.0, 2.0), (5.0, 1.0)], "one in the hypnogram, two in the bands"
    assert boxes(root, STAGE_COLOUR[Stage.AWAKE])[0][2] < boxes(root, STAGE_COLOUR[Stage.DEEP])[0][2]


def test_bands_are_as_high_as_the_stage_is_likely() -> None:
    bands = [path for path in drawn().iter(SVG + "path") if path.get("class") == "band"]
    assert len(bands) == 8, "four stages, before and after what is not known"
    heights = {}
    for band in bands[:4]:
        points = [tuple(map(float, p.split())) for p in band.get("d", "")[1:-1].split("L")]
        heights[band.get("fill")] = (points[-1][1] - points[0][1]) / BANDS_PX
    assert heights[STAGE_COLOUR[Stage.AWAKE]] == pytest.approx(0.7, abs=0.01)
    assert sum(heights.values()) == pytest.approx(1.0, abs=0.01)


def test_what_people_scored_lies_below() -> None:
    root = drawn([Stage.AWAKE] * 6 + [Stage.DEEP] * 3 + [None])
    assert [box[:2] for box in boxes(root, STAGE_COLOUR[Stage.AWAKE])] == [(0.0, 4.0), (0.0, 6.0)]
    assert "Scored by people" in [text.text for text in root.iter(SVG + "text")]
    description = root.findtext(SVG + "desc") or ""
    assert "awake 2, REM 0, light 0, deep 2, not known 1" in description
    assert "Of 7 half minutes that both name, 7 agree" in description
    assert "%" not in description
    assert root.findtext(SVG + "title") == "Sleep stages of a & <b>"


def test_nothing_recorded_is_a_picture_too() -> None:
    assert "Nothing was recorded." in draw_stages([], [], [], "none", overnight=False)


def test_rows_come_only_when_named(tmp_path: Path, capsys: Output) -> None:
    night, picture = tmp_path / "night.npz", tmp_path / "night.svg"
    at_s = np.arange(0.0, 1200.0, 5.0)
    np.savez(night, hr_time_s=at_s, hr_bpm=60 + np.sin(at_s / 70), stage=np.zeros(40, dtype=np.int8))
    assert main(["stage", str(night), "--plot", str(picture)]) == 0
    assert capsys.readouterr().out == f"{picture}: 20 minutes are drawn.\n"
    assert "Scored by people" in picture.read_text()
    assert main(["stage", str(night), "--plot", str(picture), "--json"]) == 0
    assert len(rows_of(capsys.readouterr().out)) == 40
    assert main(["stage", str(night), "--plot", str(tmp_path / "none" / "x.svg")]) == 2
    assert "cannot be written" in error_of(capsys)
