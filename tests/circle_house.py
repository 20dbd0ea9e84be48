"""Households of a circle in memory: real keys and messages, time as a number, a wire that a test can cut or spoil."""

import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

from somnisphere.circle.acts import Act, Finish, Keep, Open, Publish, Remove, Say, Send
from somnisphere.circle.identity import Identity, new_identity
from somnisphere.circle.known import Circle, HeldOffer, Known, Member, OpenInvitation, Take
from somnisphere.circle.manifest import Offer, VoiceConsent, sign_offer
from somnisphere.circle.members import proof
from somnisphere.circle.pieces import Piece, piece_bytes
from somnisphere.circle.protocol import Protocol
from somnisphere.circle.take_back import sign_take_back
from somnisphere.circle.topics import CircleTopics

CIRCLE = "lusab-babad-gutih-tugad-mibik"
NOW_S = 1_790_000_000.0
TODAY = date(2026, 11, 28)
STORY = bytes(range(256)) * 1100  # five pieces, the last a short one


def cover() -> bytes:
    """A small picture: dusk over a field, as PNG."""
    rows = b"".join(b"\0" + bytes([40 + y, 30 + y // 2, 90 - y // 2]) * 64 for y in range(64))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def offer_for(story: bytes, title: str = "The whale", **changes: object) -> Offer:
    pieces = b"".join(hashlib.sha256(story[n : n + 65536]).digest() for n in range(0, len(story), 65536))
    offer = Offer(
        circle=CIRCLE,
        title=title,
        teller="Oma Ilse",
        language="de",
        licence="CC-BY-SA-4.0",
        ages="4+",
        sha256=hashlib.sha256(story).hexdigest(),
        size_bytes=len(story),
        piece_bytes=65536,
        pieces_sha256=pieces,
        cover=b"",
        voices=(VoiceConsent("Oma Ilse", "Oma Ilse", "2026-11-27"),),
        created=TODAY.isoformat(),
    )
    from msgspec.structs import replace as changed

    return changed(offer, **changes)


@dataclass
class House:
    """One household with its state machine; ``disk`` is what it has, ``said`` the sentences."""

    name: str
    identity: Identity = field(default_factory=new_identity)
    disk: dict[str, bytearray] = field(default_factory=dict)
    had: dict[str, set[int]] = field(default_factory=dict)
    shelf: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    sent: list[Publish] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.protocol = self.machine(Known(Circle(CIRCLE, "Birch Street", self.name, serial=int(NOW_S))))

    def machine(self, known: Known) -> Protocol:
        return Protocol(known, self.identity, bytes_per_s=1e9)

    @property
    def id(self) -> str:
        return self.identity.household

    @property
    def known(self) -> Known:
        return self.protocol.known

    @property
    def topics(self) -> CircleTopics:
        return self.protocol.topics

    def knows(self, *others: "House") -> None:
        for other in others:
            self.known.members[other.id] = Member(other.id, other.name, other.identity.key)

    def offers(self, story: bytes, title: str = "The whale") -> Offer:
        offer = offer_for(story, title)
        self.disk[offer.sha256] = bytearray(story)
        held = HeldOffer(self.id, sign_offer(self.identity, offer), offer, mine=True)
        self.known.offers[self.id, offer.sha256] = held
        self.known.owners.setdefault(offer.sha256, self.id)
        return offer

    def wants(self, sha256: str, of: "House") -> None:
        self.known.takes[sha256] = Take(sha256, of.id)

    def takes_back(self, sha256: str) -> None:
        words = sign_take_back(self.identity, CIRCLE, sha256, TODAY)
        self.known.taken_back[self.id, sha256] = words
        self.known.offers.pop((self.id, sha256), None)

    def invites(self) -> bytes:
        nonce = hashlib.sha256(self.name.encode()).digest()[:16]
        self.known.invitations.append(OpenInvitation(nonce, int(NOW_S) + 100))
        return nonce

    def joins(self, inviter: "House", nonce: bytes) -> None:
        self.knows(inviter)
        circle = replace(self.known.circle, invited_by=inviter.id, proof=proof(nonce, self.identity.key))
        self.known.circle = circle

    def perform(self, acts: list[Act]) -> None:
        for act in acts:
            match act:
                case Say(text):
                    self.said.append(text)
                case Publish():
                    self.sent.append(act)
                case Open(held):
                    self.disk.setdefault(held.offer.sha256, bytearray(held.offer.size_bytes))
                    self.protocol.opened(held.offer.sha256, self.had.setdefault(held.offer.sha256, set()))
                case Keep(sha256, index, data):
                    self.disk[sha256][index * 65536 : index * 65536 + len(data)] = data
                    self.had[sha256].add(index)
                case Finish(held):
                    whole = hashlib.sha256(self.disk[held.offer.sha256]).hexdigest() == held.offer.sha256
                    if whole:
                        self.shelf.add(held.offer.sha256)
                    self.perform(self.protocol.finished(held.offer.sha256, "" if whole else "it is not the story"))
                case Send(topic, held, index):
                    offer = held.offer
                    data = bytes(self.disk[offer.sha256][index * 65536 : index * 65536 + offer.size_of(index)])
                    self.sent.append(Publish(topic, piece_bytes(Piece(offer.sha256, index, data))))
                case Remove(sha256, _):
                    self.shelf.discard(sha256)
                    self.disk.pop(sha256, None)


class Wire:
    """Every house hears what every other one says; what is retained is kept for who comes later."""

    def __init__(self, *houses: House) -> None:
        self.houses = list(houses)
        self.retained: dict[str, bytes] = {}
        self.at_s = 0.0
        self.log: list[Publish] = []
        self.spoil: Callable[[Publish], Publish | None] = lambda said: said

    def comes(self, house: House) -> None:
        """Connects, and hears what is kept."""
        if house not in self.houses:
            self.houses.append(house)
        house.perform(house.protocol.connected())
        self.kept_to(house)

    def kept_to(self, house: House) -> None:
        for topic, payload in sorted(self.retained.items()):  # cards ("member") come before offers
            house.perform(house.protocol.receive(topic, payload, self.at_s, NOW_S))

    def carry(self, rounds: int = 1, step_s: float = 1.0) -> None:
        for _ in range(rounds):
            self.at_s += step_s
            for house in self.houses:
                house.perform(house.protocol.tick(self.at_s))
            for house in self.houses:
                saying, house.sent = house.sent, []
                for said in saying:
                    self.carry_one(house, said)

    def carry_one(self, sender: House, said: Publish) -> None:
        spoilt = self.spoil(said)
        if spoilt is None:
            return
        self.log.append(spoilt)
        if spoilt.retain:
            self.retained.pop(spoilt.topic, None)
            if spoilt.payload:
                self.retained[spoilt.topic] = spoilt.payload
        for house in self.houses:
            if house is not sender:
                house.perform(house.protocol.receive(spoilt.topic, spoilt.payload, self.at_s, NOW_S))


def circle_of(*names: str) -> tuple[Wire, list[House]]:
    """Houses that know each other, connected."""
    houses = [House(name) for name in names]
    for house in houses:
        house.knows(*(other for other in houses if other is not house))
    wire = Wire(*houses)
    for house in houses:
        wire.comes(house)
    return wire, houses
