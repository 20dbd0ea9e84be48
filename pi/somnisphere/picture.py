"""The picture of a night: hypnogram, heart rate and movement over clock time. Shapes first, so that SVG (here) and PNG
(``picture_png``) draw the same thing. No figure on it is bigger than a clock time, and nothing on it is a score.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from somnisphere.night import EPOCH_S, Epoch, Stage, StageEstimate

WIDTH_PX, HEIGHT_PX = 960, 420
LEFT_PX, RIGHT_PX = 84, 24
HYPNOGRAM_PX = (64, 220)
HEART_PX = (250, 322)
MOTION_PX = (344, 382)

BACKGROUND = "#12141c"
TEXT = "#c9c6bd"
FAINT = "#2b3040"
HEART = "#e08a7a"
MOTION = "#7d86a3"
STAGE_COLOUR = {Stage.AWAKE: "#e7b45c", Stage.REM: "#b58bd6", Stage.LIGHT: "#6fa3d8", Stage.DEEP: "#3f5fae"}
STAGE_ORDER = (Stage.AWAKE, Stage.REM, Stage.LIGHT, Stage.DEEP)
STAGE_NAME = {Stage.AWAKE: "Awake", Stage.REM: "REM", Stage.LIGHT: "Light", Stage.DEEP: "Deep"}


@dataclass(frozen=True, slots=True)
class Rectangle:
    x_px: float
    y_px: float
    width_px: float
    height_px: float
    colour: str


@dataclass(frozen=True, slots=True)
class Polyline:
    points_px: tuple[tuple[float, float], ...]
    colour: str
    width_px: float = 1.5


@dataclass(frozen=True, slots=True)
class Text:
    x_px: float
    y_px: float
    text: str
    anchor: str = "start"
    size_px: int = 14


Shape = Rectangle | Polyline | Text


def draw_night(
    epochs: Sequence[Epoch], estimates: Sequence[StageEstimate], wall_offset_s: float, title: str
) -> list[Shape]:
    """Shapes of one night. ``wall_offset_s``: what turns an epoch's ``start_s`` into seconds of the household's clock
    (Unix time plus its offset from UTC). ``estimates``: one per epoch."""
    shapes: list[Shape] = [
        Rectangle(0, 0, WIDTH_PX, HEIGHT_PX, BACKGROUND),
        Text(LEFT_PX, 34, title, size_px=18),
        Text(WIDTH_PX - RIGHT_PX, 34, "a guess from pulse and movement, not a measurement of sleep", "end", 12),
    ]
    if not epochs:
        return [*shapes, Text(WIDTH_PX / 2, HEIGHT_PX / 2, "Nothing was recorded.", "middle")]
    start_s, end_s = epochs[0].start_s, epochs[-1].start_s + EPOCH_S
    scale = (WIDTH_PX - LEFT_PX - RIGHT_PX) / (end_s - start_s)

    def x_px(at_s: float) -> float:
        return LEFT_PX + (at_s - start_s) * scale

    shapes += _hours(start_s, end_s, wall_offset_s, x_px(start_s), scale)
    shapes += _hypnogram(epochs, estimates, x_px(start_s), scale)
    shapes += _heart(epochs, x_px(start_s), scale)
    shapes += _motion(epochs, x_px(start_s), scale)
    return shapes


def draw_sealed(title: str) -> list[Shape]:
    """In place of a night that nobody has opened yet."""
    return [
        Rectangle(0, 0, WIDTH_PX, HEIGHT_PX, BACKGROUND),
        Text(LEFT_PX, 34, title, size_px=18),
        Text(WIDTH_PX / 2, HEIGHT_PX / 2, "This night is yours to tell first. It is opened when you like.", "middle"),
    ]


def _hours(start_s: float, end_s: float, wall_offset_s: float, left_px: float, scale: float) -> Iterator[Shape]:
    step_s = 3600.0 if end_s - start_s > 2 * 3600 else 600.0
    first = -(-(start_s + wall_offset_s) // step_s)
    last = int((end_s + wall_offset_s) // step_s)
    for tick in range(int(first), last + 1):
        x = left_px + (tick * step_s - wall_offset_s - start_s) * scale
        minutes = int(tick * step_s) // 60 % 1440
        yield Rectangle(x, HYPNOGRAM_PX[0], 1, MOTION_PX[1] - HYPNOGRAM_PX[0], FAINT)
        yield Text(x, HEIGHT_PX - 14, f"{minutes // 60:02d}:{minutes % 60:02d}", "middle", 12)


def _hypnogram(
    epochs: Sequence[Epoch], estimates: Sequence[StageEstimate], left_px: float, scale: float
) -> Iterator[Shape]:
    top, bottom = HYPNOGRAM_PX
    row = (bottom - top) / len(STAGE_ORDER)
    for place, stage in enumerate(STAGE_ORDER):
        yield Text(LEFT_PX - 12, top + (place + 0.5) * row + 5, STAGE_NAME[stage], "end")
    start_s = epochs[0].start_s
    for first, last, known in _runs(estimates):
        x = left_px + (epochs[first].start_s - start_s) * scale
        width = (epochs[last].start_s + EPOCH_S - epochs[first].start_s) * scale
        if known is None:  # not known: a quiet band over all rows, never a stage
            yield Rectangle(x, top, width, bottom - top, FAINT)
        else:
            yield Rectangle(x, top + STAGE_ORDER.index(known) * row + 4, width, row - 8, STAGE_COLOUR[known])


def _runs(estimates: Sequence[StageEstimate]) -> Iterator[tuple[int, int, Stage | None]]:
    """(first, last, stage) of each stretch of equal stages."""
    first = 0
    for place in range(1, len(estimates) + 1):
        if place == len(estimates) or estimates[place].stage is not estimates[first].stage:
            yield first, place - 1, estimates[first].stage
            first = place


def _heart(epochs: Sequence[Epoch], left_px: float, scale: float) -> Iterator[Shape]:
    known = [epoch.heart_bpm for epoch in epochs if epoch.heart_bpm is not None]
    top, bottom = HEART_PX
    yield Text(LEFT_PX - 12, (top + bottom) / 2 + 5, "Heart", "end")
    if not known:
        return
    low, high = min(known) - 2, max(known) + 2
    line: list[tuple[float, float]] = []
    for epoch in [*epochs, None]:
        if epoch is not None and epoch.heart_bpm is not None:
            x = left_px + (epoch.start_s + EPOCH_S / 2 - epochs[0].start_s) * scale
            line.append((x, bottom - (epoch.heart_bpm - low) / (high - low) * (bottom - top)))
        elif line:  # a hole is drawn as a hole
            yield Polyline(tuple(line), HEART)
            line = []


def _motion(epochs: Sequence[Epoch], left_px: float, scale: float) -> Iterator[Shape]:
    top, bottom = MOTION_PX
    yield Text(LEFT_PX - 12, (top + bottom) / 2 + 5, "Movement", "end")
    for epoch in epochs:
        counts = [count for count in epoch.motion_counts if count]
        if counts:
            # Square root: a turn-over must not hide the small movements beside it.
            height = min(1.0, (max(counts) / 400.0) ** 0.5) * (bottom - top)
            x = left_px + (epoch.start_s - epochs[0].start_s) * scale
            yield Rectangle(x, bottom - height, max(1.0, EPOCH_S * scale), height, MOTION)


def to_svg(shapes: Sequence[Shape]) -> str:
    """The shapes as one SVG document."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" '
        f'width="{WIDTH_PX}" height="{HEIGHT_PX}" role="img" font-family="sans-serif">'
    ]
    for shape in shapes:
        match shape:
            case Rectangle():
                lines.append(
                    f'<rect x="{shape.x_px:.1f}" y="{shape.y_px:.1f}" width="{shape.width_px:.1f}" '
                    f'height="{shape.height_px:.1f}" fill="{shape.colour}"/>'
                )
            case Polyline():
                points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points_px)
                lines.append(
                    f'<polyline points="{points}" fill="none" stroke="{shape.colour}" stroke-width="{shape.width_px}"/>'
                )
            case Text():
                lines.append(
                    f'<text x="{shape.x_px:.1f}" y="{shape.y_px:.1f}" fill="{TEXT}" font-size="{shape.size_px}" '
                    f'text-anchor="{shape.anchor}">{escape(shape.text)}</text>'
                )
    return "\n".join([*lines, "</svg>\n"])
