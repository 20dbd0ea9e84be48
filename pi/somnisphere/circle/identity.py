"""Who a household is to the others: an Ed25519 key pair (RFC 8032) on its own disk. The only file with cryptography.

A household's name on the wire is made from its public key, so nobody else can sign under it.
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from somnisphere.circle.spoken import spoken

KEY_BYTES = 32
SIGNATURE_BYTES = 64
_ID_BYTES = 10
"""Eighty bits of SHA-256: to find a second key of one name is 2**80 tries."""


class KeyFileError(Exception):
    """The household's key cannot be had; the text says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """``key``: the public one, 32 bytes."""

    key: bytes
    _private: Ed25519PrivateKey = field(repr=False)

    @property
    def household(self) -> str:
        return household_id(self.key)

    def sign(self, words: bytes) -> bytes:
        return self._private.sign(words)


def new_identity() -> Identity:
    return _identity(Ed25519PrivateKey.generate())


def household_id(key: bytes) -> str:
    """Five words that stand for a public key."""
    return spoken(hashlib.sha256(b"somnisphere household\n" + key).digest()[:_ID_BYTES])


def is_signed(key: bytes, signature: bytes, words: bytes) -> bool:
    """Whether the owner of ``key`` signed these words."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, words)
    except (InvalidSignature, ValueError):
        return False
    return True


def load_identity(path: Path) -> Identity:
    """The key kept at ``path``. Raises ``KeyFileError``."""
    try:
        if path.stat().st_mode & 0o077:
            raise KeyFileError(f"{path}: others may read this household's key. Mend it: chmod 600 {path}")
        secret = bytes.fromhex(path.read_text("ascii").strip())
        return _identity(Ed25519PrivateKey.from_private_bytes(secret))
    except FileNotFoundError:
        raise KeyFileError(f"{path}: this household has no key yet. Make a circle or join one.") from None
    except OSError as problem:
        raise KeyFileError(f"{path}: cannot be read: {problem.strerror or problem}.") from None
    except ValueError:
        raise KeyFileError(
            f"{path}: this is no key of a household. Put back the file as it was; with another key it is a stranger."
        ) from None


def keep_identity(identity: Identity, path: Path) -> None:
    """Write a new key, readable by its owner alone; never over another one. Raises ``OSError``."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(identity._private.private_bytes_raw().hex() + "\n")
        file.flush()
        os.fsync(file.fileno())


def _identity(private: Ed25519PrivateKey) -> Identity:
    return Identity(private.public_key().public_bytes_raw(), private)
