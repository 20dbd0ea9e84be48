"""The custom integration as files, by the rules that Home Assistant's hassfest and HACS hold against such a folder.

(``tests/home_integration`` runs it.) Rules: developers.home-assistant.io/docs/creating_integration_manifest and
/docs/core/integration-quality-scale, hacs.xyz/docs/publish/integration.
"""

import ast
import importlib.util
import json
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

import somnisphere
from somnisphere.bedtime.phases import Phase
from somnisphere_home.messages import Topics

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "integrations" / "custom_components" / "somnisphere"
SOURCES = sorted(FOLDER.rglob("*.py"))
LANGUAGES = sorted(path.stem for path in (FOLDER / "translations").glob("*.json"))

IOT_CLASSES = {"assumed_state", "calculated", "cloud_polling", "cloud_push", "local_polling", "local_push"}
INTEGRATION_TYPES = {"device", "entity", "hardware", "helper", "hub", "service", "system", "virtual"}
REQUIRED = {
    "domain",
    "name",
    "codeowners",
    "documentation",
    "issue_tracker",
    "version",
    "iot_class",
    "integration_type",
}
HACS_KEYS = {
    "name", "content_in_root", "zip_release", "filename", "hide_default_branch", "country", "homeassistant", "hacs",
    "persistent_directory", "render_readme",
}  # fmt: skip
BRONZE = """action-setup appropriate-polling brands common-modules config-flow-test-coverage config-flow
 dependency-transparency docs-actions docs-triggers docs-conditions docs-high-level-description
 docs-installation-instructions docs-removal-instructions entity-event-setup entity-unique-id has-entity-name
 runtime-data test-before-configure test-before-setup unique-config-entry"""
SILVER = """action-exceptions config-entry-unloading docs-configuration-parameters docs-installation-parameters
 entity-unavailable integration-owner log-when-unavailable parallel-updates reauthentication-flow test-coverage"""
GOLD = """devices diagnostics discovery-update-info discovery docs-data-update docs-examples docs-known-limitations
 docs-supported-devices docs-supported-functions docs-troubleshooting docs-use-cases dynamic-devices entity-category
 entity-device-class entity-disabled-by-default entity-translations exception-translations icon-translations
 reconfiguration-flow repair-issues stale-devices"""
PLATINUM = "async-dependency inject-websession strict-typing"


def load(name: str) -> Any:
    text = (FOLDER / name).read_text()
    return yaml.safe_load(text) if name.endswith(".yaml") else json.loads(text)


MANIFEST, STRINGS, SERVICES, ICONS = map(load, ("manifest.json", "strings.json", "services.yaml", "icons.json"))


def leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, tree


def said_in_code(keyword: str) -> set[str]:
    """Plain texts that the code hands over under this name."""
    return {
        each.value.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for each in node.keywords
        if each.arg == keyword and isinstance(each.value, ast.Constant) and isinstance(each.value.value, str)
    }


# ---- manifest ------------------------------------------------------------------------------------------------------


def test_the_manifest_says_what_it_must_in_order() -> None:
    assert MANIFEST.keys() >= REQUIRED
    assert list(MANIFEST) == ["domain", "name", *sorted(MANIFEST.keys() - {"domain", "name"})]
    assert MANIFEST["domain"] == FOLDER.name
    assert MANIFEST["iot_class"] in IOT_CLASSES
    assert MANIFEST["integration_type"] in INTEGRATION_TYPES
    assert MANIFEST["version"] == somnisphere.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", MANIFEST["version"])
    assert all(re.fullmatch(r"@[A-Za-z0-9-]+(/[A-Za-z0-9_-]+)?", owner) for owner in MANIFEST["codeowners"])
    for key in ("documentation", "issue_tracker"):
        assert re.fullmatch(r"https://[a-z0-9.-]+(/\S*)?", MANIFEST[key]), key
    assert MANIFEST["requirements"] == [], "Home Assistant brings all that it needs"


def test_the_manifest_and_the_files_agree() -> None:
    assert MANIFEST["config_flow"] is (FOLDER / "config_flow.py").is_file()
    assert "mqtt" in MANIFEST["dependencies"], "whoever subscribes depends on it"
    assert MANIFEST["mqtt"] == [integrations_topics().EVERY_STATUS]
    assert "zeroconf" not in MANIFEST, "the box does not announce itself by it"


def test_it_is_shaped_for_hacs() -> None:
    hacs = json.loads((ROOT / "integrations" / "hacs.json").read_text())
    assert hacs["name"] == MANIFEST["name"]
    assert hacs.keys() <= HACS_KEYS
    assert re.fullmatch(r"20\d\d\.\d{1,2}\.\d", hacs["homeassistant"])
    assert [path.name for path in FOLDER.parent.iterdir() if path.is_dir() and path.name != "__pycache__"] == [
        "somnisphere"
    ], "HACS takes the first of several"
    for name, side_px in (("icon.png", 256), ("icon@2x.png", 512)):
        head = (FOLDER / "brand" / name).read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", head[16:24]) == (side_px, side_px)


# ---- words ---------------------------------------------------------------------------------------------------------


def test_english_is_the_strings() -> None:
    assert load("translations/en.json") == STRINGS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same(language: str) -> None:
    there, said = dict(leaves(STRINGS)), dict(leaves(load(f"translations/{language}.json")))
    assert said.keys() == there.keys()
    for path, words in said.items():
        assert words, path
        assert words == words.strip(), path
        assert set(re.findall(r"{\w+}", words)) == set(re.findall(r"{\w+}", there[path])), path
        assert "http" not in words, f"{path}: an address is a placeholder"


def test_every_refusal_has_words_and_every_word_a_use() -> None:
    used = said_in_code("translation_key") | {"box_away", "no_answer", "refused"}
    box = (FOLDER / "box.py").read_text()
    assert set(re.findall(r'_words\("(\w+)"', box)) == {"box_away", "no_answer", "refused"}
    assert used == STRINGS["exceptions"].keys()
    aborts = said_in_code("reason") - {"?"}
    assert aborts | {"already_configured", "already_in_progress"} == STRINGS["config"]["abort"].keys()
    assert said_in_code("step_id") == STRINGS["config"]["step"].keys()


def test_every_placeholder_is_filled_where_it_is_said() -> None:
    for key, said in STRINGS["exceptions"].items():
        for name in re.findall(r"{(\w+)}", said["message"]):
            filled = [text for path in SOURCES if f'"{key}"' in (text := path.read_text())]
            assert any(f'"{name}"' in text or f"{name}=" in text for text in filled), (key, name)


def test_actions_have_fields_words_and_icons() -> None:
    assert SERVICES.keys() == STRINGS["services"].keys() == ICONS["services"].keys()
    for name, action in SERVICES.items():
        assert action["fields"].keys() == STRINGS["services"][name]["fields"].keys(), name
        for field, described in action["fields"].items():
            assert described.keys() <= {"required", "example", "default", "selector", "advanced"}, field
            assert len(described["selector"]) == 1, field
    for path, icon in leaves(ICONS):
        assert re.fullmatch(r"mdi:[a-z0-9-]+", icon), path


def test_the_phases_have_their_names() -> None:
    named = STRINGS["entity"]["media_player"]["player"]["state_attributes"]["phase"]["state"]
    assert named.keys() == {phase.value for phase in Phase}


def test_the_quality_scale_is_told_whole() -> None:
    rules = load("quality_scale.yaml")["rules"]
    assert list(rules) == f"{BRONZE} {SILVER} {GOLD} {PLATINUM}".split()
    for rule, status in rules.items():
        if isinstance(status, dict):
            assert status["status"] in ("exempt", "todo", "done"), rule
            assert len(status["comment"]) > 10, rule
        else:
            assert status in ("done", "todo"), f"{rule}: an exemption needs its reason"


# ---- code ----------------------------------------------------------------------------------------------------------


def integrations_topics() -> ModuleType:
    """``topics.py``, which imports nothing of Home Assistant's."""
    spec = importlib.util.spec_from_file_location("integrations_topics", FOLDER / "topics.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def test_its_topics_are_the_boxes() -> None:
    theirs, ours = integrations_topics().Topics("bed_1"), Topics("bed_1")
    assert theirs.status == ours.status
    assert theirs.player_status == ours.part_status("player")
    assert theirs.story == ours.state("story")
    assert theirs.ritual == ours.state("ritual")
    assert theirs.shelf == ours.shelf
    assert theirs.command("stop") == ours.command("stop")
    assert theirs.ask("night") == f"{ours.asks.removesuffix('+')}night"
    assert theirs.answers == ours.ask_result("+")
    assert theirs.command_results == ours.result("+")
    assert theirs.result_key(ours.result("stop")) == "stop"
    assert theirs.result_key(ours.ask_result("night")) == "night"
    assert theirs.device_identifier == ("mqtt", ours.device_id)


@pytest.mark.parametrize(
    ("topic", "node"),
    [
        ("somnisphere/bed_1/status", "bed_1"),
        ("somnisphere/house/status", None),
        ("somnisphere/bed/player/status", None),
        ("somnisphere/a bed/status", None),
        ("other/bed/status", None),
    ],
)
def test_who_speaks_at_a_topic(topic: str, node: str | None) -> None:
    assert integrations_topics().node_of(topic) == node


def test_it_stands_on_home_assistant_alone() -> None:
    """Home Assistant installs the folder and nothing else of ours."""
    for path in SOURCES:
        assert len(path.read_text().splitlines()) <= 350
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                top = name.split(".")[0]
                assert top in {"homeassistant", "voluptuous"} | sys.stdlib_module_names, f"{path.name} imports {name}"


def test_the_script_makes_a_folder_for_hands_and_a_repository_for_hacs(tmp_path: Path) -> None:
    for place in ("deploy", "integrations/custom_components"):
        shutil.copytree(ROOT / place, tmp_path / place, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("integrations/hacs.json", "LICENSE"):
        shutil.copy(ROOT / file, tmp_path / file)
    script = tmp_path / "deploy" / "home-integration.sh"
    subprocess.run(["bash", script, "https://github.com/someone/bedside"], check=True, stderr=subprocess.DEVNULL)
    made = tmp_path / "dist" / "home-integration"
    assert sorted(path.name for path in made.iterdir()) == ["LICENSE", "README.md", "custom_components", "hacs.json"]
    manifest = json.loads((made / "custom_components" / "somnisphere" / "manifest.json").read_text())
    assert manifest == MANIFEST | {
        "codeowners": ["@someone"],
        "documentation": "https://github.com/someone/bedside",
        "issue_tracker": "https://github.com/someone/bedside/issues",
    }
    with zipfile.ZipFile(tmp_path / "dist" / "somnisphere.zip") as zipped:
        inside = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
        assert set(zipped.namelist()) == {name for name in inside if "__pycache__" not in name}
        assert zipped.read("strings.json") == (FOLDER / "strings.json").read_bytes()
    refused = subprocess.run(["bash", script, "somewhere"], capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "https://github.com/OWNER/NAME" in refused.stderr
