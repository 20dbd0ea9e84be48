"""The support bundle: of all that was planted in a household, nothing is in it, and what a helper needs is."""

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from tests.brokers import free_port
from tests.cli_words import Output
from tests.doctor_box import DoctorBox, doctor_box
from tests.doctor_faults.house import no_names
from tests.doctor_faults.machine import program

from somnisphere.cli import main
from somnisphere.config import Config
from somnisphere.doctor.bundle import write_bundle
from somnisphere.doctor.log_lines import told
from somnisphere.doctor.masks import masks_of, without_values
from somnisphere.dreams.store import DreamStore
from somnisphere.dreams.telling import Dream
from somnisphere.errors import UserError
from somnisphere.household_file import household_beside
from somnisphere.page.sessions import Sessions

PLANTED = {
    "password": "hunter2-hunter2",
    "token": "eyJhbGciOi.planted.token",
    "coach's password": "coachword-9",
    "PIN hash": "pinhash0123456789abcdef",
    "user name": "brokerlogin",
    "broker": "mosquito-net.fritz.box",
    "home": "hass-of-ours.lan",
    "node": "klaras_bed",
    "box": "Klaras Kiste",
    "sleeper": "Klara Planted",
    "born": "2017-11",
    "listener": "Mia",
    "bedtime": "20:17",
    "light": "light.klaras_lampe",
    "player": "media_player.klaras_box",
    "latitude": "47.8095",
    "calibrated": "an oximeter of uncle Otto",
    "folder": "klaras-buecher",
    "title": "Das geheime Sandmaennchen",
    "inside": "verratene Zeile",
    "dream": "I flew over the lake with a whale",
    "heart": "57.8125",
    "night": "2026-02-13",
    "time": "1771020017",
    "home folder": "anneliese",
    "moment": "planted_moment",
}


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DoctorBox]:
    monkeypatch.delenv("TZ", raising=False)
    with doctor_box(tmp_path, ("127.0.0.1", free_port())) as made:
        yield made


@pytest.fixture
def planted(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> DoctorBox:
    """A household with something of everything."""
    secrets: dict[str, Path] = {}
    for name in ("password", "token", "coach's password"):
        secrets[name] = box.folder / f"kept-{len(secrets)}"
        secrets[name].write_text(PLANTED[name])
        secrets[name].chmod(0o600)
    shelf = box.folder / PLANTED["folder"]
    shelf.mkdir()
    (shelf / f"{PLANTED['title']}.mp3").write_text(PLANTED["inside"])
    (shelf / f"{PLANTED['title']}.epub").write_text(PLANTED["inside"])
    box.keys |= {
        "box": {"node": PLANTED["node"], "name": PLANTED["box"]},
        "sleeper": {"name": PLANTED["sleeper"], "born": PLANTED["born"]},
        "mqtt": {
            "host": PLANTED["broker"], "username": PLANTED["user name"], "password_file": secrets["password"],
        },
        "coach": {
            "key": "planted_coach", "host": PLANTED["home"], "password_file": secrets["coach's password"],
            "ca_file": f"/home/{PLANTED['home folder']}/ca.crt",
        },
        "ritual": {"begin_at": PLANTED["bedtime"]},
        "[listener]": {"name": PLANTED["listener"], "begin_at": PLANTED["bedtime"], "folder": PLANTED["folder"]},
        "page": {"latitude": float(PLANTED["latitude"]), "longitude": 13.055},
        "stories": {"folder": shelf},
        "home_assistant": {
            "url": f"http://{PLANTED['home']}:8123", "token_file": secrets["token"],
            "bedroom_lights": [PLANTED["light"]],
        },
    }  # fmt: skip
    box.keys["lamp"]["home_light"] = PLANTED["light"]
    box.keys["speaker"]["home_player"] = PLANTED["player"]
    box.keys["sensor"] |= {
        "oxygen_offset_pct": 104.375, "oxygen_slope_pct": -17.125, "oxygen_calibrated": PLANTED["calibrated"],
    }  # fmt: skip
    with closing(sqlite3.connect(box.journal)) as db:
        body = json.dumps({"heart_bpm": float(PLANTED["heart"])})
        wall_s = float(PLANTED["time"])
        db.execute("INSERT INTO night VALUES (?, ?, NULL, ?)", (PLANTED["night"], wall_s, body))
        db.execute("INSERT INTO epoch VALUES (?, 0, ?, ?, ?, NULL)", (PLANTED["night"], wall_s, body, body))
        db.execute("INSERT INTO moment VALUES (NULL, ?, ?, 0.5)", (wall_s, PLANTED["moment"]))
        db.execute("INSERT INTO told VALUES (NULL, ?, ?, '', ?)", (wall_s, PLANTED["title"], PLANTED["listener"]))
        db.commit()
    household = household_beside(box.journal)
    Sessions(household).set_pin(PLANTED["PIN hash"])
    dream = Dream(PLANTED["dream"], "", "", "", PLANTED["sleeper"])
    DreamStore(household).keep(dream, "key", PLANTED["title"], "grammar", date.fromisoformat(PLANTED["night"]))
    _log(box, monkeypatch)
    no_names(monkeypatch)
    return box


def _log(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = " ".join(PLANTED.values())
    rows = [
        ("somnisphere", f"WARNING somnisphere.journal: the journal cannot be written: {everything}"),
        ("somnisphere", f"WARNING somnisphere_hardware.lamp: the lamp does not answer: {everything}"),
        ("somnisphere", "WARNING somnisphere_hardware.lamp: the lamp does not answer: No such device"),
        ("somnisphere", f"INFO somnisphere.nobody: {everything}"),
        ("somnisphere", f"WARNING somnisphere_home.mqtt: {everything}"),
        ("somnisphere", everything),
        ("somnisphere", "Traceback (most recent call last):"),
        ("somnisphere", f'  File "/home/{PLANTED["home folder"]}/somnisphere/core.py", line 12, in f'),
        ("somnisphere", f"    {everything}"),
        ("somnisphere", f"KeyError: {everything!r}"),
        ("systemd", "somnisphere.service: Main process exited, code=killed, status=6/ABRT"),
        ("systemd", f"Something of {everything}"),
    ]
    lines = [
        json.dumps({"MESSAGE": said, "SYSLOG_IDENTIFIER": who, "__REALTIME_TIMESTAMP": f"{PLANTED['time']}000000"})
        for who, said in rows
    ]
    program(box, monkeypatch, "journalctl", "\n".join(lines))


def _texts(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {Path(name).name: archive.read(name).decode() for name in archive.namelist()}


def _bundled(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("somnisphere.cli_doctor.THIS_MACHINE", box.world)
    path = box.folder / "bundle.zip"
    assert main(["--config", str(box.config_file), "doctor", "--bundle", str(path)]) == 1
    return path


def test_nothing_that_was_planted(planted: DoctorBox, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    assert planted.config_file
    before = set(planted.folder.rglob("*"))
    path = _bundled(planted, monkeypatch)
    assert set(planted.folder.rglob("*")) - before == {path}, "nothing else was left behind"
    printed = capsys.readouterr().out
    texts = _texts(path)
    for name, said in PLANTED.items():
        for file, text in texts.items():
            assert said.casefold() not in text.casefold(), f"{name} is in {file}"
        assert said.encode() not in path.read_bytes()
    # The plants are where a careless bundle would have them from.
    for name in ("title", "broker", "light", "player", "node"):
        assert PLANTED[name] in printed + planted.config_file.read_text(), name
    for name in ("title", "broker", "player", "calibrated"):
        assert PLANTED[name] in printed, name
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_helper_needs(planted: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = _texts(_bundled(planted, monkeypatch))
    verdicts = {row["part"]: row for row in map(json.loads, texts["verdicts.jsonl"].splitlines())}
    assert verdicts["broker"]["verdict"] == "no machine is called <mqtt.host> here"
    assert verdicts["story"]["verdict"] == "a file of the shelf cannot be told"
    assert verdicts["pulse chip"]["verdict"] == "0x57: MAX30102"
    configuration = texts["configuration.toml"]
    for line in ('host = "<mqtt.host>"', "port = 1883", 'name = "<listener.name>"', "bus = 91", 'node = "<box.node>"'):
        assert line in configuration
    assert f'password_file = "{planted.folder}/kept-0"' in configuration
    assert 'ca_file = "/home/<user>/ca.crt"' in configuration
    assert 'bedroom_lights = ["<home_assistant.bedroom_lights>"]' in configuration
    versions = json.loads(texts["versions.json"])
    assert versions["packages"]["paho-mqtt"]
    assert versions["python"]
    chips = json.loads(texts["chips.json"])
    assert chips[0] == {"address": 0x57, "chip": "MAX30102", "id": 0x15, "problem": "", "revision": 3}
    files = json.loads(texts["files.json"])
    rows = files["journal"]["rows"]
    assert {name: rows[name] for name in ("bookmark", "epoch", "moment", "told")} == {
        "bookmark": 0, "epoch": 1, "moment": 1, "told": 1,
    }  # fmt: skip
    assert any("CREATE TABLE epoch" in sql for sql in files["journal"]["schema"])
    assert files["household"]["is"] == "readable"
    days = int((planted.world.wall_s() - float(PLANTED["time"])) // 86_400)
    assert texts["log.txt"].splitlines() == [
        f"{days} days ago: {line}"
        for line in (
            "WARNING somnisphere.journal: …",
            "WARNING somnisphere_hardware.lamp: the lamp does not answer: …",
            "WARNING somnisphere_hardware.lamp: the lamp does not answer: No such device",
            "INFO somnisphere.nobody: …",
            "WARNING somnisphere_home.mqtt: …",
            "  somnisphere/core.py, line 12",
            "KeyError",
            "somnisphere.service: Main process exited, code=killed, status=6/ABRT",
        )
    ]


def test_a_configuration_that_cannot_be_read(box: DoctorBox, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    box.keys["mqtt"]["port"] = PLANTED["password"]
    texts = _texts(_bundled(box, monkeypatch))
    assert PLANTED["password"] in capsys.readouterr().out
    assert "mqtt.port" in texts["verdicts.jsonl"]
    assert not any(PLANTED["password"] in text for text in texts.values())


def test_no_other_file_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "diary.zip").write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        write_bundle(tmp_path / "diary.zip", b"a bundle")
    assert (tmp_path / "diary.zip").read_text() == "mine"


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("WARNING somnisphere_home.mqtt: the broker; trying again", "WARNING somnisphere_home.mqtt: …; trying again"),
        ("WARNING somnisphere.nowhere.at.all: Klara", "WARNING somnisphere.nowhere.at.all: …"),
        ("WARNING elsewhere: Klara", ""),
        ("Klara", ""),
        ("ValueError: Klara", "ValueError"),
        ("sqlite3.OperationalError: Klara", "OperationalError"),
        ('  File "/opt/somnisphere/lib/python3.11/site-packages/somnisphere/core.py", line 3, in Klara',
         "  somnisphere/lib/python3.11/site-packages/somnisphere/core.py, line 3"),
    ],
)  # fmt: skip
def test_a_line_of_the_log(message: str, kept: str) -> None:
    assert told(message) == kept


def test_a_complaint_without_its_values() -> None:
    said = "/home/klara/x.toml: mqtt.port: found 'secret, allowed', allowed is a whole number; see “Klara”"
    assert without_values(said).startswith("/home/<user>/x.toml: mqtt.port: found <a value>, allowed")
    assert "secret" not in without_values(said)
    assert "Klara" not in without_values(said)


def test_home_folders_are_without_their_owners() -> None:
    assert masks_of(Config()).over("/home/klara/nights.db is whole") == "/home/<user>/nights.db is whole"
