"""Cards through the whole daemon: a blank card linked from the home, an evening begun with it, and the home told."""

import json
from pathlib import Path

from tests.box import box

from somnisphere.bedtime.phases import Phase
from somnisphere.config import Config
from somnisphere.config_keys import Cards
from somnisphere_hardware.card_reader import CardGone, CardSeen, ReaderState

BEAR = "04A2B3C4D5E680"


def test_a_blank_card_is_linked_and_then_begins_its_story(tmp_path: Path) -> None:
    with box(tmp_path / "journal.db", cards=Cards(reader="/dev/input/by-id/x")) as it:
        daemon = it.daemon
        assert any(message.topic == "homeassistant/tag/somnisphere_bedside/config" for message in it.messages)
        daemon.card(ReaderState(it.at_s, True, "x"))
        it.live(2.0)
        daemon.card(CardSeen(it.at_s, BEAR))
        it.live(2.0)
        assert daemon.snapshot().phase is Phase.IDLE
        title = daemon.snapshot().story_titles[1]
        it.command("story", title)
        it.live(10.0)
        daemon.card(CardGone(it.at_s, BEAR))
        it.live(5.0)
        daemon.card(CardSeen(it.at_s, BEAR))
        assert daemon.snapshot().phase is Phase.WIND_DOWN
        it.live(70.0)
        assert daemon.snapshot().story_title == title
        assert daemon.snapshot().story_playing
        scans = [json.loads(payload) for payload in it.said("card/scan")]
        assert [scan["card"] for scan in scans] == [BEAR, BEAR]
        assert "story" not in scans[0]
        assert scans[1]["story"]
        assert scans[1]["at"].startswith("2026-03-14T21:30:")


def test_a_box_without_a_reader_says_nothing_of_cards(tmp_path: Path) -> None:
    with box(tmp_path / "journal.db") as it:
        it.daemon.card(CardSeen(it.at_s, BEAR))
        assert not any("/tag/" in message.topic for message in it.messages)
    assert Config().cards.reader == "none"
