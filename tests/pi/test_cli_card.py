"""``somnisphere card``: linking, listing, and watching a real driver on a simulated reader."""

import json
import queue
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli_words import Output, configured, error_of, rows_of
from tests.living_bus import LivingBus

from somnisphere.assemble import shelf_reader
from somnisphere.card_file import CardFile
from somnisphere.card_reading import card_reader
from somnisphere.cards import StoryMeant, WordMeant
from somnisphere.cli import build_parser, main
from somnisphere.clock import SystemClock
from somnisphere.config import Config, ConfigError, load
from somnisphere.config_keys import Cards, Sensor
from somnisphere.doctor.cards import check_cards
from somnisphere.doctor.world import World
from somnisphere.poll_thread import PollThread
from somnisphere_hardware.card_keyboard import CardKeyboard
from somnisphere_hardware.card_reader import CardSeen, CardSign, ReaderState
from somnisphere_hardware.pn532 import Pn532
from somnisphere_hardware.simulated.pn532 import SimulatedCard, SimulatedPn532

BUS = 251
BEAR = SimulatedCard(bytes.fromhex("04a2b3c4d5e680"))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configured(tmp_path, f'[journal]\npath = "{tmp_path}/journal.db"\n[cards]\nreader = "pn532"\nbus = {BUS}\n')


@pytest.fixture
def reader() -> Iterator[SimulatedPn532]:
    bus, chip = LivingBus(BUS), SimulatedPn532()
    bus.attach(chip)
    with bus.installed():
        yield chip


def first_story() -> tuple[str, str]:
    """(key, title) of a story that comes along."""
    stories = shelf_reader(Config()).read()
    assert stories
    return stories[0].key, stories[0].title


def test_a_card_is_linked_listed_and_unlinked(config: Path, tmp_path: Path, capsys: Output) -> None:
    key, title = first_story()
    assert main(["--config", str(config), "card", "link", "04:a2:b3:c4:d5:e6:80", title.upper()]) == 0
    assert f"04A2B3C4D5E680 now means: “{title}”" in capsys.readouterr().out
    assert main(["--config", str(config), "card", "link", "11223344", "one_more_page"]) == 0
    assert CardFile(tmp_path / "journal.cards.json").book.links == {
        "04A2B3C4D5E680": StoryMeant(key),
        "11223344": WordMeant("one_more_page"),
    }
    capsys.readouterr()
    assert main(["--config", str(config), "card", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["04A2B3C4D5E680", "11223344"]
    assert title in lines[0]
    assert "one more page" in lines[1]
    assert main(["--config", str(config), "card", "list", "--json"]) == 0
    assert rows_of(capsys.readouterr().out) == [
        {"card": "04A2B3C4D5E680", "story": key, "title": title},
        {"card": "11223344", "word": "one_more_page"},
    ]
    assert main(["--config", str(config), "card", "unlink", "11223344"]) == 0
    assert CardFile(tmp_path / "journal.cards.json").book.links.keys() == {"04A2B3C4D5E680"}


def test_a_story_taken_from_the_shelf_is_still_listed(config: Path, tmp_path: Path, capsys: Output) -> None:
    CardFile(tmp_path / "journal.cards.json").link("04A2B3C4", StoryMeant("gone.opus"))
    assert main(["--config", str(config), "card", "list"]) == 0
    assert "gone.opus (not on the shelf)" in capsys.readouterr().out
    assert main(["--config", str(config), "card", "list", "--json"]) == 0
    assert rows_of(capsys.readouterr().out)[0]["title"] is None


def test_no_cards_yet(config: Path, capsys: Output) -> None:
    assert main(["--config", str(config), "card", "list"]) == 0
    assert "card link CARD STORY" in capsys.readouterr().out
    assert main(["--config", str(config), "card", "list", "--json"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["link", "bear", "begin"], "no card's number"),
        (["link", "08ABCDEF", "begin"], "another number each time"),
        (["link", "04A2B3C4", "no such story"], "is not on the shelf, which has: "),
        (["unlink", "04A2B3C4"], "means nothing"),
    ],
)
def test_mistakes_are_told_with_their_mend(words: list[str], told: str, config: Path, capsys: Output) -> None:
    assert main(["--config", str(config), "card", *words]) == 2
    assert told in error_of(capsys)


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "file").write_text("")
    config = configured(tmp_path, f'[journal]\npath = "{tmp_path}/file/journal.db"\n')
    assert main(["--config", str(config), "card", "link", "04A2B3C4", "begin"]) == 2
    assert "journal.cards.json" in error_of(capsys)


def test_watching_says_cards_and_their_meaning(
    config: Path, tmp_path: Path, reader: SimulatedPn532, capsys: Output
) -> None:
    CardFile(tmp_path / "journal.cards.json").link("04A2B3C4D5E680", WordMeant("stop"))
    reader.lay_on(BEAR)
    assert main(["--config", str(config), "card", "watch", "--seconds", "0.5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "PN532 1.6) answers" in lines[0]
    assert lines[1].split() == ["on", "04A2B3C4D5E680", "stop"]
    assert not reader.field_on


def test_watching_without_a_reader(tmp_path: Path, capsys: Output) -> None:
    assert main(["--config", str(configured(tmp_path)), "card", "watch"]) == 2
    assert "no card reader is configured" in error_of(capsys)


@pytest.mark.parametrize("words", [["card"], ["card", "list"], ["card", "link"], ["card", "unlink"], ["card", "watch"]])
def test_every_command_has_help(words: list[str], capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([*words, "--help"])
    assert ended.value.code == 0
    assert "not a medical device" in " ".join(capsys.readouterr().out.split())


def test_the_doctor_looks_at_the_reader(reader: SimulatedPn532) -> None:
    alone = World(daemon_runs=False)
    (found,) = check_cards(Config(cards=Cards(reader="pn532", bus=BUS)), alone)
    assert (found.part, found.ok, found.verdict) == ("cards", True, "PN532 1.6 answers")
    assert not reader.field_on
    (found,) = check_cards(Config(cards=Cards(reader="/nowhere/event0")), alone)
    assert not found.ok
    assert "plugged in" in found.verdict
    assert list(check_cards(Config())) == []


# ---- the configuration and the thread --------------------------------------------------------------------------------


def test_the_reader_of_the_configuration() -> None:
    assert card_reader(Config()) is None
    assert isinstance(card_reader(Config(cards=Cards(reader="pn532"))), Pn532)
    assert isinstance(card_reader(Config(cards=Cards(reader="/dev/input/by-id/x"))), CardKeyboard)


@pytest.mark.parametrize("bus", [None, BUS])
def test_the_reader_takes_the_sensors_bus_unless_it_has_its_own(bus: int | None, reader: SimulatedPn532) -> None:
    reader.lay_on(BEAR)
    found = card_reader(Config(cards=Cards(reader="pn532", bus=bus), sensor=Sensor(bus=BUS if bus is None else 3)))
    assert found is not None
    said: list[CardSign] = []
    deadline_s = time.monotonic() + 10.0
    while len(said) < 2 and time.monotonic() < deadline_s:
        said += found.poll(time.monotonic())
        time.sleep(0.002)
    assert [sign.ok for sign in said if isinstance(sign, ReaderState)] == [True]
    assert [sign.card_id for sign in said if isinstance(sign, CardSeen)] == ["04A2B3C4D5E680"]
    found.close()


@pytest.mark.parametrize("reader", ["pn523", "", "dev/input", "None"])
def test_a_reader_that_does_not_exist_is_refused(reader: str, tmp_path: Path) -> None:
    path = configured(tmp_path, f"[cards]\nreader = {json.dumps(reader)}\n")
    with pytest.raises(ConfigError, match=r'cards\.reader: found .*"none", "pn532" or the path'):
        load(path)


def test_the_thread_hands_over_what_the_reader_says_and_ends_cleanly(reader: SimulatedPn532) -> None:
    said: queue.SimpleQueue[CardSign] = queue.SimpleQueue()
    crashes: list[BaseException] = []
    reader.lay_on(BEAR)
    found = card_reader(Config(cards=Cards(reader="pn532", bus=BUS)))
    assert found is not None
    thread = PollThread("cards", found, said.put, SystemClock(), crashes.append, found.close)
    thread.start()
    signs = [said.get(timeout=10.0), said.get(timeout=10.0)]
    thread.stop()
    assert not thread.is_alive()
    assert [type(sign) for sign in signs] == [ReaderState, CardSeen]
    assert crashes == []
    assert not reader.field_on


def test_a_fault_of_the_program_is_not_swallowed() -> None:
    class Broken:
        due_s = 0.0

        def poll(self, at_s: float) -> list[CardSign]:
            raise RuntimeError(f"a bug at {at_s}")

        def close(self) -> None: ...

    crashes: list[BaseException] = []
    thread = PollThread("cards", Broken(), lambda _: None, SystemClock(), crashes.append)
    thread.start()
    thread.join(timeout=10.0)
    assert [type(crash) for crash in crashes] == [RuntimeError]
