"""The terminal view of ``somnisphere watch``: the wave scrolling, the marks under it, the figures. Uses rich, which
comes with the extra ``view``.
"""

import time
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from somnisphere.picture_beats import clock
from somnisphere.watch import Watched, Watcher
from somnisphere.watch_words import BELIEVED, DOUBTED, LEGEND, figures, mark_line, wave_lines

WAVE_ROWS = 6
WIDEST, NARROWEST = 120, 40
REDRAW_S = 0.2
"""A chip is read about three times a second; oftener would only cost a small Pi its time."""
MARK_STYLE = {BELIEVED: "bold cyan", DOUBTED: "bold yellow"}


def panel(watched: Watched, width: int, title: str) -> Panel:
    """The whole view, ``width`` characters wide."""
    width = max(NARROWEST, min(WIDEST, width))
    columns = width - 4
    wave = Text("\n".join(wave_lines(watched, columns, WAVE_ROWS)), style="cyan", no_wrap=True)
    marks = Text(no_wrap=True)
    for mark in mark_line(watched, columns):
        marks.append(mark, style=MARK_STYLE.get(mark, "dim"))
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="dim")
    table.add_column()
    for name, words in figures(watched):
        table.add_row(name, Text(words, style="bold" if name == "heart" else ""))
    for fault in watched.faults:
        table.add_row(Text("trouble", style="bold red"), Text(fault, style="bold red"))
    legend = Text(LEGEND, style="dim")
    return Panel(
        Group(wave, marks, legend, Text(), table), title=Text(f"{title}  {clock(watched.since_s)}"), width=width
    )


class WatchView:
    """Draws the newest state, not oftener than an eye can see."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self._title = title
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False)
        self._drawn_s = -REDRAW_S

    def __enter__(self) -> "WatchView":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def wants(self, watcher: Watcher) -> bool:  # noqa: ARG002
        """Whether it is time to draw, whatever has come."""
        return time.monotonic() - self._drawn_s >= REDRAW_S

    def show(self, watched: Watched) -> None:
        self._drawn_s = time.monotonic()
        self._live.update(panel(watched, self._console.width, self._title), refresh=True)
