"""The picture of what was heard: the wave in rows, every beat on it, intervals over time, and why some of it is not
believed. One SVG that needs nothing beside it, in light and dark; every colour has a shape that says the same.
"""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from somnisphere.heard import Heard, Span, joined
from somnisphere.night import Beat
from somnisphere.picture_beats_style import PATTERNS, STYLE
from somnisphere.sleep.pulse import TRUSTED

Floats = NDArray[np.float64]

WIDTH_PX, LEFT_PX, RIGHT_PX = 1040, 62, 62
PLOT_PX = WIDTH_PX - LEFT_PX - RIGHT_PX
HEAD_PX, TACHOGRAM_PX, WAVE_PX, LANE_PX, ROW_PX, LEGEND_PX = 78, 96, 78, 22, 128, 104
ROW_LENGTHS_S = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0)
MOST_ROWS = 10
MARK_PX = 3.0
"""Beats nearer than this share a mark."""
SINGLE_PX = 7.0
"""Beats that lie this far apart are drawn each on the wave too."""
TALLEST = 1.9
"""Height of a row in usual pulses."""


def draw_beats(heard: Heard) -> str:
    """The picture as one SVG document."""
    row_s = next((s for s in ROW_LENGTHS_S if heard.to_s - heard.from_s <= MOST_ROWS * s), ROW_LENGTHS_S[-1])
    rows = max(1, int(np.ceil((heard.to_s - heard.from_s) / row_s - 1e-9)))
    top_px = HEAD_PX + TACHOGRAM_PX + 44
    height_px = top_px + rows * ROW_PX + LEGEND_PX
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {height_px}" width="{WIDTH_PX}" '
        f'height="{height_px}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(f"Heartbeats of {heard.name}")}</title>',
        f'<desc id="desc">{escape(" ".join(_words(heard)))}</desc>',
        STYLE,
        PATTERNS,
        f'<rect class="paper" width="{WIDTH_PX}" height="{height_px}"/>',
        _text(LEFT_PX, 32, heard.name, "name"),
        *(_text(LEFT_PX, 52 + 17 * place, words, "note") for place, words in enumerate(_words(heard))),
        *_tachogram(heard, HEAD_PX + 24),
    ]
    scale = _usual_height(heard) * TALLEST
    for row in range(rows):
        lines += _row(heard, heard.from_s + row * row_s, row_s, top_px + row * ROW_PX, scale)
    lines += _legend(heard, row_s, top_px + rows * ROW_PX + 10)
    return "\n".join([*lines, "</svg>\n"])


def clock(at_s: float) -> str:
    """Minutes and seconds, with hours where there are any."""
    whole = round(at_s)
    hours = f"{whole // 3600}:{whole // 60 % 60:02d}" if whole >= 3600 else f"{whole // 60}"
    return f"{hours}:{whole % 60:02d}"


def _words(heard: Heard) -> list[str]:
    beats = heard.inside
    doubted = sum(beat.quality < TRUSTED for beat in beats)
    intervals_s = [beat.ibi_s for beat in beats if beat.ibi_s is not None]
    said = f"{clock(heard.from_s)} to {clock(heard.to_s)} of {clock(heard.total_s)}, {heard.rate_hz:.4g} Hz."
    said += f" {len(beats)} beats heard, {doubted} of them doubted; {len(intervals_s)} intervals taken"
    if intervals_s:
        middle_s = float(np.median(intervals_s))
        said += f", median {1000 * middle_s:.0f} ms ({60 / middle_s:.0f} a minute)"
    lost = [
        f"{words} {sum(end_s - begin_s for begin_s, end_s in spans):.1f} s"
        for words, spans in (("missing", heard.gaps), ("clipped", heard.clipped), ("body moving", heard.moved or ()))
        if spans
    ]
    more = "; ".join(lost)
    if heard.moved is None:
        more += ("; " if more else "") + "no accelerometer"
    if heard.clock_s:
        more += f"{'; ' if more else ''}0:00 is at_s = {heard.clock_s:.1f}"
    return [said + ".", more[:1].upper() + more[1:] + "." if more else "Nothing missing, clipped or moved."]


def _usual_height(heard: Heard) -> float:
    """From valley to top of a usual pulse: the median over seconds, so that a movement does not shrink the rest."""
    size = max(1, round(heard.rate_hz))
    whole = len(heard.wave) // size * size
    if not whole:
        return 1.0
    seconds = heard.wave[:whole].reshape(-1, size)
    heights = seconds.max(axis=1) - seconds.min(axis=1)
    heights = heights[np.isfinite(heights) & (heights > 0)]
    return float(np.median(heights)) if len(heights) else 1.0


# ---- the tachogram -------------------------------------------------------------------------------------------------


def _tachogram(heard: Heard, top_px: float) -> Iterator[str]:
    """Inter-beat interval over the whole stretch; a line only where intervals follow each other."""
    bottom_px = top_px + TACHOGRAM_PX
    seconds = heard.to_s - heard.from_s
    x_scale = PLOT_PX / seconds if seconds > 0 else 1.0
    yield f'<rect class="panel" x="{LEFT_PX}" y="{top_px}" width="{PLOT_PX}" height="{TACHOGRAM_PX}"/>'
    yield _text(LEFT_PX, top_px - 7, "Interval from beat to beat", "label")
    yield from _spans(heard, heard.from_s, heard.to_s, top_px, TACHOGRAM_PX, x_scale)
    beats = heard.inside
    known_ms = [1000.0 * beat.ibi_s for beat in beats if beat.ibi_s is not None]
    if not known_ms:
        yield _text(LEFT_PX + PLOT_PX / 2, top_px + TACHOGRAM_PX / 2 + 4, "no interval could be taken", "note middle")
    else:
        step_ms = 100.0 if max(known_ms) - min(known_ms) < 350 else 250.0
        low_ms, high_ms = np.floor(min(known_ms) / step_ms) * step_ms, np.ceil(max(known_ms) / step_ms) * step_ms
        high_ms = max(high_ms, low_ms + step_ms)
        y_scale = (TACHOGRAM_PX - 12) / (high_ms - low_ms)
        for tick_ms in np.arange(low_ms, high_ms + 1, step_ms).tolist():
            y = bottom_px - 6 - (tick_ms - low_ms) * y_scale
            yield f'<path class="grid" d="M{LEFT_PX} {y:.1f}h{PLOT_PX}"/>'
            yield _text(LEFT_PX - 6, y + 4, f"{tick_ms:.0f} ms", "tick end")
            yield _text(WIDTH_PX - RIGHT_PX + 6, y + 4, f"{60000 / max(tick_ms, 1.0):.0f}/min", "tick")
        times_s = np.array([beat.at_s for beat in beats])
        ms = np.array([np.nan if beat.ibi_s is None else 1000.0 * beat.ibi_s for beat in beats])
        x, y_all = (times_s - heard.from_s) * x_scale + LEFT_PX, bottom_px - 6 - (ms - low_ms) * y_scale
        yield f'<path class="intervals" d="{_path(x, y_all)}"/>'
        if len(known_ms) * MARK_PX < PLOT_PX:
            dots = zip(x[np.isfinite(ms)].tolist(), y_all[np.isfinite(ms)].tolist(), strict=True)
            yield '<path class="dots" d="' + "".join(f"M{a:.1f} {b:.1f}h0" for a, b in dots) + '"/>'
    yield from _time_axis(heard.from_s, heard.to_s, bottom_px, x_scale)


# ---- one row -------------------------------------------------------------------------------------------------------


def _row(heard: Heard, from_s: float, row_s: float, top_px: float, scale: float) -> Iterator[str]:
    to_s = min(from_s + row_s, heard.to_s)
    x_scale = PLOT_PX / row_s
    width_px = (to_s - from_s) * x_scale
    height_px = WAVE_PX + LANE_PX
    yield f'<rect class="panel" x="{LEFT_PX}" y="{top_px}" width="{width_px:.1f}" height="{height_px}"/>'
    yield _text(LEFT_PX - 8, top_px + WAVE_PX / 2 + 4, clock(from_s), "row end" if from_s < 3600 else "tick end")
    beats = [beat for beat in heard.inside if from_s <= beat.at_s < to_s or beat.at_s == heard.to_s == to_s]
    single = len(beats) * SINGLE_PX < max(width_px, 1.0)
    if single:
        yield from _spans(heard, from_s, to_s, top_px, height_px, x_scale)
    here = (heard.times_s >= from_s) & (heard.times_s <= to_s)
    times_s, wave = heard.times_s[here], heard.wave[here]
    middle_px = top_px + WAVE_PX * 0.56
    y = np.clip(middle_px - wave / scale * WAVE_PX, top_px + 1, top_px + WAVE_PX)
    x = LEFT_PX + (times_s - from_s) * x_scale
    yield f'<path class="wave" d="{_path(x, y)}"/>'
    if not single:  # a wave of hours is a band that would hide them
        yield from _spans(heard, from_s, to_s, top_px, height_px, x_scale)
    if heard.is_light:
        yield from _scale_bar(scale, top_px)
    base_px = top_px + height_px - 2
    yield from _lane(heard, from_s, to_s, base_px, x_scale)
    for group in _grouped(beats, x_scale):
        quality = sum(beat.quality for beat in group) / len(group)
        at_s = sum(beat.at_s for beat in group) / len(group)
        at_px = LEFT_PX + (at_s - from_s) * x_scale
        yield from _mark(group[0] if single else None, quality, at_px, base_px)
        if single and len(times_s):
            y_px = float(np.interp(at_px, x[np.isfinite(y)], y[np.isfinite(y)])) if np.isfinite(y).any() else middle_px
            kind = "believed" if quality >= TRUSTED else "doubted"
            yield f'<circle class="{kind}" cx="{at_px:.1f}" cy="{y_px:.1f}" r="2.6"/>'
    yield from _time_axis(from_s, to_s, top_px + height_px, x_scale)


def _mark(beat: Beat | None, quality: float, at_px: float, base_px: float) -> Iterator[str]:
    """A stick: as tall as its beat is sure; filled where believed, hollow where doubted."""
    height = 3 + (LANE_PX - 6) * quality
    kind, width = ("believed", 2.4) if quality >= TRUSTED else ("doubted", 3.4)
    box = f'x="{at_px - width / 2:.1f}" y="{base_px - height:.1f}" width="{width}" height="{height:.1f}"'
    if beat is None:
        yield f'<rect class="{kind}" {box}/>'
        return
    interval = "no interval" if beat.ibi_s is None else f"interval {1000 * beat.ibi_s:.0f} ms"
    yield f'<rect class="{kind}" {box}><title>{beat.at_s:.2f} s, {interval}, quality {quality:.2f}</title></rect>'


def _lane(heard: Heard, from_s: float, to_s: float, base_px: float, x_scale: float) -> Iterator[str]:
    for begin_s, end_s in joined(heard.untrusted, 1.0 / x_scale):
        begin_s, end_s = max(begin_s, from_s), min(end_s, to_s)
        if end_s > begin_s:
            x = LEFT_PX + (begin_s - from_s) * x_scale
            width = (end_s - begin_s) * x_scale
            yield (
                f'<rect fill="url(#no-interval)" x="{x:.1f}" y="{base_px - LANE_PX + 4}" width="{width:.1f}" '
                f'height="{LANE_PX - 4}"/>'
            )
    yield f'<path class="grid" d="M{LEFT_PX} {base_px}h{(to_s - from_s) * x_scale:.1f}"/>'


def _grouped(beats: Sequence[Beat], x_scale: float) -> Iterator[list[Beat]]:
    group: list[Beat] = []
    for beat in beats:
        if group and (beat.at_s - group[0].at_s) * x_scale >= MARK_PX:
            yield group
            group = []
        group.append(beat)
    if group:
        yield group


def _spans(heard: Heard, from_s: float, to_s: float, top_px: float, height_px: float, x_scale: float) -> Iterator[str]:
    """Shades and hatches behind everything, each with its word where there is room for it."""
    for kind, words, spans in (
        ("moved", "moved", heard.moved or ()),
        ("gap", "no samples", heard.gaps),
        ("clipped", "clipped", heard.clipped),
    ):
        for begin_s, end_s in _shown(spans, from_s, to_s, x_scale):
            x, width = LEFT_PX + (begin_s - from_s) * x_scale, max(1.0, (end_s - begin_s) * x_scale)
            box = f'x="{x:.1f}" y="{top_px}" width="{width:.1f}" height="{height_px}"'
            yield f'<rect class="{kind}" {box}/>' if kind == "moved" else f'<rect fill="url(#{kind})" {box}/>'
            if width > 7 * len(words):
                yield _text(x + 4, top_px + 12, words, "word")


def _shown(spans: Sequence[Span], from_s: float, to_s: float, x_scale: float) -> Iterator[Span]:
    for begin_s, end_s in joined(spans, 1.0 / x_scale):
        if end_s > from_s and begin_s < to_s:
            yield max(begin_s, from_s), min(end_s, to_s)


def _scale_bar(scale: float, top_px: float) -> Iterator[str]:
    """How much light a height is: a round share of it, between a tenth and a half of the row."""
    shares = [m * 10.0**e for e in range(-6, 2) for m in (1, 2, 5)]
    share = max((s for s in shares if s <= 0.5 * scale), default=shares[0])
    length = share / scale * WAVE_PX
    x, bottom = WIDTH_PX - RIGHT_PX + 7, top_px + WAVE_PX * 0.56 + length / 2
    yield f'<path class="bar" d="M{x} {bottom:.1f}v{-length:.1f}m-3 0h6m-6 {length:.1f}h6"/>'
    yield _text(x + 7, bottom - length / 2 + 4, f"{100 * share:.3g} %", "tick")


# ---- axis, legend, lines --------------------------------------------------------------------------------------------


def _time_axis(from_s: float, to_s: float, bottom_px: float, x_scale: float) -> Iterator[str]:
    step_s = next((s for s in (1.0, 2.0, 5.0, 10.0, 30.0, *ROW_LENGTHS_S) if s * x_scale >= 58), ROW_LENGTHS_S[-1])
    first, last = int(np.ceil(from_s / step_s - 1e-9)), int(np.floor(to_s / step_s + 1e-9))
    for tick in range(first, last + 1):
        x = LEFT_PX + (tick * step_s - from_s) * x_scale
        yield f'<path class="axis" d="M{x:.1f} {bottom_px}v4"/>'
        yield _text(x, bottom_px + 15, clock(tick * step_s), "tick middle")


def _legend(heard: Heard, row_s: float, top_px: float) -> Iterator[str]:
    one_each = len(heard.inside) * MARK_PX < (heard.to_s - heard.from_s) * PLOT_PX / row_s
    mark = "beat" if one_each else f"beats of {MARK_PX * row_s / PLOT_PX:.2g} s"
    x, y = float(LEFT_PX), top_px + 14.0
    entries = [
        ("believed", f"{mark}, believed: the taller, the surer"),
        ("doubted", f"{mark}, doubted: hollow, below {TRUSTED:g} of full height"),
        *([("no-interval", "no interval is taken")] if heard.untrusted else []),
        *([("gap", "no samples")] if heard.gaps else []),
        *([("clipped", "too bright to read (clipped)")] if heard.clipped else []),
        *([("moved", "the body moved")] if heard.moved else []),
    ]
    for kind, words in entries:
        width = 24 + 6.1 * len(words) + 16
        if x + width > WIDTH_PX - 20:
            x, y = float(LEFT_PX), y + 22
        if kind in ("believed", "doubted"):
            quality = 1.0 if kind == "believed" else 0.4
            yield from _mark(None, quality, x + 4, y + 3)
            yield f'<circle class="{kind}" cx="{x + 12}" cy="{y - 4}" r="2.6"/>'
        else:
            fill = 'class="moved"' if kind == "moved" else f'fill="url(#{kind})"'
            yield f'<rect {fill} x="{x}" y="{y - 11}" width="18" height="14"/>'
        yield _text(x + 24, y, words, "note")
        x += width
    unit = "share of the light; the bar beside a row says how much" if heard.is_light else "no unit: the source's own"
    for words in (
        f"Wave: blood in the skin, systole up, slow drift taken out ({unit}). A beat stands at the steepest rise.",
        "Time in minutes and seconds from the recording's start. Somnisphere is not a medical device.",
    ):
        y += 20
        yield _text(LEFT_PX, y, words, "note")


def _path(x: Floats, y: Floats) -> str:
    """A line through the points, broken at NaN; where a pixel holds more than two, its lowest and its highest."""
    if len(x) > 2 * PLOT_PX:
        x, y = _thinned(x, y)
    parts: list[str] = []
    pen = "M"
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        if b != b:  # NaN
            pen = "M"
            continue
        parts.append(f"{pen}{a:.1f} {b:.1f}")
        pen = "L"
    return "".join(parts)


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Two points a pixel: its extremes. Where a whole pixel is without a number, the line breaks."""
    column = np.floor(x).astype(np.intp)
    edges = np.concatenate(([0], np.flatnonzero(np.diff(column)) + 1))
    low, high = np.fmin.reduceat(y, edges), np.fmax.reduceat(y, edges)
    middle = column[edges] + 0.5
    broken = np.diff(middle, prepend=middle[:1]) > 1.5
    both = np.stack((low, high), axis=1).ravel()
    x_both = np.repeat(middle, 2)
    return np.insert(x_both, 2 * np.flatnonzero(broken), np.nan), np.insert(both, 2 * np.flatnonzero(broken), np.nan)


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'
