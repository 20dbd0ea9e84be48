"""A curve in braille characters: two dots across and four down in each, so that a terminal can show a pulse."""

import numpy as np
from numpy.typing import NDArray

_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Unicode 15, section 21.1: bit of the dot in row r, column c; U+2800 is the empty pattern."""


def curve(x: NDArray[np.float64], y: NDArray[np.float64], columns: int, rows: int) -> list[str]:
    """Lines of text, the top one first. ``x``, ``y``: (n,) in 0..1, ``x`` growing; NaN in ``y`` is a hole. Every
    column of dots is filled from its lowest to its highest value and on to where the one before it ended."""
    dots = np.zeros((4 * rows, 2 * columns), dtype=bool)
    column = np.clip((x * 2 * columns).astype(np.intp), 0, 2 * columns - 1)
    height = np.clip(np.round(np.nan_to_num(1.0 - y) * (4 * rows - 1)), 0, 4 * rows - 1).astype(np.intp)
    known = np.isfinite(y)
    before: tuple[int, int] | None = None
    for here in np.unique(column).tolist():
        inside = column == here
        heights = height[inside & known]
        if not len(heights):
            before = None
            continue
        top, bottom = int(heights.min()), int(heights.max())
        # Only a neighbour is joined to, and never across a hole.
        if before is not None and here - before[0] <= 3 and known[inside].all():
            top, bottom = min(top, before[1]), max(bottom, before[1])
        dots[top : bottom + 1, here] = True
        before = (here, int(heights[-1])) if known[inside][-1] else None
    cells = (dots.reshape(rows, 4, columns, 2) * _DOTS[None, :, None, :]).sum(axis=(1, 3))
    return ["".join(chr(0x2800 + cell) for cell in line) for line in cells.tolist()]
