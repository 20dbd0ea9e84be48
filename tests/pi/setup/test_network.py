"""The first run in a real network: mosquitto with and without password and TLS, zeroconf on loopback, a home."""

import queue
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.brokers import HOST, free_port, mosquitto, open_way_to
from tests.home_api import fake_home
from tests.pi.setup.authority import DAY, NOW, Authority
from zeroconf import ServiceInfo, Zeroconf

from somnisphere.setup.deeds import BrokerPlace, GreetBroker
from somnisphere.setup.neighbours import BROKER, HOME, SECURE_BROKER, Neighbour, announced, details, neighbour_of
from somnisphere.setup.network import greet_broker, greet_home, look_around
from somnisphere_home.messages import ONLINE, Message
from somnisphere_home.mqtt import BrokerSettings, Connected, HomeLink, LinkEvent

LOOPBACK = ["127.0.0.1"]


def greeting(
    port: int, username: str = "", password: str = "", *, tls: bool = False, ca_file: str = "", host: str = HOST
) -> GreetBroker:
    return GreetBroker(host=host, port=port, username=username, password=password, tls=tls, ca_file=ca_file)


# ---- a broker with a login and TLS -----------------------------------------------------------------------------------


@dataclass
class Guarded:
    """One mosquitto with several doors, all of which ask for bed's password “sesame”."""

    authority: Authority
    plain: int
    tls: int
    expired: int
    elsewhere: int


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = Path(tmp_path_factory.mktemp("guarded"))
    maker = shutil.which("mosquitto_passwd")
    if maker is None:
        pytest.skip("mosquitto_passwd is not installed (apt install mosquitto)")
    open_way_to(folder)
    passwords = folder / "passwords"
    subprocess.run([maker, "-b", "-c", str(passwords), "bed", "sesame"], check=True, capture_output=True)
    passwords.chmod(0o644)
    authority, ports = Authority(folder), [free_port() for _ in range(4)]
    doors = [
        authority.listener(ports[1]),
        authority.listener(ports[2], ends=NOW - DAY),
        authority.listener(ports[3], name="hub.example"),
    ]
    text = "\n".join(["allow_anonymous false", f"password_file {passwords}", *doors])
    with mosquitto(ports[0], text):
        yield Guarded(authority, *ports)


@pytest.mark.broker
def test_the_right_and_the_wrong_password(guarded: Guarded) -> None:
    right = greet_broker(greeting(guarded.plain, "bed", "sesame"))
    assert (right.fault, right.words) == ("", f"127.0.0.1:{guarded.plain} lets us in, with MQTT 5")
    wrong = greet_broker(greeting(guarded.plain, "bed", "wrong"))
    assert wrong.fault == "login"
    assert "check the user name and password" in wrong.words
    nameless = greet_broker(greeting(guarded.plain))
    assert nameless.fault == "login"
    assert "wants a user name and a password" in nameless.words


@pytest.mark.broker
def test_tls_with_its_authority_and_everything_that_is_wrong_with_it(guarded: Guarded, tmp_path: Path) -> None:
    ca, other = str(guarded.authority.file), str(Authority(tmp_path, "other").file)

    def answer(port: int, ca_file: str = ca) -> tuple[str, str]:
        came = greet_broker(greeting(port, "bed", "sesame", tls=True, ca_file=ca_file))
        return came.fault, came.words

    assert answer(guarded.tls) == ("", f"127.0.0.1:{guarded.tls} lets us in, with MQTT 5")
    for port, ca_file, words in (
        (guarded.tls, "", "signed by an authority that this box does not know"),
        (guarded.tls, other, "signed by an authority that this box does not know"),
        (guarded.expired, ca, "has expired"),
        (guarded.elsewhere, ca, "is for another name"),
        (guarded.plain, ca, "speaks MQTT without TLS"),
        (guarded.tls, "/no/ca.crt", "/no/ca.crt cannot be used"),
    ):
        fault, said = answer(port, ca_file)
        assert (fault, words in said, "mend: " in said) == ("tls", True, True), said


@pytest.mark.broker
def test_a_door_of_tls_that_is_spoken_to_plainly(guarded: Guarded) -> None:
    answer = greet_broker(greeting(guarded.tls, "bed", "sesame"))
    assert (answer.fault, "say yes to TLS" in answer.words) == ("tls", True)


@pytest.mark.broker
def test_who_else_is_on_the_broker_and_a_broker_that_vanishes() -> None:
    with mosquitto() as (host, port):
        events: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
        link = HomeLink(BrokerSettings(client_id="other", host=host, port=port), Message("x/y", b""), events.put)
        link.start()
        assert isinstance(events.get(timeout=10), Connected)
        link.publish(Message("x/y", b""))
        link.publish(Message("somnisphere/other/status", ONLINE, retain=True))
        link.publish(Message("somnisphere/gone/status", b"offline", retain=True))
        link.stop([Message("x/last", b"", qos=1)])
        assert greet_broker(greeting(port)).bedsides == ("other",)
    gone = greet_broker(greeting(port))
    assert gone.fault == "place"
    assert f"nothing listens at {host}:{port}" in gone.words


def test_what_is_no_broker() -> None:
    unknown = greet_broker(greeting(1883, host="nobody.invalid"))
    assert (unknown.fault, "no machine is called nobody.invalid here" in unknown.words) == ("place", True)


# ---- who is in the house ---------------------------------------------------------------------------------------------


def service(kind: str, name: str, port: int, properties: dict[str, str] | None = None) -> ServiceInfo:
    address = [socket.inet_aton("127.0.0.1")]
    return ServiceInfo(
        kind, f"{name}.{kind}", port, properties=properties or {}, server="nobody-knows.local.", addresses=address
    )


def test_brokers_and_home_assistant_are_found_by_their_own_announcements() -> None:
    url = "http://127.0.0.1:8123"
    services = [
        service(BROKER, "Plain", 1885),
        service(SECURE_BROKER, "Secret", 8885),
        service(HOME, "Home", 8123, {"internal_url": url, "base_url": "http://elsewhere"}),
    ]
    with Zeroconf(interfaces=LOOPBACK) as network:
        for one in services:
            network.register_service(one, cooperating_responders=True)
        seen = look_around(LOOPBACK, listens=lambda host, _port: host != "localhost")
    assert seen.problem == ""
    assert seen.homes == (url,)
    assert seen.brokers == (
        BrokerPlace("127.0.0.1", 8885, True, "Secret announces itself"),
        BrokerPlace("127.0.0.1", 1885, False, "Plain announces itself"),
        BrokerPlace("127.0.0.1", 1883, False, "beside Home Assistant"),
    )


def test_a_house_in_which_nobody_announces_anything() -> None:
    assert announced(LOOPBACK, longest_s=0.3) == []


def test_a_broker_on_this_box_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Neighbour(SECURE_BROKER, "hub.local", 8883, "hub")]
    monkeypatch.setattr("somnisphere.setup.neighbours.announced", lambda _: found)
    hosts = [place.host for place in look_around(listens=lambda *_: True).brokers]
    assert hosts == ["localhost", "hub.local"]


def test_without_zeroconf_or_network_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(_: object) -> list[Neighbour]:
        raise OSError(19, "No such device")

    monkeypatch.setattr("somnisphere.setup.neighbours.announced", no_network)
    assert "No such device" in look_around(listens=lambda *_: False).problem
    monkeypatch.setitem(sys.modules, "somnisphere.setup.neighbours", None)
    assert "somnisphere[setup]" in look_around(listens=lambda *_: False).problem


def test_names_go_before_addresses_where_they_can_be_looked_up() -> None:
    info = service(HOME, "Home", 8123)
    known, unknown = neighbour_of(info, lambda _: True), neighbour_of(info, lambda _: False)
    assert known is not None
    assert unknown is not None
    assert (known.host, known.url) == ("nobody-knows.local", "http://nobody-knows.local:8123")
    assert (unknown.host, unknown.url) == ("127.0.0.1", "http://127.0.0.1:8123")


@pytest.mark.parametrize("url", ["http://x\x1b[2J", "http://a b", "http://ü"])
def test_a_neighbour_who_says_what_no_terminal_should_show(url: str) -> None:
    assert neighbour_of(service(HOME, "Home", 8123, {"internal_url": url}), lambda _: True) is None


def test_a_neighbour_whose_name_turns_the_line_around_or_is_no_name() -> None:
    turned = neighbour_of(service(HOME, "Ho\u202eme", 8123), lambda _: True)
    assert turned is not None
    assert turned.name == "Home"
    with Zeroconf(interfaces=LOOPBACK) as network:
        assert details(network, HOME, f"Ho\x1b[2Jme.{HOME}") is None


# ---- Home Assistant --------------------------------------------------------------------------------------------------


def test_a_home_that_takes_the_token_refuses_it_or_is_not_there() -> None:
    with fake_home() as home:
        home.states["zone.home"] = ("0", {})
        assert greet_home(home.url, "token") == ""
        home.mood = "401"
        assert "does not accept the access token" in greet_home(home.url, "token")
    assert "cannot be asked" in greet_home(f"http://127.0.0.1:{free_port()}", "token")
