"""The ribbon of bedtimes: a week of nights side by side as bands over the clock, soft where they are not sure. Pure.

The band is full where sleep was surely, and pale over the ranges of its ends. The words of ``Evening.words`` stand
beside it on the page; inside, a title and a description say the same to those who do not see it.
"""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from somnisphere.diary.words import Words
from somnisphere.letter.week import Evening

WIDTH_PX, LEFT_PX, RIGHT_PX, TOP_PX, ROW_PX = 720, 130, 30, 30, 34
FROM_S, UNTIL_S = 18 * 3600.0, 36 * 3600.0
"""From six in the evening to noon, in seconds after the evening's midnight."""
EVERY_S = 3 * 3600.0
TITLE = Words("Ribbon of a week's nights", "Band der Nächte einer Woche")


def ribbon(rows: Sequence[Evening], language: str) -> str:
    """One SVG, to stand in a page. Colours come from the page: ``currentColor`` and its opacity."""
    height = TOP_PX + ROW_PX * len(rows) + 12
    said = "; ".join(f"{row.weekday(language)}: {row.words(language)}" for row in rows)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {height}" role="img" '
        'aria-labelledby="ribbon-title ribbon-words" class="ribbon" font-family="sans-serif" font-size="15">',
        f'<title id="ribbon-title">{escape(TITLE.to(language))}</title>',
        f'<desc id="ribbon-words">{escape(said)}</desc>',
    ]
    for tick in range(int((UNTIL_S - FROM_S) // EVERY_S) + 1):
        at_s = FROM_S + tick * EVERY_S
        x = _x(at_s)
        lines.append(
            f'<line x1="{x:.1f}" y1="{TOP_PX - 6}" x2="{x:.1f}" y2="{height - 8}" stroke="currentColor" '
            'stroke-opacity="0.2"/>'
            f'<text x="{x:.1f}" y="18" fill="currentColor" text-anchor="middle">{int(at_s // 3600) % 24:02d}:00</text>'
        )
    for number, row in enumerate(rows):
        lines += _row(row, TOP_PX + number * ROW_PX, language)
    return "\n".join([*lines, "</svg>"])


def _row(row: Evening, top_px: int, language: str) -> list[str]:
    middle = top_px + ROW_PX / 2
    lines = [
        f'<text x="{LEFT_PX - 14}" y="{middle + 5:.1f}" fill="currentColor" text-anchor="end">'
        f"{escape(row.weekday(language))}</text>"
    ]
    facts = row.facts
    if facts is None or facts.onset is None or facts.waking is None:
        return lines
    low, high = facts.onset, facts.waking
    for begin_s, end_s, sure in (
        (low.low, low.high, 0.3),
        (low.high, high.low, 0.8),
        (high.low, high.high, 0.3),
    ):
        x, end = _x(begin_s), _x(end_s)
        if end > x:
            lines.append(
                f'<rect x="{x:.1f}" y="{middle - 8:.1f}" width="{end - x:.1f}" height="16" rx="3" '
                f'fill="currentColor" fill-opacity="{sure}"/>'
            )
    return lines


def _x(at_s: float) -> float:
    inside = min(max(at_s, FROM_S), UNTIL_S)
    return LEFT_PX + (inside - FROM_S) / (UNTIL_S - FROM_S) * (WIDTH_PX - LEFT_PX - RIGHT_PX)
