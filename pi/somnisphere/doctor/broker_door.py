"""The way to the broker, before anything is said to it: its name, its port, its certificate. Each step has its mend."""

import socket
import ssl
from contextlib import closing

from somnisphere_home.mqtt import BrokerSettings

_EXPIRED, _NOT_YET_VALID = 10, 9
_UNKNOWN_AUTHORITY = frozenset({2, 7, 18, 19, 20, 21, 26})
_OTHER_NAME = frozenset({62, 64})
"""Verification codes of OpenSSL (openssl-verification-options(1), x509_vfy.h)."""

_CONNECT = b"\x10\x17\x00\x04MQTT\x04\x02\x00\x0a\x00\x0bsomnisphere"
"""A greeting in MQTT 3.1.1 without a name and a password (OASIS MQTT 3.1.1, 3.1)."""
_CONNACK = 0x20

Trouble = tuple[str, str]
"""Verdict and mend."""


def trouble_at_the_door(settings: BrokerSettings, knock_s: float) -> Trouble | None:
    """Why no greeting can be said, None when it can."""
    place = f"{settings.host}:{settings.port}"
    try:
        with closing(socket.create_connection((settings.host, settings.port), timeout=knock_s)) as plain:
            if (context := settings.tls_context()) is None:
                return None
            with closing(context.wrap_socket(plain, server_hostname=settings.host)):
                return None
    except ssl.SSLCertVerificationError as problem:
        return _of_certificate(place, problem)
    except socket.gaierror:
        return f"no machine is called {settings.host} here", "correct mqtt.host, or write the broker's address there"
    except ConnectionRefusedError:
        mend = "start one (sudo apt install mosquitto), or correct mqtt.host and mqtt.port"
        return f"nothing listens at {place}", mend
    except TimeoutError:
        if settings.tls and speaks_plain(settings, knock_s):
            return _plain(place)
        return f"{place} does not answer", "is that machine on, in this network, and does its firewall let us in?"
    except (ssl.SSLError, ConnectionError) as problem:
        if settings.tls and speaks_plain(settings, knock_s):
            return _plain(place)
        reason = getattr(problem, "reason", None) or problem
        return (
            f"{place} breaks off the greeting of TLS ({reason})",
            "its log says why; is it a broker's TLS port (8883)?",
        )
    except OSError as problem:
        return f"{place} cannot be reached: {problem.strerror or problem}", "is this box in the network?"


def _plain(place: str) -> Trouble:
    mend = "set mqtt.port to the broker's TLS port (8883); mqtt.tls = false only where nobody else is in the network"
    return f"{place} speaks MQTT without TLS, and mqtt.tls is true", mend


def _of_certificate(place: str, problem: ssl.SSLCertVerificationError) -> Trouble:
    words = problem.verify_message
    if problem.verify_code == _EXPIRED:
        mend = "make the broker a new one (deploy/broker/make-certificates.sh), and see that this box's clock is right"
        return f"the certificate of {place} has expired", mend
    if problem.verify_code == _NOT_YET_VALID:
        return f"the certificate of {place} is not valid yet", "is the clock of this box right?"
    if problem.verify_code in _OTHER_NAME:
        mend = "write that name in mqtt.host, or make the broker a certificate with this one"
        return f"the certificate of {place} is for another name: {words}", mend
    if problem.verify_code in _UNKNOWN_AUTHORITY:
        mend = "name the authority's certificate in mqtt.ca_file (ca.crt, made with the broker's)"
        return f"the certificate of {place} is signed by an authority that this box does not know: {words}", mend
    mend = (
        "make the broker a new one (deploy/broker/make-certificates.sh); Python 3.13 wants more in it than older ones"
    )
    return f"the certificate of {place} is not accepted: {words}", mend


def speaks_plain(settings: BrokerSettings, knock_s: float) -> bool:
    """Whether a greeting without TLS is answered."""
    try:
        with closing(socket.create_connection((settings.host, settings.port), timeout=knock_s)) as plain:
            plain.settimeout(knock_s)
            plain.sendall(_CONNECT)
            return plain.recv(1) == bytes([_CONNACK])
    except OSError:
        return False


def speaks_tls(settings: BrokerSettings, knock_s: float) -> bool:
    """Whether a greeting with TLS is answered, by whomever."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            closing(socket.create_connection((settings.host, settings.port), timeout=knock_s)) as plain,
            closing(context.wrap_socket(plain)),
        ):
            return True
    except OSError:
        return False
