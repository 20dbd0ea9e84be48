"""Who is asked for, and who asks: names a page of the house may have, and whether a visitor sits at the box. Pure.

A foreign page may let its own name point at this box and then read it as its own ("DNS rebinding"); a browser tells the
name it used, so only names of a house are answered.
"""

import ipaddress
from collections.abc import Collection, Iterable

HOME_ENDINGS = (".local", ".lan", ".home", ".internal", ".home.arpa", ".fritz.box", ".localhost")
_FORWARDED = ("forwarded", "via", "x-real-ip", "cf-connecting-ip", "true-client-ip")


def name_of(host: str) -> str:
    """Of a ``Host`` header, without port and brackets, in small letters."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def is_of_the_house(host: str, configured: Collection[str]) -> bool:
    """An address, a name without a dot, a name that no public server has, or a configured one."""
    name = name_of(host)
    if not name or not all(sign.isalnum() or sign in "-._:" for sign in name) or not name.isascii():
        return False
    if name in configured or _address(name) is not None:
        return True
    return ("." not in name and ":" not in name) or name.endswith(HOME_ENDINGS)


def is_at_the_box(client: str | None, host: str, headers: Iterable[str]) -> bool:
    """Whether whoever asks sits at this box itself. ``headers``: names, in small letters.

    A proxy on the box asks from here for somebody else: whatever a proxy adds, or a name that is not this box's own,
    makes a guest. A proxy that hides all that cannot be seen; the household says ``loopback_needs_pin`` then.
    """
    address = _address(client or "")
    if address is None or not address.is_loopback:
        return False
    if any(name in _FORWARDED or name.startswith("x-forwarded") for name in headers):
        return False
    name = name_of(host)
    own = _address(name)
    return name == "localhost" or (own is not None and own.is_loopback)


def is_loopback(host: str) -> bool:
    """Whether only this box reaches an address to listen at."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def neighbourhood(client: str | None) -> str:
    """What one household device is taken for when tries are counted: an IPv4 address, or an IPv6 network (/64)."""
    address = _address(client or "")
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), 64), strict=False).network_address)
    return str(address)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
