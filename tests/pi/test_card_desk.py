"""Cards as the daemon holds them: links made anywhere hold at once, are kept, and trouble with their file is said."""

import json
import os
from pathlib import Path

import pytest
from tests.core_bedside import ATTIC, BOAT

from somnisphere.bedtime.phases import Phase
from somnisphere.bedtime.shelf import Shelf
from somnisphere.card_desk import CardDesk
from somnisphere.card_file import CardFile
from somnisphere.cards import CardBook, CardDeed, CardTable, StoryMeant, WordMeant
from somnisphere.events import CardLaid, CardLinked, CommandReceived, Say
from somnisphere_hardware.card_reader import CardSeen
from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.messages import Topics

BEAR, FOX = "04A2B3C4D5E680", "DEADBEEF"


def desk(path: Path) -> CardDesk:
    table = CardTable(CardBook(), Shelf((ATTIC, BOAT)).find)
    return CardDesk(CardFile(path), table, Topics("attic"), DeviceInfo(name="Attic", sw_version="1"))


def laid(on: CardDesk, card_id: str, at_s: float) -> list[CardDeed]:
    return on.receive(CardSeen(at_s, card_id), Phase.IDLE, playing=False)


def test_a_blank_card_is_linked_from_the_home_and_kept(tmp_path: Path) -> None:
    on = desk(tmp_path / "cards.json")
    laid(on, BEAR, 1.0)
    assert on.story_chosen(30.0, BOAT.title)[0] == CardLinked(30.0, BEAR, BOAT.key)
    wish = CommandReceived(60.0, "story", BOAT.key)
    assert wish in laid(on, BEAR, 60.0)
    assert wish in laid(desk(tmp_path / "cards.json"), BEAR, 60.0), "after a restart, too"


def test_what_the_command_line_links_holds_at_once(tmp_path: Path) -> None:
    on = desk(tmp_path / "cards.json")
    CardFile(tmp_path / "cards.json").link(FOX, WordMeant("stop"))
    assert laid(on, FOX, 1.0) == [CardLaid(1.0, FOX), CommandReceived(1.0, "stop", True)]


def test_a_link_from_the_home_keeps_those_of_the_command_line(tmp_path: Path) -> None:
    on = desk(tmp_path / "cards.json")
    laid(on, BEAR, 1.0)
    CardFile(tmp_path / "cards.json").link(FOX, WordMeant("stop"))
    on.story_chosen(30.0, BOAT.title)
    assert CardFile(tmp_path / "cards.json").book.links == {BEAR: StoryMeant(BOAT.key), FOX: WordMeant("stop")}


def test_a_broken_file_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "cards.json").write_text("{")
    on = desk(tmp_path / "cards.json")
    said = [deed.text for at_s in (1.0, 10.0, 20.0) for deed in laid(on, BEAR, at_s) if isinstance(deed, Say)]
    assert sum("all cards are blank" in text for text in said) == 1


def test_a_full_disk_is_said_and_the_card_holds_for_the_evening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = desk(tmp_path / "cards.json")
    laid(on, BEAR, 1.0)

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    deeds = on.story_chosen(30.0, BOAT.title)
    assert isinstance(deeds[-1], Say)
    assert "No space left" in deeds[-1].text
    assert CommandReceived(60.0, "story", BOAT.key) in laid(on, BEAR, 60.0)


def test_the_home_is_told_of_each_card_and_its_story(tmp_path: Path) -> None:
    on = desk(tmp_path / "cards.json")
    CardFile(tmp_path / "cards.json").link(BEAR, StoryMeant(BOAT.key))
    laid(on, BEAR, 1.0)
    told = on.scan(CardLaid(1.0, BEAR), "2026-03-14T19:30:00+01:00")
    assert told.topic == "somnisphere/attic/card/scan"
    assert json.loads(told.payload) == {"card": BEAR, "at": "2026-03-14T19:30:00+01:00", "story": BOAT.key}
    assert "story" not in json.loads(on.scan(CardLaid(1.0, FOX), "").payload)
    assert on.discovery.topic == "homeassistant/tag/somnisphere_attic/config"
    assert on.discovery.retain
