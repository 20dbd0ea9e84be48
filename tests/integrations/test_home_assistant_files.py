"""The blueprints and the dashboard as files: they parse, and what they name exists. (``tests/home`` runs them.)"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from tests.integrations.bedroom import ENTITIES as BEDROOM
from tests.integrations.bedroom import ROOM, TOPICS

from somnisphere.entities import ENTITIES
from somnisphere.events import MOMENTS
from somnisphere_home.discovery import components
from somnisphere_home.entity import Entity
from somnisphere_home.messages import Topics
from somnisphere_home.reference import reference_table

FOLDER = Path(__file__).resolve().parents[2] / "integrations" / "home_assistant"
BLUEPRINTS = sorted((FOLDER / "blueprints" / "automation" / "somnisphere").glob("*.yaml"))
DASHBOARDS = sorted(FOLDER.glob("dashboard*.yaml"))
BUILT_IN_CARDS = {
    "button", "entities", "grid", "heading", "history-graph", "markdown", "picture-entity", "sections", "tile",
    "light-brightness", "numeric-input", "select-options",
}  # fmt: skip
NODE = "bedside"


class Input(str):
    """``!input name``."""

    __slots__ = ()


class Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML with the one tag of Home Assistant's that is used, and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"{node.start_mark}: a key comes twice"
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


Loader.add_constructor("!input", lambda loader, node: Input(loader.construct_scalar(node)))


def load(file: Path) -> Any:
    return yaml.load(file.read_text(), Loader)


def walk(tree: Any) -> list[Any]:
    """Every node of a loaded file."""
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [tree, *(node for child in children for node in walk(child))]


def inputs(blueprint: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By name, those in sections too."""
    found: dict[str, dict[str, Any]] = {}
    for name, field in blueprint["blueprint"]["input"].items():
        found |= field.get("input", {name: field})
    return found


def test_there_are_files_to_look_at() -> None:
    assert [file.stem for file in BLUEPRINTS] == [
        "comfort", "dawn", "evening", "fell_asleep", "out_of_bed", "quiet_house", "stirring", "up_at_night",
    ]  # fmt: skip
    assert [file.name for file in DASHBOARDS] == ["dashboard.yaml"]


@pytest.mark.parametrize("file", BLUEPRINTS, ids=lambda file: file.stem)
def test_a_blueprint_has_what_an_import_wants(file: Path) -> None:
    blueprint = load(file)
    head = blueprint["blueprint"]
    assert head["domain"] == "automation"
    assert head["name"].startswith("Somnisphere: ")
    assert tuple(int(part) for part in head["homeassistant"]["min_version"].split(".")) >= (2024, 10, 0)
    assert blueprint["mode"] in ("single", "restart", "queued", "parallel")
    assert set(blueprint) - {"variables"} == {"blueprint", "mode", "max_exceeded", "triggers", "conditions", "actions"}


@pytest.mark.parametrize("file", BLUEPRINTS, ids=lambda file: file.stem)
def test_every_input_has_a_selector_and_a_use(file: Path) -> None:
    blueprint = load(file)
    declared = inputs(blueprint)
    assert all("selector" in field and "name" in field for field in declared.values())
    body = {key: value for key, value in blueprint.items() if key != "blueprint"}
    assert {str(node) for node in walk(body) if isinstance(node, Input)} == set(declared)
    folded = [field for field in blueprint["blueprint"]["input"].values() if "input" in field]
    assert all(section["collapsed"] and "icon" in section for section in folded)
    assert all("default" in field for section in folded for field in section["input"].values())


@pytest.mark.parametrize("file", BLUEPRINTS, ids=lambda file: file.stem)
def test_a_blueprint_speaks_the_newer_words_and_guards_its_moments(file: Path) -> None:
    blueprint = load(file)
    keys = {key for node in walk(blueprint) if isinstance(node, dict) for key in node}
    assert not keys & {"service", "platform", "trigger_variables"}
    for trigger in blueprint["triggers"]:
        if trigger["trigger"] == "homeassistant" or "unavailable" in trigger.get("from", ()):
            assert trigger["id"] == "left_on", "a return is a reason to end what was left on, and for nothing else"
        elif trigger["trigger"] != "time":
            assert "unavailable" in trigger.get("not_from", ()) or "from" in trigger


def test_the_evening_names_only_moments_and_phases_that_exist() -> None:
    (file,) = [file for file in BLUEPRINTS if file.stem == "evening"]
    text = file.read_text()
    asked = set(re.findall(r"happened == '(\w+)'", text))
    asked |= {word for several in re.findall(r"happened in \(([^)]*)\)", text) for word in re.findall(r"\w+", several)}
    listed = re.search(r"event_type not in \(([^)]*)\)", text)
    assert listed is not None
    assert set(re.findall(r"\w+", listed[1])) == asked - {"called_off", "left_on"} <= set(MOMENTS)
    (phase,) = [trigger for trigger in load(file)["triggers"] if trigger.get("id") == "called_off"]
    (sensor,) = [entity for entity in ENTITIES if entity.key == "phase"]
    assert isinstance(sensor.options, tuple)
    assert {*phase["from"], phase["to"]} <= set(sensor.options)


@pytest.mark.parametrize("file", [file for file in BLUEPRINTS if file.stem != "evening"], ids=lambda file: file.stem)
def test_a_blueprint_waits_for_a_moment_that_exists(file: Path) -> None:
    """Each that takes the event entity names one moment, in a guard that is the same in all of them."""
    guards = _guards_of(file)
    assert len(guards) == ("moment" in inputs(load(file)))
    for guard in guards:
        kinds = re.findall(r"event_type != '(\w+)'", guard["value_template"])
        assert len(kinds) == 1
        assert kinds[0] in MOMENTS
        assert [guard["value_template"].replace(kinds[0], "KIND")] == sorted(_guards())


def _guards_of(file: Path) -> list[dict[str, Any]]:
    return [node for node in walk(load(file)) if isinstance(node, dict) and "A moment of now" in node.get("alias", "")]


def _guards() -> set[str]:
    every = [guard for file in BLUEPRINTS if file.stem != "evening" for guard in _guards_of(file)]
    return {re.sub(r"event_type != '\w+'", "event_type != 'KIND'", each["value_template"]) for each in every}


@pytest.mark.parametrize("file", BLUEPRINTS, ids=lambda file: file.stem)
def test_a_blueprint_guesses_no_entity(file: Path) -> None:
    """Every entity is an input: none is written down."""
    named = [node["entity_id"] for node in walk(load(file)) if isinstance(node, dict) and "entity_id" in node]
    assert all(isinstance(each, Input) or str(each).startswith("{{") for each in named), named


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_names_only_entities_that_exist_and_are_on(file: Path) -> None:
    domains = "binary_sensor|button|event|image|light|number|select|sensor|switch"
    named = set(re.findall(rf"\b(?:{domains})\.{NODE}_\w+", file.read_text()))
    offered = {entity.default_id(NODE) for entity in ENTITIES if entity.enabled_by_default}
    assert named <= offered
    assert len(named) >= 15


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_has_four_views_of_built_in_cards(file: Path) -> None:
    dashboard = load(file)
    assert [view["path"] for view in dashboard["views"]] == ["tonight", "night", "shelf", "box"]
    kinds = {node["type"] for node in walk(dashboard) if isinstance(node, dict) and isinstance(node.get("type"), str)}
    assert kinds <= BUILT_IN_CARDS


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_has_a_word_for_every_moment_phase_and_stage(file: Path) -> None:
    text = file.read_text()
    words: list[str] = list(MOMENTS)
    for entity in ENTITIES:
        if entity.key in ("phase", "sleep_stage"):
            assert isinstance(entity.options, tuple)
            words += entity.options
    assert [word for word in words if f"'{word}':" not in text] == []


@pytest.mark.parametrize("file", [*BLUEPRINTS, *DASHBOARDS], ids=lambda file: file.stem)
def test_nobody_is_given_marks_for_sleeping(file: Path) -> None:
    assert not re.search(r"score|streak|goal|efficien|sleep quality", file.read_text(), re.IGNORECASE)


@pytest.mark.parametrize("entity", BEDROOM, ids=lambda entity: entity.key)
def test_the_reference_has_a_row_for_each_entity(entity: Entity[Any]) -> None:
    table = reference_table(BEDROOM, TOPICS)
    (row,) = [line for line in table.splitlines() if f"`{entity.default_id('attic')}`" in line]
    assert row.count("|") == 7
    assert (f"`{TOPICS.command(entity.key)}`" in row) == (entity.command is not None)
    if entity.group:
        assert f"`{TOPICS.state(entity.group)}`" in row


def test_the_reference_says_what_is_taken() -> None:
    table = reference_table(BEDROOM, Topics("attic"))
    assert "a number from 0 to 100 %" in table
    assert "calm, restless" in table
    assert "came, went" in table
    assert len(table.splitlines()) == 2 + len(components(BEDROOM, ROOM, TOPICS)) - 2, "triggers are not entities"
