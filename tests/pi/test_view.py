"""What a person sees of a rehearsal: the live panel on a terminal, plain lines elsewhere."""

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from somnisphere import view
from somnisphere.bedtime.phases import Phase
from somnisphere.night import STAGES, Stage
from somnisphere.snapshot import Snapshot
from somnisphere.view import LAMP_COLUMNS, LiveView, known, lamp_drawn, plain_line, stage_words, story_words

EVENING = Snapshot(
    at_s=0.0,
    wall_s=1_773_520_200.0,
    phase=Phase.STORY,
    stage=Stage.LIGHT,
    probabilities=(0.1, 0.7, 0.15, 0.05),
    heart_bpm=57.6,
    breath_bpm=13.4,
    story_title="The [/boat]",
    story_playing=True,
    story_position_s=312.6,
    fade_db=-6.4,
    lamp_lightness_pct=18.0,
)


class Terminal:
    """A terminal that is not there, in place of the one the view would find."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, is_one: bool) -> None:
        self.text = io.StringIO()
        console = Console(
            file=self.text, force_terminal=is_one, width=100, color_system="truecolor", legacy_windows=False
        )
        monkeypatch.setattr(view, "Console", lambda: console)

    @property
    def words(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.text.getvalue())


def test_what_is_not_known_is_said_so() -> None:
    assert known(None, "bpm") == "not known"
    assert known(57.6, "bpm") == "58 bpm"
    assert stage_words(replace(EVENING, stage=None, stage_reason="nobody in bed")) == "unknown (nobody in bed)"
    assert stage_words(replace(EVENING, stage=None, stage_reason="")) == "unknown"
    assert story_words(replace(EVENING, story_title=None)) == "no story on the shelf"
    assert "at rest at 0:00" in story_words(replace(EVENING, story_playing=False, story_position_s=None))


def test_one_line_tells_the_evening() -> None:
    line = plain_line(EVENING)
    assert re.match(r"\d\d:\d\d:\d\d  story {6}stage light, heart 58 bpm, breath 13 /min, lamp 18, ", line)
    assert line.endswith("story The [/boat], playing at 5:12, fade -6 dB")


@given(st.floats(-5.0, 110.0))
def test_the_lamp_is_drawn_as_long_as_it_is_bright(lightness_pct: float) -> None:
    drawn = lamp_drawn(replace(EVENING, lamp_lightness_pct=lightness_pct)).plain
    lit = drawn.count("█")
    assert lit + drawn.count("░") == LAMP_COLUMNS
    assert lit == round(max(0.0, min(1.0, lightness_pct / 100)) * LAMP_COLUMNS)


def test_without_a_terminal_there_is_a_line_a_quarter_of_an_hour_and_one_a_phase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal(monkeypatch, is_one=False)
    with LiveView("Watch it: so") as shown:
        for second in range(3600):
            phase = Phase.STORY if second < 1000 else Phase.DRIFTING
            shown.show(replace(EVENING, at_s=float(second), phase=phase))
    lines = terminal.words.splitlines()
    assert lines[0] == "Watch it: so"
    assert [line.split()[1] for line in lines[1:]] == ["story", "story", "drifting", "drifting", "drifting"]


def test_plain_wins_over_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, is_one=True)
    with LiveView("hint", plain=True) as shown:
        shown.show(EVENING)
    assert "╭" not in terminal.words
    assert "The [/boat]" in terminal.words


def test_on_a_terminal_it_is_drawn_live(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, is_one=True)
    times = iter(range(1000))
    monkeypatch.setattr("somnisphere.view.time.monotonic", lambda: float(next(times)))
    with LiveView("hint") as shown:
        for k, stage in enumerate([*STAGES, None]):
            shown.show(replace(EVENING, at_s=300.0 * k, stage=stage, stage_reason="the signs are mixed"))
    words = terminal.words
    last = words[words.rindex("╭") :]
    for part in ("Somnisphere", "phase  story", "58 bpm (from pulse)", "13 breaths a minute", "L* 18", "The [/boat]"):
        assert part in last
    assert "unknown (the signs are mixed)" in last
    assert all(mark in last for mark in "▔▀▄▁·")


def test_it_is_not_drawn_oftener_than_an_eye_can_see(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, is_one=True)
    monkeypatch.setattr("somnisphere.view.time.monotonic", lambda: 1000.0)
    with LiveView("hint") as shown:
        for second in range(500):
            shown.show(replace(EVENING, at_s=float(second)))
    assert terminal.words.count("╭") <= 2
