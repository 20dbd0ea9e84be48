"""A dream told on the page by day is the story of the next rehearsed evening, when somebody says yes on Tonight."""

import html
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.brokers import mosquitto
from tests.ear import Ear
from tests.pi.page_house import Browser

from somnisphere.assemble import shelf_reader
from somnisphere.broker import broker_settings
from somnisphere.clock import utc_offset_s
from somnisphere.config import Config
from somnisphere.page.box_link import BoxLink
from somnisphere.page.house import House
from somnisphere.rehearsal import evening_of
from somnisphere.simulation import BEGIN_S, Simulation, open_rehearsal
from somnisphere.snapshot import Snapshot

HOUR_S = 3600.0
PATIENCE_S = 90.0
SAID = {
    "happened": "a big dog ran after me",
    "change": "it is as small as a shoe",
    "helper": "my grandmother",
    "ending": "it sleeps in the shoe",
    "dreamer": "Mira",
}
OTHER = "An apple, first on the shelf"


@dataclass
class Days:
    """The household's clock, moved by hand until the evening is rehearsed."""

    wall_s: float = field(default_factory=lambda: evening_of(time.time()))


def test_a_dream_told_by_day_is_told_in_the_next_evening(tmp_path: Path) -> None:
    told = _evening_after(tmp_path, "yes")
    assert told.playing == [told.dream]
    assert told.moments[:4].count("story_began") == 1
    (story,) = {one.story for one in told.snapshots if one.story_playing}
    assert story is not None
    assert (story.key, story.title, story.teller) == (f"{told.dream}.txt", told.dream, "Mira")
    assert story.path.is_relative_to(tmp_path / "cache" / "spoken")
    assert len(story.marks) > 8, "sentence by sentence"
    asked = ("-show_entries", "format=duration:stream=codec_name", "-of", "json")
    heard = json.loads(subprocess.run(["ffprobe", *asked, story.path], capture_output=True, check=True).stdout)
    assert float(heard["format"]["duration"]) == pytest.approx(story.duration_s or 0.0, abs=0.5)
    assert story.duration_s is not None
    assert 20.0 < story.duration_s < 180.0


def test_a_dream_that_was_declined_is_not(tmp_path: Path) -> None:
    told = _evening_after(tmp_path, "no")
    assert told.playing[:1] == [OTHER]
    assert "story_began" in told.moments


@dataclass
class Told:
    dream: str
    playing: list[str] = field(default_factory=list)
    """Titles of what the bedside said to be telling, one after the other."""
    moments: list[str] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)


def _evening_after(tmp_path: Path, answer: str) -> Told:
    shelf = tmp_path / "stories"
    shelf.mkdir()
    (shelf / "apple.txt").write_text(f"---\ntitle: {OTHER}\n---\n\nThere was an apple. It was red, and it slept.\n")
    days = Days()
    with mosquitto() as broker:
        config = msgspec.convert(
            {
                "stories": {"folder": str(shelf), "cache": str(tmp_path / "cache")},
                "journal": {"path": str(tmp_path / "journal.db")},
                "mqtt": {"host": broker[0], "port": broker[1]},
            },
            Config,
        )
        house = House(
            config, tmp_path / "journal.db", tmp_path / "household.db", lambda: days.wall_s, lambda s: utc_offset_s(s)
        )
        title = _told_by_day(house, days)
        reader = shelf_reader(config, background=True)  # as the daemon's own does by day
        reader.read()
        assert reader.wait(PATIENCE_S)
        assert len(reader.read() or ()) == 2
        told, ear = Told(title), Ear(broker)
        with _box(house, broker) as box, open_rehearsal(
            config, tmp_path, seed=2, hours=0.6, speed=0.0, broker=broker, show=told.snapshots.append
        ) as simulation:  # fmt: skip
            _said_on_tonight(replace(house, box=box), simulation, title, answer)
            simulation.rehearsal.run(simulation.until_s)
        ear.wait("status", b"offline")
        stories = [json.loads(payload)["story_playing"] for payload in ear.payloads("story")]
        told.playing = [new for new, old in zip(stories, [None, *stories], strict=False) if new and new != old]
        told.moments = [json.loads(payload)["event_type"] for payload in ear.payloads("sleep_moment/event")]
        ear.close()
    return told


def _told_by_day(house: House, days: Days) -> str:
    """Yesterday at noon; the title of what it became."""
    evening_s = days.wall_s
    days.wall_s = evening_s - 33 * HOUR_S
    browser = Browser(house)
    draft = browser.fill_in("/dreams/weave", **SAID).text
    (text,) = re.findall(r'<textarea id="text"[^>]*>(.*?)</textarea>', draft, re.DOTALL)
    (title,) = re.findall(r'id="title"[^>]* value="([^"]*)"', draft)
    text, title = html.unescape(text), html.unescape(title)
    assert "It is as small as a shoe." in text
    browser.fill_in("/dreams/keep", **SAID, variant="0", woven_by="grammar", title=title, text=text)
    days.wall_s = evening_s
    return title


@contextmanager
def _box(house: House, broker: tuple[str, int]) -> Iterator[BoxLink]:
    link = BoxLink(broker_settings(house.config, broker), "bedside", "page-of-a-test")
    link.start()
    try:
        yield link
    finally:
        link.stop()


def _said_on_tonight(house: House, simulation: Simulation, title: str, answer: str) -> None:
    """While the evening goes on: the offer is read on Tonight and answered there, before the story begins."""
    browser, answers = Browser(house), list[Any]()

    def say() -> None:
        page = _until(lambda: browser.get("/tonight").text, lambda text: "Shall it be this evening" in text)
        assert title in html.unescape(page)
        (number,) = re.findall(r'name="dream" value="(\d+)"', page)
        answers.append(browser.fill_in("/dreams/answer", dream=number, back="tonight", wish=answer))
        answers.append(browser.get("/tonight").text)

    hand = threading.Thread(target=say)
    hand.start()
    while hand.is_alive() and simulation.clock.at_s < BEGIN_S - 60.0:
        simulation.rehearsal.run(simulation.clock.at_s + 1.0)
        hand.join(0.05)
    hand.join(10.0)
    response, page = answers
    assert (response.status_code, response.headers["location"]) == (303, "/tonight")
    said = {
        "yes": f"“{title}” is the next evening's story.",
        "no": "It is not offered any more. It stays on the shelf.",
    }[answer]
    assert re.findall(r'class="note[^>]*>([^<]*)<', html.unescape(page)) == [said]
    assert "Shall it be" not in page


def _until(ask: Any, holds: Any) -> str:
    deadline_s = time.monotonic() + 10.0
    while True:
        found: str = ask()
        if holds(found):
            return found
        assert time.monotonic() < deadline_s, found
        time.sleep(0.02)
