"""Who announces itself in this house: brokers and Home Assistant. The only file that imports zeroconf, and only the
first run imports it.

Names go before addresses, for a router may hand out others tomorrow; but only a name that this box can look up.
"""

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zeroconf import Error, InterfaceChoice, ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

BROKER, SECURE_BROKER, HOME = "_mqtt._tcp.local.", "_secure-mqtt._tcp.local.", "_home-assistant._tcp.local."
TYPES = [BROKER, SECURE_BROKER, HOME]

LONGEST_S = 2.0
"""Nobody answers later in a house (RFC 6762 asks for an answer within 0.12 s; a sleepy Wi-Fi takes some more)."""
SETTLED_S = 1.0
"""Who found somebody waits so long for more."""
DETAILS_MS = 1500


@dataclass(frozen=True, slots=True)
class Neighbour:
    """``url``: what Home Assistant says of itself, else "". ``name``: as it calls itself."""

    kind: str
    host: str
    port: int
    name: str
    url: str = ""


def announced(
    interfaces: Sequence[str] | None = None, longest_s: float = LONGEST_S, settled_s: float = SETTLED_S
) -> list[Neighbour]:
    """Everybody who answers within ``longest_s``. ``OSError`` without a network. ``interfaces``: None is every one."""
    found: list[tuple[str, str]] = []
    last_s = time.monotonic()

    def heard(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        nonlocal last_s
        del zeroconf
        if state_change is ServiceStateChange.Added:
            found.append((service_type, name))
            last_s = time.monotonic()

    with Zeroconf(interfaces=list(interfaces) if interfaces else InterfaceChoice.All) as network:
        browser = ServiceBrowser(network, TYPES, handlers=[heard])
        until_s = time.monotonic() + longest_s
        while (now_s := time.monotonic()) < until_s and not (found and now_s - last_s > settled_s):
            time.sleep(0.05)
        infos = [details(network, kind, name) for kind, name in found]
        browser.cancel()
    places = [neighbour_of(info, can_look_up) for info in infos if info is not None]
    return [place for place in places if place is not None]


def details(network: Zeroconf, kind: str, name: str) -> ServiceInfo | None:
    """None: it says no more, or calls itself what is no name."""
    try:
        return network.get_service_info(kind, name, timeout=DETAILS_MS)
    except Error:
        return None


def can_look_up(name: str) -> bool:
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        return False
    return True


def neighbour_of(info: ServiceInfo, known: Callable[[str], bool]) -> Neighbour | None:
    """An answer as a place. Anybody in the network may say anything: what is no plain text is nobody."""
    server, addresses = (info.server or "").rstrip("."), info.parsed_addresses()
    host = server if server and (not addresses or known(server)) else "".join(addresses[:1])
    url = next((text for key in (b"internal_url", b"base_url") if (text := _text(info, key)).startswith("http")), "")
    if info.type == HOME and not url:
        url = f"http://{f'[{host}]' if ':' in host else host}:{info.port}"
    name = info.name.removesuffix(f".{info.type}")
    plain = all(text.isascii() and text.isprintable() and " " not in text for text in (host, url))
    if not host or not info.port or not plain:
        return None
    return Neighbour(info.type, host, info.port, "".join(filter(str.isprintable, name)), url)


def _text(info: ServiceInfo, key: bytes) -> str:
    return (info.properties.get(key) or b"").decode(errors="replace")
