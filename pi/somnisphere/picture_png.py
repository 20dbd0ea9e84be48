"""The picture of a night as PNG, for those who cannot show SVG. The only file that imports Pillow."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from somnisphere.picture import HEIGHT_PX, TEXT, WIDTH_PX, Polyline, Rectangle, Shape, Text

_ANCHOR = {"start": "ls", "middle": "ms", "end": "rs"}


def save_png(shapes: Sequence[Shape], path: Path, scale: int = 2) -> None:
    """Draw the shapes into ``path``. Raises OSError where the folder cannot be written."""
    image = Image.new("RGB", (WIDTH_PX * scale, HEIGHT_PX * scale))
    draw = ImageDraw.Draw(image)
    for shape in shapes:
        match shape:
            case Rectangle():
                x, y = shape.x_px * scale, shape.y_px * scale
                draw.rectangle(
                    (x, y, max(x, x + shape.width_px * scale - 1), max(y, y + shape.height_px * scale - 1)),
                    fill=shape.colour,
                )
            case Polyline():
                points = [(x * scale, y * scale) for x, y in shape.points_px]
                draw.line(points, fill=shape.colour, width=round(shape.width_px * scale))
            case Text():
                font = ImageFont.load_default(shape.size_px * scale)
                place = (shape.x_px * scale, shape.y_px * scale)
                draw.text(place, shape.text, fill=TEXT, font=font, anchor=_ANCHOR[shape.anchor])
    image.save(path, "PNG", optimize=True)
