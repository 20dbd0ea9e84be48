"""An offer: what a household says of a story it would share, so that the others can choose, fetch and check it."""

import base64
import hashlib
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from somnisphere.circle.identity import Identity
from somnisphere.circle.signed import RefusedError, Said, read_signed, signed
from somnisphere.circle.spoken import QUINTS_PATTERN
from somnisphere.library.audio_tags import picture_type
from somnisphere.library.titles import TITLE_LENGTH, language_tag, one_line
from somnisphere.story import Book

KIND = "offer"
MOST_BYTES = 131_072
"""Of an offer on the wire."""

LARGEST_STORY_BYTES = 256 * 1024 * 1024
MOST_PIECES = 1024
PIECE_SIZES = (65_536, 131_072, 262_144)
LARGEST_COVER_BYTES = 24_576
"""A picture beyond this stays inside of the story."""

MOST_VOICES = 64
COVER_TYPES = ("image/jpeg", "image/png", "image/webp")

HouseholdId = Annotated[str, Meta(pattern=QUINTS_PATTERN)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, Meta(min_length=1, max_length=TITLE_LENGTH)]
MaybeLine = Annotated[str, Meta(max_length=TITLE_LENGTH)]
Day = Annotated[str, Meta(pattern=r"^20\d\d-[01]\d-[0-3]\d$")]


class VoiceConsent(Struct, frozen=True, forbid_unknown_fields=True):
    """Of one recording: who is heard, who allowed that it goes round the circle, and when."""

    teller: MaybeLine
    by: Line
    on: Day


class Offer(Struct, frozen=True, forbid_unknown_fields=True):
    circle: HouseholdId
    title: Line
    teller: MaybeLine
    language: Annotated[str, Meta(max_length=20)]
    licence: Line
    ages: MaybeLine
    sha256: Sha256
    size_bytes: Annotated[int, Meta(ge=1, le=LARGEST_STORY_BYTES)]
    piece_bytes: Annotated[int, Meta(ge=PIECE_SIZES[0], le=PIECE_SIZES[-1])]
    pieces_sha256: Annotated[bytes, Meta(min_length=32, max_length=32 * MOST_PIECES)]
    cover: Annotated[bytes, Meta(max_length=LARGEST_COVER_BYTES)]
    voices: Annotated[tuple[VoiceConsent, ...], Meta(max_length=MOST_VOICES)]
    created: Day

    @property
    def count(self) -> int:
        """Of its pieces."""
        return -(-self.size_bytes // self.piece_bytes)

    def size_of(self, index: int) -> int:
        return min(self.piece_bytes, self.size_bytes - index * self.piece_bytes)

    def fits(self, index: int, data: bytes) -> bool:
        """Whether these bytes are the piece that the offer promised."""
        if not 0 <= index < self.count or len(data) != self.size_of(index):
            return False
        return hashlib.sha256(data).digest() == self.pieces_sha256[32 * index : 32 * index + 32]


class CannotOfferError(Exception):
    """A story that cannot be offered as it is; the text says why and the mend."""


def offer_of(
    book: Book, circle: str, licence: str, sha256: str, size_bytes: int, pieces_sha256: bytes, today: date
) -> Offer:
    """The offer of a packed book. Raises ``CannotOfferError``, first of all where a voice gave no consent."""
    refuse_unwilling(book)
    licence = one_line(licence or book.licence)
    if not licence:
        raise CannotOfferError(
            f"{book.title}: nobody said what others may do with it. Say so with --licence, such as CC-BY-SA-4.0 or "
            '"for the circle alone".'
        )
    cover = book.cover
    small = cover is not None and cover.media_type in COVER_TYPES and len(cover.data) <= LARGEST_COVER_BYTES
    voices = tuple(
        VoiceConsent(recording.teller, recording.consent.by, recording.consent.on)
        for recording in book.recordings
        if recording.consent is not None
    )
    return Offer(
        circle=circle,
        title=book.title,
        teller=book.teller or next((recording.teller for recording in book.recordings), ""),
        language=book.language,
        licence=licence,
        ages=book.ages,
        sha256=sha256,
        size_bytes=size_bytes,
        piece_bytes=piece_bytes_for(size_bytes),
        pieces_sha256=pieces_sha256,
        cover=cover.data if cover is not None and small else b"",
        voices=voices,
        created=today.isoformat(),
    )


def refuse_unwilling(book: Book) -> None:
    """``CannotOfferError`` when somebody is heard in it who did not allow that it goes round."""
    if len(book.recordings) > MOST_VOICES:
        raise CannotOfferError(f"{book.title}: it has more than {MOST_VOICES} recordings. Offer it in parts.")
    for recording in book.recordings:
        if recording.consent is None or not recording.consent.circle:
            who = recording.teller or book.teller or "whoever tells it"
            kept = "said it stays in this house" if recording.consent else "was not asked yet"
            raise CannotOfferError(
                f"{book.title}: {who} {kept}. Ask, and when the answer is yes, write it down: "
                f'somnisphere story consent "{book.key}" --by "{who}" --circle'
            )


def piece_bytes_for(size_bytes: int) -> int:
    """The smallest piece with which a story has no more than ``MOST_PIECES``. ``ValueError``: it is too large."""
    for size in PIECE_SIZES:
        if size * MOST_PIECES >= size_bytes:
            return size
    raise ValueError(f"it is larger than {LARGEST_STORY_BYTES // 1_048_576} MB; offer it with shorter recordings")


def sign_offer(identity: Identity, offer: Offer) -> bytes:
    return signed(identity, KIND, offer)


def read_offer(payload: bytes, circle: str) -> Said[Offer]:
    """A signed offer of this circle, checked as far as the message alone goes. Raises ``RefusedError``."""
    said = read_signed(payload, KIND, Offer, MOST_BYTES)
    offer = said.body
    if offer.circle != circle:
        raise RefusedError("it is meant for another circle")
    if offer.piece_bytes not in PIECE_SIZES or len(offer.pieces_sha256) != 32 * offer.count:
        raise RefusedError("its pieces do not add up to the story")
    for text in (offer.title, offer.teller, offer.licence, offer.ages):
        if text != one_line(text):
            raise RefusedError("a title or a name in it has signs that are not printed")
    for voice in offer.voices:
        if voice.by != one_line(voice.by) or voice.teller != one_line(voice.teller):
            raise RefusedError("the name of a voice in it has signs that are not printed")
    if offer.language and language_tag(offer.language) != offer.language:
        raise RefusedError(f"{offer.language!r} is no language as BCP 47 writes it")
    if offer.cover and picture_type(offer.cover, "") not in COVER_TYPES:
        raise RefusedError("its cover is no JPEG, PNG or WebP")
    for day in (offer.created, *(voice.on for voice in offer.voices)):
        try:
            date.fromisoformat(day)
        except ValueError:
            raise RefusedError(f"there is no day {day}") from None
    return said


def beside_text(payload: bytes) -> str:
    """A signed offer as a small text file that lies beside its .story on a stick."""
    return base64.b64encode(payload).decode() + "\n"


def from_beside(text: str) -> bytes:
    """Raises ``RefusedError``."""
    try:
        return base64.b64decode(text.strip(), validate=True)
    except ValueError:
        raise RefusedError("the file beside the story is no offer") from None


def shown(offer: Offer) -> str:
    """One line for a person."""
    facts = [offer.teller and f"told by {offer.teller}", offer.language, f"{max(1, offer.size_bytes // 1_000_000)} MB"]
    return f"{offer.title} ({', '.join(fact for fact in [*facts, offer.licence] if fact)})"
