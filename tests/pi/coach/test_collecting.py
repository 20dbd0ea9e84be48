"""Collectors side by side on a real broker: shared work, nothing lost, nothing kept of who went."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from tests.brokers import mosquitto
from tests.pi.coach.households import household_id, said
from tests.postgres import postgres

from somnisphere.coach.summary import Summary, Withdrawn, encode, topic
from somnisphere.coach_desk.collecting import Collecting
from somnisphere.coach_desk.collector import Collector, subscriptions
from somnisphere.coach_desk.ledger import Ledger, LedgerError
from somnisphere.coach_desk.ledger_postgres import PostgresLedger
from somnisphere.coach_desk.ledger_sqlite import SqliteLedger
from somnisphere.errors import UserError
from somnisphere_home.messages import Message
from somnisphere_home.mqtt import BrokerSettings, Connected
from somnisphere_home.sure_link import Delivered, Parcel, SureEvent, SureLink

TODAY = datetime.now().astimezone().date()
HOUSEHOLDS = 300


def wait_until(seen: Callable[[], bool], what: str, deadline_s: float = 30.0) -> float:
    """Seconds until it was so."""
    began_s = time.monotonic()
    while not seen():
        assert time.monotonic() < began_s + deadline_s, f"not within {deadline_s} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - began_s


@contextmanager
def sender(port: int) -> Iterator[Callable[[Sequence[tuple[str, bytes, bool]]], None]]:
    """Publishes at QoS 1 and returns when the broker has it all."""
    told: queue.SimpleQueue[SureEvent] = queue.SimpleQueue()
    link = SureLink(BrokerSettings(client_id="households", host="127.0.0.1", port=port), told.put)
    link.start()
    while not isinstance(told.get(timeout=10), Connected):
        pass

    def send(messages: Sequence[tuple[str, bytes, bool]]) -> None:
        waiting = {link.publish(Message(name, payload, retain=retain)) for name, payload, retain in messages}
        assert None not in waiting
        while waiting:
            if isinstance(event := told.get(timeout=30), Delivered):
                waiting.discard(event.number)

    try:
        yield send
    finally:
        link.stop()


def summary(number: int, message: int = 1, *, asks: bool = False) -> tuple[str, bytes, bool]:
    told = said(number, TODAY, message, asks=asks)
    return topic(told, "anna"), encode(told), False


def withdrawal(number: int) -> tuple[str, bytes, bool]:
    gone = Withdrawn(household_id(number), (TODAY + timedelta(days=24)).isoformat())
    return topic(gone, "anna"), encode(gone), True


@contextmanager
def collector(port: int, name: str, open_books: Callable[[], Ledger]) -> Iterator[Collecting]:
    """A collector on a thread of its own."""
    made: list[Collecting] = []
    problems: list[BaseException] = []
    ready = threading.Event()

    def work() -> None:
        try:
            ledger = open_books()
            settings = BrokerSettings(client_id=name, host="127.0.0.1", port=port)
            made.append(Collecting(settings, subscriptions("anna", "all"), ledger))
            ready.set()
            made[0].run()
            ledger.close()
        except BaseException as problem:
            problems.append(problem)
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(30)
    assert problems == []
    try:
        yield made[0]
    finally:
        made[0].stop()
        thread.join(20)
        assert problems == []
        assert not thread.is_alive()


def settled(send: Callable[[Sequence[tuple[str, bytes, bool]]], None], *collectors: Collecting) -> None:
    """Everybody reads: a withdrawal of somebody unknown reaches all."""
    send([withdrawal(999_999)])
    for one in collectors:
        wait_until(lambda one=one: one.collector.counts.withdrawn > 0, "a collector reads")  # type: ignore[misc]


def several_side_by_side(open_books: Callable[[], Ledger]) -> None:
    with (
        mosquitto() as (_, port),
        sender(port) as send,
        collector(port, "one", open_books) as one,
        collector(port, "two", open_books) as two,
    ):
        settled(send, one, two)
        send([summary(n) for n in range(HOUSEHOLDS)])
        counts = (one.collector.counts, two.collector.counts)
        wait_until(lambda: sum(count.taken for count in counts) >= HOUSEHOLDS, "all summaries are taken")
        assert sum(count.taken for count in counts) == HOUSEHOLDS
        assert min(count.taken for count in counts) > HOUSEHOLDS // 4, "they share the load"
        books = open_books()
        assert books.rows() == (HOUSEHOLDS, 2 * HOUSEHOLDS)
        send([withdrawal(n) for n in range(10)])
        wait_until(lambda: books.rows()[0] == HOUSEHOLDS - 10, "what was withdrawn is gone", 10.0)
        send([summary(n, 2) for n in range(20)])
        wait_until(lambda: sum(count.taken for count in counts) == HOUSEHOLDS + 20, "the next ones are taken")
        assert books.rows() == (HOUSEHOLDS - 10, 2 * (HOUSEHOLDS - 10))
        books.close()


@pytest.mark.broker
def test_two_share_the_work_in_one_file(tmp_path: Path) -> None:
    several_side_by_side(lambda: SqliteLedger(tmp_path / "coach.db"))


@pytest.mark.broker
def test_two_share_the_work_in_postgresql() -> None:
    with postgres() as url:
        several_side_by_side(lambda: PostgresLedger(url))


@pytest.mark.broker
def test_a_withdrawal_reaches_every_collectors_own_books(tmp_path: Path) -> None:
    """Also one who was away when it was said, and one who held nothing yet."""
    files = [tmp_path / "one.db", tmp_path / "two.db"]
    with mosquitto() as (_, port), sender(port) as send:
        with collector(port, "one", lambda: SqliteLedger(files[0])) as one:
            settled(send, one)
            send([summary(1), summary(2)])
            wait_until(lambda: one.collector.counts.taken == 2, "both are taken")
        send([withdrawal(1)])
        with (
            collector(port, "one", lambda: SqliteLedger(files[0])) as one,
            collector(port, "two", lambda: SqliteLedger(files[1])) as two,
        ):
            settled(send, one, two)
            wait_until(lambda: one.collector.counts.removed == 1, "it heard of it on coming back", 10.0)
            send([summary(1, 5)] * 4)
            wait_until(lambda: one.collector.counts.taken + two.collector.counts.taken >= 4, "they were read")
    for path, expected in zip(files, ([household_id(2)], []), strict=True):
        ledger = SqliteLedger(path)
        assert [standing.id for standing in ledger.standings()] == expected
        ledger.close()


@pytest.mark.broker
def test_a_collector_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    """The real command, killed in the midst; what it had not kept comes again to its successor."""
    config = tmp_path / "somnisphere.toml"
    books = tmp_path / "coach.db"
    with mosquitto() as (host, port), sender(port) as send:
        config.write_text(f'[mqtt]\nhost = "{host}"\nport = {port}\n')
        command = [sys.executable, "-m", "somnisphere", "--config", os.fspath(config), "coach", "collect",
                   "--coach", "anna", "--name", "one", "--database", os.fspath(books)]  # fmt: skip
        send([withdrawal(7)])
        first = subprocess.Popen(command)
        try:
            wait_until(lambda: books.exists() and held(books, "withdrawn") == 1, "it reads")
            send([summary(n) for n in range(1000, 1400)])
            wait_until(lambda: held(books, "household") > 0, "it began to keep")
        finally:
            first.kill()
            first.wait(10)
        send([summary(n) for n in range(1400, 1500)])
        second = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            wait_until(lambda: held(books, "household") == 500, "everything is there")
        finally:
            second.send_signal(signal.SIGTERM)
            _, words = second.communicate(timeout=20)
        assert second.returncode == 0
        assert "summaries taken" in words


def held(books: Path, table: str) -> int:
    ledger = SqliteLedger(books)
    try:
        found: int = ledger._do(lambda db: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        ledger.close()
    return found


class BrokenBooks:
    """Fails so often, then keeps."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.kept: list[str] = []

    def take(self, summaries: Sequence[Summary], withdrawn: Sequence[Withdrawn]) -> int:
        if self.failures:
            self.failures -= 1
            raise LedgerError("the books cannot be kept: the disk is full. Check the disk.")
        self.kept += [one.household for one in summaries]
        return len(withdrawn)

    def sweep(self, today: date) -> int:
        raise NotImplementedError(today)


def parcel(message: tuple[str, bytes, bool]) -> Parcel:
    return Parcel(message[0], message[1], False, 1, 1)


def test_nothing_is_acknowledged_before_it_is_kept() -> None:
    done: list[Parcel] = []
    books = BrokenBooks(1)
    desk = Collector(books, done.extend)  # type: ignore[arg-type]
    batch = [parcel(summary(1))]
    with pytest.raises(LedgerError):
        desk.take(batch, TODAY)
    assert (done, desk.counts.taken) == ([], 0)
    desk.take(batch, TODAY)
    assert done == batch
    assert books.kept == [household_id(1)]


def test_hostile_messages_are_counted_dropped_and_acknowledged() -> None:
    """They would come for ever if they were not acknowledged."""
    done: list[Parcel] = []
    books = BrokenBooks(0)
    desk = Collector(books, done.extend)  # type: ignore[arg-type]
    name, good, _ = summary(1)
    hostile = [b"", b"{}", good[:-1], good.replace(b'"called":"', b'"heart_bpm":61,"called":"'), b"x" * 3000]
    batch = [*[Parcel(name, payload, False, n, 1) for n, payload in enumerate(hostile)], parcel(summary(2))]
    desk.take([*batch, Parcel(topic(said(3, TODAY), "anna"), good, False, 9, 1)], TODAY)
    assert len(done) == 7
    assert books.kept == [household_id(2)]
    assert desk.counts.refused == {"not a summary": 4, "too long": 1, "another household's topic": 1}
    assert str(desk.counts).endswith("refused: 1 another household's topic, 4 not a summary, 1 too long")


@pytest.mark.parametrize("name", ["", "a/b", "#", "Anna", "x" * 33])
def test_a_coachs_name_is_a_part_of_a_topic(name: str) -> None:
    with pytest.raises(UserError, match="--coach"):
        subscriptions(name, "g")
