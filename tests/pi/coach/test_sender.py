"""From the household's consent to the coach's books, over a real broker: within the consent, and gone after it."""

import os
import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from tests.brokers import free_port, mosquitto
from tests.pi.coach.diaries import bad_fortnight
from tests.pi.coach.test_collecting import collector, wait_until

from somnisphere.coach.consent import Consent
from somnisphere.coach.diary_row import DiaryRow
from somnisphere.coach.post import KeptConsent, Say, TakeBack, due, withdrawn_message
from somnisphere.coach.sender import NotSentError, Sender
from somnisphere.coach.store import CoachStore
from somnisphere.coach.summary import AskedForAWord
from somnisphere.coach_desk.ledger_sqlite import SqliteLedger
from somnisphere_home.mqtt import BrokerSettings

TODAY = datetime.now().astimezone().date()
UNTIL = TODAY + timedelta(days=84)
WITHIN_S = 60.0
"""What was promised: after it nothing is held any more."""


class Home:
    """A household with its file and its post."""

    def __init__(self, folder: Path, port: int) -> None:
        self.store = CoachStore(folder / "household.db")
        self.today = TODAY
        settings = BrokerSettings(client_id="home", host="127.0.0.1", port=port)
        self.sender = Sender(
            self.store, lambda: bad_fortnight(self.today), settings, lambda: self.today, time.time
        )  # fmt: skip

    def grant(self, called: str = "Family B.") -> Consent:
        consent = self.store.grant("anna", "Anna", called, self.today, UNTIL, time.time())
        assert consent is not None
        return consent


@pytest.mark.broker
def test_from_consent_to_the_coachs_books_and_out_of_them_again(tmp_path: Path) -> None:
    """The sender's own thread and a real collector; told by the clock of the machine."""
    with mosquitto() as (_, port), collector(port, "one", lambda: SqliteLedger(tmp_path / "coach.db")) as desk:
        home = Home(tmp_path, port)
        home.sender.start()
        try:
            consent = home.grant()
            home.sender.nudge()
            wait_until(lambda: desk.collector.counts.taken == 1, "the first summary is there")
            assert home.store.ask(consent.id, TODAY, "May we talk?")
            home.sender.nudge()
            wait_until(lambda: desk.collector.counts.taken == 2, "the word is asked for")
            books = SqliteLedger(tmp_path / "coach.db")
            assert [(one.called, one.message) for one in books.standings()] == [("Family B.", "May we talk?")]
            assert home.store.withdraw(consent.id, TODAY, time.time())
            home.sender.nudge()
            took_s = wait_until(lambda: books.rows() == (0, 0), "nothing is held any more", WITHIN_S)
            assert took_s < WITHIN_S
            books.close()
            wait_until(lambda: home.store.consents()[0].told_at_s is not None, "the household's record says so")
        finally:
            home.sender.stop()
    left = b"".join(path.read_bytes() for path in tmp_path.glob("coach.db*"))
    assert b"May we talk?" not in left
    assert b"Family B." not in left
    assert consent.id.encode() in left, "its random name alone is known, so that a late message is dropped"


@pytest.mark.broker
def test_the_page_as_a_process_carries_it(tmp_path: Path) -> None:
    """`somnisphere page` on a box with a coach: what another process writes into the household's file is seen, too."""
    with mosquitto() as (host, port), collector(port, "one", lambda: SqliteLedger(tmp_path / "coach.db")) as desk:
        config = tmp_path / "somnisphere.toml"
        config.write_text(
            f'[mqtt]\nhost = "{host}"\nport = {port}\n[journal]\npath = "{tmp_path}/journal.db"\n'
            '[coach]\nkey = "anna"\nname = "Anna"\n'
        )
        home = Home(tmp_path, port)
        consent = home.grant()
        program = [sys.executable, "-m", "somnisphere", "--config", os.fspath(config), "page"]
        page = subprocess.Popen([*program, "--port", str(free_port())])
        try:
            wait_until(lambda: desk.collector.counts.taken == 1, "a summary without anything told")
            home.store.withdraw(consent.id, TODAY, time.time())
            wait_until(lambda: desk.collector.counts.removed == 1, "nothing is held any more", WITHIN_S)
        finally:
            page.terminate()
            page.wait(20)


@pytest.mark.broker
def test_a_withdrawal_waits_in_the_file_for_a_broker_that_is_away(tmp_path: Path) -> None:
    port = free_port()
    home = Home(tmp_path, port)
    consent = home.grant()
    with mosquitto(port):
        home.sender.deliver()
    home.store.withdraw(consent.id, TODAY, time.time())
    with pytest.raises(NotSentError, match="nothing answers"):
        home.sender.deliver()
    assert home.store.consents()[0].told_at_s is None
    with mosquitto(port):
        again = Home(tmp_path, port)  # another process of the page, a day later
        again.sender.deliver()
        assert again.store.consents()[0].told_at_s is not None
        with collector(port, "late", lambda: SqliteLedger(tmp_path / "coach.db")) as desk:
            wait_until(lambda: desk.collector.counts.withdrawn == 1, "a collector that was away learns of it")


def test_nothing_is_sent_that_was_taken_back_meanwhile(tmp_path: Path) -> None:
    """Between what was found due and the sending of it somebody took it back."""
    store = CoachStore(tmp_path / "household.db")
    consent = store.grant("anna", "Anna", "B.", TODAY, UNTIL, 1.0)
    assert consent is not None
    errands = due(store.consents(), TODAY)
    store.withdraw(consent.id, TODAY, 2.0)
    assert errands == [Say(consent, None)]
    assert store.next_number(consent.id, TODAY) is None


@pytest.mark.broker
def test_no_consent_no_connection(tmp_path: Path) -> None:
    """Nobody even learns that there is a household."""
    home = Home(tmp_path, free_port())
    home.sender.deliver()
    consent = home.grant()
    home.store.withdraw(consent.id, TODAY, 1.0)
    home.store.told(consent.id, 2.0)
    home.sender.deliver()


def kept(on: date, **changes: object) -> KeptConsent:
    values: dict[str, object] = {
        "consent": Consent("a" * 32, "anna", "Anna", "B.", on, on + timedelta(days=28)),
        **dict.fromkeys(("withdrawn_at_s", "told_at_s", "said_on", "word")),
        "given_at_s": 1.0,
    }
    return KeptConsent(**values | changes)  # type: ignore[arg-type]


DAYS = range(-5, 40)


def test_once_a_day_and_only_within_the_consent() -> None:
    one = kept(TODAY)
    said = [day for day in DAYS if due([one], TODAY + timedelta(days=day))]
    assert said == list(range(29))
    assert due([kept(TODAY, said_on=TODAY)], TODAY) == []
    word = AskedForAWord(TODAY.isoformat(), "")
    assert due([kept(TODAY, word=word)], TODAY) == [Say(one.consent, word)]


def test_a_withdrawal_is_said_until_it_was_heard_and_not_after_the_end() -> None:
    gone = Consent("a" * 32, "anna", "Anna", "B.", TODAY, TODAY + timedelta(days=28), TODAY)
    said = [day for day in DAYS if due([kept(TODAY, consent=gone)], TODAY + timedelta(days=day)) == [TakeBack(gone)]]
    assert said == list(range(-5, 29))
    assert due([kept(TODAY, consent=gone, told_at_s=5.0)], TODAY) == []
    message = withdrawn_message(gone, TODAY)
    assert (message.retain, message.qos, message.expiry_s) == (True, 1, 30 * 86_400)


def test_a_word_asked_for_while_a_summary_is_on_its_way_is_said_too(tmp_path: Path) -> None:
    store = CoachStore(tmp_path / "household.db")
    consent = store.grant("anna", "Anna", "B.", TODAY, UNTIL, 1.0)
    assert consent is not None
    store.ask(consent.id, TODAY, "hello")
    store.said(consent.id, TODAY, None)  # of the summary before it
    assert due(store.consents(), TODAY) == [Say(consent, AskedForAWord(TODAY.isoformat(), "hello"))]


def test_every_consent_has_a_name_of_its_own(tmp_path: Path) -> None:
    store = CoachStore(tmp_path / "household.db")
    first = store.grant("anna", "Anna", "B.", TODAY, UNTIL, 1.0)
    assert first is not None
    assert store.grant("anna", "Anna", "B.", TODAY, UNTIL, 2.0) is None, "one at a time"
    store.withdraw(first.id, TODAY, 3.0)
    assert not store.withdraw(first.id, TODAY, 4.0)
    second = store.grant("anna", "Anna", "B.", TODAY, UNTIL, 5.0)
    assert second is not None
    assert second.id != first.id
    assert [one.given_at_s for one in store.consents()] == [5.0, 1.0], "nothing of the record is lost"


def test_an_empty_diary_is_a_summary_too() -> None:
    assert [DiaryRow(TODAY).is_told, DiaryRow(TODAY, awakenings=0).is_told] == [False, True]
