"""Show and clear: what would be announced is printed, and a broker keeps nothing of it afterwards."""

import json
from pathlib import Path

import pytest
from tests.brokers import mosquitto
from tests.home.broker import Broker

from somnisphere.cli import main


def configured(folder: Path, port: int, more: str = "") -> str:
    path = folder / "somnisphere.toml"
    path.write_text(f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\n{more}')
    return str(path)


def test_what_is_announced_is_shown_as_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", configured(tmp_path, 1, 'discovery = "single"\n'), "discovery", "show"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    topics = [line["topic"] for line in shown]
    assert "homeassistant/sensor/somnisphere_bedside/heart_rate/config" in topics
    assert all(line["payload"]["device"]["identifiers"] == ["somnisphere_bedside"] for line in shown)


@pytest.mark.broker
def test_clearing_takes_away_what_the_broker_keeps_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mosquitto() as (_, port):
        broker = Broker(port)
        for way in ("device", "single"):
            config = configured(tmp_path, port, f'discovery = "{way}"\n')
            main(["--config", config, "discovery", "show"])
            for line in capsys.readouterr().out.splitlines():
                said = json.loads(line)
                broker.publish(said["topic"], json.dumps(said["payload"]), retain=True)
        broker.publish("homeassistant/device/other/config", b"{}", retain=True)
        broker.publish("homeassistant/sensor/somnisphere_bedside/of_an_old_version/config", b"{}", retain=True)
        broker.publish("homeassistant/tag/somnisphere_bedside/config", b"{}", retain=True)
        assert len(broker.retained("homeassistant/#")) > 50
        assert main(["--config", config, "discovery", "clear", "--yes"]) == 0
        assert set(broker.retained("homeassistant/#")) == {"homeassistant/device/other/config"}
        assert "keeps no announcement of 'bedside'" in capsys.readouterr().out


def test_it_asks_first(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert main(["--config", configured(tmp_path, 1), "discovery", "clear"]) == 2
    told = capsys.readouterr()
    assert "stop that first: sudo systemctl stop somnisphere" in told.out
    assert told.err == "somnisphere: Nothing was cleared.\n"


def test_no_broker_is_said_with_what_to_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", configured(tmp_path, 1), "discovery", "clear", "--yes"]) == 2
    assert "nothing answers at" in (error := capsys.readouterr().err)
    assert "[mqtt]" in error
