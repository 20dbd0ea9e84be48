"""EDF+ files read back by the library that wrote them and by another one that did not: the values are the journal's."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import edfio
import numpy as np
import pyedflib
import pytest
from numpy.typing import NDArray
from tests.cli_words import Output, configured, error_of
from tests.pi.safekeeping.lived_in import DATES, EPOCHS, an_epoch, an_estimate, begins_s, keep_night

from somnisphere.cli import main
from somnisphere.clock import utc_offset_s
from somnisphere.exchange.edf_night import MEANING, STAGE_TEXTS, edf_night
from somnisphere.journal import Journal
from somnisphere.night import Epoch, unknown_epoch

NIGHT = DATES[0]
OXYGEN = "[sensor]\noxygen_slope_pct = -25.0\noxygen_offset_pct = 110.0\n"
Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def journal_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journal") / "journal.db"
    journal = Journal(path)
    for night in DATES:
        keep_night(journal, night)
    journal.close()
    return path


def config(folder: Path, journal: Path, more: str = "") -> str:
    return str(configured(folder, f'[journal]\npath = "{journal}"\n{more}'))


@pytest.fixture
def exported(journal_path: Path, tmp_path: Path) -> Path:
    configuration = config(tmp_path, journal_path, OXYGEN)
    assert main(["--config", configuration, "export", "--edf", str(tmp_path / "edf")]) == 0
    return tmp_path / "edf" / f"somnisphere-{NIGHT}.edf"


def known(values: list[float | None]) -> Floats:
    return np.array([-1.0 if value is None else value for value in values])


def wanted() -> dict[str, Floats]:
    epochs = [an_epoch(k, 0.0) for k in range(EPOCHS)]
    return {
        "Heart rate": known([epoch.heart_bpm for epoch in epochs]),
        "Breathing rate": known([epoch.breath_bpm for epoch in epochs]),
        "Movement": known([count for epoch in epochs for count in epoch.motion_counts]),
        "SpO2": known([epoch.spo2_pct for epoch in epochs]),
    }


def check_stages(onsets: Floats, durations: Floats, texts: list[str]) -> None:
    found: list[str | None] = [None] * EPOCHS
    for onset, duration, text in zip(onsets, durations, texts, strict=True):
        if text.startswith("Sleep stage"):
            for k in range(round(onset / 30), round((onset + duration) / 30)):
                assert found[k] is None, "no half minute has two stages"
                found[k] = text
    assert found == [STAGE_TEXTS[an_estimate(k, 0.0).stage] for k in range(EPOCHS)]


def test_the_library_that_wrote_it_reads_it(exported: Path) -> None:
    file = edfio.read_edf(exported)
    assert file.reserved == "EDF+C"
    assert (file.startdate.isoformat(), file.starttime.isoformat()) == (NIGHT, "22:30:00")
    assert file.local_patient_identification == "X X X X"
    assert "Somnisphere_" in file.local_recording_identification
    for label, values in wanted().items():
        signal = file.get_signal(label)
        assert signal.data == pytest.approx(values, abs=0.051 if label == "Movement" else 0.0051), label
        assert "-1: not known" in signal.prefiltering
    check_stages(
        np.array([one.onset for one in file.annotations]),
        np.array([one.duration or 0.0 for one in file.annotations]),
        [one.text for one in file.annotations],
    )


def test_another_reader_reads_the_same(exported: Path) -> None:
    """EDFlib checks the whole header on opening, more strictly than the specification asks."""
    with pyedflib.EdfReader(str(exported)) as file:
        assert file.getStartdatetime() == datetime.fromisoformat(f"{NIGHT}T22:30:00")
        assert (file.getPatientName(), file.getPatientCode(), file.getBirthdate()) == ("X", "", "")
        labels = file.getSignalLabels()
        for label, values in wanted().items():
            found = file.readSignal(labels.index(label))
            assert found == pytest.approx(values, abs=0.051 if label == "Movement" else 0.0051), label
        assert [file.getPhysicalDimension(n) for n in range(4)] == ["1/min", "1/min", "counts", "%"]
        assert file.datarecord_duration == 30.0
        onsets, durations, texts = file.readAnnotations()
        check_stages(onsets, np.maximum(durations, 0.0), list(texts))
        said = dict(zip(texts, onsets, strict=True))
        assert said["Went to bed"] == 0.0
        assert said["Fell asleep, about"] == said["Said at the time: fell asleep"] == 120.0
        assert MEANING in said


def test_what_is_not_known_is_named_and_never_filled_in(exported: Path) -> None:
    file = edfio.read_edf(exported)
    heart = file.get_signal("Heart rate").data
    unknown = [k for k in range(EPOCHS) if an_epoch(k, 0.0).heart_bpm is None]
    assert list(np.flatnonzero(heart == -1.0)) == unknown
    named = [one.onset / 30 for one in file.annotations if one.text == "Not known: Heart rate"]
    assert named == unknown


def test_oxygen_only_where_it_was_calibrated(journal_path: Path, tmp_path: Path) -> None:
    configuration = config(tmp_path, journal_path)
    assert main(["--config", configuration, "export", "--edf", str(tmp_path), "--until", NIGHT]) == 0
    file = edfio.read_edf(tmp_path / f"somnisphere-{NIGHT}.edf")
    assert file.labels == ("Heart rate", "Breathing rate", "Movement")


def test_a_name_only_when_it_is_given(journal_path: Path, tmp_path: Path, capsys: Output) -> None:
    base = ["--config", config(tmp_path, journal_path), "export", "--edf", str(tmp_path), "--until", NIGHT]
    assert main([*base, "--name", "Ida Berg"]) == 0
    with pyedflib.EdfReader(str(tmp_path / f"somnisphere-{NIGHT}.edf")) as file:
        assert file.getPatientName() == "Ida Berg"
    capsys.readouterr()
    assert main([*base, "--name", "Ída", "--replace"]) == 2
    assert "without accents" in error_of(capsys)


def test_files_are_the_owners_and_are_not_written_over(exported: Path, journal_path: Path, capsys: Output) -> None:
    assert exported.stat().st_mode & 0o777 == 0o600
    capsys.readouterr()
    again = ["--config", config(exported.parent, journal_path), "export", "--edf", str(exported.parent)]
    assert main(again) == 2
    assert "Add --replace" in error_of(capsys)
    assert main([*again, "--replace"]) == 0


def test_half_minutes_that_are_missing_are_gaps(tmp_path: Path) -> None:
    """The daemon was away: five half minutes have no row."""
    path = tmp_path / "journal.db"
    journal = Journal(path)
    at_s = begins_s(NIGHT)
    journal.open_night(NIGHT, at_s)
    for k in (0, 1, 7):
        start_s = at_s + 30.0 * k
        epoch: Epoch = an_epoch(k, start_s) if k != 1 else unknown_epoch(k, at_s)
        journal.add_epoch(NIGHT, start_s, epoch, an_estimate(0, start_s) if k != 1 else an_estimate(16, start_s))
    kept = journal.load(NIGHT)
    journal.close()
    night = edf_night(kept, oxygen=False, utc_offset_s=0.0)
    assert night.signals[0].samples[1:7] == (-1.0,) * 6
    assert len(night.signals[2].samples) == 16
    stages = [(one.onset_s, one.duration_s, one.text) for one in night.annotations if "Sleep stage" in one.text[:12]]
    assert stages == [(0.0, 30.0, "Sleep stage W"), (30.0, 180.0, "Sleep stage ?"), (210.0, 30.0, "Sleep stage W")]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata"])
def test_the_start_is_local_time(
    zone: str, journal_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began_s = begins_s(NIGHT)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        offset_s = utc_offset_s(began_s)
        assert main(["--config", config(tmp_path, journal_path), "export", "--edf", str(tmp_path)]) == 0
        local = datetime.fromtimestamp(began_s, UTC) + timedelta(seconds=offset_s)
        (file,) = tmp_path.glob(f"*{NIGHT}*.edf")
        with pyedflib.EdfReader(str(file)) as read:
            assert read.getStartdatetime() == local.replace(tzinfo=None)
            assert f"Local time is UTC{offset_s / 3600:+g} h" in read.readAnnotations()[2]
    finally:
        monkeypatch.undo()
        time.tzset()
