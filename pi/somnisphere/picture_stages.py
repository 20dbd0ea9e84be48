"""The picture of a staged night file: hypnogram, the probabilities it stands on, heart rate, movement, and below them
what people scored, where the file has that. One SVG that needs nothing beside it; what is not known is hatched.
"""

from collections.abc import Callable, Iterator, Sequence
from xml.sax.saxutils import escape

from somnisphere.night import EPOCH_S, STAGES, Epoch, Stage, StageEstimate
from somnisphere.picture import STAGE_COLOUR, STAGE_NAME, STAGE_ORDER

WIDTH_PX, LEFT_PX, RIGHT_PX = 1040, 84, 24
PLOT_PX = WIDTH_PX - LEFT_PX - RIGHT_PX
HEAD_PX, STAGES_PX, BANDS_PX, HEART_PX, MOVEMENT_PX, GAP_PX = 112, 120, 92, 78, 44, 28
FOOT_PX = 66
MOST_COUNTS = 400.0
"""A movement drawn at full height."""
NOT_KNOWN = "not known"

STYLE = """<style>
text { font-family: system-ui, sans-serif; font-size: 11px; fill: #23252b }
.name { font-size: 19px; font-weight: 600 }
.label { font-size: 12px; font-weight: 600 }
.note { font-size: 12px; fill: #4c4f58 }
.tick { fill: #62656e }
.end { text-anchor: end }
.middle { text-anchor: middle }
.paper { fill: #fbfaf7 }
.panel { fill: #f1efe9 }
.grid { fill: none; stroke: #cfcbc0 }
.heart { fill: none; stroke: #b8430a; stroke-width: 1.2; stroke-linejoin: round }
.moved { fill: #62656e }
.hatch { fill: none; stroke: #8a8576 }
@media (prefers-color-scheme: dark) {
text { fill: #dedbd2 }
.note { fill: #b3b1aa }
.tick { fill: #9a9ca6 }
.paper { fill: #12141c }
.panel { fill: #1a1d28 }
.grid { stroke: #333849 }
.heart { stroke: #e08a7a }
.moved { fill: #7d86a3 }
.hatch { stroke: #7d8296 }
}
</style>
<defs><pattern id="unknown" width="7" height="7" patternUnits="userSpaceOnUse">
<path class="hatch" d="M-1 8L8 -1M-1 1L1 -1M6 8L8 6"/></pattern></defs>"""


def draw_stages(
    epochs: Sequence[Epoch],
    estimates: Sequence[StageEstimate],
    reference: Sequence[Stage | None],
    name: str,
    *,
    overnight: bool,
) -> str:
    """The picture as one SVG document. ``estimates``: one per epoch. ``reference``: by ``Epoch.index``, or empty."""
    first_s = epochs[0].start_s if epochs else 0.0
    seconds = epochs[-1].start_s + EPOCH_S - first_s if epochs else EPOCH_S
    scale = PLOT_PX / seconds

    def x_px(at_s: float) -> float:
        return LEFT_PX + (at_s - first_s) * scale

    answered = [estimate.stage for estimate in estimates]
    scored = [reference[epoch.index] if epoch.index < len(reference) else None for epoch in epochs] if reference else []
    words = _words(epochs, answered, scored, overnight=overnight)
    parts: list[str] = []
    top = float(HEAD_PX)
    panels: list[tuple[str, int, Callable[[float], Iterator[str]]]] = [
        ("Stage", STAGES_PX, lambda at: _hypnogram(epochs, answered, at, STAGES_PX, x_px)),
        ("Probability of each stage", BANDS_PX, lambda at: _bands(estimates, at, x_px)),
        ("Heart rate, a minute", HEART_PX, lambda at: _heart(epochs, at, x_px)),
        ("Movement", MOVEMENT_PX, lambda at: _movement(epochs, at, x_px)),
    ]
    if scored:
        panels.append(("Scored by people", STAGES_PX, lambda at: _hypnogram(epochs, scored, at, STAGES_PX, x_px)))
    for label, height_px, drawn in panels:
        parts.append(f'<rect class="panel" x="{LEFT_PX}" y="{top}" width="{PLOT_PX}" height="{height_px}"/>')
        parts.append(_text(LEFT_PX, top - 6, label, "label"))
        parts += drawn(top)
        top += height_px + GAP_PX
    bottom = top - GAP_PX
    height = bottom + FOOT_PX
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {height:.0f}" width="{WIDTH_PX}" '
            f'height="{height:.0f}" role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(f"Sleep stages of {name}")}</title>',
            f'<desc id="desc">{escape(" ".join(words))}</desc>',
            STYLE,
            f'<rect class="paper" width="{WIDTH_PX}" height="{height:.0f}"/>',
            _text(LEFT_PX, 30, name, "name"),
            *(_text(LEFT_PX, 49 + 16 * place, line, "note") for place, line in enumerate(words)),
            *parts,
            *_hours(seconds, bottom, scale),
            *_legend(bottom + 36),
            "</svg>\n",
        ]
    )


def _words(
    epochs: Sequence[Epoch], answered: Sequence[Stage | None], scored: Sequence[Stage | None], *, overnight: bool
) -> list[str]:
    """What the picture shows, for who cannot see it: minutes of each stage, and how far it agrees with people."""
    if not epochs:
        return ["Nothing was recorded."]
    answer = "The morning's answer" if overnight else "The live answer, from the past alone"
    said = [f"{answer}, over {len(epochs) * EPOCH_S / 60:.0f} minutes: {_minutes(answered)}."]
    if scored:
        both = [(a, b) for a, b in zip(answered, scored, strict=True) if a is not None and b is not None]
        alike = sum(a is b for a, b in both)
        said.append(f"People scored: {_minutes(scored)}.")
        said.append(f"Of {len(both)} half minutes that both name, {alike} agree. Somnisphere is not a medical device.")
    else:
        said.append("A guess from pulse and movement. Somnisphere is not a medical device.")
    return said


def _minutes(stages: Sequence[Stage | None]) -> str:
    named = [f"{STAGE_NAME[s].lower() if s is not Stage.REM else 'REM'} {stages.count(s) / 2:g}" for s in STAGE_ORDER]
    return ", ".join([*named, f"{NOT_KNOWN} {stages.count(None) / 2:g}"])


def _runs(stages: Sequence[Stage | None], epochs: Sequence[Epoch]) -> Iterator[tuple[float, float, Stage | None]]:
    """(from_s, to_s, stage) of each stretch of equal stages; epochs left out are not known."""
    from_s, end_s, current = 0.0, None, None
    for epoch, stage in zip(epochs, stages, strict=True):
        if end_s is not None and (stage is not current or epoch.start_s > end_s):
            yield from_s, end_s, current
            if epoch.start_s > end_s:
                yield end_s, epoch.start_s, None
        if end_s is None or stage is not current or epoch.start_s > end_s:
            from_s, current = epoch.start_s, stage
        end_s = epoch.start_s + EPOCH_S
    if end_s is not None:
        yield from_s, end_s, current


def _hypnogram(
    epochs: Sequence[Epoch],
    stages: Sequence[Stage | None],
    top: float,
    height_px: float,
    x_px: Callable[[float], float],
) -> Iterator[str]:
    row = height_px / len(STAGE_ORDER)
    for place, stage in enumerate(STAGE_ORDER):
        yield _text(LEFT_PX - 10, top + (place + 0.5) * row + 4, STAGE_NAME[stage], "tick end")
    for from_s, to_s, known in _runs(stages, epochs):
        x, width = x_px(from_s), x_px(to_s) - x_px(from_s)
        if known is None:
            yield _box(x, top, width, height_px, "url(#unknown)")
        else:
            yield _box(x, top + STAGE_ORDER.index(known) * row + 3, width, row - 6, STAGE_COLOUR[known])


def _bands(estimates: Sequence[StageEstimate], top: float, x_px: Callable[[float], float]) -> Iterator[str]:
    """Stacked from deep at the bottom to awake at the top; each stretch of known epochs is one shape per stage."""
    yield _text(LEFT_PX - 10, top + 10, "certain", "tick end")
    yield _text(LEFT_PX - 10, top + BANDS_PX, "none", "tick end")
    stretch: list[StageEstimate] = []
    for estimate in [*estimates, None]:
        goes_on = not stretch or (estimate is not None and estimate.start_s <= stretch[-1].start_s + EPOCH_S)
        if estimate is not None and estimate.probabilities is not None and goes_on:
            stretch.append(estimate)
            continue
        if stretch:
            yield from _stretch(stretch, top, x_px)
        stretch = [] if estimate is None or estimate.probabilities is None else [estimate]
        if estimate is not None and estimate.probabilities is None:
            x = x_px(estimate.start_s)
            yield _box(x, top, x_px(estimate.start_s + EPOCH_S) - x, BANDS_PX, "url(#unknown)")


def _stretch(stretch: Sequence[StageEstimate], top: float, x_px: Callable[[float], float]) -> Iterator[str]:
    edges = [x_px(estimate.start_s) for estimate in stretch]
    ends = [x_px(estimate.start_s + EPOCH_S) for estimate in stretch]
    under = [0.0] * len(stretch)
    for stage in reversed(STAGE_ORDER):
        over = [
            u + (estimate.probabilities or (0.0,) * 4)[STAGES.index(stage)]
            for u, estimate in zip(under, stretch, strict=True)
        ]
        upper, lower = ([top + BANDS_PX * (1.0 - min(v, 1.0)) for v in line] for line in (over, under))
        path = [f"{a:.1f} {y:.1f}L{b:.1f} {y:.1f}" for a, b, y in zip(edges, ends, upper, strict=True)]
        back = [f"{b:.1f} {y:.1f}L{a:.1f} {y:.1f}" for a, b, y in zip(edges, ends, lower, strict=True)][::-1]
        yield f'<path class="band" fill="{STAGE_COLOUR[stage]}" d="M{"L".join(path + back)}Z"/>'
        under = over


def _heart(epochs: Sequence[Epoch], top: float, x_px: Callable[[float], float]) -> Iterator[str]:
    series = [(e.start_s, [v for v in e.heart_series_bpm if v is not None]) for e in epochs]
    means = [(at_s, sum(values) / len(values)) for at_s, values in series if values]
    if not means:
        yield _text(LEFT_PX + PLOT_PX / 2, top + HEART_PX / 2, "no heart rate is known", "note middle")
        return
    low, high = min(bpm for _, bpm in means) - 2, max(bpm for _, bpm in means) + 2
    for bpm, y in ((high, top + 10), (low, top + HEART_PX)):
        yield _text(LEFT_PX - 10, y, f"{bpm:.0f}", "tick end")
    path, last_s = "", None
    for at_s, bpm in means:
        pen = "L" if last_s is not None and at_s - last_s <= EPOCH_S else "M"  # a hole is drawn as a hole
        path += f"{pen}{x_px(at_s + EPOCH_S / 2):.1f} {top + HEART_PX * (high - bpm) / (high - low):.1f}"
        last_s = at_s
    yield f'<path class="heart" d="{path}"/>'


def _movement(epochs: Sequence[Epoch], top: float, x_px: Callable[[float], float]) -> Iterator[str]:
    for epoch in epochs:
        counts = [count for count in epoch.motion_counts if count is not None]
        x = x_px(epoch.start_s)
        width = x_px(epoch.start_s + EPOCH_S) - x
        if not counts:
            yield _box(x, top, width, MOVEMENT_PX, "url(#unknown)")
        elif max(counts) > 0:
            # Square root: a turn-over must not hide the small movements beside it.
            height = min(1.0, (max(counts) / MOST_COUNTS) ** 0.5) * MOVEMENT_PX
            yield (
                f'<rect class="moved" x="{x:.1f}" y="{top + MOVEMENT_PX - height:.1f}" '
                f'width="{max(1.0, width):.1f}" height="{height:.1f}"/>'
            )


def _hours(seconds: float, bottom: float, scale: float) -> Iterator[str]:
    step_s = next((s for s in (60, 300, 600, 1800, 3600, 7200) if s * scale >= 48), 14400)
    for tick in range(int(seconds // step_s) + 1):
        x = LEFT_PX + tick * step_s * scale
        yield f'<path class="grid" d="M{x:.1f} {bottom}v5"/>'
        whole = tick * step_s
        yield _text(x, bottom + 16, f"{whole // 3600}:{whole // 60 % 60:02d}", "tick middle")


def _legend(y: float) -> Iterator[str]:
    x = float(LEFT_PX)
    for fill, words in [*((STAGE_COLOUR[s], STAGE_NAME[s]) for s in STAGE_ORDER), ("url(#unknown)", NOT_KNOWN)]:
        yield _box(x, y - 10, 16, 12, fill)
        yield _text(x + 21, y, words, "note")
        x += 44 + 7 * len(words)
    yield _text(x, y, "Hours and minutes from the record's start.", "note")


def _box(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.2f}" height="{height:.1f}" fill="{fill}"/>'


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'
