"""The house as the first run sees it: who announces itself, who lets us in, and what is wrong where nobody does."""

import os
import queue
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from somnisphere.doctor.broker_door import speaks_tls, trouble_at_the_door
from somnisphere.setup.deeds import BrokerAnswer, BrokerFault, BrokerPlace, GreetBroker, Neighbourhood
from somnisphere_home.messages import Message
from somnisphere_home.mqtt import BrokerSettings, Connected, Disconnected, HomeLink, LinkEvent, Received
from somnisphere_home.rest import HomeAssistantClient, HomeRefused, HomeUnreachable

PLAIN_PORT = 1883
HERE = "localhost"
BROKER_WAIT_S = 12.0
"""Two greetings of ``HomeLink``: the second with the older MQTT."""
KEPT_WAIT_S = 0.4
"""A broker that said nothing for so long has said all it keeps."""
KNOCK_S = 1.0
DOOR_S = 5.0

Listens = Callable[[str, int], bool]


def listens(host: str, port: int) -> bool:
    """Whether anything takes a connection there."""
    with suppress(OSError), socket.create_connection((host, port), timeout=KNOCK_S):
        return True
    return False


def look_around(interfaces: Sequence[str] | None = None, listens: Listens = listens) -> Neighbourhood:
    """A broker on this box comes first, for nobody else can play it; then those that announce themselves, and the one
    beside Home Assistant, which mostly does not."""
    problem = ""
    try:
        from somnisphere.setup.neighbours import HOME, SECURE_BROKER, announced

        found = announced(interfaces)
    except ImportError:
        found, problem = [], "  (Who is in the network is found with: pip install 'somnisphere[setup]')"
    except OSError as trouble:
        found, problem = [], f"  (The network cannot be asked who is in it: {trouble.strerror or trouble})"
    homes = [one for one in found if one.kind == HOME] if found else []
    brokers = [
        BrokerPlace(one.host, one.port, one.kind == SECURE_BROKER, f"{one.name} announces itself")
        for one in found
        if one not in homes
    ]
    brokers.sort(key=lambda place: not place.tls)  # of one broker's two ways the secret one
    if listens(HERE, PLAIN_PORT):
        brokers.insert(0, BrokerPlace(HERE, PLAIN_PORT, False, "a broker on this box"))
    for host in dict.fromkeys(_host(one.url) for one in homes):
        if host and (host, PLAIN_PORT) not in [(one.host, one.port) for one in brokers] and listens(host, PLAIN_PORT):
            brokers.append(BrokerPlace(host, PLAIN_PORT, False, "beside Home Assistant"))
    return Neighbourhood(tuple(brokers), tuple(dict.fromkeys(one.url for one in homes)), problem)


def _host(url: str) -> str:
    with suppress(ValueError):
        return urlsplit(url).hostname or ""
    return ""


def greet_broker(greeting: GreetBroker) -> BrokerAnswer:
    """The login for real."""
    settings = BrokerSettings(
        client_id=f"somnisphere_setup_{os.getpid()}",
        host=greeting.host,
        port=greeting.port,
        username=greeting.username or None,
        password=greeting.password or None,
        tls=greeting.tls,
        ca_file=Path(greeting.ca_file).expanduser() if greeting.ca_file else None,
    )
    try:
        settings.tls_context()
    except ValueError as problem:
        return BrokerAnswer("tls", f"{problem}\n    mend: check the path, and that it is a certificate in PEM")
    if trouble := trouble_at_the_door(settings, DOOR_S):
        verdict, mend = trouble
        fault: BrokerFault = "tls" if greeting.tls and listens(greeting.host, greeting.port) else "place"
        return BrokerAnswer(fault, f"{verdict}\n    mend: {mend}")
    return _log_in(settings)


def _log_in(settings: BrokerSettings) -> BrokerAnswer:
    place, events = f"{settings.host}:{settings.port}", queue.SimpleQueue[LinkEvent]()
    # A will of its own: the daemon may be connected too.
    link = HomeLink(settings, Message(f"somnisphere/{settings.client_id}", b""), events.put)
    link.start()
    try:
        answer = _next(events, BROKER_WAIT_S)
        if isinstance(answer, Connected):
            link.subscribe("somnisphere/+/status")
            kept = iter(lambda: _next(events, KEPT_WAIT_S), None)
            nodes = [one.topic.split("/")[1] for one in kept if isinstance(one, Received) and one.payload == b"online"]
            words = f"{place} lets us in, with MQTT {'5' if answer.mqtt5 else '3.1.1'}"
            return BrokerAnswer("", words, tuple(sorted(nodes)))
    finally:
        link.stop()
    if isinstance(answer, Disconnected) and "refuses us" in answer.reason:
        if settings.username is None:
            return BrokerAnswer("login", f"{place} wants a user name and a password ({answer.reason})")
        return BrokerAnswer("login", answer.reason)
    if not settings.tls and speaks_tls(settings, DOOR_S):
        return BrokerAnswer(
            "tls", f"{settings.host}:{settings.port} speaks TLS and nothing else. mend: say yes to TLS."
        )
    reason = answer.reason if isinstance(answer, Disconnected) else f"{settings.host}:{settings.port} takes no MQTT"
    return BrokerAnswer("place", f"{reason}\n    mend: is this a broker's port?")


def _next(events: "queue.SimpleQueue[LinkEvent]", wait_s: float) -> LinkEvent | None:
    with suppress(queue.Empty):
        return events.get(timeout=wait_s)
    return None


def greet_home(url: str, token: str) -> str:
    """ "" where Home Assistant takes the token."""
    client = HomeAssistantClient(url, token)
    try:
        answer = client.state("zone.home")
    finally:
        client.close()
    return answer.reason if isinstance(answer, HomeUnreachable | HomeRefused) else ""
