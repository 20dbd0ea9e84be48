"""The household's own authority on a real mosquitto: whoever cannot prove to be the broker is not spoken to."""

import re
import socket
import ssl
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.brokers import HOST
from tests.home.client import wait_until
from tests.secured_broker import DEADLINE_S, Secured, linked, secured_broker, shipped

from somnisphere.config_keys import Mqtt
from somnisphere_home.messages import Message, Topics
from somnisphere_home.mqtt import BrokerSettings, Connected, Disconnected, HomeLink, LinkEvent

pytestmark = pytest.mark.broker
ROOT = Path(__file__).resolve().parents[2]
WILL = Message(Topics("bedside").status, b"offline", retain=True, qos=1)


@pytest.fixture(scope="module")
def broker() -> Iterator[Secured]:
    with secured_broker(("bedside",)) as it:
        yield it


def refused(broker: Secured, **changes: object) -> str:
    """Why the box does not speak with this broker."""
    with linked(broker, WILL, **changes) as (link, events):
        said = events.get(timeout=DEADLINE_S)
        assert isinstance(said, Disconnected), "it must not be let in"
        link.publish(WILL)
        assert not link.is_connected
        return said.reason


def test_the_broker_of_the_household_is_believed(broker: Secured) -> None:
    with linked(broker, WILL) as (_, events):
        assert events.get(timeout=DEADLINE_S) == Connected(mqtt5=True)


def test_another_authority_is_not_believed(broker: Secured, tmp_path: Path) -> None:
    shipped("make-certificates.sh", tmp_path, HOST)
    why = refused(broker, ca_file=tmp_path / "ca.crt")
    assert "does not prove to be ours: " in why
    assert "check mqtt.ca_file, the name in mqtt.host, the clock, and when the certificate ends" in why


def test_nor_are_the_systems_authorities_enough(broker: Secured) -> None:
    assert "does not prove to be ours: " in refused(broker, ca_file=None)


def test_another_name_than_the_certificates_is_not_believed(broker: Secured) -> None:
    assert "Hostname mismatch" in refused(broker, host="localhost")


def test_a_certificate_that_has_ended_is_not_believed() -> None:
    with secured_broker(("bedside",), before=let_it_end) as broker:
        assert "certificate has expired" in refused(broker)


def let_it_end(files: Path) -> None:
    """A certificate for the broker's key and of the household's authority that was good until yesterday."""
    authority = x509.load_pem_x509_certificate((files / "ca.crt").read_bytes())
    now = datetime.now(UTC)
    keys = [serialization.load_pem_private_key((files / name).read_bytes(), None) for name in ("ca.key", "server.key")]
    signer, own = keys
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    assert isinstance(own, ec.EllipticCurvePrivateKey)
    old = x509.load_pem_x509_certificate((files / "server.crt").read_bytes())
    made = x509.CertificateBuilder(
        issuer_name=authority.subject,
        subject_name=old.subject,
        public_key=own.public_key(),
        serial_number=1,
        not_valid_before=now - timedelta(days=9),
        not_valid_after=now - timedelta(days=1),
        extensions=list(old.extensions),
    )
    signed = made.sign(signer, hashes.SHA256())
    (files / "server.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def test_a_port_without_encryption_is_named(broker: Secured) -> None:
    assert "TLS (check mqtt.port)" in refused(broker, port=broker.plain_port)


def test_whoever_forgets_to_encrypt_says_nothing_to_the_encrypted_port(broker: Secured) -> None:
    events: SimpleQueue[LinkEvent] = SimpleQueue()
    settings = BrokerSettings(client_id="x", host=HOST, port=broker.tls_port, username="bedside", password="x")
    link = HomeLink(replace(settings, tls=False), WILL, events.put, backoff_s=(1, 1), greeting_s=1.0)
    link.start()
    try:
        assert isinstance(events.get(timeout=DEADLINE_S), Disconnected)
    finally:
        link.stop()


def test_a_renewed_certificate_is_taken_up_without_a_restart(broker: Secured) -> None:
    def serial() -> int:
        context = ssl.create_default_context(cafile=str(broker.ca))
        with (
            socket.create_connection((HOST, broker.tls_port)) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as wrapped,
        ):
            found = wrapped.getpeercert()
            assert found is not None
            return int(str(found["serialNumber"]), 16)

    before, authority = serial(), broker.ca.read_bytes()
    shipped("make-certificates.sh", broker.files, HOST)
    broker.reload()
    wait_until(lambda: serial() != before, "the new certificate")
    assert broker.ca.read_bytes() == authority, "boxes notice nothing"


def test_keys_are_the_brokers_alone_and_certificates_are_strict(tmp_path: Path) -> None:
    shipped("make-certificates.sh", tmp_path, "broker.local", "192.168.1.5", "fd00::5")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"ca.crt": 0o644, "ca.key": 0o600, "server.crt": 0o644, "server.key": 0o600}
    made = x509.load_pem_x509_certificate((tmp_path / "server.crt").read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["broker.local"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["192.168.1.5", "fd00::5"]
    assert timedelta(days=729) < made.not_valid_after_utc - datetime.now(UTC) < timedelta(days=731)
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.crt", "server.crt"]
    assert (
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout == "server.crt: OK\n"
    )


def test_an_authority_whose_key_is_in_the_drawer_renews_nothing(tmp_path: Path) -> None:
    shipped("make-certificates.sh", tmp_path, HOST)
    (tmp_path / "ca.key").unlink()
    made = shipped("make-certificates.sh", tmp_path, HOST, check=False)
    assert made.returncode == 2
    assert "bring it back from where you keep it" in made.stderr
    assert not (tmp_path / "ca.key").exists()


@pytest.mark.parametrize("name", ["", "-x", "a b", "a,DNS:b", "a\nb", "$(id)"])
def test_names_that_would_be_more_than_names_are_refused(tmp_path: Path, name: str) -> None:
    assert shipped("make-certificates.sh", tmp_path, name, check=False).returncode == 2
    assert not (tmp_path / "ca.key").exists()


def test_nothing_of_ours_can_leave_a_certificate_unchecked() -> None:
    """No key of the configuration, and no line of the code."""
    assert not [key for key in Mqtt.__struct_fields__ if re.search("insecure|verify|check", key)]
    unchecked = re.compile(
        r"CERT_NONE|_create_unverified_context|check_hostname\s*=\s*False|tls_insecure|verify(_ssl)?=False"
    )
    rooms = [ROOT / "pi", ROOT / "hardware", ROOT / "integrations"]
    files = [path for room in rooms for path in room.rglob("*.py")]
    assert len(files) > 300
    found = [path for path in files if unchecked.search(path.read_text())]
    assert [path.name for path in found] == ["broker_door.py"], "the doctor knocks, to find out who speaks TLS"
    assert "send" not in found[0].read_text().partition("CERT_NONE")[2].partition("\ndef ")[0], "and says nothing"
