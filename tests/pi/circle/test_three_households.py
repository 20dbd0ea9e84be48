"""Three households, each with a mosquitto of its own, bridged by the configuration that `somnisphere circle bridge`
writes; stories go round while each box says a rehearsed night to its broker and keeps a diary. Real brokers, real
processes, and a wire whose every byte is kept."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from tests.bench.home_traffic import night
from tests.brokers import HOST, free_port, mosquitto, wait_for_port
from tests.circle_house import offer_for
from tests.circle_wire import Box, Relay
from tests.home.broker import Broker, Listener
from tests.home.client import wait_until

from somnisphere.circle.bridge import access_list
from somnisphere.circle.identity import new_identity
from somnisphere.circle.manifest import sign_offer
from somnisphere.circle.pieces import Piece, piece_bytes, read_ask
from somnisphere.circle.topics import CircleTopics
from somnisphere.household_file import connect
from somnisphere_home.messages import Message

pytestmark = pytest.mark.broker

DIARY = "I dreamt that the cellar was under water and Mia called for me."
BODY_WORDS = (b"heart_rate", b"sleep_stage", b"breathing_rate", b"somnisphere/", b"vitals", b"likelihood", b"hypnogram")


def leaks(crossed: bytes, said: list[Message]) -> list[bytes]:
    """What of a night or a diary is among these bytes."""
    bodies = {one.payload for one in said if one.topic.startswith("somnisphere/") and len(one.payload) > 12}
    words = {one.topic.encode() for one in said} | bodies | {*BODY_WORDS, DIARY.encode(), b"cellar was under"}
    return sorted(word for word in words if word in crossed)


@pytest.fixture(scope="module")
def the_night() -> list[Message]:
    """All that a box says in a rehearsed night."""
    said, _ = night(0.2)
    assert any(b'"heart_rate":7' in one.payload for one in said)
    assert any(one.topic.endswith("/stage") for one in said)
    return said


@dataclass
class Circle:
    anna: Box
    ben: Box
    cem: Box
    to_anna: Relay
    to_cem: Relay
    night: list[Message]
    id: str

    @property
    def boxes(self) -> tuple[Box, Box, Box]:
        return self.anna, self.ben, self.cem

    @property
    def topics(self) -> CircleTopics:
        return CircleTopics(self.id, self.anna.words)

    def offered(self, teller: Box, title: str, *takers: Box) -> None:
        """An offer, and each taker's wish for it."""
        teller.run("circle", "offer", title, "--licence", "CC-BY-SA-4.0")
        for taker in takers:
            until_said(title, taker, "offers")
            taker.run("circle", "take", title)


@pytest.fixture(scope="module")
def circle(tmp_path_factory: pytest.TempPathFactory, the_night: list[Message]) -> Iterator[Circle]:
    """Ben's broker is where the circle meets; Anna's reaches out to it, and so does one of the circle's
    own beside Cem's. They join as people do."""
    folder = tmp_path_factory.mktemp("circle")
    with ExitStack() as stack:
        access = folder / "access"
        access.write_text("topic readwrite #\n")
        meeting = free_port()
        ben = Box(folder / "ben", meeting)
        relays = []
        for _ in range(2):
            relays.append(Relay(meeting))
            stack.callback(relays[-1].close)
        anna = Box(folder / "anna", free_port(), kilobytes_per_s=600)
        cem = Box(folder / "cem", free_port(), own_port=free_port())
        ben.run("circle", "new", "Birch Street", "--household", "The Bauers")
        for box, name, relay in ((anna, "The Arslans", relays[0]), (cem, "The Cohens", relays[1])):
            invited = ben.run("circle", "invite", "--address", f"127.0.0.1:{relay.port}", "--no-tls")
            text = next(line for line in invited.splitlines() if line.startswith("SOMNISPHERE-CIRCLE:"))
            box.run("circle", "join", text, "--household", name, "--yes")
        known = [anna.words, cem.words]
        circle_id = ben.run("circle", "bridge", "--access").split("circle ")[1].split()[0]
        access.write_text("topic readwrite #\n\n" + access_list(CircleTopics(circle_id, ben.words), tuple(known)))
        stack.enter_context(mosquitto(meeting, f"acl_file {access}\nuser root\nallow_anonymous true"))
        stack.enter_context(mosquitto(anna.port, anna.run("circle", "bridge")))
        stack.enter_context(mosquitto(cem.port))
        stack.enter_context(own_mosquitto(folder / "own.conf", cem))
        for box in (anna, ben, cem):
            stack.enter_context(box.circle())
        for name in ("The Arslans", "The Cohens"):
            until_said(f"{name}, asks to join", ben, "members")
            ben.run("circle", "admit", name)
        until_said("The Cohens", anna, "members")
        until_said("The Arslans", cem, "members")
        whole = Circle(anna, ben, cem, relays[0], relays[1], the_night, circle_id)
        for box in whole.boxes:
            diary = connect(box.folder / "household.db", "diary", ("CREATE TABLE diary_words (text TEXT);",))
            diary.execute("INSERT INTO diary_words VALUES (?)", (DIARY,))
            diary.close()
        with _nights(whole):
            yield whole


@contextmanager
def own_mosquitto(path: Path, box: Box, *command: str) -> Iterator[None]:
    """The broker of a household's circle alone, exactly as ``bridge --own-broker`` writes it."""
    path.write_text(box.run(*(command or ("circle", "bridge")), "--own-broker"))
    process = subprocess.Popen([shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "", "-c", path])
    try:
        wait_for_port(HOST, box.circle_port)
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def _nights(circle: Circle) -> Iterator[None]:
    """Each box says its night to its own broker, again and again, while the stories go round."""
    over = threading.Event()

    def say(port: int) -> None:
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.connect("127.0.0.1", port)
        client.loop_start()
        while not over.is_set():
            for message in circle.night:
                client.publish(message.topic, message.payload, 1, message.retain)
                if over.wait(0.01):
                    break
        client.disconnect()
        client.loop_stop()

    threads = [threading.Thread(target=say, args=(box.port,)) for box in circle.boxes]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join()


def until_said(words: str, box: Box, command: str) -> None:
    """Until ``somnisphere circle COMMAND`` says these words."""
    wait_until(lambda: words in box.run("circle", command), f"{words!r} of {command}")


def until_logged(words: str, box: Box) -> None:
    wait_until(lambda: words in box.said, f"{words!r} in the log")


def arrived(box: Box, source: Box, within_s: float = 30.0) -> None:
    """The story that ``source`` packed last is on this shelf, whole."""
    packed = max((source.folder / "circle" / "offered").glob("*.story"), key=lambda path: path.stat().st_mtime_ns)
    wait_until(
        lambda: packed.read_bytes() in box.stories.values(), f"{packed.name} on {box.folder.name}'s shelf", within_s
    )


def test_a_story_goes_round_whole_even_when_its_teller_is_away(circle: Circle) -> None:
    sound = circle.anna.told("The whale", 20.0)
    circle.offered(circle.anna, "The whale", circle.ben)
    arrived(circle.ben, circle.anna)
    until_said("The whale", circle.cem, "offers")
    circle.to_anna.cut()  # Anna is away: Cem has it from Ben
    circle.cem.run("circle", "take", "The whale")
    arrived(circle.cem, circle.anna)
    circle.to_anna.mend()
    assert sound[1000:2000] in circle.cem.stories["the-whale.story"]
    assert "a recording" in circle.cem.run("story", "show", "The whale")


def test_after_a_cut_what_was_there_is_not_asked_for_again(circle: Circle) -> None:
    circle.anna.told("The long way", 70.0)
    connections = circle.to_anna.connections
    wait_until(lambda: circle.to_anna._pairs, "Anna's bridge to be back", 30)
    asks = Listener(circle.anna.port, f"{circle.topics.base}/ask/{circle.anna.words}/+")
    circle.offered(circle.anna, "The long way", circle.cem)
    had = next(iter(wait_until(lambda: list((circle.cem.folder / "circle").glob("*.had")), "a first piece")))
    wait_until(lambda: had.read_bytes().count(1) > 10, "ten pieces")
    circle.to_cem.cut()
    circle.to_anna.cut()
    before = {index for index, flag in enumerate(had.read_bytes()) if flag}
    assert before
    assert len(before) < len(had.read_bytes()) - 10  # in the middle
    count = len(asks.received)
    circle.to_anna.mend()
    circle.to_cem.mend()
    arrived(circle.cem, circle.anna, 45)
    again = {index for ask in asks.received[count:] for index in read_ask(ask.payload, circle.id).body.pieces}
    asks.close()
    wait_until(lambda: not had.exists(), "the tidying up")
    assert again
    assert not again & before
    assert circle.to_anna.connections > connections


def test_tampered_pieces_are_thrown_away_and_fetched_again(circle: Circle) -> None:
    """Somebody in the cable to Cem alters a few bytes of two pieces, once each; and somebody on Cem's own broker sends
    pieces of nothing in Anna's name."""
    sound = circle.anna.told("The storm", 15.0)
    circle.to_cem.spoil = [sound[at : at + 40] for at in (40_000, 300_000)]
    circle.offered(circle.anna, "The storm", circle.cem)
    topic = circle.topics.piece(circle.cem.words)
    Broker(circle.cem.circle_port).publish(topic, piece_bytes(Piece("0" * 64, 1, b"x" * 65536)))
    arrived(circle.cem, circle.anna)
    assert len(circle.to_cem.spoil) < 2  # they did come by
    assert "A piece of The Arslans is refused: it is not what the offer of “The storm” promises" in circle.cem.said


def test_unsigned_and_strange_offers_are_refused(circle: Circle) -> None:
    attacker = Broker(circle.ben.port)  # where all meet: worse cannot be
    stranger = new_identity()
    offer = offer_for(b"a strange story", "A strange story", circle=circle.id)
    signed = sign_offer(stranger, offer)
    topics = circle.topics
    attacker.publish(
        topics.offer(topics.household, offer.sha256), signed[: signed.index(b',"key"')] + b"}", retain=True
    )
    attacker.publish(topics.offer(stranger.household, offer.sha256), signed, retain=True)
    for box in (circle.ben, circle.cem):
        until_logged("it is not signed", box)
        until_logged("does not belong to the circle", box)
        assert "strange" not in box.run("circle", "offers")


def test_without_the_teller_s_consent_nothing_is_offered(circle: Circle) -> None:
    circle.anna.told("A secret", consent=False)
    with pytest.raises(AssertionError, match=r"somnisphere story consent .A secret\.wav. --by"):
        circle.anna.run("circle", "offer", "A secret", "--licence", "CC0-1.0")
    circle.anna.run("story", "consent", "A secret", "--by", "Oma Ilse", "--house")
    with pytest.raises(AssertionError, match="stays in this house"):
        circle.anna.run("circle", "offer", "A secret", "--licence", "CC0-1.0")
    assert "A secret" not in circle.anna.run("circle", "offers")


def test_taken_back_it_is_gone_everywhere_also_where_somebody_was_away(circle: Circle) -> None:
    circle.anna.told("The quarrel", 3.0)
    circle.offered(circle.anna, "The quarrel", circle.ben, circle.cem)
    for box in (circle.ben, circle.cem):
        arrived(box, circle.anna)
        until_said("[taken]", box, "offers")
    circle.to_cem.cut()
    circle.anna.run("circle", "take-back", "The quarrel", "--yes")
    wait_until(lambda: "the-quarrel.story" not in circle.ben.stories, "Ben's shelf without it", 30)
    assert "the-quarrel.story" in circle.cem.stories  # nobody could tell them yet
    circle.to_cem.mend()
    wait_until(lambda: "the-quarrel.story" not in circle.cem.stories, "Cem's shelf without it", 45)
    for box in circle.boxes:
        assert "The quarrel" not in box.run("circle", "offers")
    assert (circle.anna.shelf / "The quarrel.wav").exists()  # it is Anna's
    with pytest.raises(AssertionError, match="was taken back, which is for good"):
        circle.anna.run("circle", "offer", "The quarrel", "--licence", "CC0-1.0")


def test_no_heart_rate_stage_or_diary_crossed(circle: Circle) -> None:
    """The last one: everything above is on the wire, and the nights went on all the while."""
    for relay in (circle.to_anna, circle.to_cem):
        crossed = relay.crossed
        assert b"The whale" in crossed  # the tap works: a story's offer went through it
        assert len(crossed) > 1_000_000
        assert leaks(crossed, circle.night) == []
    for box in circle.boxes:
        assert Broker(box.port).retained("somnisphere/#")  # and the nights were said


def test_a_bridge_that_carries_everything_is_caught(tmp_path: Path, the_night: list[Message]) -> None:
    """The search above can find: one line more in the configuration, and the night is on the wire."""
    with mosquitto() as (_, far):
        relay = Relay(far)
        box = Box(tmp_path / "house", free_port())
        box.run("circle", "new", "Birch Street", "--household", "The Arslans")
        good = box.run("circle", "bridge", "--address", f"127.0.0.1:{relay.port}", "--no-tls")
        assert "topic # both" not in good
        for bad, found in ((False, False), (True, True)):
            before = len(relay.crossed)
            with mosquitto(box.port, good + ("\ntopic # both 1\n" if bad else "\n")) as (_, near):
                wait_until(lambda: relay._pairs, "the bridge")
                for message in the_night[:200]:
                    Broker(near).publish(message.topic, message.payload, retain=message.retain)
                end = f"{CircleTopics(_circle_id(good), box.words).member(box.words)}"
                Broker(near).publish(end, b"the end", retain=True)
                wait_until(partial(relay.has_crossed, b"the end", before), "the end on the wire")
            assert bool(leaks(relay.crossed[before:], the_night)) is found
        relay.close()


def _circle_id(configuration: str) -> str:
    return configuration.split("topic somnisphere-circle/")[1].split("/")[0]
