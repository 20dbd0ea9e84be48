"""What is watched, in words: rows of figures, one plain line, and the line of marks under the wave."""

import numpy as np

from somnisphere.braille import curve
from somnisphere.night import Presence
from somnisphere.picture_beats import clock
from somnisphere.sleep.heart import LEAST_DIFFERENCES
from somnisphere.sleep.pulse import TRUSTED
from somnisphere.watch import SHOWN_S, Watched
from somnisphere_hardware.samples import Part

BELIEVED, DOUBTED, MOVED, NO_SAMPLES, CLIPPED, NOT_YET = "▲", "△", "░", "×", "▀", "·"
LEGEND = (
    f"{BELIEVED} beat   {DOUBTED} doubted beat   {MOVED} body moved   {NO_SAMPLES} no samples"
    f"   {CLIPPED} too bright   {NOT_YET} not judged yet"
)
THERE = {
    Presence.NOBODY: "nobody",
    Presence.SOMEBODY: "somebody, but no usable pulse",
    Presence.PULSE: "a pulse",
    Presence.SATURATED: "too much light to tell",
    None: "not known yet",
}


def known(value: float | None, unit: str, digits: int = 0) -> str:
    return "not known" if value is None else f"{value:.{digits}f} {unit}"


def interval_words(watched: Watched) -> str:
    """The latest interval, unless the latest beat has none."""
    if not watched.beats:
        return "not known"
    last = watched.beats[-1]
    return "none taken at the last beat" if last.ibi_s is None else f"{1000 * last.ibi_s:.0f} ms"


def rmssd_words(watched: Watched) -> str:
    vitals = watched.vitals
    if vitals.rmssd_ms is None:
        return f"not known: at least {LEAST_DIFFERENCES} pairs of intervals in five minutes are needed"
    return f"{vitals.rmssd_ms:.0f} ms from {vitals.variability_difference_count} pairs of intervals (pulse, not ECG)"


def motion_words(watched: Watched) -> str:
    if watched.moves is None:
        return "not known"
    count = watched.vitals.motion_count
    said = "moving" if watched.moves else "still"
    return said if count is None else f"{said}; count {count:.0f} in the last full 15 s"


def led_words(watched: Watched) -> str:
    if watched.led_ir_ma is None or watched.led_red_ma is None:
        return "not known"
    return f"red {watched.led_red_ma:.1f} mA, infrared {watched.led_ir_ma:.1f} mA"


def rate_words(watched: Watched) -> str:
    rates: tuple[tuple[Part, float | None], ...]
    rates = ("pulse", watched.pulse_rate_hz), ("motion", watched.motion_rate_hz)
    said = [
        f"{part} {rate_hz:.1f} Hz" + (f" ({watched.chips[part]})" if watched.chips.get(part) else "")
        for part, rate_hz in rates
        if rate_hz is not None
    ]
    return ", ".join(said) or "no samples"


def figures(watched: Watched) -> list[tuple[str, str]]:
    """(name, words), in the order a person looks at them."""
    vitals = watched.vitals
    return [
        ("heart", known(vitals.heart_bpm, f"a minute from {vitals.heart_beat_count} intervals (pulse)")),
        ("quality", f"{vitals.pulse_quality:.2f}"),
        ("interval", interval_words(watched)),
        ("RMSSD", rmssd_words(watched)),
        ("breath", known(vitals.breath_bpm, "a minute")),
        ("oxygen", known(vitals.spo2_pct, "% (uncalibrated, may be far off)")),
        ("there", THERE[vitals.presence]),
        ("motion", motion_words(watched)),
        ("LEDs", led_words(watched)),
        ("rate", rate_words(watched)),
    ]


def plain_line(watched: Watched) -> str:
    """Everything on one line, for where no terminal is."""
    said = ", ".join(f"{name} {words}" for name, words in figures(watched))
    return f"{clock(watched.since_s)}  {said}" + "".join(f"  ! {fault}" for fault in watched.faults)


def wave_lines(watched: Watched, columns: int, rows: int) -> list[str]:
    """The wave; its height is that of the middle nine tenths, so that one movement does not flatten all the rest."""
    finite = watched.wave[np.isfinite(watched.wave)]
    if not len(finite):
        return [" " * columns] * rows
    low, high = np.percentile(finite, (2, 98)).tolist()
    height = max(high - low, 1e-12) * 1.3
    x = (watched.times_s - (watched.at_s - SHOWN_S)) / SHOWN_S
    return curve(x, (watched.wave - (low + high) / 2) / height + 0.5, columns, rows)


def mark_line(watched: Watched, columns: int) -> str:
    """Beats, movement, what is missing and what is not judged yet, each under its place of the wave."""
    from_s = watched.at_s - SHOWN_S
    middle_s = from_s + (np.arange(columns) + 0.5) * SHOWN_S / columns
    marks = np.full(columns, " ")
    marks[middle_s > watched.judged_s] = NOT_YET
    for spans, mark in ((watched.moved, MOVED), (watched.clipped, CLIPPED)):
        for begin_s, end_s in spans:
            marks[(middle_s >= begin_s) & (middle_s < end_s)] = mark
    samples, _ = np.histogram(watched.times_s, columns, (from_s, watched.at_s))
    near = np.convolve(samples, np.ones(3), "same")  # slow rates leave single columns empty
    marks[(near == 0) & (middle_s < watched.at_s - 1.0)] = NO_SAMPLES
    for beat in watched.beats:
        column = int((beat.at_s - from_s) / SHOWN_S * columns)
        if 0 <= column < columns:
            marks[column] = BELIEVED if beat.quality >= TRUSTED else DOUBTED
    return "".join(marks.tolist())
