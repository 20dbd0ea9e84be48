"""Certificates for tests: an authority of one's own, and what it signs."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
SIGNS = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
"""Certificates and revocations, and nothing else."""


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """``file``: its own certificate."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._name = _called(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.crt"
        made = self._builder(self._name, self._key, NOW + DAY).add_extension(x509.BasicConstraints(True, None), True)
        made = made.add_extension(SIGNS, True)
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def listener(self, port: int, ends: datetime = NOW + DAY, name: str = "127.0.0.1") -> str:
        """Lines of a mosquitto configuration: a listener with a certificate for ``name``."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative: x509.GeneralName
        try:
            alternative = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            alternative = x509.DNSName(name)
        made = self._builder(_called(name), key, ends).add_extension(x509.SubjectAlternativeName([alternative]), False)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(signer, False)  # Python 3.13 asks for it (VERIFY_X509_STRICT)
        files = self._folder / f"{port}.crt", self._folder / f"{port}.key"
        files[0].write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files[1].write_bytes(pem)
        for path in (*files, self._folder):  # root's mosquitto becomes another user
            path.chmod(0o755)
        return f"listener {port} 127.0.0.1\ncertfile {files[0]}\nkeyfile {files[1]}\n"

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, ends: datetime) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 10 * DAY)
            .not_valid_after(ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )
