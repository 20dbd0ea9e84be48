"""What can be wrong in the house: its broker, what that lets through, Home Assistant."""

import socket
from pathlib import Path
from typing import Any

import pytest
from tests.brokers import free_port
from tests.certificates import certificates
from tests.doctor_box import DoctorBox
from tests.doctor_faults.fault import fault

# ---- broker ----------------------------------------------------------------------------------------------------------


def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked for the address of a name."""
    real = socket.getaddrinfo

    def known(host: Any, *more: Any, **further: Any) -> Any:
        if host in ("127.0.0.1", "localhost"):
            return real(host, *more, **further)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", known)


@fault("broker", "nothing listens", "apt install mosquitto")
def no_broker(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["mqtt"]["port"] = free_port()


@fault("broker", "no machine is called", "mqtt.host")
def no_such_host(box: DoctorBox, monkeypatch: pytest.MonkeyPatch) -> None:
    no_names(monkeypatch)
    box.keys["mqtt"]["host"] = "broker.invalid"


@fault("broker", "check the user name and password", "mqtt.username")
def wrong_password(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    passwords = box.folder / "passwords"
    passwords.write_text("bedside:$7$101$c2FsdHNhbHRzYWx0$" + 86 * "A" + "==\n")
    passwords.chmod(0o600)
    secret = box.folder / "password"
    secret.touch(0o600)
    secret.write_text("wrong")
    box.broker(f"allow_anonymous false\npassword_file {passwords}\nuser root")
    box.keys["mqtt"] |= {"username": "bedside", "password_file": secret}


@fault("broker", "password cannot be read", "sudo")
def no_password_file(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["mqtt"] |= {"username": "bedside", "password_file": box.folder / "password"}


def _tls(box: DoctorBox, **how: Any) -> Path:
    """The broker speaks TLS, and the box knows its authority. Returns a folder for others."""
    folder = box.folder / "tls"
    authority = certificates(folder, **how)
    box.broker(f"certfile {folder}/server.crt\nkeyfile {folder}/server.key\nuser root")
    box.keys["mqtt"] |= {"tls": True, "ca_file": authority}
    return box.folder / "other"


@fault("broker", "an authority that this box does not know", "mqtt.ca_file")
def unknown_authority(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["mqtt"]["ca_file"] = certificates(_tls(box))


@fault("broker", "has expired", "make-certificates.sh")
def expired_certificate(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _tls(box, valid_days=(-30, -1))


@fault("broker", "not valid yet", "clock")
def certificate_of_tomorrow(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _tls(box, valid_days=(1, 30))


@fault("broker", "for another name", "mqtt.host")
def certificate_of_another(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _tls(box, address="192.0.2.7")


@fault("broker", "speaks TLS, and mqtt.tls is false", "mqtt.tls = true")
def tls_not_spoken(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _tls(box)
    box.keys["mqtt"]["tls"] = False


@fault("broker", "speaks MQTT without TLS", "8883")
def tls_to_a_plain_port(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["mqtt"]["tls"] = True


def _acl(box: DoctorBox, *lines: str) -> None:
    acl = box.folder / "acl"
    acl.write_text("\n".join(lines) + "\n")
    acl.chmod(0o600)
    box.broker(f"allow_anonymous true\nacl_file {acl}\nuser root")


@fault("access list", "does not let this login write to somnisphere/bedside", "topic readwrite somnisphere/bedside/#")
def may_not_write(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _acl(box, "topic read somnisphere/#", "topic readwrite homeassistant/#")


@fault("access list", "drops it without a word", "topic readwrite somnisphere/bedside/#")
def may_not_read(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _acl(box, "topic write somnisphere/#", "topic readwrite homeassistant/#")


@fault("access list", "homeassistant/+/somnisphere_bedside/+/config")
def may_not_announce(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    _acl(box, "topic readwrite somnisphere/bedside/#", "topic read homeassistant/#")


# ---- Home Assistant --------------------------------------------------------------------------------------------------


@fault("home", "nothing listens at", "home_assistant.url")
def no_home(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.keys["home_assistant"]["url"] = f"http://127.0.0.1:{free_port()}"


@fault("home", "did not answer within", "home_assistant.url")
def home_that_hangs(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.home.mood = "hangs"


@fault("home", "does not accept the access token", "token_file")
def token_refused(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.home.mood = "401"


@fault("home", "cannot be asked", "home_assistant.url")
def another_web_server(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.home.mood = "garbage"


@fault("home entity", "there is no light.bedroom", "configuration")
def entity_gone(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    del box.home.states["light.bedroom"]


@fault("discovery", "no entity of somnisphere_bedside", "MQTT integration")
def home_of_another_broker(box: DoctorBox, _: pytest.MonkeyPatch) -> None:
    box.lives_in(daemon_runs=True)
