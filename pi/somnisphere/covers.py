"""The cover of the evening's story as one kind of picture: an SVG that shows it, or the title where there is none.

A home's picture has one content type for ever, so covers of all kinds are put into an SVG. One that is itself an SVG
goes in as a picture too: what a story brought along must not run as a page of the home.
"""

import base64
import threading
from collections.abc import Callable
from textwrap import wrap
from xml.sax.saxutils import escape

from somnisphere.story import Cover, Story

LARGEST_BYTES = 400_000
"""Larger covers are not shown: they are published, and kept by the broker."""
SIDE_PX = 400
_LINE_CHARS, _LINES = 18, 5


def to_svg(title: str, cover: Cover | None) -> bytes:
    """A square picture, with the title as its text for whoever cannot see it."""
    name = escape(title)
    if cover is not None and len(cover.data) <= LARGEST_BYTES:
        address = f"data:{cover.media_type};base64,{base64.b64encode(cover.data).decode()}"
        inside = f'<image width="{SIDE_PX}" height="{SIDE_PX}" href="{escape(address)}"/>'
    else:
        lines = wrap(title, _LINE_CHARS, max_lines=_LINES, placeholder=" …") or ["…"]
        top_px = SIDE_PX / 2 - 20 * (len(lines) - 1)
        words = "".join(
            f'<tspan x="{SIDE_PX / 2:g}" y="{top_px + 40 * n:g}">{escape(line)}</tspan>' for n, line in enumerate(lines)
        )
        inside = (
            f'<rect width="{SIDE_PX}" height="{SIDE_PX}" fill="#1f2440"/>'
            '<text font-family="serif" font-size="32" text-anchor="middle" dominant-baseline="middle" '
            f'fill="#f2e3c6">{words}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE_PX} {SIDE_PX}" role="img" aria-label="{name}">'
        f"<title>{name}</title>{inside}</svg>"
    ).encode()


class Covers:
    """``read`` finds a story's cover by its key and may take its time (a book is opened): with ``background`` that is
    done on a thread, and the picture is there when it is asked for again."""

    def __init__(self, read: Callable[[str], Cover | None], *, background: bool = False) -> None:
        self._read = read
        self._background = background
        self._made: tuple[str, bytes] | None = None
        self._worker: threading.Thread | None = None

    def picture(self, story: Story) -> bytes | None:
        """None: not yet."""
        made = self._made
        if made is not None and made[0] == story.key:
            return made[1]
        if not self._background:
            self._make(story)
        elif self._worker is None or not self._worker.is_alive():
            self._worker = threading.Thread(target=self._make, args=(story,), name="cover", daemon=True)
            self._worker.start()
        made = self._made
        return made[1] if made is not None and made[0] == story.key else None

    def wait(self, seconds: float) -> None:
        """For a picture that is being made."""
        if self._worker is not None:
            self._worker.join(seconds)

    def _make(self, story: Story) -> None:
        self._made = (story.key, to_svg(story.title, self._read(story.key)))
