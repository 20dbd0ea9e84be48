"""Who is signed in, and the household's PIN: a few rows of the household's file. Of a token only its hash is kept."""

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from somnisphere.household_file import connect

PART = "page"
MIGRATIONS = (
    """
    CREATE TABLE page_secret (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE page_session (
        id INTEGER PRIMARY KEY,
        token_hash TEXT NOT NULL UNIQUE,
        device TEXT NOT NULL,
        since_s REAL NOT NULL,
        last_s REAL NOT NULL
    );
    """,
)
EXPIRES_S = 60 * 86400.0
"""After so long without a visit."""
TOUCHED_EVERY_S = 86400.0
"""The last visit is written no more often: the card is spared."""
MOST_SESSIONS = 100


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in. ``device``: what it says of itself, in a few words."""

    id: int
    device: str
    since_s: float
    last_s: float


class Sessions:
    """Every method may raise ``sqlite3.Error`` or ``OSError``: the file is full, read-only, broken or newer."""

    def __init__(self, household: Path) -> None:
        self._path = household

    # ---- the PIN -----------------------------------------------------------------------------------------------------

    def pin_hash(self) -> str:
        """ "" when the household has set none."""
        with self._open() as db:
            row = db.execute("SELECT value FROM page_secret WHERE name = 'pin'").fetchone()
        return str(row[0]) if row else ""

    def set_pin(self, pin_hash: str) -> None:
        """A new PIN; whoever was signed in is so no more."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT OR REPLACE INTO page_secret VALUES ('pin', ?)", (pin_hash,))
            db.execute("DELETE FROM page_session")
            db.execute("COMMIT")

    def form_key(self) -> bytes:
        """What the tokens of forms are made with; the same after a restart, so that no half-written page is lost."""
        with self._open() as db:
            db.execute("INSERT OR IGNORE INTO page_secret VALUES ('form key', ?)", (secrets.token_hex(32),))
            row = db.execute("SELECT value FROM page_secret WHERE name = 'form key'").fetchone()
        return bytes.fromhex(row[0])

    # ---- sessions ----------------------------------------------------------------------------------------------------

    def begin(self, device: str, at_s: float) -> str:
        """A new one; its token, which nobody keeps but the browser."""
        token = secrets.token_urlsafe(32)
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM page_session WHERE last_s < ?", (at_s - EXPIRES_S,))
            db.execute(
                "DELETE FROM page_session WHERE id NOT IN (SELECT id FROM page_session ORDER BY last_s DESC LIMIT ?)",
                (MOST_SESSIONS - 1,),
            )
            db.execute(
                "INSERT INTO page_session (token_hash, device, since_s, last_s) VALUES (?, ?, ?, ?)",
                (_hash(token), device, at_s, at_s),
            )
            db.execute("COMMIT")
        return token

    def find(self, token: str, at_s: float) -> Session | None:
        """The session of a token, if it still holds."""
        with self._open() as db:
            row = db.execute(
                "SELECT id, device, since_s, last_s FROM page_session WHERE token_hash = ?", (_hash(token),)
            ).fetchone()
            if row is None or at_s - row[3] > EXPIRES_S:
                return None
            if at_s - row[3] > TOUCHED_EVERY_S:
                db.execute("UPDATE page_session SET last_s = ? WHERE id = ?", (at_s, row[0]))
        return Session(*row)

    def all(self, at_s: float) -> list[Session]:
        """The latest first."""
        with self._open() as db:
            rows = db.execute(
                "SELECT id, device, since_s, last_s FROM page_session WHERE last_s >= ? ORDER BY since_s DESC, id DESC",
                (at_s - EXPIRES_S,),
            ).fetchall()
        return [Session(*row) for row in rows]

    def end(self, session_id: int) -> None:
        with self._open() as db:
            db.execute("DELETE FROM page_session WHERE id = ?", (session_id,))

    def end_all(self) -> None:
        with self._open() as db:
            db.execute("DELETE FROM page_session")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = connect(self._path, PART, MIGRATIONS)
        try:
            yield db
        finally:
            db.close()


def _hash(token: str) -> str:
    """A token has 256 random bits: one round of SHA-256 is enough for it."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
