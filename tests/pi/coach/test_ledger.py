"""The coach's books, in SQLite and in PostgreSQL: the same promises of both."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pi.coach.households import household_id, said
from tests.postgres import postgres

from somnisphere.coach.summary import Summary, Withdrawn, encode
from somnisphere.coach_desk.ledger import Ledger, LedgerError, Standing
from somnisphere.coach_desk.ledger_postgres import PostgresLedger
from somnisphere.coach_desk.ledger_sqlite import SqliteLedger
from somnisphere.coach_desk.order import by_who_asks

TODAY = date(2026, 3, 18)
Open = Callable[[], Ledger]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same books again and again, as several collectors do."""
    opened: list[Ledger] = []

    def open_again() -> Ledger:
        if request.param == "sqlite":
            opened.append(SqliteLedger(tmp_path / "coach.db"))
        else:
            opened.append(PostgresLedger(request.getfixturevalue("server")))
        return opened[-1]

    yield open_again
    if request.param == "postgres":
        ledger = open_again()
        ledger.take([], [Withdrawn(one.id, "2026-01-01") for one in ledger.standings()])
        ledger.sweep(date(2030, 1, 1))
    for ledger in opened:
        ledger.close()


def gone(number: int) -> Withdrawn:
    return Withdrawn(household_id(number), (TODAY + timedelta(days=24)).isoformat())


def test_what_comes_twice_or_late_changes_nothing(books: Open) -> None:
    ledger = books()
    first, second = said(1, TODAY, 1, asks=True), said(1, TODAY, 2)
    for batch in ([first], [first], [second], [first], [second, first]):
        ledger.take(batch, [])
    assert ledger.rows() == (1, 2)
    assert ledger.standings() == [Standing(household_id(1), "Family 1", second.until, None)]
    assert [json.loads(body) for body in ledger.weeks(household_id(1))] == [json.loads(encode(second))]


def test_a_week_is_a_row_and_no_more(books: Open) -> None:
    ledger = books()
    for message, weeks_ago in enumerate((3, 2, 1, 0, 0, 0), start=1):
        ledger.take([said(n, TODAY, message, weeks_ago=weeks_ago) for n in range(20)], [])
    assert ledger.rows() == (20, 20 + 4 * 20)
    weeks = [json.loads(body)["week"] for body in ledger.weeks(household_id(3))]
    assert weeks == sorted(weeks, reverse=True)


def test_what_is_withdrawn_is_gone_and_stays_away(books: Open) -> None:
    ledger, other = books(), books()
    ledger.take([said(n, TODAY) for n in (1, 2)], [])
    assert other.take([], [gone(1), gone(7)]) == 1
    ledger.take([said(1, TODAY, 2), said(7, TODAY)], [])
    assert [one.id for one in ledger.standings()] == [household_id(2)]
    assert ledger.weeks(household_id(1)) == []
    assert ledger.take([said(2, TODAY, 5)], [gone(2)]) == 1, "a batch that holds both"
    assert ledger.rows() == (0, 0)


def test_a_consent_that_is_over_takes_its_rows_along(books: Open) -> None:
    ledger = books()
    ledger.take([said(1, TODAY)], [gone(2)])
    last_day = date.fromisoformat(said(1, TODAY).until)
    assert ledger.sweep(last_day) == 0
    assert ledger.sweep(last_day + timedelta(days=1)) == 1
    assert ledger.rows() == (0, 0)
    ledger.sweep(last_day + timedelta(days=3))
    assert ledger.take([said(2, TODAY)], []) == 0
    assert ledger.rows()[0] == 1, "the name of one whose consent would be over by now is not kept"


def test_an_answer_holds_until_they_ask_again(books: Open) -> None:
    ledger = books()
    asking = said(1, TODAY, 1, asks=True)
    ledger.take([asking], [])
    assert [one.asked_on for one in ledger.standings()] == [TODAY.isoformat()]
    ledger.answered(household_id(1))
    ledger.take([said(1, TODAY, 2, asks=True)], [])
    assert [one.asked_on for one in ledger.standings()] == [None]
    assert asking.word is not None
    again = msgspec.structs.replace(asking, number=3, word=msgspec.structs.replace(asking.word, message="Once more"))
    ledger.take([again], [])
    assert [one.message for one in ledger.standings()] == ["Once more"]
    assert [one.asked_on for one in ledger.standings()] == [TODAY.isoformat()]


def test_texts_of_all_kinds_are_kept_as_they_are(books: Open) -> None:
    ledger = books()
    called = "Zoë’s “家” %s $1 \\ '; DROP TABLE week; --"[:40]
    ledger.take([msgspec.structs.replace(said(1, TODAY), called=called)], [])
    assert ledger.standings()[0].called == called


def test_two_collectors_and_withdrawals_among_them_leave_nothing_behind(books: Open) -> None:
    """Both write the same households in opposite orders, while each of them is withdrawn: no deadlock, no ghost."""
    ledgers = [books(), books(), books()]
    problems: list[BaseException] = []

    def work(ledger: Ledger, numbers: list[int], withdraws: bool) -> None:
        try:
            for message in range(1, 9):
                for start in range(0, 60, 20):
                    chosen = numbers[start : start + 20]
                    ledger.take([] if withdraws else [said(n, TODAY, message) for n in chosen],
                                [gone(n) for n in chosen if n % 2] if withdraws else [])  # fmt: skip
        except BaseException as problem:
            problems.append(problem)
        finally:
            ledger.close()

    numbers = list(range(60))
    plans = ((ledgers[0], numbers, False), (ledgers[1], numbers[::-1], False), (ledgers[2], numbers, True))
    threads = [threading.Thread(target=work, args=plan) for plan in plans]
    for ledger in ledgers:
        ledger.close()  # a connection of SQLite belongs to its thread, which opens one of its own
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    fresh = books()
    assert sorted(one.id for one in fresh.standings()) == [household_id(n) for n in range(0, 60, 2)]
    assert fresh.rows() == (30, 60)


def test_what_was_removed_is_not_in_the_file_any_more(tmp_path: Path) -> None:
    """Not in a free page, and not in the log beside the file."""
    path = tmp_path / "coach.db"
    ledger = SqliteLedger(path)
    ledger.take([said(n, TODAY, asks=True) for n in range(1, 200)], [])

    def on_disk(words: bytes) -> bool:
        return any(words in file.read_bytes() for file in tmp_path.iterdir())

    assert on_disk(b"A word, please: 77\x00") or on_disk(b"A word, please: 77")
    assert on_disk(b"Family 77")
    ledger.take([], [gone(77)])
    assert not on_disk(b"A word, please: 77")
    assert not on_disk(b"Family 77")
    assert on_disk(b"Family 78")
    assert path.stat().st_mode & 0o077 == 0
    ledger.close()


def test_trouble_with_the_file_is_told_and_mended(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"nowhere/coach\.db: the books cannot be kept"):
        SqliteLedger(tmp_path / "nowhere" / "coach.db")
    ledger = SqliteLedger(tmp_path / "coach.db")
    other = sqlite3.connect(tmp_path / "coach.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError, match="locked"):
        ledger.take([said(1, TODAY)], [])
    other.execute("ROLLBACK")
    other.close()
    ledger.take([said(1, TODAY)], [])
    assert ledger.rows() == (1, 2)
    ledger.close()


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(LedgerError, match="PostgreSQL: the books cannot be kept"):
        PostgresLedger("postgresql:///x?host=/nowhere")
    with pytest.raises(LedgerError, match="Check the server and --database"):
        PostgresLedger("postgresql://x?nonsense=1")


standings = st.builds(
    Standing, st.text(min_size=1), st.text(), st.just("2026-05-01"), st.none() | st.dates().map(str), st.text()
)


@given(held=st.lists(standings, max_size=20), data=st.data())
def test_the_list_is_sorted_by_who_asks(held: list[Standing], data: st.DataObject) -> None:
    found = by_who_asks(data.draw(st.permutations(held)))
    asking = [one for one in found if one.asked_on is not None]
    assert found[: len(asking)] == asking, "who asked comes first"
    assert [one.asked_on for one in asking] == sorted(one.asked_on or "" for one in asking), "the longest waiting first"
    names = [one.called.casefold() for one in found[len(asking) :]]
    assert names == sorted(names)


weeks = st.builds(
    lambda number, told, nights: (number, told, nights),
    st.integers(0, 5),
    st.sampled_from(["none", "few", "some", "most"]),
    st.sampled_from([None, "no_night", "some_nights", "most_nights"]),
)


@settings(max_examples=40, deadline=None)
@given(told=st.lists(weeks, max_size=12), otherwise=st.lists(weeks, max_size=12))
def test_the_order_cannot_depend_on_sleep(
    tmp_path_factory: pytest.TempPathFactory,
    told: list[tuple[int, str, str | None]],
    otherwise: list[tuple[int, str, str | None]],
) -> None:
    """The same six households with any two histories of sleep are listed alike. And no field of the list holds any."""
    orders = []
    for history in (told, otherwise):
        ledger = SqliteLedger(tmp_path_factory.mktemp("order") / "coach.db")
        for message, (number, often, nights) in enumerate(history, start=1):
            ledger.take([changed(said(number, TODAY, message), often, nights)], [])
        ledger.take([changed(said(n, TODAY, 100, asks=n in (2, 4)), *told[0][1:] if told else ("none", None))
                     for n in range(6)], [])  # fmt: skip
        orders.append([one.id for one in by_who_asks(ledger.standings())])
        ledger.close()
    assert orders[0] == orders[1] == [household_id(n) for n in (2, 4, 0, 1, 3, 5)]
    assert {field.name for field in fields(Standing)} == {"id", "called", "until", "asked_on", "message"}


def changed(summary: Summary, often: str, nights: str | None) -> Summary:
    return msgspec.structs.replace(summary, told=often, sleep_came_late=nights, long_awake=nights)
