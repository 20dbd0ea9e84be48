"""The configuration: its example is true, and every mistake is told with its mend."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from somnisphere import config
from somnisphere.config import Config, ConfigError, find, load
from somnisphere.config_keys import Lamp, Listener
from somnisphere.config_text import example, show
from somnisphere.lamp_whites import lamp_whites
from somnisphere_hardware.colour import Whites

EXAMPLE = Path(__file__).parents[2] / "deploy" / "somnisphere.toml.example"


def refusal(tmp_path: Path, text: str) -> str:
    path = tmp_path / "somnisphere.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: "), "the file is named first"
    return message.removeprefix(f"{path}: ")


def test_the_example_in_deploy_is_the_one_the_program_writes() -> None:
    assert EXAMPLE.read_text() == example(), (
        "write it anew: somnisphere config --example > deploy/somnisphere.toml.example"
    )


def test_the_example_changes_nothing_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "somnisphere.toml"
    path.write_text(example())
    assert load(path) == load_defaults(tmp_path)


def load_defaults(tmp_path: Path) -> Config:
    empty = tmp_path / "empty.toml"
    empty.touch()
    return load(empty)


def test_every_line_of_the_example_may_be_used(tmp_path: Path) -> None:
    text = re.sub(r"^#(\w+ = |\[\[)", r"\1", example(), flags=re.MULTILINE)
    path = tmp_path / "somnisphere.toml"
    path.write_text(text)
    loaded = load(path)
    assert loaded.lamp.pin == 18
    assert [(one.name, one.begin_at_s) for one in loaded.listeners] == [("Mia", 19 * 3600)]
    several = {"listener": Listener}
    declared = {
        (s.name, f.name)
        for s in msgspec.structs.fields(Config)
        for f in msgspec.structs.fields(several.get(s.name, s.type))
    }
    written = {
        (section, key)
        for section, keys in tomllib.loads(text).items()
        for key in (keys[0] if isinstance(keys, list) else keys)
    }
    assert written == declared


def test_every_key_is_explained() -> None:
    for section in msgspec.structs.fields(Config):
        kind = Listener if section.name == "listener" else section.type
        assert kind.__doc__, section.name
        for field in msgspec.structs.fields(kind):
            meta = field.type.__metadata__[-1]
            assert meta.description, f"{section.name}.{field.name}"
            assert field.default is not None or meta.examples, f"{section.name}.{field.name}"


def test_the_configuration_in_force_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "somnisphere.toml"
    path.write_text('[box]\nname = "Mia\'s \\"bed\\" \\\\ 星"\n[lamp]\npin = 12\n[ritual]\nfade_min = 7.25\n')
    loaded = load(path)
    path.write_text(show(loaded))
    assert load(path) == loaded
    assert loaded.box.name == 'Mia\'s "bed" \\ 星'


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[ritual]\nwind_dwn_min = 3", ["ritual.wind_dwn_min", "no such key", "did you mean “wind_down_min”"]),
        ("[sensr]\n", ["sensr", "no such key", "did you mean “sensor”"]),
        ("zzz = 1", ["zzz", "no such key", "known: box, sleeper, sensor"]),
        ("[sensor]\npulse_rate_hz = 60", ["sensor.pulse_rate_hz", "found 60", "one of 50, 100"]),
        ('[mqtt]\nport = "1883"', ["mqtt.port", "found '1883'", "whole number from 1 to 65535"]),
        ("[mqtt]\nport = 70000", ["mqtt.port", "found 70000", "from 1 to 65535"]),
        ("[ritual]\nbegin_at = '25:00'", ["ritual.begin_at", "found '25:00'", 'such as "20:00"']),
        ("[lamp]\npin = 40", ["lamp.pin", "found 40", "from 0 to 27"]),
        ("[speaker]\nvolume_pct = 101.5", ["speaker.volume_pct", "found 101.5", "from 0 to 100"]),
        ("[ritual]\nfade_min = nan", ["ritual.fade_min", "found nan", "from 1 to 60"]),
        ("[mqtt]\ntls = 1", ["mqtt.tls", "found 1", "true or false"]),
        ("[box]\nnode = 'Mein Bett'", ["box.node", "found 'Mein Bett'", "a-z, 0-9 and _"]),
        ("lamp = 3", ["lamp", "found 3", "[lamp]"]),
        ("[[lamp]]\npin = 1", ["lamp", "a section: [lamp]"]),
        ("[mqtt\nport = 1", ["not TOML", "line 1"]),
        ("[speaker]\nvolume_floor_pct = 90", ["speaker.volume_floor_pct", "must not be above"]),
        ("[lamp]\ncold_pin = 13", ["lamp.cold_pin", "without lamp.pin"]),
        ("[lamp]\npin = 18\ncold_pin = 18", ["lamp.cold_pin is 18", "taken"]),
        ("[lamp]\npin = 18\ncold_pin = 17\n[button]\npin = 17", ["lamp.cold_pin is 17", "taken"]),
        ("[lamp]\npin = 18\ncold_pin = 13\nwarm_k = 3000", ["lamp.warm_k is 3000", "lamp.cold_k (2700)"]),
        ("[lamp]\npin = 18\ncold_pin = 13\nnight_k = 3000", ["lamp.night_k is 3000", "lamp.evening_k (2700)"]),
        ("[lamp]\nwarm_k = 300", ["lamp.warm_k", "found 300"]),
        ("[lamp]\npin = 5\n[button]\npin = 5", ["lamp.pin and button.pin", "GPIO of its own"]),
        ("[home_assistant]\nurl = 'http://x'", ["home_assistant.token_file"]),
    ],
)
def test_a_mistake_is_told_with_key_and_mend(tmp_path: Path, text: str, parts: list[str]) -> None:
    message = refusal(tmp_path, text)
    for part in parts:
        assert part in message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read: No such file"):
        load(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'[box]\nname = "M\xe4rchen"\n')
    with pytest.raises(ConfigError, match="not text in UTF-8"):
        load(tmp_path / "latin.toml")


def test_where_the_file_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    etc, own = tmp_path / "etc.toml", tmp_path / "own.toml"
    monkeypatch.setattr(config, "PLACES", (etc, own))
    assert find({}) is None
    own.touch()
    assert find({}) == own
    etc.touch()
    assert find({}) == etc
    assert find({"SOMNISPHERE_CONFIG": "/named.toml"}) == Path("/named.toml")


def test_paths_are_made_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert load_defaults(tmp_path).journal.path == f"{tmp_path}/.local/share/somnisphere/journal.db"
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/somnisphere")
    assert load_defaults(tmp_path).journal.path == "/var/lib/somnisphere/journal.db"
    (tmp_path / "s.toml").write_text('[stories]\nfolder = "~/tales"\n[journal]\npath = "~/j.db"\n')
    loaded = load(tmp_path / "s.toml")
    assert (loaded.stories.folder, loaded.journal.path) == (f"{tmp_path}/tales", f"{tmp_path}/j.db")


def test_the_ritual_is_told_what_the_household_set(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(
        "[ritual]\nwind_down_min = 3\nstory_limit_min = 45\nfade_min = 12\n[speaker]\nvolume_ceiling_pct = 60\n"
    )
    settings = load(tmp_path / "s.toml").ritual_settings
    assert (settings.wind_down_s, settings.story_limit_s, settings.fade.fade_s) == (180.0, 2700.0, 720.0)
    assert settings.volume_ceiling_pct == 60.0
    assert load_defaults(tmp_path).ritual_settings == type(settings)(), "one set of defaults, not two"


def test_a_lamp_of_two_whites_comes_from_the_configuration() -> None:
    assert lamp_whites(Lamp(pin=18)) is None
    whites = lamp_whites(Lamp(pin=18, cold_pin=13, warm_k=2000, cold_k=4000, evening_k=3000, night_k=2100))
    assert whites == Whites(13, warm_k=2000, cold_k=4000, evening_k=3000, night_k=2100)


def test_listeners_have_rules_of_their_own_and_the_rest_is_as_for_all(tmp_path: Path) -> None:
    path = tmp_path / "somnisphere.toml"
    path.write_text(
        '[ritual]\nbegin_at = "20:00"\nstory_limit_min = 40\n[speaker]\nvolume_pct = 45\n'
        '[[listener]]\nname = "Ada"\nfolder = "ada"\nbegin_at = "19:00"\nvolume_ceiling_pct = 60\n'
        '[[listener]]\nname = "Ben"\nstory_limit_min = 20\nvolume_pct = 30\n'
    )
    ada, ben = load(path).listeners
    assert (ada.name, ada.folder, ada.begin_at_s) == ("Ada", "ada", 19 * 3600)
    assert (ada.settings.volume_pct, ada.settings.volume_ceiling_pct, ada.settings.story_limit_s) == (45, 60, 2400)
    assert (ben.name, ben.folder, ben.begin_at_s) == ("Ben", "", 20 * 3600)
    assert (ben.settings.volume_pct, ben.settings.volume_ceiling_pct, ben.settings.story_limit_s) == (30, 80, 1200)
    (everybody,) = Config().listeners
    assert everybody.name == ""
    assert load(_written(tmp_path, show(load(path)))).listeners == (ada, ben)


def _written(folder: Path, text: str) -> Path:
    path = folder / "shown.toml"
    path.write_text(text)
    return path


def test_a_listeners_wrong_key_is_explained(tmp_path: Path) -> None:
    for wrong, words in (
        ('[[listener]]\nname = "Ada"\nvolum_pct = 3\n', "did you mean"),
        ('[[listener]]\nname = "Ada"\nbegin_at = "late"\n', "20:00"),
        ('[listener]\nname = "Ada"\n', "listener"),
    ):
        with pytest.raises(ConfigError, match=words):
            load(_written(tmp_path, wrong))
