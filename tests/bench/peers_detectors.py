"""Other people's beat detectors, each called as its documentation says. Run by ``peers.py`` in their environment.

A worker: ``python peers_detectors.py NAME`` reads one JSON line a recording, ``{"wave": FILE.npz}``, and answers with
one, ``{"beats_s": [...], "breath_bpm": [...]}`` or ``{"error": "..."}``. The file holds ``rate_hz``, ``ppg`` (n,) with
systole up, ``counts`` (n,) as a photodiode sees it, and ``windows_s`` (m, 2), the minutes whose breath is asked.
Imports nothing of Somnisphere.
"""

import json
import os
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Windows = list[tuple[float, float]]
Beats = Callable[[SimpleNamespace], Floats]
"""From ``rate_hz``, ``ppg`` and ``counts`` to the times of beats in s, rising."""
PIMORONI_COUNTS = 1500.0
"""1st to 99th percentile of what Pimoroni's detector is given, for it takes only filtered waves 20 to 1000 counts high.
Of 200, 600, 1500 and 3000, systole up and down, this with systole up found the most beats."""


def scipy_peaks(wave: SimpleNamespace) -> Floats:
    """Band-pass of 0.5 to 5 Hz, then the highest points at least 0.33 s apart that stand out by half the spread."""
    signal = import_module("scipy.signal")
    sections = signal.butter(2, (0.5, 5.0), "bandpass", fs=wave.rate_hz, output="sos")
    smooth = signal.sosfiltfilt(sections, wave.ppg)
    places, _ = signal.find_peaks(smooth, distance=max(1, round(0.33 * wave.rate_hz)), prominence=0.5 * np.std(smooth))
    return in_seconds(places, wave)


def neurokit2(method: str, cleaning: str) -> Beats:
    def find(wave: SimpleNamespace) -> Floats:
        nk = import_module("neurokit2")
        clean = nk.ppg_clean(wave.ppg, sampling_rate=wave.rate_hz, method=cleaning)
        return in_seconds(nk.ppg_findpeaks(clean, sampling_rate=wave.rate_hz, method=method)["PPG_Peaks"], wave)

    return find


def biosppy_elgendi(wave: SimpleNamespace) -> Floats:
    """What ``biosppy.signals.ppg.ppg`` does, without its plots: band-pass of 1 to 8 Hz, then the onsets."""
    tools, ppg = import_module("biosppy.signals.tools"), import_module("biosppy.signals.ppg")
    smooth = tools.filter_signal(
        signal=wave.ppg, ftype="butter", band="bandpass", order=4, frequency=[1, 8], sampling_rate=wave.rate_hz
    )["signal"]
    return in_seconds(ppg.find_onsets_elgendi2013(signal=smooth, sampling_rate=wave.rate_hz)["onsets"], wave)


def heartpy_filtered(wave: SimpleNamespace) -> Floats:
    heartpy = import_module("heartpy")
    smooth = heartpy.filter_signal(wave.ppg, [0.7, 3.5], wave.rate_hz, order=3, filtertype="bandpass")
    found, _ = heartpy.process(smooth, wave.rate_hz)
    rejected = {int(place) for place in found["removed_beats"]}
    return in_seconds([place for place in found["peaklist"] if int(place) not in rejected], wave)


def pyppg(wave: SimpleNamespace) -> Floats:
    """The systolic peaks of its improved Aboy detector ("PPGdet"), after its own filter."""
    package, fiducials = import_module("pyPPG"), import_module("pyPPG.fiducials")
    preprocess, dotmap = import_module("pyPPG.preproc"), import_module("dotmap")
    s = dotmap.DotMap()
    s.v, s.fs, s.name, s.start_sig, s.end_sig, s.filtering = wave.ppg, round(wave.rate_hz), "", 0, len(wave.ppg), True
    s.ppg, s.vpg, s.apg, s.jpg = preprocess.Preprocess().get_signals(s=s)
    points = fiducials.FpCollection(package.PPG(s, check_ppg_len=False))
    return in_seconds(points.get_peak_onset("PPGdet")[0], wave)


def pimoroni(wave: SimpleNamespace) -> Floats:
    """``HeartRate.check_for_beat`` of every sample."""
    max30105 = import_module("max30105")
    low, high = np.percentile(wave.counts, (1, 99))
    gain = PIMORONI_COUNTS / (high - low) if high > low else 1.0
    detector = max30105.HeartRate(None)
    counts = np.round(100_000 - gain * (wave.counts - np.median(wave.counts))).astype(int).tolist()
    return in_seconds([place for place, count in enumerate(counts) if detector.check_for_beat(count)], wave)


def in_seconds(places: Any, wave: SimpleNamespace) -> Floats:
    return np.unique(np.asarray(places, dtype=np.float64)) / float(wave.rate_hz)


# ---- breath ---------------------------------------------------------------------------------------------------------


def neurokit2_breath(_: SimpleNamespace, beats_s: Floats, windows_s: Windows) -> list[float | None]:
    """Van Gent's band of the pulse rate (``nk.ecg_rsp``) and the rate of its troughs, a minute at a time."""
    nk = import_module("neurokit2")
    rate_hz = 25
    told: list[float | None] = []
    for from_s, to_s in windows_s:
        here = np.round((beats_s[(beats_s >= from_s) & (beats_s < to_s)] - from_s) * rate_hz).astype(int)
        try:
            pulse = nk.signal_rate(here, sampling_rate=rate_hz, desired_length=round((to_s - from_s) * rate_hz))
            breath = nk.ecg_rsp(pulse, sampling_rate=rate_hz, method="vangent2019")
            told.append(positive(np.mean(nk.rsp_rate(breath, sampling_rate=rate_hz, method="trough"))))
        except Exception:
            told.append(None)
    return told


def heartpy_breath(wave: SimpleNamespace, _: Floats, windows_s: Windows) -> list[float | None]:
    """Its ``breathingrate``, a minute at a time."""
    heartpy = import_module("heartpy")
    smooth = heartpy.filter_signal(wave.ppg, [0.7, 3.5], wave.rate_hz, order=3, filtertype="bandpass")
    told: list[float | None] = []
    for from_s, to_s in windows_s:
        here = smooth[round(from_s * wave.rate_hz) : round(to_s * wave.rate_hz)]
        try:
            told.append(positive(60.0 * heartpy.process(here, wave.rate_hz)[1]["breathingrate"]))
        except Exception:
            told.append(None)
    return told


def positive(value: Any) -> float | None:
    return float(value) if np.isfinite(value) and value > 0 else None


DETECTORS: dict[str, Beats] = {
    "neurokit2 elgendi": neurokit2("elgendi", "elgendi"),
    "neurokit2 charlton": neurokit2("charlton", "elgendi"),
    "biosppy elgendi": biosppy_elgendi,
    "heartpy filtered": heartpy_filtered,
    "scipy find_peaks": scipy_peaks,
    "pyPPG": pyppg,
    "Pimoroni max30105": pimoroni,
}
BREATHS: dict[str, Callable[[SimpleNamespace, Floats, Windows], list[float | None]]] = {
    "neurokit2 elgendi": neurokit2_breath,
    "heartpy filtered": heartpy_breath,
}


def answer(name: str, wave_path: str) -> dict[str, Any]:
    stored = np.load(wave_path)
    wave = SimpleNamespace(rate_hz=stored["rate_hz"].item(), ppg=stored["ppg"], counts=stored["counts"])
    try:
        beats_s = DETECTORS[name](wave)
        windows_s = [(float(from_s), float(to_s)) for from_s, to_s in stored["windows_s"]]
        breaths = BREATHS[name](wave, beats_s, windows_s) if name in BREATHS else [None] * len(windows_s)
    # Whatever a stranger's code raises is a refusal to count, not an end.
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}
    return {"beats_s": beats_s.tolist(), "breath_bpm": breaths}


def main() -> None:
    warnings.simplefilter("ignore")
    # What a peer prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(answer(sys.argv[1], json.loads(line)["wave"])) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
