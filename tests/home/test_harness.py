"""The harness itself, with a hand-written device in place of ours: what it shows, our product can be judged by."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.home.broker import Broker
from tests.home.browser import Shot, look_at
from tests.home.client import HomeAssistantSaidNoError, wait_until
from tests.home.harness import ROOT, HomeAssistant, read_log
from tests.home.recorder import recording

pytestmark = [pytest.mark.home, pytest.mark.timeout(300)]

DEVICE = {
    "device": {"identifiers": ["harness_lamp"], "name": "Harness", "manufacturer": "Nobody"},
    "origin": {"name": "harness"},
    "availability": [{"topic": "harness/status"}],
    "components": {
        "mood": {
            "platform": "sensor",
            "unique_id": "harness_mood",
            "name": "Mood",
            "device_class": "enum",
            "options": ["calm", "restless"],
            "state_topic": "harness/mood",
        },
        "go": {"platform": "button", "unique_id": "harness_go", "name": "Go", "command_topic": "harness/go/set"},
    },
}
CONFIG_TOPIC = "homeassistant/device/harness/config"

BLUEPRINT = """
blueprint:
  name: Harness
  domain: automation
  input:
    mood: {selector: {entity: {}}}
    lamp: {selector: {target: {}}}
    speaker: {selector: {entity: {}}}
triggers:
  - trigger: state
    entity_id: !input mood
    to: calm
actions:
  - action: light.turn_on
    target: !input lamp
    data: {brightness_pct: 10, transition: 5}
  - action: media_player.play_media
    target: {entity_id: !input speaker}
    data: {media_content_id: "media-source://local/story.mp3", media_content_type: music}
"""

DASHBOARD = """
title: Harness
views:
  - title: Harness
    cards:
      - type: entities
        entities: [sensor.harness_mood, button.harness_go, light.bedroom_lamp]
      - type: markdown
        content: "Tonight: {{ states('sensor.harness_mood') }}"
"""


@pytest.fixture(scope="module")
def device(home: HomeAssistant, broker: Broker) -> Iterator[None]:
    broker.publish("harness/status", "online", retain=True)
    broker.publish("harness/mood", "restless", retain=True)
    broker.publish(CONFIG_TOPIC, json.dumps(DEVICE), retain=True)
    yield
    for topic in (CONFIG_TOPIC, "harness/status", "harness/mood"):
        broker.publish(topic, b"", retain=True)
    wait_until(lambda: "sensor.harness_mood" not in home.client.states(), "the device to go")


@pytest.mark.usefixtures("device")
def test_a_discovered_device_has_its_entities(home: HomeAssistant) -> None:
    wait_until(lambda: (home.client.state("sensor.harness_mood") or {}).get("state") == "restless", "the mood")
    assert set(home.client.device_entities("harness_lamp")) == {"harness_mood", "harness_go"}


@pytest.mark.usefixtures("device")
def test_a_button_pressed_at_home_reaches_the_broker(home: HomeAssistant, broker: Broker) -> None:
    wait_until(lambda: "button.harness_go" in home.client.states(), "the button")
    with broker.listening("harness/go/set") as listener:
        home.client.call("button.press", entity_id="button.harness_go")
        wait_until(lambda: listener.received, "the press")
        assert [message.payload for message in listener.received] == [b"PRESS"]


@pytest.mark.usefixtures("device")
def test_a_blueprint_acts_on_the_stand_ins(home: HomeAssistant, broker: Broker, tmp_path: Path) -> None:
    (tmp_path / "harness.yaml").write_text(BLUEPRINT)
    inputs = {
        "mood": "sensor.harness_mood",
        "lamp": {"entity_id": "light.bedroom_lamp"},
        "speaker": "media_player.bedroom_speaker",
    }
    name = home.put_blueprint(tmp_path / "harness.yaml")
    home.put_automations(
        [{"id": "harness", "alias": "Harness", "use_blueprint": {"path": name, "input": inputs}}],
    )
    wait_until(lambda: (home.client.state("automation.harness") or {}).get("state") == "on", "the automation")
    with recording(home.client) as recorder:
        broker.publish("harness/mood", "calm", retain=True)
        played = wait_until(lambda: home.calls_of("media_player.bedroom_speaker"), "a story")
        wait_until(lambda: len(recorder.actions()) >= 2, "the recorder to have seen both actions")
    assert [action for action, _ in recorder.actions()] == ["light.turn_on", "media_player.play_media"]
    assert [state["state"] for state in recorder.states_of("sensor.harness_mood")] == ["calm"]
    assert [run["entity_id"] for run in recorder.of("automation_triggered")] == ["automation.harness"]
    assert played[-1]["media_id"] == "media-source://local/story.mp3"
    assert home.calls_of("light.bedroom_lamp")[-1] == {"call": "turn_on", "brightness": 26, "transition": 5.0}
    home.put_automations([])


@pytest.mark.usefixtures("device")
def test_the_browser_shows_a_dashboard(home: HomeAssistant, tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "dashboard.yaml").write_text(DASHBOARD)
    home.put_dashboard(tmp_path / "dashboard.yaml")
    shots = [Shot(pictures / f"harness-{scheme}.png", 800, 600, scheme) for scheme in ("light", "dark")]
    light, dark = look_at(home, "/bedside-test/0", shots, minimum_cards=2)
    for look in (light, dark):
        assert look.settled
        assert look.broken == ()
        assert look.says("Bedroom lamp")
        assert look.says("Tonight:")
        with Image.open(look.file) as picture:
            assert len(picture.getcolors(maxcolors=2**24) or []) > 50, "a blank page"
    assert _lightness(light.file) > 150 > 80 > _lightness(dark.file)


@pytest.mark.usefixtures("device")
def test_the_browser_tells_a_card_without_its_entity(home: HomeAssistant, tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "dashboard.yaml").write_text(DASHBOARD.replace("sensor.harness_mood,", "sensor.no_such_thing,"))
    home.put_dashboard(tmp_path / "dashboard.yaml")
    (look,) = look_at(home, "/bedside-test/0", [Shot(pictures / "broken.png", 800, 600, "light")], minimum_cards=2)
    assert look.broken != ()


def test_retained_is_what_a_newcomer_is_told(broker: Broker) -> None:
    for index in range(40):
        broker.publish(f"harness/kept/{index}", str(index), retain=True)
    broker.publish("harness/kept/gone", "by the wind")
    kept = broker.retained("harness/kept/#")
    assert kept == {f"harness/kept/{index}": str(index).encode() for index in range(40)}
    for topic in kept:
        broker.publish(topic, b"", retain=True)
    assert broker.retained("harness/kept/#") == {}


def test_wrong_discovery_is_trouble_in_the_log(home: HomeAssistant, broker: Broker) -> None:
    """The check "no warning of ours" must be able to fail."""
    before = home.trouble()
    broker.publish("homeassistant/device/broken/config", json.dumps({"device": {"identifiers": ["x"]}}))
    wait_until(lambda: len(home.trouble()) > len(before), "a warning")
    assert "Invalid MQTT device discovery payload" in home.trouble()[-1].text
    home.forgive(home.trouble()[len(before) :])
    assert home.trouble() == before


def test_home_assistant_without_us_is_quiet(home: HomeAssistant) -> None:
    assert home.trouble() == []


def test_a_refusal_carries_home_assistants_words(home: HomeAssistant) -> None:
    with pytest.raises(HomeAssistantSaidNoError, match="400"):
        home.client.call("nope.nope")


def test_a_traceback_belongs_to_its_entry(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(
        "2026-01-01 10:00:00.000 ERROR (MainThread) [homeassistant.components.mqtt] Oh\nTraceback\n  no\n"
        "2026-01-01 10:00:01.000 INFO (SyncWorker_1) [x] fine\n"
    )
    assert [(entry.level, entry.logger, entry.text) for entry in read_log(tmp_path / "log")] == [
        ("ERROR", "homeassistant.components.mqtt", "Oh\nTraceback\n  no"),
        ("INFO", "x", "fine"),
    ]


@pytest.mark.parametrize(
    ("present", "words"),
    [
        (("chromium", "node", "mosquitto"), "npm missing"),
        (("chromium", "node", "npm", "mosquitto"), "needs Python 3.13"),
    ],
)
def test_the_installer_says_what_is_missing(present: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """Without apt or Python 3.13 it ends with its own exit code, says why, and leaves nothing half done."""
    for source in ("tests/home/install.sh", "tests/home/requirements-home.txt", "deploy/environment.sh"):
        (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / source, tmp_path / source)
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in ("bash", "dirname", "cmp", "sort", "ls", "id"):
        (programs / tool).symlink_to(shutil.which(tool) or tool)
    for tool in present:
        (programs / tool).symlink_to("/bin/true")
    done = subprocess.run(
        ["bash", tmp_path / "tests" / "home" / "install.sh"],
        env={"PATH": str(programs), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 69, done.stderr
    assert words in done.stderr
    assert not (tmp_path / ".venv-home").exists()


def _lightness(file: Path) -> float:
    """Mean of all pixels, 0 (black) to 255 (white)."""
    with Image.open(file) as picture:
        grey = picture.convert("L")
        histogram = grey.histogram()
    return sum(value * count for value, count in enumerate(histogram)) / sum(histogram)
