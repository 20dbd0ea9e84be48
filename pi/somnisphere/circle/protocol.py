"""The circle's state machine: what came in, and when, to what is to be done. No thread, no socket, no disk, no clock.

Cards make members, members' offers are kept, a wanted story is asked for piece by piece, what others ask for is sent
slowly, and what was taken back goes and never comes again. Everything is signed but the pieces, which are known by
their hashes. Whatever a stranger says is not kept; when a stranger becomes a member it is heard again.
"""

from collections.abc import Iterable
from dataclasses import replace

from somnisphere.circle import known as states
from somnisphere.circle.acts import (
    Act,
    Finish,
    ForgetOffer,
    HearAgain,
    Keep,
    KeepMember,
    KeepOffer,
    KeepTake,
    KeepTakeBack,
    Open,
    Publish,
    Remove,
    Say,
    Send,
    UseInvitation,
)
from somnisphere.circle.fetching import PATIENCE_S, Fetching
from somnisphere.circle.identity import Identity, household_id
from somnisphere.circle.known import HeldOffer, Known, Member, Take
from somnisphere.circle.manifest import read_offer, shown
from somnisphere.circle.members import MOST_MEMBERS, read_card
from somnisphere.circle.pieces import Ask, read_ask, read_piece, sign_ask
from somnisphere.circle.serving import BYTES_PER_S, Serving
from somnisphere.circle.signed import RefusedError
from somnisphere.circle.take_back import read_take_back
from somnisphere.circle.topics import CircleTopics, Place
from somnisphere.library.titles import one_line

MOST_OFFERS = 500
MOST_OFFERS_EACH = 200
ASK_EXPIRY_S = 30
PIECE_EXPIRY_S = 60


class Protocol:
    """``at_s`` is monotonic, ``now_s`` Unix seconds (only the age of an invitation is told by it)."""

    def __init__(
        self,
        known: Known,
        identity: Identity,
        *,
        patience_s: float = PATIENCE_S,
        bytes_per_s: float = BYTES_PER_S,
    ) -> None:
        self.known = known
        self.topics = CircleTopics(known.circle.id, identity.household)
        self.fetching: dict[str, Fetching] = {}
        self._identity = identity
        self._patience_s = patience_s
        self._serving = Serving(bytes_per_s)
        self._connected = False
        self._bridged = True
        """False: our broker says that it does not reach the others."""
        self._complained: set[tuple[str, str]] = set()

    # ---- what happens -----------------------------------------------------------------------------------------------

    def connected(self) -> list[Act]:
        """The broker is there: say all that stays said."""
        self._connected = self._bridged = True
        for one in self.fetching.values():
            one.cut()
        return [*self._overdue(), *self._said_anew(), HearAgain()]

    def disconnected(self) -> None:
        self._connected = False
        self._serving.forget_all()

    def refresh(self, known: Known) -> list[Act]:
        """Somebody of the household changed what is known: offered, wanted, took back, let in."""
        self.known = known
        gone = [sha for sha in self.fetching if (take := known.takes.get(sha)) is None or take.state != states.WANTED]
        for sha256 in gone:
            del self.fetching[sha256]
        return [*self._overdue(), *(self._said_anew() if self._connected else [])]

    def tick(self, at_s: float) -> list[Act]:
        acts = list[Act]()
        for take in self.known.takes.values():
            held = self.known.offers.get((take.household, take.sha256))
            if take.state == states.WANTED and take.sha256 not in self.fetching and held is not None:
                self.fetching[take.sha256] = Fetching(held, self._patience_s)
                acts.append(Open(held))
        for sha256, one in self.fetching.items():
            if one.is_whole and not one.finishing:
                one.finishing = True
                acts.append(Finish(one.held))
            elif self._connected and self._bridged and (wish := one.next_ask(self._others(one.held.household), at_s)):
                to, pieces = wish
                ask = sign_ask(self._identity, Ask(self.topics.circle, to, sha256, pieces))
                acts.append(Publish(self.topics.ask(to), ask, expiry_s=ASK_EXPIRY_S))
        if self._connected and self._bridged:
            for household, sha256, index, _ in self._serving.due(at_s):
                if self.known.belongs(household) and (lent := self.known.may_serve(sha256)):
                    acts.append(Send(self.topics.piece(household), lent, index))
        return acts

    def opened(self, sha256: str, had: Iterable[int]) -> None:
        """What of a story was already there."""
        if one := self.fetching.get(sha256):
            one.had = set(had)

    def finished(self, sha256: str, problem: str = "") -> list[Act]:
        """The story is whole and on the shelf, or for ``problem`` never will be."""
        one = self.fetching.pop(sha256, None)
        take = self.known.takes.get(sha256)
        if one is None or take is None:
            return []
        title = one.held.offer.title
        if problem:
            return [*self._take(replace(take, state=states.FAILED, problem=problem)), Say(f"“{title}”: {problem}")]
        return [*self._take(replace(take, state=states.TAKEN, problem="")), Say(f"“{title}” is on the shelf, whole.")]

    def receive(self, topic: str, payload: bytes, at_s: float, now_s: float) -> list[Act]:
        """A message from the broker. What is wrong is refused in one sentence, said once for each sender and reason."""
        place = self.topics.place(topic)
        if place is None:
            return []
        try:
            match place.kind:
                case "bridge":
                    return self._bridge(place, payload)
                case "member":
                    return self._card(place, payload, now_s)
                case "offer":
                    return self._offer(place, payload)
                case "take_back":
                    return self._take_back(place, payload)
                case "ask":
                    return self._ask(place, payload)
                case _:
                    return self._piece(place, payload, at_s)
        except RefusedError as problem:
            what = {"member": "A card", "take_back": "A take-back", "ask": "A question", "piece": "A piece"}
            sender = place.second if place.kind in ("ask", "piece") else place.first
            of = one_line(self.known.name_of(sender))[:80]
            return self._complain(sender, f"{what.get(place.kind, 'An offer')} of {of} is refused: {problem}.")

    # ---- what is said -----------------------------------------------------------------------------------------------

    def _said_anew(self) -> list[Act]:
        known, me = self.known, self.topics.household
        acts: list[Act] = [Publish(self.topics.member(me), known.card(self._identity), retain=True)]
        for (household, sha256), payload in known.taken_back.items():
            acts.append(Publish(self.topics.take_back(household, sha256), payload, retain=True))
            acts.append(Publish(self.topics.offer(household, sha256), b"", retain=True))
        for (household, sha256), held in known.offers.items():
            if held.mine and (household, sha256) not in known.taken_back:
                said = b"" if held.withdrawn or known.circle.left else held.payload
                acts.append(Publish(self.topics.offer(household, sha256), said, retain=True))
        return acts

    # ---- what is heard ----------------------------------------------------------------------------------------------

    def _bridge(self, place: Place, payload: bytes) -> list[Act]:
        if place.first == self.topics.household:
            self._bridged = payload != b"0"
            for one in self.fetching.values() if self._bridged else ():
                one.cut()
            if not self._bridged:
                self._serving.forget_all()
        return []

    def _card(self, place: Place, payload: bytes, now_s: float) -> list[Act]:
        if not payload or place.first == self.topics.household:
            return []
        said = read_card(payload, self.topics.circle)
        household, card, known = said.household, said.body, self.known
        if household != place.first:
            raise RefusedError("it is signed by another household than its topic names")
        member = known.members.get(household)
        if member is not None and card.serial <= member.serial:
            return []
        if member is None or member.state == states.LEFT:
            return self._newcomer(said.key, household, card.name, card.serial, card.left, card.proof, now_s)
        state = states.LEFT if card.left and member.state != states.PARTED else member.state
        vouched = any(one.key == self._identity.key for one in card.vouches)
        acts: list[Act] = []
        if state == states.LEFT:
            acts.append(Say(f"{member.name} has left the circle."))
            acts += self._withdrawn(household)
        elif vouched and not member.vouches_for_us and member.state == states.MEMBER:
            acts.append(Say(f"{member.name} says that we belong to the circle."))
        kept = replace(member, name=card.name, serial=card.serial, state=state, vouches_for_us=vouched)
        acts = [*self._member(kept), *acts]
        news = False
        for one in card.vouches if state == states.MEMBER else ():
            other = household_id(one.key)
            if other != self.topics.household and self._is_news(other) and len(known.members) < MOST_MEMBERS:
                acts += self._member(Member(other, one.name, one.key))
                acts.append(Say(f"{one.name} ({other}) belongs to the circle: {card.name} vouches for them."))
                news = True
        return [*acts, HearAgain()] if news else acts

    def _is_news(self, household: str) -> bool:
        """Somebody's word makes members of strangers and of those who ask, not of those who left or whom we left."""
        member = self.known.members.get(household)
        return member is None or member.state == states.ASKS

    def _newcomer(
        self, key: bytes, household: str, name: str, serial: int, left: bool, proof: bytes, now_s: float
    ) -> list[Act]:
        invitation = None if left else self.known.inviting(key, proof, now_s)
        if invitation is None:
            return []  # a stranger, or one of another member's guests
        self.known.invitations = [
            replace(one, used_by=household) if one.nonce == invitation.nonce else one for one in self.known.invitations
        ]
        return [
            UseInvitation(invitation.nonce, household),
            *self._member(Member(household, name, key, states.ASKS, serial)),
            Say(f"{name} asks to join. Compare these words with them, then let them in: {household}"),
        ]

    def _offer(self, place: Place, payload: bytes) -> list[Act]:
        key, known = (place.first, place.second), self.known
        if place.first == self.topics.household:
            mine = known.offers.get(key)
            stale = bool(payload) and (mine is None or mine.withdrawn or key in known.taken_back or known.circle.left)
            return [Publish(self.topics.offer(*key), b"", retain=True)] if stale else []
        if not payload:
            return []
        said = read_offer(payload, self.topics.circle)
        if said.household != place.first:
            raise RefusedError("it is signed by another household than its topic names")
        if said.body.sha256 != place.second:
            raise RefusedError("it is for another story than its topic names")
        if not known.belongs(said.household):
            raise RefusedError("the household that signed it does not belong to the circle")
        if known.is_taken_back(*key):
            return [Publish(self.topics.offer(*key), b"", retain=True)]  # a broker that was away still keeps it
        before = known.offers.get(key)
        if before is not None and before.payload == payload and not before.withdrawn:
            return []
        each = sum(1 for household, _ in known.offers if household == said.household)
        if before is None and (each >= MOST_OFFERS_EACH or len(known.offers) >= MOST_OFFERS):
            raise RefusedError(f"there are {each} of them already; more are not kept")
        held = HeldOffer(said.household, payload, said.body)
        known.offers[key] = held
        known.owners.setdefault(said.body.sha256, said.household)
        return [KeepOffer(held), Say(f"{known.name_of(said.household)} offers {shown(said.body)}.")]

    def _take_back(self, place: Place, payload: bytes) -> list[Act]:
        key, known = (place.first, place.second), self.known
        if not payload or key in known.taken_back:
            return []
        said = read_take_back(payload, self.topics.circle)
        if (said.household, said.body.sha256) != key:
            raise RefusedError("only the household that offered a story takes it back")
        if place.first not in known.members and place.first != self.topics.household:
            raise RefusedError("the household that signed it does not belong to the circle")
        held = known.offers.pop(key, None)
        known.taken_back[key] = payload
        acts: list[Act] = [KeepTakeBack(key, payload), ForgetOffer(key)]
        acts.append(Publish(self.topics.offer(*key), b"", retain=True))
        title = held.offer.title if held else "A story that was never taken here"
        acts.append(Say(f"{known.name_of(place.first)} took back “{title}”." if held else f"{title} was taken back."))
        take = known.takes.get(place.second)
        if take is not None and take.state != states.GONE and known.is_taken_back(take.household, place.second):
            self.fetching.pop(place.second, None)
            self._serving.forget(place.second)
            acts += [Remove(place.second, title), *self._take(replace(take, state=states.GONE))]
        return acts

    def _overdue(self) -> list[Act]:
        """What was taken back and is still here: the power went in between."""
        acts = list[Act]()
        for take in list(self.known.takes.values()):
            if take.state != states.GONE and self.known.is_taken_back(take.household, take.sha256):
                self.fetching.pop(take.sha256, None)
                acts += [Remove(take.sha256, take.sha256[:12]), *self._take(replace(take, state=states.GONE))]
        return acts

    def _ask(self, place: Place, payload: bytes) -> list[Act]:
        said = read_ask(payload, self.topics.circle)
        if said.household != place.second or said.body.to != self.topics.household or place.first != said.body.to:
            raise RefusedError("it is signed by or meant for another household than its topic names")
        if not self.known.belongs(said.household):
            raise RefusedError("the household that signed it does not belong to the circle")
        held = self.known.may_serve(said.body.sha256)
        if held is not None:
            offer = held.offer
            sizes_bytes = {index: offer.size_of(index) for index in said.body.pieces if index < offer.count}
            self._serving.asked(said.household, offer.sha256, sizes_bytes)
        return []  # who asks for what is nowhere written down

    def _piece(self, place: Place, payload: bytes, at_s: float) -> list[Act]:
        if place.first != self.topics.household:
            return []
        piece = read_piece(payload)
        one = self.fetching.get(piece.sha256)
        if one is None or one.had is None or piece.index in one.had:
            return []
        if one.take(piece.index, piece.data, place.second, at_s):
            return [Keep(piece.sha256, piece.index, piece.data)]
        raise RefusedError(f"it is not what the offer of “{one.held.offer.title}” promises; it is asked for again")

    # ---- small steps ------------------------------------------------------------------------------------------------

    def _member(self, member: Member) -> list[Act]:
        self.known.members[member.household] = member
        return [KeepMember(member)]

    def _take(self, take: Take) -> list[Act]:
        self.known.takes[take.sha256] = take
        return [KeepTake(take)]

    def _withdrawn(self, household: str) -> list[Act]:
        acts = list[Act]()
        for key, held in list(self.known.offers.items()):
            if held.household == household and not held.withdrawn:
                self.known.offers[key] = replace(held, withdrawn=True)
                acts.append(KeepOffer(self.known.offers[key]))
        return acts

    def _others(self, household: str) -> list[str]:
        return [other for other in sorted(self.known.members) if self.known.belongs(other) and other != household]

    def _complain(self, sender: str, text: str) -> list[Act]:
        if (sender, text) in self._complained or len(self._complained) >= 1000:
            return []
        self._complained.add((sender, text))
        return [Say(text)]
