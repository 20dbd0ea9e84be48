"""The walk down to a bulb's floor, with a bulb that goes dark somewhere."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.home_api import FakeHome, fake_home

from somnisphere.cli import build_parser
from somnisphere.cli_lamp import floor
from somnisphere.config import load
from somnisphere.errors import UserError

LIGHT = "light.bedroom"


@pytest.fixture
def home() -> Iterator[FakeHome]:
    with fake_home() as made:
        made.states[LIGHT] = ("off", {})
        yield made


@pytest.fixture
def arguments(home: FakeHome, tmp_path: Path) -> argparse.Namespace:
    (tmp_path / "token").write_text("good\n")
    config = tmp_path / "somnisphere.toml"
    config.write_text(f'# mine\n[home_assistant]\nurl = "{home.url}"\ntoken_file = "{tmp_path / "token"}"\n')
    parsed = build_parser().parse_args(["lamp", "floor", LIGHT])
    parsed.config = config
    return parsed


def test_the_floor_is_the_last_that_was_seen(home: FakeHome, arguments: argparse.Namespace) -> None:
    def see(_: str) -> str:
        return "y" if home.states[LIGHT][1]["brightness"] >= 6 else "n"

    assert floor(arguments, see) == 0
    lamp = load(arguments.config).lamp
    assert (lamp.home_light, lamp.home_light_floor_pct) == (LIGHT, 2.35)
    assert arguments.config.read_text().startswith("# mine\n")
    assert home.states[LIGHT][0] == "off"
    assert [step["brightness"] for step in home.data("turn_on")] == [26, 18, 13, 10, 8, 6, 5]


def test_trouble_writes_nothing(home: FakeHome, arguments: argparse.Namespace) -> None:
    before = arguments.config.read_text()
    with pytest.raises(UserError, match="never seen lit"):
        floor(arguments, lambda _: "n")

    def end(_: str) -> str:
        raise EOFError

    with pytest.raises(UserError, match="Not finished"):
        floor(arguments, end)
    assert home.states[LIGHT][0] == "off"
    home.mood = "500"
    with pytest.raises(UserError, match="cannot be told"):
        floor(arguments, lambda _: "y")
    arguments.light = "switch.x"
    with pytest.raises(UserError, match=r"such as light\.bedroom"):
        floor(arguments, lambda _: "y")
    assert arguments.config.read_text() == before
