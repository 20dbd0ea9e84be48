"""From a configuration to what the parts are told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere.assemble import bedside_settings, entities_of, home_session, shelf_reader
from somnisphere.broker import broker_settings, secret
from somnisphere.config import Config, ConfigError
from somnisphere.config_keys import Box, Listener, Mqtt, Sensor, Stories
from somnisphere.config_keys_home import HomeAssistant
from somnisphere.entities import ENTITIES
from somnisphere.entities_house import SOMETIMES
from somnisphere.library import STARTER_FOLDER


@given(
    pulse=st.sampled_from([50, 100]),
    motion=st.sampled_from([25, 50]),
    cap_ma=st.floats(1.0, 50.0),
    swap=st.booleans(),
)
def test_every_sensor_that_can_be_configured_can_be_opened(pulse: int, motion: int, cap_ma: float, swap: bool) -> None:
    settings = bedside_settings(
        Config(sensor=Sensor(pulse_rate_hz=pulse, motion_rate_hz=motion, led_cap_ma=cap_ma, swap_leds=swap))  # type: ignore[arg-type]
    )
    assert (settings.pulse_rate_hz, settings.motion_rate_hz) == (float(pulse), float(motion))
    assert settings.led_start_ma <= settings.led_cap_ma == cap_ma
    assert settings.swap_leds is swap


def test_a_broker_as_configured(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("s3cret\n")
    mqtt = Mqtt(host="broker.lan", port=8883, username="bed", password_file=str(password), tls=True)
    settings = broker_settings(Config(box=Box(node="attic"), mqtt=mqtt))
    assert (settings.host, settings.port, settings.tls) == ("broker.lan", 8883, True)
    assert (settings.username, settings.password) == ("bed", "s3cret")
    assert settings.client_id == "somnisphere_attic", "one per bedside: a broker lets each name in once"
    assert "s3cret" not in repr(settings)


def test_a_broker_without_a_name_and_in_another_place() -> None:
    settings = broker_settings(Config(), ("10.0.0.5", 2000))
    assert (settings.host, settings.port) == ("10.0.0.5", 2000)
    assert (settings.username, settings.password, settings.ca_file) == (None, None, None)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "no text"])
def test_a_secret_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"mqtt\.password_file.*password"):
        broker_settings(Config(mqtt=Mqtt(password_file=str(path))))
    assert secret(None, "any") == ""


def test_what_the_service_manager_lends_comes_first(tmp_path: Path) -> None:
    """The file that the configuration names may be root's alone, then; a blank credential is none."""
    lent, kept = tmp_path / "lent", tmp_path / "kept"
    lent.mkdir()
    kept.write_text("old\n")
    environment = {"CREDENTIALS_DIRECTORY": str(lent)}
    for key, name in (
        ("mqtt.password_file", "mqtt-password"),
        ("home_assistant.token_file", "home-assistant-token"),
        ("coach.password_file", "coach-password"),
    ):
        assert secret(None, key, environment) == ""
        (lent / name).write_text("\n")
        assert secret(str(kept), key, environment) == "old"
        (lent / name).write_text(f"{name} s3cret\n")
        assert secret(None, key, environment) == f"{name} s3cret"
        assert secret(str(tmp_path / "root's alone"), key, environment) == f"{name} s3cret"
        assert secret(None, key, {}) == ""


def test_an_authority_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "ca.crt"
    path.write_text("not a certificate")
    with pytest.raises(ConfigError, match=r"mqtt\.ca_file"):
        broker_settings(Config(mqtt=Mqtt(tls=True, ca_file=str(path))))


def test_the_home_is_spoken_to_under_the_boxs_name() -> None:
    session = home_session(Config(box=Box(node="attic"), mqtt=Mqtt(discovery_prefix="ha")))
    assert session.will.topic == "somnisphere/attic/status"


def test_the_shelf_is_read_again_only_when_it_changed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "shelf"
    library = shelf_reader(Config(stories=Stories(folder=str(folder))))
    assert library.read() == (), "no folder, no stories; no harm"
    assert "There is no story folder" in caplog.text
    assert library.read() is None
    folder.mkdir()
    assert library.read() == ()
    assert library.read() is None
    (folder / "one.opus").write_bytes(next(STARTER_FOLDER.rglob("*.opus")).read_bytes())
    stories = library.read()
    assert stories is not None
    assert [story.key for story in stories] == ["one.opus"]
    (folder / "one.opus").unlink()
    assert library.read() == ()


def test_without_a_folder_the_starter_stories_are_told() -> None:
    stories = shelf_reader(Config()).read()
    assert stories is not None
    assert len(stories) == len(list(STARTER_FOLDER.rglob("*.opus")))


def test_what_nobody_named_is_not_offered() -> None:
    def sometimes(config: Config) -> set[str]:
        offered = {entity.key for entity in entities_of(config)}
        assert offered >= {entity.key for entity in ENTITIES} - SOMETIMES
        return offered & SOMETIMES

    assert sometimes(Config()) == set()
    assert sometimes(Config(listener=(Listener(),))) == {"listener"}
    assert sometimes(Config(home_assistant=HomeAssistant(still_up=("light.hall",)))) == {"someone_up"}
    for dark in (HomeAssistant(bedroom_lights=("light.x",)), HomeAssistant(bedroom_light_level="sensor.x")):
        assert sometimes(Config(home_assistant=dark)) == {"bedroom_dark"}
