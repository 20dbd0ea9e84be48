"""What is forgotten is gone: the bytes of the whole house are searched for it."""

import sqlite3
from pathlib import Path

import pytest
from tests.brokers import mosquitto
from tests.cli_words import Output, error_of
from tests.home.broker import Broker
from tests.pi.safekeeping.lived_in import (
    DATES,
    LivedIn,
    begins_s,
    content_of,
    keep_night,
    lived_in,
    moved,
)

from somnisphere.cli import main
from somnisphere.comfort_file import remembered
from somnisphere.diary.store import Diary
from somnisphere.dreams.store import DreamStore
from somnisphere.exchange.imported import ImportedNight, ImportedNights
from somnisphere.journal import Journal
from somnisphere.safekeeping.in_use import in_use
from somnisphere.sleep.person import Person
from somnisphere.sqlite_file import CarefulConnection

GONE, STAYS = DATES[2], DATES[:2]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> LivedIn:
    return lived_in(tmp_path_factory.mktemp("house"))


@pytest.fixture
def box(house: LivedIn, tmp_path: Path) -> LivedIn:
    """Beside it: a broken journal, an import, rows that were replaced, and a log that was not emptied."""
    box = moved(house, tmp_path)
    state = box.belongings.journal.parent
    (state / "journal.db.broken-1").write_bytes(f"old pages STORY-{GONE}".encode())
    (state / "before-restore-x").mkdir()
    (state / "before-restore-x" / "household.db").write_bytes(f"WORD-{GONE}".encode())
    minutes = box.belongings.minutes.read_bytes()
    night = ImportedNight(f"IMPORT-{GONE}", GONE, begins_s(GONE), begins_s(GONE) + 60.0, (), {})
    ImportedNights(box.belongings.household).take_in([night], 0.0)
    journal = Journal(box.belongings.journal)
    journal.save_person(Person().to_dict())
    keep_night(journal, GONE, story=f"STORY-{GONE}-again")
    journal.close()
    box.belongings.minutes.write_bytes(minutes)  # as a kill leaves it
    with box.config.open("a") as file:
        file.write('[mqtt]\nhost = "127.0.0.1"\nport = 1\n')
    return box


def run(box: LivedIn, *arguments: str) -> int:
    return main(["--config", str(box.config), *arguments])


def markers(night: str) -> list[bytes]:
    words = ("WORD", "DREAM", "STORY", "REWOVEN", "RITUAL", "EVENING", "IMPORT")
    return [f"{word}-{night}".encode() for word in words] + [f"{night}".encode()]


def found(folder: Path, words: list[bytes]) -> list[tuple[str, bytes]]:
    return [(name, word) for name, content in content_of(folder).items() for word in words if word in content]


def test_a_night_leaves_nothing_behind(box: LivedIn, capsys: Output) -> None:
    folder = box.config.parent
    before = {word for _, word in found(folder, markers(GONE))}
    assert before == set(markers(GONE)), "each of them lay somewhere"
    others = {night: {word for _, word in found(folder, markers(night))} for night in STAYS}
    run(box, "forget", GONE, "--yes")
    assert f"The night of {GONE} is forgotten." in capsys.readouterr().out
    assert found(folder, markers(GONE)) == []
    assert not list(folder.rglob("*-wal"))
    assert not box.belongings.minutes.exists()
    assert not list(folder.rglob(f"*{GONE}*"))
    for night, words in others.items():
        assert {word for _, word in found(folder, markers(night))} == words, night


def test_minutes_that_the_disk_does_not_take_are_nowhere_else(
    box: LivedIn, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other nights' among them: it is not all done, and asked for again."""
    minutes = box.belongings.minutes.read_bytes()
    assert minutes

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(CarefulConnection, "executemany", full)
    real = CarefulConnection.execute
    monkeypatch.setattr(
        CarefulConnection, "execute", lambda db, sql, *more: full() if "INSERT" in sql else real(db, sql, *more)
    )
    assert run(box, "forget", GONE, "--yes") == 2
    assert "full" in error_of(capsys)
    assert box.belongings.minutes.read_bytes() == minutes
    monkeypatch.undo()
    run(box, "forget", GONE, "--yes")
    assert f"The night of {GONE} is forgotten." in capsys.readouterr().out


def test_the_others_are_as_they_were(box: LivedIn) -> None:
    journal = Journal(box.belongings.journal)
    before = {night: journal.load(night) for night in STAYS}
    journal.close()
    run(box, "forget", GONE, "--yes")
    journal = Journal(box.belongings.journal)
    assert {night: journal.load(night) for night in journal.nights()} == before
    assert journal.bookmarks() == {"attic.txt": 31.5}
    assert len(journal.last_moments()) == 2
    journal.close()
    assert set(Diary(box.belongings.household).tellings()) == set(STAYS)
    assert len(DreamStore(box.belongings.household).all()) == 2
    memory = remembered(box.belongings.comfort)
    assert (len(memory.notes), memory.strikes) == (2, {"glow": 2})


def test_what_it_taught_of_the_sleeper_is_worked_out_anew(box: LivedIn) -> None:
    journal = Journal(box.belongings.journal)
    journal.save_person(Person().to_dict() | {"gains": [0.5]})
    journal.close()
    run(box, "forget", GONE, "--yes")
    journal = Journal(box.belongings.journal)
    assert journal.saved_person() == Person().to_dict(), "the nights that stay are too short to teach"
    journal.close()


def test_only_one_that_is_not_the_latest(box: LivedIn) -> None:
    """How the evening stands stays then."""
    run(box, "forget", STAYS[0], "--yes")
    assert found(box.config.parent, markers(STAYS[0])) == []
    assert {word for _, word in found(box.config.parent, markers(GONE))} >= {
        f"RITUAL-{GONE}".encode(),
        f"EVENING-{GONE}".encode(),
    }


def test_everything_leaves_nothing_behind(box: LivedIn, capsys: Output) -> None:
    box.belongings.files["sensing-off"].touch()
    cache = box.config.parent / "cache"
    for name in ("spoken/a.opus", "shelf/b.json", "c.loudness.json"):
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_text("DREAM")
    run(box, "forget", "--everything", "--yes")
    said = capsys.readouterr().out
    assert "Everything is forgotten." in said
    assert "Sensing stays off" in said
    assert content_of(box.belongings.journal.parent) == {"journal.sensing-off": b""}
    assert content_of(cache) == {}
    assert list(content_of(box.shelf)) == ["attic.txt"]
    assert found(box.config.parent, [b"DREAM", b"WORD", b"2026-03"]) == []
    run(box, "forget", "--everything", "--yes")
    assert "Everything is forgotten." in capsys.readouterr().out, "it can be asked again"


def test_not_while_a_daemon_runs(box: LivedIn, capsys: Output) -> None:
    with in_use(box.belongings.journal):
        before = content_of(box.config.parent)
        for what in (GONE, "--everything"):
            assert run(box, "forget", what, "--yes") == 2
            assert "nothing was forgotten. Stop it first" in error_of(capsys)
        assert content_of(box.config.parent) == before


def test_it_asks_first(box: LivedIn, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content_of(box.config.parent)
    assert run(box, "forget", GONE) == 2
    assert "Nobody is there to be asked, so nothing was forgotten. Say --yes." in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    for what in (GONE, "--everything"):
        assert run(box, "forget", what) == 2
        assert "Nothing was forgotten." in capsys.readouterr().err
    assert content_of(box.config.parent) == before


@pytest.mark.parametrize("name", ["2020-01-01", "yesterday", "2026-03-14.2", "../x"])
def test_a_night_that_is_not_there(name: str, box: LivedIn, capsys: Output) -> None:
    assert run(box, "forget", name, "--yes") == 2
    assert "somnisphere nights" in error_of(capsys)


def test_a_file_that_somebody_else_reads_is_said(box: LivedIn, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader holds the log; the deletion is asked for again, and then it is whole."""
    real = sqlite3.connect

    def impatient(*names: object, **more: object) -> sqlite3.Connection:
        return real(*names, **{**more, "timeout": 0.05})  # type: ignore[call-overload, no-any-return]

    reading = real(box.belongings.household, isolation_level=None)
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM telling").fetchone()
    monkeypatch.setattr(sqlite3, "connect", impatient)
    assert run(box, "forget", GONE, "--yes") == 2
    assert "Not all of it is forgotten; ask again" in error_of(capsys)
    reading.close()
    run(box, "forget", GONE, "--yes")
    assert found(box.config.parent, markers(GONE)) == []


def test_a_coach_and_a_circle_are_told_of_first(box: LivedIn, capsys: Output) -> None:
    with sqlite3.connect(box.belongings.household) as db:
        db.execute(
            "INSERT INTO coach_consent (id, coach, coach_name, called, given_on, until, given_at_s) "
            "VALUES ('x', 'anna', 'Anna', 'we', '2026-01-01', '2999-01-01', 0)"
        )
        db.execute("INSERT INTO circle VALUES (1, 'i', 'The fir trees', 'we', 0, '', x'', 0, '', 0, 0)")
    db.close()
    assert run(box, "forget", "--everything") == 2
    said = capsys.readouterr().err
    assert "Anna still holds what was shared" in said
    assert "“The fir trees”" in said


@pytest.mark.broker
def test_the_broker_keeps_nothing_of_it(box: LivedIn, capsys: Output) -> None:
    with mosquitto() as (_, port):
        box.config.write_text(box.config.read_text().replace("port = 1\n", f"port = {port}\n"))
        broker = Broker(port)
        broker.publish("somnisphere/bedside/last", b'{"fell_asleep": "x"}', retain=True)
        broker.publish("somnisphere/bedside/night/image", b"<svg/>", retain=True)
        broker.publish("somnisphere/other/last", b"{}", retain=True)
        broker.publish("homeassistant/device/somnisphere_bedside/config", b'{"components": {}}', retain=True)
        assert run(box, "forget", GONE, "--yes") == 0
        assert "The broker keeps nothing of it any more" in capsys.readouterr().out
        assert set(broker.retained("somnisphere/#")) == {"somnisphere/other/last"}
        assert set(broker.retained("homeassistant/#")) == {"homeassistant/device/somnisphere_bedside/config"}
        assert run(box, "forget", "--everything", "--yes") == 0
        assert broker.retained("homeassistant/#") == {}


def test_a_broker_that_is_not_there_is_said(box: LivedIn, capsys: Output) -> None:
    assert run(box, "forget", GONE, "--yes") == 1
    said = capsys.readouterr()
    assert "On the broker it still stands: nothing answers" in said.err
    assert "says all anew, without that night." in said.err
    assert found(box.config.parent, markers(GONE)) == []
