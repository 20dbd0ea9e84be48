"""Watching a sensor: what is drawn is what came, what is not known is said so, and the LEDs are off afterwards."""

import io
import os
import re
import signal
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import smbus2
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from tests.cli_words import FS_HZ, Output, configured, error_of
from tests.living_bus import living_chips
from tests.pulse_waves import beat_times, light, lying_still, motion_blocks, pulse_blocks

from somnisphere import cli_watch, watch_view
from somnisphere.braille import curve
from somnisphere.cli import main
from somnisphere.cli_watch import watch_recording
from somnisphere.recorder import RecordingWriter
from somnisphere.watch import SHOWN_S, Watched, Watcher
from somnisphere.watch_view import WatchView, panel
from somnisphere.watch_words import (
    BELIEVED,
    CLIPPED,
    DOUBTED,
    MOVED,
    NO_SAMPLES,
    NOT_YET,
    figures,
    mark_line,
    plain_line,
    wave_lines,
)
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS, MotionBlock, PartState, PulseBlock, Sample

BUS = 78
SECONDS = 60.0
LOST = PartState("pulse", 60.0, ok=False, problem="The pulse sensor is gone: look at its plug.")


def bed(ir: np.ndarray | None = None, accel_g: np.ndarray | None = None) -> list[PulseBlock | MotionBlock]:
    """A minute of somebody lying still, as a sensor would say it; ``ir`` NaN is missing."""
    ir = light(beat_times(SECONDS, 60.0), SECONDS, FS_HZ, noise=15) if ir is None else ir
    pulses = list(pulse_blocks(np.nan_to_num(ir), FS_HZ, red=np.nan_to_num(ir) * 0.7))
    pulses = [b for b in pulses if np.isfinite(ir[round(b.start_s * FS_HZ)])]
    moves = motion_blocks(lying_still(SECONDS, 25.0) if accel_g is None else accel_g, 25.0)
    return sorted([*pulses, *moves], key=lambda block: block.end_s)


def watched_after(samples: Iterable[Sample], at_s: float = SECONDS) -> Watched:
    watcher = Watcher()
    for sample in samples:
        watcher.take(sample)
        if not isinstance(sample, PartState):
            watcher.advance(sample.end_s)
    watcher.advance(at_s)
    return watcher.watched()


def drawn(watched: Watched, width: int = 100) -> str:
    text = io.StringIO()
    Console(file=text, width=width, color_system=None).print(panel(watched, width, "bed"))
    return text.getvalue()


def words(watched: Watched) -> dict[str, str]:
    return dict(figures(watched))


# ---- the state -------------------------------------------------------------------------------------------------------


def test_a_minute_of_lying_still_is_told() -> None:
    watched = watched_after(bed())
    said = words(watched)
    assert re.fullmatch(r"(59|60|61) a minute from [23]\d intervals \(pulse\)", said["heart"])
    assert re.fullmatch(r"\d{3,4} ms", said["interval"])
    assert re.fullmatch(r"\d+ ms from [345]\d pairs of intervals \(pulse, not ECG\)", said["RMSSD"])
    assert "uncalibrated" in said["oxygen"]
    assert said["there"] == "a pulse"
    assert said["motion"] == "still; count 0 in the last full 15 s"
    assert said["LEDs"] == "red 7.0 mA, infrared 7.0 mA"
    assert said["rate"] == "pulse 50.0 Hz, motion 25.0 Hz"
    assert watched.since_s == SECONDS
    assert watched.times_s[0] >= SECONDS - SHOWN_S


def test_nothing_is_claimed_before_anything_came() -> None:
    watched = Watcher().watched()
    assert {words(watched)[name] for name in ("heart", "interval", "breath", "oxygen", "motion", "LEDs")} == {
        "not known"
    }
    assert words(watched)["rate"] == "no samples"
    assert "somnisphere" not in plain_line(watched)
    drawn(watched)


def test_leds_of_a_recording_that_does_not_tell_them_are_not_known() -> None:
    watcher = Watcher(leds_known=False)
    watcher.take(bed()[0])
    assert words(watcher.watched())["LEDs"] == "not known"


def test_the_beats_are_those_of_a_recording() -> None:
    watched = watched_after(bed())
    truth = beat_times(SECONDS, 60.0)
    for beat in watched.beats:
        assert np.abs(truth + 0.04 - beat.at_s).min() < 0.08
    judged = truth[(truth > SECONDS - SHOWN_S + 0.2) & (truth < watched.judged_s - 0.2)]
    assert len(watched.beats) >= len(judged) >= 4


def test_a_lost_sensor_is_said_and_its_figures_go() -> None:
    """And comes back: what was lost is then found."""
    samples = bed()
    lost = watched_after([*samples, LOST], SECONDS + 40.0)
    assert lost.faults == (LOST.problem,)
    assert words(lost)["heart"] == "not known"
    assert words(lost)["LEDs"] == "not known"
    assert LOST.problem in drawn(lost)
    assert plain_line(lost).endswith("! " + LOST.problem)
    back = watched_after([*samples, LOST, PartState("pulse", 61.0, ok=True, chip="MAX30102")], 61.0)
    assert back.faults == ()


def test_memory_stays_bounded() -> None:
    watcher = Watcher()
    for minute in range(20):
        for sample in bed():
            watcher.take(replace(sample, start_s=sample.start_s + 60.0 * minute))
    assert len(watcher._pulses) < 40
    assert len(watcher._beats) < 40


# ---- the drawing -----------------------------------------------------------------------------------------------------


def test_marks_stand_under_what_they_mean() -> None:
    ir = light(beat_times(SECONDS, 60.0), SECONDS, FS_HZ, noise=15)
    ir[round(50 * FS_HZ) : round(52 * FS_HZ)] = np.nan
    ir[round(54 * FS_HZ) : round(55 * FS_HZ)] = PULSE_FULL_SCALE_COUNTS
    accel_g = lying_still(SECONDS, 25.0)
    accel_g[round(48.2 * 25) : round(48.8 * 25)] += np.random.default_rng(1).normal(0, 0.2, (15, 3))
    marks = mark_line(watched_after(bed(ir, accel_g)), 120)  # ten a second, from 48 s on
    assert set(marks[:10]) <= {MOVED, BELIEVED, DOUBTED}
    assert set(marks[21:39]) == {NO_SAMPLES}
    assert set(marks[61:69]) == {CLIPPED}
    assert marks[-20:] == NOT_YET * 20
    assert MOVED not in marks[10:]


def test_a_doubted_beat_has_a_mark_of_its_own() -> None:
    watched = watched_after(bed())
    doubted = replace(watched, beats=tuple(replace(beat, quality=0.3) for beat in watched.beats))
    assert mark_line(doubted, 90) == mark_line(watched, 90).replace(BELIEVED, DOUBTED)
    assert DOUBTED in mark_line(doubted, 90)


def test_the_wave_rises_where_the_beats_are() -> None:
    """Read back from its dots: the top line is reached once a beat."""
    watched = watched_after(bed())
    top, *_ = wave_lines(replace(watched, beats=()), 90, 3)
    peaks = len(re.findall(r"[^\u2800]+", top))
    assert peaks == pytest.approx(SHOWN_S, abs=1)


@given(st.integers(1, 130), st.integers(1, 8), st.lists(st.floats(-2, 3) | st.just(float("nan")), max_size=300))
@settings(max_examples=60, deadline=None)
def test_a_curve_fits_its_place(columns: int, rows: int, values: list[float]) -> None:
    y = np.array(values, dtype=np.float64)
    lines = curve(np.linspace(0, 1, len(y)), y, columns, rows)
    assert [len(line) for line in lines] == [columns] * rows
    has_dots = any(ord(mark) > 0x2800 for line in lines for mark in line)
    assert has_dots == bool(np.isfinite(y).any())


def test_a_curve_is_where_it_is() -> None:
    assert curve(np.array([0.1, 0.9]), np.array([1.0, 0.0]), 1, 1) == [chr(0x2800 + 0x01 + 0xB8)]  # joined downwards
    assert curve(np.array([0.1, 0.5, 0.9]), np.array([1.0, np.nan, 0.0]), 2, 1) == [chr(0x2801) + chr(0x2880)]


@pytest.mark.parametrize("width", [20, 40, 80, 300])
def test_the_panel_fits_the_terminal(width: int) -> None:
    text = drawn(watched_after(bed()), width=max(width, 40))
    assert {len(line) for line in text.splitlines()} == {max(40, min(120, width))}
    for said in ("heart", "uncalibrated", "not judged yet"):
        assert said in " ".join(re.sub(r"[│\s]+", " ", text).split())


def test_titles_and_faults_are_no_markup() -> None:
    text = io.StringIO()
    watched = replace(Watcher().watched(), faults=("odd [/red] words",))
    Console(file=text, width=100, color_system=None).print(panel(watched, 100, "[/bed]"))
    assert "[/bed]" in text.getvalue()
    assert "odd [/red] words" in text.getvalue()


def test_on_a_terminal_it_is_drawn_five_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.StringIO()
    now_s = 1000.0
    monkeypatch.setattr("somnisphere.watch_view.time.monotonic", lambda: now_s)
    console = Console(file=text, force_terminal=True, width=100, legacy_windows=False)
    shown = 0
    with WatchView("bed", console) as view:
        for _ in range(100):
            if view.wants(Watcher()):
                view.show(Watcher().watched())
                shown += 1
            now_s += 0.02
    assert 8 <= shown <= 11
    assert text.getvalue().count("╭") >= shown


# ---- the command -----------------------------------------------------------------------------------------------------


def leds_are_lit() -> bool:
    """MAX30102 datasheet: LED pulse amplitudes at 0x0C and 0x0D; mode at 0x09, whose bit 7 shuts down."""
    with smbus2.SMBus(BUS) as wires:
        mode, red, ir = (wires.read_byte_data(0x57, register) for register in (0x09, 0x0C, 0x0D))
    return not mode & 0x80 and (red > 0 or ir > 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_box_is_watched_until_it_is_stopped_and_left_dark(
    number: signal.Signals, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(tmp_path, f"[sensor]\nbus = {BUS}\n")
    lit: list[bool] = []
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    before = signal.getsignal(signal.SIGTERM)
    with living_chips(BUS):

        def stop_in_the_third_line(watched: Watched) -> str:
            if watched.since_s > 1.4:
                lit.append(leds_are_lit())
                os.kill(os.getpid(), number)
            return plain_line(watched)

        monkeypatch.setattr(cli_watch, "plain_line", stop_in_the_third_line)
        assert main(["--config", str(config), "watch", "--plain", "--every", "0.5"]) == 0
        assert lit[0], "or the test sees nothing"
        assert not leds_are_lit()
    assert signal.getsignal(signal.SIGTERM) is before
    said = capsys.readouterr().out
    assert "MAX30102" in said
    assert "LIS3DH" in said
    assert "infrared 6.4 mA" in said


def test_without_chips_it_says_the_mend_in_one_line(tmp_path: Path, capsys: Output) -> None:
    config = configured(tmp_path, "[sensor]\nbus = 250\n")
    assert main(["--config", str(config), "watch"]) == 2
    line = error_of(capsys)
    assert "raspi-config" in line
    assert line.count("cannot be reached") == 1
    assert line.endswith("somnisphere doctor")


def test_a_recording_is_watched_as_fast_as_it_goes(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "bed.npz"
    np.savez(path, fs_hz=FS_HZ, polarity=-1, ir=light(beat_times(SECONDS, 60.0), SECONDS, FS_HZ, noise=15))
    assert main(["watch", str(path), "--speed", "0", "--every", "20"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["0:20", "0:40", "1:00"]
    assert "LEDs not known" in lines[0]
    assert main(["watch", str(tmp_path / "none.npz"), "--speed", "0"]) == 2
    assert "none.npz" in error_of(capsys)


def test_our_own_recording_tells_faults_too(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "bed.jsonl.gz"
    with RecordingWriter(path) as writer:
        for sample in [*bed(), LOST]:
            writer.add(sample)
    assert main(["watch", str(path), "--speed", "0", "--every", "30"]) == 0
    said = capsys.readouterr().out
    assert "infrared 7.0 mA" in said
    assert LOST.problem in said


@pytest.mark.parametrize(("speed", "takes_s"), [(1.0, 60.0), (4.0, 15.0), (0.0, 0.0)])
def test_a_recording_takes_its_time(speed: float, takes_s: float) -> None:
    class Clock:
        now_s = 500.0

        def rest(self, seconds: float) -> None:
            self.now_s += seconds

    clock, view = Clock(), cli_watch.PlainView(1e9)
    watch_recording(Watcher(), bed(), speed, view, lambda: clock.now_s, clock.rest)
    assert clock.now_s - 500.0 == pytest.approx(takes_s)


def test_what_the_live_view_needs_is_named_and_lines_do_without(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bed.npz"
    np.savez(path, fs_hz=FS_HZ, polarity=-1, ir=light(beat_times(20.0, 60.0), 20.0, FS_HZ))
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.delitem(sys.modules, watch_view.__name__)
    assert main(["watch", str(path), "--speed", "0"]) == 0
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    capsys.readouterr()
    assert main(["watch", str(path), "--speed", "0", "--plain"]) == 0
    capsys.readouterr()
    assert main(["watch", str(path), "--speed", "0"]) == 2
    assert "pip install 'somnisphere[view]'" in error_of(capsys)
