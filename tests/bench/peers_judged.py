"""Ours and other people's detectors before the same judge, over all recordings at one rate."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tests.bench.accuracy import (
    BREATH_STEP_S,
    BREATH_WINDOW_S,
    Figures,
    Floats,
    at_rate,
    judge_beats,
    judge_rates,
    mean,
    true_heart_bpm,
)
from tests.bench.beats import Listener, waves_of
from tests.bench.peers_workers import PeerError, PeerWorker

from somnisphere.recordings import Recording, as_counts, read_recording

OURS = "Somnisphere"
SHORTEST_S, LONGEST_S = 0.25, 2.5
LEAST_INTERVALS = 3
RIGHT_BPM = 5.0


@dataclass
class Judged:
    """One detector at one rate. ``failures``: why there is no answer, a line per recording. ``windows``: of ours, the
    chance told that the heart rate of a window is right, and whether it was."""

    name: str
    rate_hz: float
    figures: list[Figures] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    windows: list[tuple[float, bool]] = field(default_factory=list)


class PeerRates:
    """Heart rate from a peer's beats: 60 / middle interval, intervals no heart has left out. ``middle``: median or
    mean, whichever is kinder to the peer."""

    def __init__(
        self, beats_s: Floats, breath_bpm: dict[float, float | None], middle: Callable[[Floats], Any] = np.median
    ) -> None:
        self._beats_s, self._breath_bpm, self._middle = beats_s, breath_bpm, middle

    def heart_bpm(self, from_s: float, to_s: float) -> float | None:
        intervals = np.diff(self._beats_s[(self._beats_s > from_s) & (self._beats_s <= to_s)])
        intervals = intervals[(intervals > SHORTEST_S) & (intervals < LONGEST_S)]
        return 60.0 / float(self._middle(intervals)) if len(intervals) >= LEAST_INTERVALS else None

    def breath_bpm(self, at_s: float) -> float | None:
        return self._breath_bpm.get(at_s)


class OurRates(Listener):
    """Ours, writing down how sure it was of each window in which intervals were trusted."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        waves = waves_of(recording)
        self.beats = [wave.beat for wave in waves]
        self.windows: list[tuple[float, bool]] = []
        super().__init__(waves)

    def heart_bpm(self, from_s: float, to_s: float) -> float | None:
        told = super().heart_bpm(from_s, to_s)
        intervals = [beat.ibi_s for beat in self.heart.within(from_s, to_s) if beat.ibi_s is not None]
        if len(intervals) >= LEAST_INTERVALS:
            wrong_bpm = abs(60.0 * len(intervals) / sum(intervals) - true_heart_bpm(self._recording, from_s, to_s))
            self.windows.append((self.heart.rate(from_s, to_s).quality, wrong_bpm < RIGHT_BPM))
        return told


def breath_windows(recording: Recording) -> list[tuple[float, float]]:
    ends_s = np.arange(BREATH_WINDOW_S, recording.seconds + 0.1, BREATH_STEP_S)
    return [(end_s - BREATH_WINDOW_S, end_s) for end_s in ends_s.tolist()]


def store_wave(recording: Recording, path: Path) -> None:
    """What a peer is given: the wave with systole up, and as counts with systole down."""
    ppg = recording.polarity * np.where(np.isfinite(recording.ir), recording.ir, np.nanmedian(recording.ir))
    rate_hz = int(recording.rate_hz) if recording.rate_hz.is_integer() else recording.rate_hz
    np.savez(path, rate_hz=rate_hz, ppg=ppg, counts=as_counts(recording), windows_s=breath_windows(recording))


def hear_ours(judged: Judged, figures: Figures, recording: Recording) -> None:
    rates = OurRates(recording)
    found_s = np.array([beat.at_s for beat in rates.beats])
    ibi_s = np.array([np.nan if beat.ibi_s is None else beat.ibi_s for beat in rates.beats])
    if "beat_times_s" in recording.reference:
        judge_beats(figures, found_s, ibi_s, recording)
    judge_rates(figures, rates, recording)
    judged.windows += rates.windows


def hear_peer(worker: PeerWorker, figures: Figures, recording: Recording, wave: Path) -> list[float]:
    """Returns the heart rate errors by the mean interval; those by the median are in ``figures``."""
    try:
        answer = worker.ask(wave)
    except PeerError:
        # Its windows count as asked and not answered.
        judge_rates(figures, PeerRates(np.zeros(0), {}), recording)
        raise
    found_s = np.array(answer["beats_s"], dtype=np.float64)
    ends_s = [end_s for _, end_s in breath_windows(recording)]
    if "beat_times_s" in recording.reference:
        judge_beats(figures, found_s, np.diff(found_s, prepend=np.nan), recording)
    judge_rates(figures, PeerRates(found_s, dict(zip(ends_s, answer["breath_bpm"], strict=True))), recording)
    by_mean = Figures(figures.name, figures.moving)
    judge_rates(by_mean, PeerRates(found_s, {}, np.mean), recording)
    return by_mean.heart_bpm


def judge_all(name: str, paths: list[Path], rate_hz: float, time_out_s: float) -> Judged:
    """Every recording at ``rate_hz``; nothing that a detector does ends it."""
    judged = Judged(name, rate_hz)
    worker = PeerWorker(name, time_out_s)
    by_mean: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            recording = at_rate(read_recording(path), rate_hz)
            figures = Figures(path.stem, moving=recording.accel_g is not None)
            try:
                if name == OURS:
                    hear_ours(judged, figures, recording)
                else:
                    wave = Path(folder) / "wave.npz"
                    store_wave(recording, wave)
                    by_mean[path.stem] = hear_peer(worker, figures, recording, wave)
            except PeerError as failure:
                judged.failures.append(f"{path.stem}: {failure}")
            except Exception as error:
                if name != OURS:
                    raise
                judged.failures.append(f"{path.stem}: {type(error).__name__}: {error}")
            judged.figures.append(figures)
    worker.end()
    keep_kinder(judged.figures, by_mean)
    return judged


def keep_kinder(figures: list[Figures], by_mean: dict[str, list[float]]) -> None:
    """Takes the heart rate errors by the mean where those at rest are smaller than by the median."""
    still = [f for f in figures if not f.moving]
    if mean(e for f in still for e in by_mean.get(f.name, [])) < mean(e for f in still for e in f.heart_bpm):
        for f in figures:
            f.heart_bpm = by_mean.get(f.name, [])
