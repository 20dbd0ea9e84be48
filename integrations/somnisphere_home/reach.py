"""Whether a broker can be reached at all, and if not, at which step: name, port, TLS, certificate.

A connection's own retrying says "nothing answers"; a person who sets it up needs to know what to mend. So this goes the
same way once, step by step, without a word of MQTT: the login is for ``HomeLink``.
"""

import socket
import ssl
from dataclasses import dataclass
from typing import Literal

from somnisphere_home.mqtt import BrokerSettings

PATIENCE_S = 5.0

Step = Literal["name", "port", "tls", "certificate"]

_SELF_SIGNED = (18, 19)
_NOT_KNOWN = (20, 21)
_OTHER_NAME = (62, 64)
_NOT_YET, _EXPIRED = 9, 10
"""OpenSSL's X509_V_ERR codes (openssl-verify(1))."""


@dataclass(frozen=True, slots=True)
class Unreached:
    """Where it ended; ``reason`` is a sentence for a person, ``mend`` another."""

    step: Step
    reason: str
    mend: str


def unreached(settings: BrokerSettings, patience_s: float = PATIENCE_S) -> Unreached | None:
    """None: the way is open. Blocks for up to twice ``patience_s``, and as long as a name takes to be looked up."""
    host, port = settings.host, settings.port
    try:
        line = socket.create_connection((host, port), timeout=patience_s)
    except OSError as problem:
        return _no_line(host, port, problem)
    with line:
        if not settings.tls:
            return None
        return _no_tls(settings, line)


def speaks_tls(host: str, port: int, patience_s: float = PATIENCE_S) -> bool:
    """Whether a broker that hangs up on plain MQTT wants TLS. Nothing is said to it, so nobody's certificate counts."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=patience_s) as line,
            context.wrap_socket(line, server_hostname=host),
        ):
            return True
    except OSError:
        return False


def _no_line(host: str, port: int, problem: OSError) -> Unreached:
    if isinstance(problem, socket.gaierror):
        return Unreached(
            "name",
            f"no computer called {host!r} is known here",
            "check its spelling, or give its address; a name ending in .local needs libnss-mdns",
        )
    if isinstance(problem, ConnectionRefusedError):
        return Unreached(
            "port",
            f"{host} is there, and nothing listens at its port {port}",
            "start the broker (sudo apt install mosquitto; Home Assistant: the Mosquitto app), or correct the port. A "
            "mosquitto without a listener line in its configuration answers its own machine alone",
        )
    if isinstance(problem, TimeoutError):
        return Unreached(
            "port", f"{host}:{port} does not answer", "is it switched on, in this network, and its firewall open?"
        )
    return Unreached("port", f"{host}:{port} cannot be reached: {problem.strerror or problem}", "check the network")


def _no_tls(settings: BrokerSettings, line: socket.socket) -> Unreached | None:
    context = settings.tls_context()
    assert context is not None
    host, port = settings.host, settings.port
    try:
        with context.wrap_socket(line, server_hostname=host):
            return None
    except ssl.SSLCertVerificationError as problem:
        return Unreached("certificate", *_no_trust(settings, problem))
    except OSError as problem:  # SSLError is one of them
        why = str(getattr(problem, "reason", "") or problem.strerror or problem)
        return Unreached(
            "tls", f"{host}:{port} speaks no TLS ({why})", "take the port of its TLS listener (8883), or no TLS"
        )


def _no_trust(settings: BrokerSettings, problem: ssl.SSLCertVerificationError) -> tuple[str, str]:
    place, code = f"the certificate of {settings.host}:{settings.port}", problem.verify_code
    if code in _OTHER_NAME:
        return f"{place} is for another name", f"use the name that it is made for, or make it for {settings.host!r}"
    if code == _EXPIRED:
        return f"{place} has expired", "make a new one; or is this box's clock wrong?"
    if code == _NOT_YET:
        return f"{place} is not valid yet", "is this box's clock wrong (timedatectl)?"
    if code in (*_SELF_SIGNED, *_NOT_KNOWN):
        by = "not by the authority in " + str(settings.ca_file) if settings.ca_file else "by nobody whom this box knows"
        return f"{place} is signed {by}", "give the file of the authority that signed it (mqtt.ca_file)"
    return f"{place} is not accepted: {problem.verify_message}", "make a new one, or give its authority (mqtt.ca_file)"
