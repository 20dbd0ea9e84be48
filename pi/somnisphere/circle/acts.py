"""What the circle's state machine wants done. Data, so that a test compares lists; ``runner.py`` does them."""

from dataclasses import dataclass

from somnisphere.circle.known import HeldOffer, Member, Offered, Take


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence for the log and whoever reads it."""

    text: str


@dataclass(frozen=True, slots=True)
class Publish:
    """``expiry_s``: how long a broker may keep it on its way."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None


@dataclass(frozen=True, slots=True)
class HearAgain:
    """Subscribe anew: what was not taken from a stranger is to be heard from a member."""


@dataclass(frozen=True, slots=True)
class KeepMember:
    member: Member


@dataclass(frozen=True, slots=True)
class UseInvitation:
    nonce: bytes
    household: str


@dataclass(frozen=True, slots=True)
class KeepOffer:
    offer: HeldOffer


@dataclass(frozen=True, slots=True)
class ForgetOffer:
    offered: Offered


@dataclass(frozen=True, slots=True)
class KeepTakeBack:
    offered: Offered
    payload: bytes


@dataclass(frozen=True, slots=True)
class KeepTake:
    take: Take


@dataclass(frozen=True, slots=True)
class Open:
    """Look what is there already of a story; answer with ``Protocol.opened``."""

    offer: HeldOffer


@dataclass(frozen=True, slots=True)
class Keep:
    """A piece that was checked."""

    sha256: str
    index: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Finish:
    """All pieces are there: check the whole and put it on the shelf; answer with ``Protocol.finished``."""

    offer: HeldOffer


@dataclass(frozen=True, slots=True)
class Send:
    """Read a piece from the disk, check it, and publish it at ``topic``."""

    topic: str
    offer: HeldOffer
    index: int


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a story off the shelf, with all that arrived of it."""

    sha256: str
    title: str


Act = (
    Say
    | Publish
    | HearAgain
    | KeepMember
    | UseInvitation
    | KeepOffer
    | ForgetOffer
    | KeepTakeBack
    | KeepTake
    | Open
    | Keep
    | Finish
    | Send
    | Remove
)
