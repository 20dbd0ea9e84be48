"""MESA Sleep (National Sleep Research Resource, sleepdata.org/datasets/mesa; by application): beats of a laboratory
ECG at home, stages, and a wrist Actiwatch. Layout as the NSRR's download keeps it, columns by its documentation
(github.com/nsrr/mesa-documentation: hrv-analysis, actigraphy-introduction, polysomnography-introduction):

- ``polysomnography/annotations-rpoints/mesa-sleep-NNNN-rpoint.csv``: ``seconds`` and ``Type`` (1: normal sinus beat);
- ``polysomnography/annotations-events-nsrr/mesa-sleep-NNNN-nsrr.xml`` or, where it is missing,
  ``annotations-events-profusion/mesa-sleep-NNNN-profusion.xml``: stages, 0 to 5 as usual, others not scored;
- ``actigraphy/mesa-sleep-NNNN.csv``: ``line``, ``offwrist``, ``activity``, one line each 30 s;
- ``overlap/mesa-actigraphy-psg-overlap.csv``: the ``line`` at which the night begins (to 15 s).

Beats are averaged over 10 s like a watch's. An Actiwatch's activity is another unit than the counts of Walch, and
summed over 30 s. No recording of both was at hand, so no factor is made up: each 15 s get half of the number as it
is. The fit learns from copies with counts three times as large and a third as large, and the features look at counts
above the night's own quiet level. A night without actigraphy is one without movement.
"""

import xml.etree.ElementTree as ET
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from somnisphere.columns import RecordingError, read_csv
from somnisphere.night import EPOCH_S
from somnisphere.sleep.features import Floats
from somnisphere.training.readers.night_set import MOST_EPOCHS, NightSet, intervals, labels_of, night_of_readings
from somnisphere.training.spoil import UNLABELLED, LabelledNight

NAME = "mesa"
NORMAL_BEAT = 1
_LABORATORY = "polysomnography"
_BEATS = "-rpoint.csv"
_STAGES = (("annotations-events-nsrr", "-nsrr.xml"), ("annotations-events-profusion", "-profusion.xml"))
_AGAIN = "Download it again, or take this night out of the folder."


def find(folder: Path) -> NightSet | None:
    beats = folder.glob(f"{_LABORATORY}/annotations-rpoints/mesa-sleep-*{_BEATS}")
    nights = tuple(sorted(path.name.removesuffix(_BEATS) for path in beats))
    words = "nights of beat intervals and actigraphy (MESA)"
    return NightSet(NAME, "NSRR files", folder, nights, words, partial(read, folder)) if nights else None


def read(folder: Path, night: str) -> LabelledNight:
    codes = _stages(folder / _LABORATORY, night)
    path = folder / _LABORATORY / "annotations-rpoints" / f"{night}{_BEATS}"
    beats = read_csv(path, ("seconds", "type"), needed=("seconds", "type"))
    time_s, interval_s = intervals(beats["seconds"], beats["type"] == NORMAL_BEAT)
    counts = np.repeat(_activity(folder, night, len(codes)) / 2.0, 2)
    return night_of_readings(NAME, night, labels_of(codes), time_s, interval_s, beats=True, counts=counts)


def _activity(folder: Path, night: str, epochs: int) -> Floats:
    """Activity of each 30 s, (epochs,), NaN where the watch was off the wrist or nothing says where the night began."""
    activity = np.full(epochs, np.nan)
    path = folder / "actigraphy" / f"{night}.csv"
    if not path.exists():
        return activity
    start = _first_lines(folder / "overlap" / "mesa-actigraphy-psg-overlap.csv").get(int(night.rsplit("-", 1)[-1]))
    if start is None:
        return activity
    lines = read_csv(path, ("line", "offwrist", "activity"), needed=("line", "activity"))
    place = lines["line"] - start
    worn = lines["offwrist"] != 1 if "offwrist" in lines else np.ones(len(place), dtype=bool)
    there = (place >= 0) & (place < epochs) & worn & np.isfinite(lines["activity"])
    activity[place[there].astype(np.intp)] = lines["activity"][there]
    return activity


@cache
def _first_lines(path: Path) -> dict[int, int]:
    """The line of actigraphy at which each night begins, by number."""
    if not path.exists():
        raise RecordingError(
            path,
            "it is missing, and without it nobody knows which lines of actigraphy belong to the night",
            "Download it, or take 'actigraphy' out of the folder to learn without movement.",
        )
    table = read_csv(path, ("mesaid", "line"), needed=("mesaid", "line"))
    known = np.isfinite(table["mesaid"]) & np.isfinite(table["line"])
    pairs = zip(table["mesaid"][known].tolist(), table["line"][known].tolist(), strict=True)
    return {int(number): int(line) for number, line in pairs}


def _stages(folder: Path, night: str) -> NDArray[np.int64]:
    """Codes (n,), one each 30 s."""
    places = [folder / name / f"{night}{end}" for name, end in _STAGES]
    path = next((place for place in places if place.exists()), None)
    if path is None:
        raise RecordingError(places[0], "the stages of this night are missing", "Download annotations-events-nsrr too.")
    try:
        root = ET.parse(path).getroot()
        codes = _of_events(root) if path == places[0] else [int(each.text or "") for each in root.iter("SleepStage")]
    except (ET.ParseError, OSError) as problem:
        raise RecordingError(path, f"it is not readable XML ({problem})", _AGAIN) from problem
    except ValueError as problem:
        raise RecordingError(path, f"a stage in it cannot be understood ({problem})", _AGAIN) from problem
    if not codes or len(codes) > MOST_EPOCHS:
        raise RecordingError(path, f"it holds {len(codes)} epochs", _AGAIN)
    return np.array(codes, dtype=np.int64)


def _of_events(root: ET.Element) -> list[int]:
    """Stages of the NSRR's form: an event may span several epochs; ``EventConcept`` ends in ``|code``."""
    codes: list[int] = []
    for event in root.iter("ScoredEvent"):
        if not (event.findtext("EventType") or "").startswith("Stages"):
            continue
        code = int((event.findtext("EventConcept") or "").split("|")[-1])
        start_s, length_s = float(event.findtext("Start") or ""), float(event.findtext("Duration") or "")
        first, last = round(start_s / EPOCH_S), round((start_s + length_s) / EPOCH_S)
        if not 0 <= first <= last <= MOST_EPOCHS:
            raise ValueError(f"an event from {start_s:g} s, {length_s:g} s long")
        codes.extend([UNLABELLED] * (last - len(codes)))
        codes[first:last] = [code] * (last - first)
    return codes
