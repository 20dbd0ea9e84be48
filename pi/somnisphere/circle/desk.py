"""What a person does in the circle, for the command line and the house page alike: each writes what is known, and the
circle's own process does the rest. Problems are ``UserError``."""

import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from somnisphere.circle import known as states
from somnisphere.circle.acts import KeepTakeBack
from somnisphere.circle.identity import Identity, KeyFileError, household_id, keep_identity, load_identity, new_identity
from somnisphere.circle.known import Circle, HeldOffer, Known, Member, OpenInvitation, Take
from somnisphere.circle.manifest import (
    MOST_BYTES,
    CannotOfferError,
    beside_text,
    from_beside,
    offer_of,
    read_offer,
    sign_offer,
)
from somnisphere.circle.members import INVITATION_S, Invitation, invitation_text, proof, read_invitation
from somnisphere.circle.partial import sha256_of
from somnisphere.circle.placing import NotTakenError, pack, packed_at, place
from somnisphere.circle.runner import Folders
from somnisphere.circle.signed import RefusedError
from somnisphere.circle.spoken import spoken, unspoken
from somnisphere.circle.store import CircleStore, in_trouble
from somnisphere.circle.take_back import sign_take_back
from somnisphere.config import Config
from somnisphere.errors import UserError
from somnisphere.household_file import household_beside
from somnisphere.library import STARTER_FOLDER
from somnisphere.library.broken import UnreadableError, reason_of
from somnisphere.library.story_writer import file_name
from somnisphere.library.titles import one_line
from somnisphere.story import Book

OFFER_SUFFIX = ".offer"
NO_CIRCLE = (
    "This household is in no circle. Begin one: somnisphere circle new NAME; or join one: somnisphere circle join"
)


def folders_of(config: Config) -> Folders:
    journal = Path(config.journal.path)
    shelf = Path(config.stories.folder) if config.stories.folder else STARTER_FOLDER
    return Folders(journal.with_name("circle"), shelf, Path(config.stories.cache))


class Desk:
    """``with Desk(config) as desk``."""

    def __init__(self, config: Config) -> None:
        self.folders = folders_of(config)
        self._path = household_beside(Path(config.journal.path))
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.store = CircleStore(self._path)
        except (sqlite3.Error, OSError) as problem:
            raise UserError(in_trouble(problem, self._path)) from None

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    # ---- looking ----------------------------------------------------------------------------------------------------

    @property
    def known(self) -> Known:
        with self._kept():
            found = self.store.load()
        if found is None:
            raise UserError(NO_CIRCLE)
        return found

    @property
    def in_circle(self) -> bool:
        with self._kept():
            found = self.store.load()
        return found is not None and not found.circle.left

    def identity(self) -> Identity:
        try:
            return load_identity(self.folders.own / "household.key")
        except KeyFileError as problem:
            raise UserError(str(problem)) from None

    # ---- belonging --------------------------------------------------------------------------------------------------

    def begin(self, name: str, household_name: str, now_s: float) -> Known:
        """A circle of one's own, with this household in it alone."""
        self._refuse_second()
        self._own_identity()
        circle = Circle(spoken(secrets.token_bytes(10)), _named(name), _named(household_name), int(now_s))
        with self._kept():
            self.store.begin_circle(circle)
        return self.known

    def invite(self, host: str, port: int, now_s: float, *, tls: bool) -> str:
        """The text of an invitation that serves once and for a day."""
        known, identity = self.known, self.identity()
        nonce, expires_at_s = secrets.token_bytes(16), int(now_s) + INVITATION_S
        circle = known.circle
        said = Invitation(
            *(unspoken(circle.id), circle.name, circle.household_name, nonce, expires_at_s, host, port, tls)
        )
        text = invitation_text(identity, said)
        try:
            read_invitation(text, now_s)
        except RefusedError:
            raise UserError(f"{host}:{port}: this is no address another household could reach. Correct it.") from None
        with self._kept():
            self.store.keep_invitation(OpenInvitation(nonce, expires_at_s))
        return text

    @staticmethod
    def read(text: str, now_s: float) -> tuple[bytes, Invitation]:
        """What an invitation says, for the invited to look at before they say yes."""
        try:
            return read_invitation(text, now_s)
        except RefusedError as problem:
            raise UserError(f"{str(problem)[0].upper()}{str(problem)[1:]}.") from None

    def join(self, text: str, household_name: str, now_s: float) -> Known:
        """Say yes to an invitation. The other household says yes as well, when our card has reached it."""
        self._refuse_second()
        key, said = self.read(text, now_s)
        identity = self._own_identity()
        host = household_id(key)
        circle = Circle(
            *(
                said.circle_id,
                said.circle_name,
                _named(household_name),
                int(now_s),
                host,
                proof(said.nonce, identity.key),
            ),
            host=said.host,
            port=said.port,
            tls=said.tls,
        )
        with self._kept():
            self.store.begin_circle(circle)
            self.store.keep_member(Member(host, said.household_name, key))
        return self.known

    def admit(self, named: str, now_s: float) -> Member:
        """Our yes to a household that asks to join."""
        member = self._one(named, (states.ASKS,), "Nobody of this name asks to join")
        return self._with_state(member, states.MEMBER, now_s)

    def part(self, named: str, now_s: float) -> Member:
        """No more stories to or from a household, as far as we go."""
        member = self._one(named, (states.ASKS, states.MEMBER), "There is no such household in the circle")
        return self._with_state(member, states.PARTED, now_s)

    def leave(self, now_s: float) -> None:
        """Our offers are withdrawn; what others took stays with them unless it is taken back before."""
        known = self.known
        known.with_new_card(now_s)
        with self._kept():
            self.store.keep_circle(replace(known.circle, left=True))

    # ---- stories ----------------------------------------------------------------------------------------------------

    def offer(self, book: Book, licence: str, today: date) -> HeldOffer:
        """Pack a story, sign its offer, and let the circle's process say it."""
        known, identity = self.known, self.identity()
        if known.circle.left:
            raise UserError(NO_CIRCLE)
        try:
            _, sha256, size_bytes, pieces = pack(book, self.folders.own, self.folders.cache)
            offer = offer_of(book, known.circle.id, licence, sha256, size_bytes, pieces, today)
        except (CannotOfferError, UnreadableError) as problem:
            raise UserError(str(problem)) from None
        except OSError as problem:
            raise UserError(f"{self.folders.own}: {book.title} cannot be packed: {reason_of(problem)}.") from None
        key = (identity.household, sha256)
        if known.is_taken_back(*key):
            packed_at(self.folders.own, sha256).unlink(missing_ok=True)
            raise UserError(
                f"{book.title}: this very story was taken back, which is for good. Tell it anew to offer it."
            )
        held = HeldOffer(identity.household, sign_offer(identity, offer), offer, mine=True)
        with self._kept():
            self.store.keep_offer(held)
        return held

    def take(self, named: str) -> HeldOffer:
        """Wish for a story that another household offers."""
        known = self.known
        self._shelf()
        held = _one_offer(known.offered(), named, "Nobody offers such a story; see `somnisphere circle offers`")
        before = known.takes.get(held.offer.sha256)
        if before is not None and before.state == states.TAKEN:
            raise UserError(f"{held.offer.title}: it is on the shelf already.")
        with self._kept():
            self.store.keep_take(Take(held.offer.sha256, held.household))
        return held

    def to_stick(self, held: HeldOffer, folder: Path) -> Path:
        """A story we offer as a file for another household, its signed offer beside it."""
        to = folder / file_name(held.offer.title)
        try:
            shutil.copyfile(packed_at(self.folders.own, held.offer.sha256), to)
            to.with_name(to.name + OFFER_SUFFIX).write_text(beside_text(held.payload), encoding="ascii")
        except OSError as problem:
            raise UserError(f"{to}: cannot be written: {reason_of(problem)}. Name another folder.") from None
        return to

    def take_from_stick(self, path: Path) -> HeldOffer:
        """A story with its signed offer beside it, from a household of the circle; a later take-back reaches it."""
        known = self.known
        beside = path.with_name(path.name + OFFER_SUFFIX)
        try:
            with beside.open(encoding="ascii") as file:
                payload = from_beside(file.read(2 * MOST_BYTES))
            said = read_offer(payload, known.circle.id)
            key = (said.household, said.body.sha256)
            if not known.belongs(said.household):
                raise RefusedError("the household that signed its offer does not belong to the circle")
            if known.is_taken_back(*key):
                raise RefusedError("it was taken back")
            if path.stat().st_size != said.body.size_bytes or sha256_of(path) != said.body.sha256:
                raise RefusedError("the file is not the one that was offered")
            to = place(path, said.body, self._shelf())
        except (RefusedError, NotTakenError) as problem:
            raise UserError(f"{path}: it is not taken: {problem}.") from None
        except (OSError, UnicodeDecodeError) as problem:
            raise UserError(
                f"{path}: it cannot be taken with its offer: {reason_of(problem)}. "
                "A story alone is put on the shelf by: somnisphere story import"
            ) from None
        held = HeldOffer(said.household, payload, said.body)
        with self._kept():
            self.store.keep_offer(held)
            self.store.keep_take(Take(said.body.sha256, said.household, states.TAKEN))
            self.store.keep_place(said.body.sha256, to)
        return held

    def take_back(self, named: str, today: date) -> HeldOffer:
        """Take back a story we offered: every household removes it, and none takes it again."""
        known, identity = self.known, self.identity()
        mine = [held for held in known.offers.values() if held.mine]
        held = _one_offer(mine, named, "We offer no such story; see `somnisphere circle offers`")
        sha256 = held.offer.sha256
        with self._kept():
            words = sign_take_back(identity, known.circle.id, sha256, today)
            self.store.perform(KeepTakeBack((identity.household, sha256), words))
            self.store.forget_offer((identity.household, sha256))
            packed_at(self.folders.own, sha256).unlink(missing_ok=True)
        return held

    # ---- small steps ------------------------------------------------------------------------------------------------

    def _shelf(self) -> Path:
        if self.folders.shelf == STARTER_FOLDER:
            raise UserError("There is no story folder to take it to; name one in the configuration: [stories] folder.")
        return self.folders.shelf

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as problem:
            raise UserError(in_trouble(problem, self._path)) from None

    def _refuse_second(self) -> None:
        if self.in_circle:
            raise UserError(
                f"This household is in the circle “{self.known.circle.name}”. Leave it first: somnisphere circle leave"
            )

    def _own_identity(self) -> Identity:
        """The household's key, made when there is none yet."""
        path = self.folders.own / "household.key"
        if path.exists():
            return self.identity()
        identity = new_identity()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            keep_identity(identity, path)
        except OSError as problem:
            raise UserError(f"{path}: the household's key cannot be kept: {reason_of(problem)}.") from None
        return identity

    def _one(self, named: str, allowed: tuple[str, ...], otherwise: str) -> Member:
        wanted = named.strip().casefold()
        members = [member for member in self.known.members.values() if member.state in allowed]
        found = [member for member in members if wanted in (member.household, member.name.casefold())]
        if len(found) == 1:
            return found[0]
        if found:
            words = ", ".join(member.household for member in found)
            raise UserError(f"{named}: several households have this name. Name one by its words: {words}.")
        raise UserError(
            f"{named}: {otherwise[0].lower()}{otherwise[1:]}. `somnisphere circle members` shows who there is."
        )

    def _with_state(self, member: Member, state: str, now_s: float) -> Member:
        known = self.known
        known.with_new_card(now_s)
        changed = replace(member, state=state)
        with self._kept():
            self.store.keep_member(changed)
            self.store.keep_circle(known.circle)
        return changed


def _one_offer(offers: list[HeldOffer], named: str, otherwise: str) -> HeldOffer:
    """By title, or by the beginning of its hash."""
    wanted = named.strip().casefold()
    found = [held for held in offers if held.offer.title.casefold() == wanted]
    found = found or [held for held in offers if len(wanted) >= 8 and held.offer.sha256.startswith(wanted)]
    if len({held.offer.sha256 for held in found}) == 1:
        return found[0]
    if found:
        hashes = ", ".join(held.offer.sha256[:12] for held in found)
        raise UserError(f"{named}: several stories have this title. Name one by its number: {hashes}.")
    raise UserError(f"{named}: {otherwise[0].lower()}{otherwise[1:]}.")


def _named(name: str) -> str:
    plain = one_line(name)
    if not plain:
        raise UserError("A name is needed, such as “The Kovacs family”.")
    return plain
