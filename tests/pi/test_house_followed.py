"""What Home Assistant knows of the house, from a configuration to the broker, over a real WebSocket."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.brokers import mosquitto
from tests.ear import Ear
from tests.home_api import fake_home
from tests.home_socket import fake_socket_home
from tests.pi.test_live import BUS, configured, living_bus, pins, run_while

from somnisphere.config import ConfigError, load
from somnisphere.config_text import show
from somnisphere.doctor.home import check_home_assistant
from somnisphere.doctor.world import World

__all__ = ["living_bus", "pins"]

MOTION, LEVEL = "binary_sensor.kitchen", "sensor.bedroom"


def written(folder: Path, url: str, keys: str, more: str = "") -> Path:
    (folder / "token").write_text("good")
    path = folder / "somnisphere.toml"
    address = f'url = "{url}"\ntoken_file = "{folder}/token"\n' if url else ""
    path.write_text(f"{more}[home_assistant]\n{address}{keys}\n")
    return path


@pytest.mark.broker
@pytest.mark.mpv
@pytest.mark.skipif(shutil.which("mpv") is None, reason="mpv is not installed (apt install mpv)")
@pytest.mark.usefixtures("pins", "living_bus")
def test_the_house_is_shown_as_it_changes(tmp_path: Path) -> None:
    keys = f'still_up = ["{MOTION}"]\nbedroom_light_level = "{LEVEL}"'

    def user() -> None:
        ear.wait_for("house", lambda state: (state["someone_up"], state["bedroom_dark"]) == (True, False))
        home.set(LEVEL, "0.3")
        ear.wait_for("house", lambda state: (state["someone_up"], state["bedroom_dark"]) == (True, True))
        home.set(MOTION, "off")
        ear.wait_for("house", lambda state: (state["someone_up"], state["bedroom_dark"]) == (False, True))
        home.states[MOTION] = "on"  # while the home restarts
        home.drop()
        ear.wait_for("house", lambda state: (state["someone_up"], state["bedroom_dark"]) == (True, True))
        home.set(MOTION, "unavailable")
        ear.wait_for("house", lambda state: state["someone_up"] is None)

    with mosquitto() as place, Ear(place) as ear, fake_socket_home() as home:
        home.states |= {MOTION: "on", LEVEL: "40"}
        run_while(written(tmp_path, home.url, keys, configured(tmp_path, place, BUS).read_text()), user)
        assert {frozenset(json.loads(told)) for told in ear.payloads("house")} == {
            frozenset({"house_quiet", "someone_up", "bedroom_dark"})
        }


def test_the_doctor_names_what_is_not_there(tmp_path: Path) -> None:
    keys = f'still_up = ["{MOTION}"]\nbedroom_light_level = "{LEVEL}"\n[voice]\nhome_engine = "tts.none"'
    with fake_home() as home:
        home.states |= {MOTION: ("off", {}), "zone.home": ("0", {})}
        config, world = load(written(tmp_path, home.url, keys)), World(root=tmp_path, daemon_runs=False)
        findings = list(check_home_assistant(config, world))
        home.mood = "401"
        refused = list(check_home_assistant(config, world))
    assert [finding.ok for finding in findings] == [True, False, False]
    assert "no tts.none" in findings[1].verdict
    assert f"no {LEVEL}" in findings[2].verdict
    assert [finding.ok for finding in refused] == [False]


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        (f'still_up = ["{MOTION}"]', r"need home_assistant\.url"),
        ('bedroom_lights = ["light.x"]', r"need home_assistant\.url"),
        ("begin_waits_min = 5", r"begin_waits_min needs home_assistant\.still_up"),
        ('still_up = ["kitchen"]', r"home_assistant\.still_up: found .*a list of Home Assistant"),
        ('still_up = "light.x"', r"home_assistant\.still_up: found 'light\.x'"),
        ('bedroom_light_level = "light.x"', r"bedroom_light_level: found 'light\.x'.*sensor of Home Assistant"),
        ("dark_below_lx = 0", r"dark_below_lx: found 0, allowed is a number from 0.1 to 1000"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_key(tmp_path: Path, keys: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        load(written(tmp_path, "", keys))


def test_lists_are_shown_as_they_are_written(tmp_path: Path) -> None:
    path = written(tmp_path, "http://x", f'still_up = ["{MOTION}", "light.hall"]\nbegin_waits_min = 90')
    shown = tmp_path / "shown.toml"
    shown.write_text(show(load(path)))
    assert f'still_up = ["{MOTION}", "light.hall"]' in shown.read_text()
    assert load(shown) == load(path)


def test_it_costs_nothing_where_nobody_named_anything() -> None:
    code = (
        "import sys, threading; from contextlib import ExitStack\n"
        "from somnisphere.cli_daemon import follow_home; from somnisphere.config import Config\n"
        "follow_home(Config(), ExitStack(), print, float)\n"
        "print(threading.active_count(), {'homeassistant_api', 'niquests', 'somnisphere_home.rest_listener'}"
        " & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split("\n")[0] == "1 set()"
