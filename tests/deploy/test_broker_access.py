"""The broker that ``deploy/broker`` sets up, real: who may read and write what, and who is not let in at all."""

import os
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from tests.box import box
from tests.brokers import HOST
from tests.secured_broker import DEADLINE_S, SHIPPED, Person, Secured, linked, secured_broker, shipped

from somnisphere.config_keys import Cards, Mqtt, Sleeper
from somnisphere_home.messages import Message, Topics
from somnisphere_home.mqtt import Connected

pytestmark = pytest.mark.broker

BOX, OTHER = Topics("bedside"), Topics("nursery")
WILL = Message(BOX.status, b"offline", retain=True, qos=1)
STATES = (BOX.status, BOX.state("vitals"), BOX.event("sleep_moment"), BOX.image("night"), BOX.quiet_of("bedside"))
COMMANDS = (BOX.command("begin"), f"{BOX.base}/ask/night")
ANNOUNCEMENTS = (
    BOX.discovery,
    BOX.discovery_of("_sleeper"),
    BOX.single_discovery("sensor", "heart_rate"),
    "homeassistant/tag/somnisphere_bedside/config",
)
THE_HOUSES = ("somnisphere/house/release", "homeassistant/status", "somnisphere/coach/anna/summary/x")
NOT_ALLOWED = 135
"""MQTT 5, table 2.6: not authorized."""


@pytest.fixture(scope="module")
def broker() -> Iterator[Secured]:
    logins = (("bedside",), ("nursery",), ("--home", "homeassistant"), ("--dashboard", "tablet"))
    with secured_broker(*logins) as it:
        yield it


@pytest.mark.parametrize("discovery", ["device", "single"])
def test_an_evening_is_said_whole_and_nothing_of_it_is_denied(
    broker: Secured, tmp_path: Path, discovery: Literal["device", "single"]
) -> None:
    """With cards and a sleeper's own device; ``test_traffic.py`` has a night with its vitals. Then it says goodbye."""
    before = len(broker.denied)
    changes = {"cards": Cards(reader="pn532"), "sleeper": Sleeper(name="Mia"), "mqtt": Mqtt(discovery=discovery)}
    with (
        Person(broker, "homeassistant") as home,
        box(tmp_path / "j.db", connected=False, **changes) as it,  # type: ignore[arg-type]
        linked(broker, WILL) as (link, events),
    ):
        home.subscribe("somnisphere/#")
        home.subscribe("homeassistant/#")
        said: set[str] = set()

        def say(message: Message) -> None:
            said.add(message.topic)
            link.publish(message)

        it.daemon.publish_through(say)
        assert isinstance(events.get(timeout=DEADLINE_S), Connected)
        for topic in it.daemon.subscriptions:
            link.subscribe(topic)
        it.daemon.home_connected(0.0)
        it.command("begin")
        it.daemon.home_said(f"{BOX.base}/ask/nights", b"{}", retained=False, at_s=it.at_s)
        it.live(120.0)
        link.stop([WILL])
        end_s = time.monotonic() + DEADLINE_S  # an "offline" that the broker kept from before tells nothing
        while said - home.topics() and time.monotonic() < end_s:
            time.sleep(0.02)
        assert broker.denied[before:] == []
        assert said - home.topics() == set(), "whatever the box said, the home heard"
        announced = BOX.discovery_of("_sleeper") if discovery == "device" else BOX.single_discovery("light", "lamp")
        assert {BOX.status, BOX.event("sleep_moment"), BOX.quiet, BOX.quiet_of("bedside"), announced} <= said
        assert {BOX.ask_result("nights"), BOX.result("begin"), ANNOUNCEMENTS[-1], BOX.image("story_cover")} <= said


@pytest.mark.parametrize("mqtt5", [True, False])
def test_another_box_reads_nothing_of_this_one(broker: Secured, mqtt5: bool) -> None:
    with (
        Person(broker, "bedside") as box,
        Person(broker, "homeassistant") as home,
        Person(broker, "nursery", mqtt5=mqtt5) as other,
    ):
        for topic in ("#", "somnisphere/#", "homeassistant/#", f"{BOX.base}/#", *STATES, *COMMANDS, *ANNOUNCEMENTS):
            other.subscribe(topic)
        for topic in (*STATES, *ANNOUNCEMENTS):
            box.publish(topic, retain=True)
        for topic in COMMANDS:
            home.publish(topic)
        home.publish(OTHER.command("begin"), b"the last")  # what was said before came before
        other.waits(OTHER.command("begin"), b"the last")
        assert {topic for topic in other.topics() if "bedside" in topic} == {BOX.quiet_of("bedside")}, (
            "only that somebody sleeps in the house is everybody's"
        )


def test_another_box_writes_nothing_of_this_one_and_is_told(broker: Secured) -> None:
    with Person(broker, "homeassistant") as home, Person(broker, "nursery") as other:
        home.subscribe("#")
        for topic in (*STATES, *COMMANDS, *ANNOUNCEMENTS, *THE_HOUSES):
            assert other.publish(topic, b"forged", retain=True).value == NOT_ALLOWED, topic
        other.publish(OTHER.status, b"the last")
        home.waits(OTHER.status, b"the last")
        assert b"forged" not in {message.payload for message in home.heard}


def test_another_box_writes_nothing_of_this_one_on_the_old_version(broker: Secured) -> None:
    """There the broker takes it, says nothing and lets it fall."""
    with Person(broker, "homeassistant") as home, Person(broker, "nursery", mqtt5=False) as other:
        home.subscribe("#")
        for topic in (*STATES, *COMMANDS, *ANNOUNCEMENTS, *THE_HOUSES):
            assert not other.publish(topic, b"forged too", retain=True).is_failure
        other.publish(OTHER.status, b"the last but one")
        home.waits(OTHER.status, b"the last but one")
        assert b"forged too" not in {message.payload for message in home.heard}


def test_a_will_of_another_box_says_nothing_in_this_ones_name(broker: Secured) -> None:
    with Person(broker, "homeassistant") as home:
        home.subscribe("#")
        forger = Person(broker, "nursery")
        forger._client.will_set(BOX.status, b"forged will", 1, True)
        forger._client.connect(HOST, broker.tls_port)
        forger._client.loop_start()
        with forger._changed:
            forger._changed.wait_for(lambda: forger._is_in is not None, 15)
        connection = forger._client.socket()
        forger._client.loop_stop()
        if connection is not None:
            connection.close()
        home.publish("homeassistant/marker", b"m")
        home.waits("homeassistant/marker")
        assert b"forged will" not in {message.payload for message in home.heard}


def test_a_screen_reads_states_and_writes_nothing(broker: Secured) -> None:
    with Person(broker, "bedside") as box, Person(broker, "homeassistant") as home, Person(broker, "tablet") as screen:
        screen.subscribe("somnisphere/#")
        screen.subscribe("homeassistant/#")
        home.publish(BOX.command("begin"))
        box.publish(BOX.ask_result("night"), b"{}")
        box.publish(BOX.state("vitals"), b"for the screen")
        screen.waits(BOX.state("vitals"), b"for the screen")
        assert not {*COMMANDS, BOX.ask_result("night"), *ANNOUNCEMENTS} & screen.topics()
        for topic in (*STATES, *COMMANDS, *ANNOUNCEMENTS, *THE_HOUSES):
            assert screen.publish(topic).value == NOT_ALLOWED, topic


def test_the_home_says_commands_and_no_states(broker: Secured) -> None:
    with Person(broker, "homeassistant") as home:
        for topic in (*COMMANDS, "somnisphere/house/release", *ANNOUNCEMENTS):
            assert not home.publish(topic).is_failure, topic
        for topic in (*STATES, "somnisphere/coach/anna/summary/x"):
            assert home.publish(topic).value == NOT_ALLOWED, topic


@pytest.mark.parametrize("mqtt5", [True, False])
@pytest.mark.parametrize("tls", [True, False])
def test_a_guest_is_not_let_in(broker: Secured, mqtt5: bool, tls: bool) -> None:
    for name, password in (("", None), ("bedside", "guessed"), ("stranger", "x")):
        with Person(broker, name, mqtt5=mqtt5, tls=tls, password=password) as guest:
            assert guest.refused is not None
            assert guest.refused.getName() == "Not authorized"


def test_without_encryption_the_broker_is_heard_on_this_machine_alone(broker: Secured) -> None:
    listening: dict[int, set[str]] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in Path(table).read_text().splitlines()[1:] if Path(table).exists() else ():
            _, local, _, state, *_ = row.split()
            if state == "0A":  # LISTEN
                address, _, port = local.partition(":")
                listening.setdefault(int(port, 16), set()).add(address)
    assert listening[broker.plain_port] == {"0100007F"}
    assert "00000000" in listening[broker.tls_port], "and encrypted, everywhere"


def test_the_example_is_what_the_script_writes(tmp_path: Path) -> None:
    for login in (("bedside",), ("--home", "homeassistant"), ("--dashboard", "tablet")):
        shipped("new-box.sh", tmp_path, *login)
    example = (SHIPPED / "acl.example").read_text()
    assert example[example.index("# >>> ") :] == (tmp_path / "acl").read_text()


def test_a_login_is_made_anew_kept_and_taken_away(tmp_path: Path) -> None:
    shipped("new-box.sh", tmp_path, "bedside", "--coach", "anna", "--circle")
    (tmp_path / "acl").write_text((tmp_path / "acl").read_text() + "user mine\ntopic read mine/#\n")
    first = (tmp_path / "bedside.password").read_text()
    assert len(first.strip()) == 32
    shipped("new-box.sh", tmp_path, "nursery")
    shipped("new-box.sh", tmp_path, "bedside")
    rules = (tmp_path / "acl").read_text()
    assert (tmp_path / "bedside.password").read_text() == first
    assert [rules.count(f"user {name}\n") for name in ("bedside", "nursery", "mine")] == [1, 1, 1]
    assert "coach" not in rules, "rights that are not asked for again are gone"
    shipped("new-box.sh", tmp_path, "--remove", "bedside")
    assert "bedside" not in (tmp_path / "acl").read_text() + (tmp_path / "passwords").read_text()
    assert not (tmp_path / "bedside.password").exists()
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_slip_of_the_pen_removes_nobody_and_says_so(tmp_path: Path) -> None:
    shipped("new-box.sh", tmp_path, "bedside")
    before = (tmp_path / "passwords").read_text()
    done = shipped("new-box.sh", tmp_path, "--remove", "bedsid", check=False)
    assert done.returncode == 2
    assert "bedsid has no login here; there are: bedside" in done.stderr
    assert (tmp_path / "passwords").read_text() == before


@pytest.mark.parametrize(
    "name", ["house", "coach", "bedside_sleeper", "mia-bed", "Bedside", "b" * 33, "a/b", "+", "#", "a b", "", "x:y"]
)
def test_names_that_would_be_somebody_elses_are_refused(tmp_path: Path, name: str) -> None:
    made = shipped("new-box.sh", tmp_path, name, check=False)
    assert made.returncode == 2
    assert made.stderr.startswith("new-box.sh: ")
    assert not (tmp_path / "acl").exists()


def test_no_password_is_an_argument_of_any_program(tmp_path: Path) -> None:
    """Arguments can be read by every user of the machine."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("mosquitto_passwd", "head", "base64", "grep", "awk", "cat", "mv", "tr"):
        real = subprocess.run(["which", tool], capture_output=True, text=True, check=True).stdout.strip()
        (tools / tool).write_text(f'#!/bin/sh\necho "$0 $*" >> {tmp_path}/called\nexec {real} "$@"\n')
        (tools / tool).chmod(0o755)
    files = tmp_path / "files"
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    command = ["bash", str(SHIPPED / "new-box.sh"), "--folder", str(files), "bedside"]
    said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    password = (files / "bedside.password").read_text().strip()
    called = (tmp_path / "called").read_text()
    assert "mosquitto_passwd -U" in called
    assert password not in called + said.stdout + said.stderr
    assert password not in (files / "passwords").read_text()
