"""The picture of a night: same shapes as SVG and PNG, holes stay holes, nothing is claimed that is not known."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from somnisphere.night import Epoch, Stage, StageEstimate, unknown_epoch
from somnisphere.picture import FAINT, STAGE_COLOUR, Polyline, Rectangle, Text, draw_night, to_svg

ELEVEN_PM_S = 23 * 3600.0


def night(stages: Sequence[Stage | None]) -> tuple[list[Epoch], list[StageEstimate]]:
    epochs = [
        replace(unknown_epoch(k, 0.0), heart_bpm=None if stage is None else 55.0 + k % 5, motion_counts=(0.0, 30.0))
        for k, stage in enumerate(stages)
    ]
    return epochs, [StageEstimate(k, 30.0 * k, stage, None) for k, stage in enumerate(stages)]


def test_stages_are_drawn_in_their_place_and_for_their_time() -> None:
    epochs, estimates = night([Stage.AWAKE] * 20 + [Stage.DEEP] * 60)
    bars = [s for s in draw_night(epochs, estimates, ELEVEN_PM_S, "Night") if isinstance(s, Rectangle)]
    awake = next(bar for bar in bars if bar.colour == STAGE_COLOUR[Stage.AWAKE])
    deep = next(bar for bar in bars if bar.colour == STAGE_COLOUR[Stage.DEEP])
    assert deep.width_px == pytest.approx(3 * awake.width_px)
    assert deep.y_px > awake.y_px
    assert deep.x_px == pytest.approx(awake.x_px + awake.width_px)


def test_what_is_not_known_is_a_hole() -> None:
    epochs, estimates = night([Stage.LIGHT] * 10 + [None] * 10 + [Stage.LIGHT] * 10)
    shapes = draw_night(epochs, estimates, ELEVEN_PM_S, "Night")
    assert sum(isinstance(shape, Polyline) for shape in shapes) == 2
    assert sum(isinstance(s, Rectangle) and s.colour == FAINT and s.width_px > 1 for s in shapes) == 1


def test_hours_of_the_households_clock_are_written() -> None:
    epochs, estimates = night([Stage.LIGHT] * 480)  # four hours from 23:00
    texts = {shape.text for shape in draw_night(epochs, estimates, ELEVEN_PM_S, "Night") if isinstance(shape, Text)}
    assert {"23:00", "00:00", "01:00", "02:00", "03:00"} <= texts


def test_an_empty_night_says_so() -> None:
    texts = [shape.text for shape in draw_night([], [], 0.0, "Night") if isinstance(shape, Text)]
    assert "Nothing was recorded." in texts


def test_svg_is_well_formed_and_escapes_titles() -> None:
    epochs, estimates = night([Stage.REM] * 30)
    root = ET.fromstring(to_svg(draw_night(epochs, estimates, 0.0, "Ana & <Ben>")))
    assert any(element.text == "Ana & <Ben>" for element in root.iter())


def test_png_shows_the_same_colours(tmp_path: Path) -> None:
    image_module = pytest.importorskip("PIL.Image", reason="Pillow comes with the extra `view`")
    from somnisphere.picture_png import save_png

    epochs, estimates = night([Stage.REM] * 30)
    save_png(draw_night(epochs, estimates, 0.0, "Night"), tmp_path / "night.png")
    with image_module.open(tmp_path / "night.png") as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(maxcolors=1 << 20)}
    wanted = STAGE_COLOUR[Stage.REM].lstrip("#")
    assert tuple(bytes.fromhex(wanted)) in colours
