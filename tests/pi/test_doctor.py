"""The doctor: of a healthy bedside nothing is bad; of each staged fault its part is, and no other."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.brokers import mosquitto
from tests.doctor_box import DoctorBox, doctor_box
from tests.doctor_faults import FAULTS, Fault

pytestmark = [
    pytest.mark.broker,
    pytest.mark.mpv,
    pytest.mark.skipif(
        shutil.which("mpv") is None or shutil.which("espeak-ng") is None, reason="apt install mpv espeak-ng"
    ),
]


@pytest.fixture(scope="module")
def broker() -> Iterator[tuple[str, int]]:
    with mosquitto() as place:
        yield place


@pytest.fixture
def box(broker: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DoctorBox]:
    monkeypatch.delenv("TZ", raising=False)
    with doctor_box(tmp_path, broker) as made:
        yield made


def test_a_healthy_box(box: DoctorBox) -> None:
    findings = box.findings()
    assert [finding for finding in findings if not finding.ok or finding.mend] == []
    parts = {finding.part for finding in findings}
    assert parts >= {"I2C bus", "pulse chip", "motion chip", "signal", "lamp", "button", "player", "stories", "voice"}
    assert parts >= {"disk", "journal", "rights", "clock", "time zone", "broker", "access list", "home", "power"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_staged_fault(fault: Fault, box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    fault.stage(box, monkeypatch)
    bad = box.bad()
    assert {finding.part for finding in bad} == fault.bad, bad
    said = " ".join(f"{finding.verdict} {finding.mend}" for finding in bad)
    assert [word for word in fault.words if word not in said] == [], said


def test_there_are_faults_enough() -> None:
    assert len(FAULTS) >= 20
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
