"""The live terminal view of a night: phase, stage, heart, breath, the lamp drawn, where the story is. Uses rich, which
comes with the extra ``view``; imported by the rehearsal alone.
"""

import time
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from somnisphere.night import Stage
from somnisphere.snapshot import Snapshot

LAMP_COLUMNS = 40
STAGE_MARK = {Stage.AWAKE: "▔", Stage.REM: "▀", Stage.LIGHT: "▄", Stage.DEEP: "▁", None: "·"}
STAGE_STYLE = {Stage.AWAKE: "yellow", Stage.REM: "magenta", Stage.LIGHT: "cyan", Stage.DEEP: "blue", None: "dim"}
REDRAW_S = 0.1


def clock_of(snapshot: Snapshot) -> str:
    """The household's clock time of a snapshot."""
    return time.strftime("%H:%M:%S", time.localtime(snapshot.wall_s))


def known(value: float | None, unit: str, digits: int = 0) -> str:
    return "not known" if value is None else f"{value:.{digits}f} {unit}"


def stage_words(snapshot: Snapshot) -> str:
    if snapshot.stage is not None:
        return str(snapshot.stage.value)
    return f"unknown ({snapshot.stage_reason})" if snapshot.stage_reason else "unknown"


def story_words(snapshot: Snapshot) -> str:
    if snapshot.story_title is None:
        return "no story on the shelf"
    at_s = snapshot.story_position_s or 0.0
    state = "playing" if snapshot.story_playing else "at rest"
    return f"{snapshot.story_title}, {state} at {int(at_s) // 60}:{int(at_s) % 60:02d}, fade {snapshot.fade_db:.0f} dB"


def plain_line(snapshot: Snapshot) -> str:
    """One line for where no terminal is."""
    return (
        f"{clock_of(snapshot)}  {snapshot.phase.value:<9}  stage {stage_words(snapshot)}, "
        f"heart {known(snapshot.heart_bpm, 'bpm')}, breath {known(snapshot.breath_bpm, '/min')}, "
        f"lamp {snapshot.lamp_lightness_pct:.0f}, story {story_words(snapshot)}"
    )


def lamp_drawn(snapshot: Snapshot) -> Text:
    """The lamp as a bar whose colour is as bright as the lamp."""
    level = max(0.0, min(1.0, snapshot.lamp_lightness_pct / 100))
    lit = round(level * LAMP_COLUMNS)
    red, green, blue = (round(40 + (full - 40) * min(1.0, 0.2 + level)) for full in (255, 180, 90))
    bar = Text("█" * lit, style=f"rgb({red},{green},{blue})")
    return bar.append("░" * (LAMP_COLUMNS - lit), style="dim").append(f"  L* {snapshot.lamp_lightness_pct:.0f}")


class LiveView:
    """Shows the newest snapshot. Without a terminal, one plain line every ``plain_every_s`` of night."""

    def __init__(self, watch_hint: str, *, plain: bool = False, plain_every_s: float = 900.0) -> None:
        self._console = Console()
        self._plain = plain or not self._console.is_terminal
        self._plain_every_s = plain_every_s
        self._plain_due_s: float | None = None
        self._last_phase: object = None
        self._hint = watch_hint
        self._stages: list[tuple[Stage | None, float]] = []
        self._drawn_s = 0.0
        self._live = None if self._plain else Live(console=self._console, auto_refresh=False)

    def __enter__(self) -> "LiveView":
        self._console.print(self._hint, highlight=False, soft_wrap=True)
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, snapshot: Snapshot) -> None:
        if not self._stages or snapshot.at_s - self._stages[-1][1] >= 300.0:
            self._stages.append((snapshot.stage, snapshot.at_s))
        if self._live is None:
            self._show_plain(snapshot)
            return
        now_s = time.monotonic()
        if now_s - self._drawn_s >= REDRAW_S:
            self._drawn_s = now_s
            self._live.update(self._panel(snapshot), refresh=True)

    def _show_plain(self, snapshot: Snapshot) -> None:
        due = self._plain_due_s is None or snapshot.at_s >= self._plain_due_s
        if due or snapshot.phase is not self._last_phase:
            self._plain_due_s = snapshot.at_s + self._plain_every_s
            self._last_phase = snapshot.phase
            self._console.print(Text(plain_line(snapshot)), soft_wrap=True)

    def _panel(self, snapshot: Snapshot) -> Panel:
        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", style="dim")
        table.add_column()
        table.add_row("phase", Text(snapshot.phase.value, style="bold"))
        table.add_row("stage", Text(stage_words(snapshot)))
        table.add_row("heart", known(snapshot.heart_bpm, "bpm (from pulse)"))
        table.add_row("breath", known(snapshot.breath_bpm, "breaths a minute"))
        table.add_row("lamp", lamp_drawn(snapshot))
        table.add_row("story", Text(story_words(snapshot)))  # as it is: "[x]" in a title is no markup
        ribbon = Text()
        for stage, _ in self._stages[-96:]:
            ribbon.append(STAGE_MARK[stage], style=STAGE_STYLE[stage])
        return Panel(Group(table, Text(), ribbon), title=f"Somnisphere  {clock_of(snapshot)}", width=100)
