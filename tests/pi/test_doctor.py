"""The doctor: of a healthy bedside nothing is bad; of each staged fault its part is, and no other."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.brokers import mosquitto
from tests.cli_words import Output, rows_of
from tests.doctor_box import DoctorBox, doctor_box
from tests.doctor_faults import FAULTS, Fault
from tests.doctor_faults.machine import unit
from tests.ear import Ear

from somnisphere.broker import broker_settings
from somnisphere.cli import main
from somnisphere.config import load
from somnisphere.doctor.examine import examined
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.service import daemon_pid, daemon_runs
from somnisphere.doctor.side_by_side import side_by_side
from somnisphere_hardware.button import Button

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


def test_the_command_says_it_and_says_the_mend(box: DoctorBox, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setattr("somnisphere.cli_doctor.THIS_MACHINE", box.world)
    command = ["--config", str(box.config_file), "doctor"]
    assert main(command) == 0
    said = capsys.readouterr().out
    for words in ("MAX30102", "MPU-6050", "on GPIO 18", "on the shelf", "lets us in, with MQTT 5", "is whole"):
        assert words in said
    assert "BAD" not in said
    assert "mend" not in said
    monkeypatch.setattr(Button, "is_pressed", True)
    assert main(command) == 1
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("BAD  button      the button is down")
    assert lines[at + 1].split(maxsplit=1)[0] == "mend:"


def test_for_scripts(box: DoctorBox, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setattr("somnisphere.cli_doctor.THIS_MACHINE", box.world)
    box.bus.detach(0x57)
    assert main(["--config", str(box.config_file), "doctor", "--json"]) == 1
    rows = rows_of(capsys.readouterr().out)
    assert {tuple(row) for row in rows} == {("part", "ok", "verdict", "mend")}
    assert [row["part"] for row in rows if not row["ok"]] == ["pulse chip"]


def test_beside_a_running_daemon(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are read; nothing is configured, no pin is taken, no sound is made, nothing is said to the home."""
    box.put("proc/77/cmdline", "/opt/somnisphere/bin/python\0/opt/somnisphere/bin/somnisphere\0run\0")
    box.keys["speaker"]["ao"] = "alsa"
    box.home.rendered = "41"
    registers = [bytes(chip._registers) for chip in box.chips]

    def taken(*_: object) -> None:
        raise AssertionError("the daemon has it")

    for name in ("pins.open_lamp", "pins.open_button", "sound._asked", "listening.listen"):
        monkeypatch.setattr(f"somnisphere.doctor.{name}", taken)
    with Ear((box.keys["mqtt"]["host"], box.keys["mqtt"]["port"])) as ear:
        findings = box.findings()
        ear.say("end")
        ear.wait("end/set", b"PRESS")
        topics = {message.topic for message in ear._heard} - {"somnisphere/bedside/end/set"}
        assert not any(message.retain for message in ear._heard)
    assert [finding for finding in findings if not finding.ok] == []
    said = {finding.part: finding.verdict for finding in findings}
    assert said["signal"].startswith("the daemon listens")
    assert said["lamp"] == "the daemon has GPIO 18"
    assert said["button"] == "the daemon has GPIO 17"
    assert said["player"].endswith("the daemon has the sound")
    assert said["service"] == "not installed as a service; process 77 runs"
    assert said["discovery"] == "Home Assistant has 41 entities of this box"
    assert registers == [bytes(chip._registers) for chip in box.chips]
    assert topics == {"somnisphere/bedside/doctor/status"}


def test_a_look_leaves_no_trace(box: DoctorBox) -> None:
    config = load(box.config_file)

    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in box.folder.rglob("*") if not path.is_symlink()}

    before = files()
    assert all(finding.ok for finding in examined(config, box.world))
    assert files() == before


def test_a_journal_in_use_is_read_beside_its_writer(box: DoctorBox) -> None:
    with closing(sqlite3.connect(box.journal)) as writer:
        writer.execute("INSERT INTO moment VALUES (NULL, 1.0, 'asleep', 0.5)")
        writer.commit()
        for ending in ("-wal", "-shm"):
            Path(f"{box.journal}{ending}").chmod(0o600)
        files = sorted(box.journal.parent.iterdir())
        assert len(files) == 3
        assert box.bad() == []
        assert sorted(box.journal.parent.iterdir()) == files


@pytest.mark.parametrize(
    ("words", "is_daemon"),
    [
        ("/opt/somnisphere/bin/python3 /opt/somnisphere/bin/somnisphere run", True),
        ("python -m somnisphere --config /etc/x.toml -v run", True),
        ("/opt/somnisphere/bin/somnisphere run", True),
        ("python3 /opt/somnisphere/bin/somnisphere circle run", False),
        ("python3 /opt/somnisphere/bin/somnisphere --config run doctor", False),
        ("vi somnisphere/run", False),
        ("", False),
    ],
)
def test_what_a_daemon_is(words: str, is_daemon: bool, box: DoctorBox) -> None:
    box.put("proc/5/cmdline", words.replace(" ", "\0"))
    assert daemon_pid(box.world) == (5 if is_daemon else None)


def test_the_units_word_counts_too(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    unit(box, monkeypatch, "active", "running")
    assert daemon_runs(box.world)
    unit(box, monkeypatch, "failed", "failed")
    assert not daemon_runs(box.world)


def test_a_look_that_hangs_is_left_behind() -> None:
    end = threading.Event()

    def hangs() -> Iterator[Finding]:
        end.wait(30)
        yield Finding("disk", True, "")

    def looks() -> Iterator[Finding]:
        yield Finding("clock", True, "well")

    found = list(side_by_side([("disk", hangs), ("clock", looks)], lambda: 0.05))
    end.set()
    assert [(one.part, one.ok) for one in found] == [("disk", False), ("clock", True)]


def test_a_mistake_of_ours_is_a_crash() -> None:
    def wrong() -> Iterator[Finding]:
        yield Finding("clock", True, "well")
        raise KeyError("a mistake")

    with pytest.raises(KeyError, match="a mistake"):
        list(side_by_side([("clock", wrong)], lambda: 5.0))


def test_a_broker_of_the_older_kind_that_drops_without_a_word(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    """MQTT 3.1.1 has no refusal of a message."""
    fault = next(fault for fault in FAULTS if fault.name == "may_not_write")
    fault.stage(box, monkeypatch)
    monkeypatch.setattr(
        "somnisphere.doctor.broker.broker_settings", lambda config: replace(broker_settings(config), mqtt5=False)
    )
    findings = {finding.part: finding for finding in box.findings()}
    assert findings["broker"].verdict.endswith("with MQTT 3.1.1")
    assert not findings["access list"].ok
    assert "drops it without a word" in findings["access list"].verdict
