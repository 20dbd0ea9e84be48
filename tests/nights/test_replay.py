"""Real recordings through chip registers, driver and pipeline to a real mosquitto: the heart rate that arrives."""

import os
from pathlib import Path
from statistics import median

import pytest
from tests.bench.replay import ROOT, compare, heard_from, published
from tests.brokers import mosquitto

from somnisphere.recordings import Recording, read_recording

DATA = Path(os.environ.get("SOMNISPHERE_DATA", ROOT.parent / "shared" / "data")) / "ppg"
pytestmark = pytest.mark.data


def recording_of(name: str) -> Recording:
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not here; SOMNISPHERE_DATA names the folder of public recordings")
    return read_recording(DATA / name)


@pytest.mark.broker
@pytest.mark.parametrize(
    ("name", "fewest"),
    [
        ("bidmc/bidmc01.npz", 10),
        ("uwcam/uwcam_100002_left.npz", 30),
        ("neurokit/neurokit_resting5min.npz", 5),
        ("welltory/welltory_10.npz", 2),
    ],
)
def test_the_heart_rate_on_the_broker_is_the_references(name: str, fewest: int, tmp_path: Path) -> None:
    recording = recording_of(name)
    with mosquitto() as place:
        rates = heard_from(place, recording, tmp_path)
    heard = compare(recording, rates)
    assert len(heard.errors_bpm) >= fewest
    assert median(heard.errors_bpm) < 2.0
    assert heard.told_share > 0.95


def test_an_arm_that_runs_has_no_heart_rate_told_of_it(tmp_path: Path) -> None:
    """Exercise (troika, a wrist on a treadmill): a rate that may be wrong is worse than none."""
    heard = compare(recording := recording_of("troika/troika_test_s02_t01.npz"), published(recording, tmp_path))
    assert heard.told_share == 0.0 or median(heard.errors_bpm) < 5.0
