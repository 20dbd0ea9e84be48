"""What a household knows of its circle: itself, the others, what is offered, what it took, what was taken back."""

from dataclasses import dataclass, field, replace

from somnisphere.circle.identity import Identity
from somnisphere.circle.manifest import Offer
from somnisphere.circle.members import Card, Vouched, proves, sign_card

ASKS, MEMBER, LEFT, PARTED = "asks", "member", "left", "parted"
"""``asks``: came with our invitation and waits for our yes. ``parted``: we want no more to do with it."""

WANTED, TAKEN, FAILED, GONE = "wanted", "taken", "failed", "taken back"

Offered = tuple[str, str]
"""(household, sha256)."""


@dataclass(frozen=True, slots=True)
class Circle:
    """This household's own part: ``serial`` of its card, and with what proof it joined."""

    id: str
    name: str
    household_name: str
    serial: int = 0
    invited_by: str = ""
    proof: bytes = b""
    left: bool = False
    host: str = ""
    """Where the brokers of the circle meet; "" when that is ours."""
    port: int = 8883
    tls: bool = True


@dataclass(frozen=True, slots=True)
class Member:
    household: str
    name: str
    key: bytes
    state: str = MEMBER
    serial: int = -1
    """Of the last card seen; -1: none yet, we know it by hearsay."""
    vouches_for_us: bool = False


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    nonce: bytes
    expires_at_s: int
    used_by: str = ""


@dataclass(frozen=True, slots=True)
class HeldOffer:
    """``mine``: we made it. ``withdrawn``: the household left, so it is offered no more; we still know whose it was."""

    household: str
    payload: bytes
    offer: Offer
    mine: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Take:
    """A story we want or have: ``household`` is whose offer it was. ``problem``: why it failed, for a person."""

    sha256: str
    household: str
    state: str = WANTED
    problem: str = ""


@dataclass(slots=True)
class Known:
    circle: Circle
    members: dict[str, Member] = field(default_factory=dict)
    invitations: list[OpenInvitation] = field(default_factory=list)
    offers: dict[Offered, HeldOffer] = field(default_factory=dict)
    takes: dict[str, Take] = field(default_factory=dict)
    taken_back: dict[Offered, bytes] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    """Which household was the first we saw offer a story; the others only pass it on."""

    def belongs(self, household: str) -> bool:
        member = self.members.get(household)
        return member is not None and member.state == MEMBER

    def name_of(self, household: str) -> str:
        member = self.members.get(household)
        return member.name if member else household

    def is_taken_back(self, household: str, sha256: str) -> bool:
        """By the household itself, or by the one whose story it is."""
        by_owner = (self.owners.get(sha256, household), sha256) in self.taken_back
        unheard_of = sha256 not in self.owners and any(sha == sha256 for _, sha in self.taken_back)
        return (household, sha256) in self.taken_back or by_owner or unheard_of

    def offered(self) -> list[HeldOffer]:
        """What the others offer and we could take."""
        return [
            held
            for (household, sha256), held in self.offers.items()
            if not held.mine
            and not held.withdrawn
            and self.belongs(household)
            and not self.is_taken_back(household, sha256)
        ]

    def may_serve(self, sha256: str) -> HeldOffer | None:
        """The offer of a story we have and may give away."""
        take = self.takes.get(sha256)
        for (household, sha), held in self.offers.items():
            if sha != sha256 or self.is_taken_back(household, sha256):
                continue
            if (held.mine and not held.withdrawn) or (
                take is not None and take.state == TAKEN and take.household == household
            ):
                return held
        return None

    def inviting(self, key: bytes, said: bytes, now_s: float) -> OpenInvitation | None:
        """Which invitation of ours a stranger's card proves to hold."""
        for one in self.invitations:
            if not one.used_by and now_s < one.expires_at_s and proves(one.nonce, key, said):
                return one
        return None

    def card(self, identity: Identity) -> bytes:
        """Our own card as it is to be said now."""
        circle = self.circle
        vouches = tuple(
            Vouched(member.name, member.key)
            for _, member in sorted(self.members.items())
            if member.state == MEMBER and not circle.left
        )
        card = Card(
            circle.id, circle.household_name, circle.serial, circle.left, circle.invited_by, circle.proof, vouches
        )
        return sign_card(identity, card)

    def with_new_card(self, now_s: float) -> None:
        """What we say of ourselves has changed: the others take a card only when its serial has grown."""
        self.circle = replace(self.circle, serial=max(self.circle.serial + 1, int(now_s)))
