"""What is known of the circle, kept in the household's file. The circle's process, the command line and the house page
all write here; whoever runs notices that another one did.
"""

import sqlite3
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import msgspec

from somnisphere.circle.acts import Act, ForgetOffer, KeepMember, KeepOffer, KeepTake, KeepTakeBack, UseInvitation
from somnisphere.circle.known import Circle, HeldOffer, Known, Member, Offered, OpenInvitation, Take
from somnisphere.circle.manifest import read_offer
from somnisphere.circle.signed import RefusedError
from somnisphere.circle.tables import MIGRATIONS
from somnisphere.household_file import connect
from somnisphere.household_rows import as_declared, readable

PART = "circle"


class CircleStore:
    """One connection, of one thread. Its methods raise ``sqlite3.Error`` for a disk that is full or broken."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = connect(path, PART, MIGRATIONS)
        self._seen = self._version()

    def close(self) -> None:
        self._db.close()

    def changed(self) -> bool:
        """Whether another process wrote since this was last asked."""
        version = self._version()
        changed, self._seen = version != self._seen, version
        return changed

    def load(self) -> Known | None:
        """All that is known; None: this household is in no circle."""
        row = self._db.execute("SELECT * FROM circle").fetchone()
        if row is None:
            return None
        _, ident, name, household_name, serial, invited_by, proof, left, host, port, tls = row
        circle = Circle(ident, name, household_name, serial, invited_by, proof, bool(left), host, port, bool(tls))
        if not readable([astuple(circle)], _circle, "circles"):
            raise sqlite3.DatabaseError("what it holds of the circle makes no sense; leave and join again")
        known = Known(circle)
        members = readable(self._rows("circle_member"), _member, "members of the circle")
        known.members = {member.household: member for member in members}
        known.invitations = readable(self._rows("circle_invitation"), _invitation, "invitations")
        for held in readable(self._rows("circle_offer"), lambda *row: _offer(ident, *row), "offers"):
            if held is not None:
                known.offers[held.household, held.offer.sha256] = held
        known.owners = dict(readable(self._rows("circle_owner"), _owner, "owners of stories"))
        takes = readable(self._rows("circle_take"), _take, "stories that were taken")
        known.takes = {take.sha256: take for take in takes}
        known.taken_back = dict(readable(self._rows("circle_taken_back"), _taken_back, "stories that were taken back"))
        return known

    def _rows(self, table: str) -> list[tuple[Any, ...]]:
        return self._db.execute(f"SELECT * FROM {table}").fetchall()

    def perform(self, act: Act) -> None:
        """Keep what an act says is to be kept; the other acts are not for the disk."""
        match act:
            case KeepMember(member):
                self.keep_member(member)
            case UseInvitation(nonce, household):
                self._db.execute("UPDATE circle_invitation SET used_by = ? WHERE nonce = ?", (household, nonce))
            case KeepOffer(offer):
                self.keep_offer(offer)
            case ForgetOffer(offered):
                self.forget_offer(offered)
            case KeepTakeBack((household, sha256), payload):
                self._db.execute(
                    "INSERT OR REPLACE INTO circle_taken_back VALUES (?, ?, ?)", (household, sha256, payload)
                )
            case KeepTake(take):
                self.keep_take(take)

    def keep_circle(self, circle: Circle) -> None:
        us = (circle.id, circle.name, circle.household_name, circle.serial, circle.invited_by, circle.proof)
        values = (*us, circle.left, circle.host, circle.port, circle.tls)
        self._db.execute("INSERT OR REPLACE INTO circle VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def begin_circle(self, circle: Circle) -> None:
        """Another circle in place of one that was left. What others took back stays taken back."""
        self._db.execute("BEGIN IMMEDIATE")
        for table in ("member", "invitation", "offer"):
            self._db.execute(f"DELETE FROM circle_{table}")
        self.keep_circle(circle)
        self._db.execute("COMMIT")

    def keep_member(self, member: Member) -> None:
        values = (member.household, member.name, member.key, member.state, member.serial, member.vouches_for_us)
        self._db.execute("INSERT OR REPLACE INTO circle_member VALUES (?, ?, ?, ?, ?, ?)", values)

    def keep_invitation(self, invitation: OpenInvitation) -> None:
        values = (invitation.nonce, invitation.expires_at_s, invitation.used_by)
        self._db.execute("INSERT OR REPLACE INTO circle_invitation VALUES (?, ?, ?)", values)

    def keep_offer(self, held: HeldOffer) -> None:
        sha256 = held.offer.sha256
        values = (held.household, sha256, held.payload, held.mine, held.withdrawn)
        self._db.execute("INSERT OR REPLACE INTO circle_offer VALUES (?, ?, ?, ?, ?)", values)
        self._db.execute("INSERT OR IGNORE INTO circle_owner VALUES (?, ?)", (sha256, held.household))

    def forget_offer(self, offered: Offered) -> None:
        self._db.execute("DELETE FROM circle_offer WHERE household = ? AND sha256 = ?", offered)

    def keep_take(self, take: Take) -> None:
        self._db.execute(
            "INSERT INTO circle_take (sha256, household, state, problem) VALUES (?, ?, ?, ?) ON CONFLICT (sha256) DO "
            "UPDATE SET household = excluded.household, state = excluded.state, problem = excluded.problem",
            (take.sha256, take.household, take.state, take.problem),
        )

    def place_of(self, sha256: str) -> Path | None:
        """Where a taken story was put."""
        row = self._db.execute("SELECT path FROM circle_take WHERE sha256 = ?", (sha256,)).fetchone()
        return Path(row[0]) if row and row[0] else None

    def keep_place(self, sha256: str, path: Path) -> None:
        self._db.execute("UPDATE circle_take SET path = ? WHERE sha256 = ?", (str(path), sha256))

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])


def _circle(*values: Any) -> Circle:
    return as_declared(Circle, **dict(zip((one.name for one in fields(Circle)), values, strict=True)))


def _member(household: str, name: str, key: bytes, state: str, serial: int, vouches: int) -> Member:
    return as_declared(
        Member, household=household, name=name, key=key, state=state, serial=serial, vouches_for_us=bool(vouches)
    )


def _invitation(nonce: bytes, expires_at_s: int, used_by: str) -> OpenInvitation:
    return as_declared(OpenInvitation, nonce=nonce, expires_at_s=expires_at_s, used_by=used_by)


def _offer(circle: str, household: str, sha256: str, payload: bytes, mine: int, withdrawn: int) -> HeldOffer | None:
    """None: written by another version; it is heard again."""
    try:
        offer = read_offer(payload, circle).body
    except RefusedError:
        return None
    if not isinstance(household, str) or offer.sha256 != sha256:
        raise ValueError("it is for another story than it says")
    return HeldOffer(household, payload, offer, bool(mine), bool(withdrawn))


def _owner(sha256: str, household: str) -> tuple[str, str]:
    return msgspec.convert((sha256, household), tuple[str, str])


def _take(sha256: str, household: str, state: str, problem: str, _path: str) -> Take:
    return as_declared(Take, sha256=sha256, household=household, state=state, problem=problem)


def _taken_back(household: str, sha256: str, payload: bytes) -> tuple[Offered, bytes]:
    return msgspec.convert(((household, sha256), payload), tuple[Offered, bytes])


def in_trouble(problem: Exception, path: Path) -> str:
    """``sqlite3.Error`` or ``OSError`` in a sentence with its mend."""
    said = problem.strerror or problem if isinstance(problem, OSError) else problem
    kind = "written" if isinstance(problem, sqlite3.OperationalError | OSError) else "read"
    return f"{path}: the household's file cannot be {kind}: {said}. Check the disk and the file's rights."
