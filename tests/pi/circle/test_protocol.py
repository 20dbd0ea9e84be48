"""The circle's state machine over whole stories: round, cut, spoilt, strange, taken back. No sleeping, no network."""

import hashlib
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.circle_house import CIRCLE, NOW_S, STORY, TODAY, House, Wire, circle_of, offer_for

from somnisphere.circle.acts import Publish
from somnisphere.circle.fetching import PATIENCE_S
from somnisphere.circle.known import GONE, LEFT, MEMBER, PARTED, TAKEN, WANTED
from somnisphere.circle.manifest import read_offer, sign_offer
from somnisphere.circle.pieces import Ask, Piece, piece_bytes, read_ask, sign_ask
from somnisphere.circle.take_back import sign_take_back


def asked_for(wire: Wire) -> list[tuple[str, int]]:
    """(topic, piece) of every question that was carried."""
    asks = [said for said in wire.log if "/ask/" in said.topic]
    return [(said.topic, index) for said in asks for index in read_ask(said.payload, CIRCLE).body.pieces]


def test_a_story_goes_from_house_to_house() -> None:
    wire, (anna, ben, cem) = circle_of("Anna", "Ben", "Cem")
    offer = anna.offers(STORY)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry()
    assert [held.offer for held in ben.known.offered()] == [offer]
    ben.wants(offer.sha256, anna)
    wire.carry(6)
    assert ben.shelf == {offer.sha256}
    assert bytes(ben.disk[offer.sha256]) == STORY
    assert cem.shelf == set()  # wanted nothing, holds nothing
    wire.houses.remove(anna)  # away: Cem has it from Ben
    cem.wants(offer.sha256, anna)
    wire.carry(60)
    assert bytes(cem.disk[offer.sha256]) == STORY
    assert cem.known.takes[offer.sha256].state == TAKEN


def test_after_a_cut_only_what_is_missing_is_asked_for() -> None:
    wire, (anna, ben) = circle_of("Anna", "Ben")
    offer = anna.offers(STORY)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry()
    ben.wants(offer.sha256, anna)
    carried = 0

    def two_pieces(said: Publish) -> Publish | None:
        nonlocal carried
        carried += "/piece/" in said.topic
        return said if "/piece/" not in said.topic or carried <= 2 else None

    wire.spoil = two_pieces
    wire.carry(4)
    had = set(ben.had[offer.sha256])
    assert len(had) == 2
    ben.protocol = ben.machine(ben.known)  # the process starts anew, with what the disk holds
    wire.spoil = lambda said: said
    wire.log.clear()
    anna.protocol.disconnected()  # what was on its way is lost
    anna.sent.clear()
    wire.comes(anna)
    wire.comes(ben)
    wire.carry(6)
    assert ben.shelf == {offer.sha256}
    assert sorted(index for _, index in asked_for(wire)) == sorted(set(range(offer.count)) - had)


def test_a_spoilt_piece_is_thrown_away_and_asked_for_again() -> None:
    wire, (anna, ben) = circle_of("Anna", "Ben")
    offer = anna.offers(STORY)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry()
    spoilt = 0

    def spoil(said: Publish) -> Publish:
        nonlocal spoilt
        if "/piece/" in said.topic and spoilt < 3:
            spoilt += 1
            return replace(said, payload=said.payload[:-1] + b"X")
        return said

    wire.spoil = spoil
    ben.wants(offer.sha256, anna)
    wire.carry(40)
    assert spoilt == 3
    assert bytes(ben.disk[offer.sha256]) == STORY
    refused = [text for text in ben.said if "promises" in text]
    assert refused == [
        "A piece of Anna is refused: it is not what the offer of “The whale” promises; it is asked for again."
    ]


def test_pieces_of_nobody_s_story_and_of_no_form_change_nothing() -> None:
    _, (anna, ben) = circle_of("Anna", "Ben")
    topic = anna.topics.piece(ben.id)
    stray = piece_bytes(Piece(hashlib.sha256(b"x").hexdigest(), 0, b"x" * 100))
    assert ben.protocol.receive(topic, stray, 1.0, NOW_S) == []
    for payload in (b"", b"x", b"x" * 36, b"x" * 1_000_000):
        ben.perform(ben.protocol.receive(topic, payload, 1.0, NOW_S))
    assert ben.disk == {}


def test_what_nobody_signed_or_a_stranger_signed_is_not_kept() -> None:
    wire, (anna, ben) = circle_of("Anna", "Ben")
    stranger = House("Stranger")
    offer = offer_for(STORY)
    good = sign_offer(anna.identity, offer)
    topic = anna.topics.offer(anna.id, offer.sha256)
    unsigned = good[: good.index(b',"key"')] + b"}"
    for payload in (unsigned, good.replace(b"Oma Ilse", b"Oma Else"), sign_offer(stranger.identity, offer)):
        ben.perform(ben.protocol.receive(topic, payload, 0.0, NOW_S))
    assert ben.known.offers == {}
    reasons = "\n".join(ben.said)
    assert "it is not signed" in reasons
    assert "its signature does not hold" in reasons
    assert "signed by another household than its topic names" in reasons
    theirs = stranger.topics.offer(stranger.id, offer.sha256)
    ben.perform(ben.protocol.receive(theirs, sign_offer(stranger.identity, offer), 0.0, NOW_S))
    assert ben.known.offers == {}
    assert "does not belong to the circle" in ben.said[-1]
    wire.carry(3)
    assert ben.known.offered() == []


def test_a_stranger_s_question_is_not_answered() -> None:
    wire, (anna, ben) = circle_of("Anna", "Ben")
    offer = anna.offers(STORY)
    stranger = House("Stranger")
    ask = sign_ask(stranger.identity, Ask(CIRCLE, anna.id, offer.sha256, (0, 1)))
    anna.perform(anna.protocol.receive(stranger.topics.ask(anna.id), ask, 1.0, NOW_S))
    # nor one in another household's name
    anna.perform(anna.protocol.receive(ben.topics.ask(anna.id), ask, 1.0, NOW_S))
    wire.carry(3)
    assert not any("/piece/" in said.topic for said in wire.log)
    # the same question of a member is
    mine = sign_ask(ben.identity, Ask(CIRCLE, anna.id, offer.sha256, (0, 1)))
    anna.perform(anna.protocol.receive(ben.topics.ask(anna.id), mine, 4.0, NOW_S))
    wire.carry()
    assert sum("/piece/" in said.topic for said in wire.log) == 2


def test_taken_back_is_gone_everywhere_and_does_not_come_again() -> None:
    wire, (anna, ben, cem) = circle_of("Anna", "Ben", "Cem")
    offer = anna.offers(STORY)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry()
    for house in (ben, cem):
        house.wants(offer.sha256, anna)
    wire.carry(10)
    assert ben.shelf == cem.shelf == {offer.sha256}
    wire.houses.remove(cem)  # away for a while
    old = dict(wire.retained)
    anna.takes_back(offer.sha256)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry(2)
    assert ben.shelf == set()
    assert ben.known.takes[offer.sha256].state == GONE
    assert ben.known.offered() == []
    wire.houses.remove(anna)  # even when its teller is away, the others pass it on
    wire.comes(cem)
    wire.carry(2)
    assert cem.shelf == set()
    # a broker that kept the old offer brings nothing back
    for topic, payload in old.items():
        for house in (ben, cem):
            house.perform(house.protocol.receive(topic, payload, wire.at_s, NOW_S))
    assert ben.known.offered() == cem.known.offered() == []
    # nor does a household that offers another's story as its own
    cem.offers(STORY)
    cem.perform(cem.protocol.refresh(cem.known))
    wire.carry(3)
    assert ben.known.offered() == []


def test_a_take_back_that_the_power_cut_short_is_finished_at_the_next_start() -> None:
    wire, (anna, ben) = circle_of("Anna", "Ben")
    offer = anna.offers(STORY)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry()
    ben.wants(offer.sha256, anna)
    wire.carry(10)
    words = sign_take_back(anna.identity, CIRCLE, offer.sha256, TODAY)
    ben.known.taken_back[anna.id, offer.sha256] = words  # kept, and then it was dark
    ben.protocol = ben.machine(ben.known)
    assert ben.shelf == {offer.sha256}
    wire.comes(ben)
    assert ben.shelf == set()
    assert ben.known.takes[offer.sha256].state == GONE


def test_only_whose_story_it_is_takes_it_back() -> None:
    wire, (anna, ben, cem) = circle_of("Anna", "Ben", "Cem")
    offer = anna.offers(STORY)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry()
    ben.wants(offer.sha256, anna)
    wire.carry(10)
    stranger = House("Stranger")
    for who, place in ((cem, anna), (stranger, stranger), (cem, cem)):
        words = sign_take_back(who.identity, CIRCLE, offer.sha256, TODAY)
        topic = anna.topics.take_back(place.id, offer.sha256)
        ben.perform(ben.protocol.receive(topic, words, 0.0, NOW_S))
    assert ben.shelf == {offer.sha256}
    assert len(ben.known.offered()) == 1


def test_joining_needs_the_invitation_and_a_yes() -> None:
    wire, (anna, ben) = circle_of("Anna", "Ben")
    dana, thief = House("Dana"), House("Thief")
    nonce = anna.invites()
    dana.joins(anna, nonce)
    thief.joins(anna, b"guessed-16-bytes")
    for house in (thief, dana):
        wire.comes(house)
    wire.carry(2)
    assert anna.known.members[dana.id].state == "asks"
    assert thief.id not in anna.known.members
    assert dana.id not in ben.known.members  # not yet: nobody said yes
    anna.known.members[dana.id] = replace(anna.known.members[dana.id], state=MEMBER)
    anna.known.with_new_card(NOW_S + 1)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry(2)
    assert ben.known.belongs(dana.id)
    assert dana.known.belongs(ben.id)
    assert dana.known.members[anna.id].vouches_for_us
    assert f"Ben ({ben.id}) belongs to the circle: Anna vouches for them." in dana.said
    # the invitation is used up
    late = House("Late")
    late.joins(anna, nonce)
    wire.comes(late)
    wire.carry(2)
    assert late.id not in anna.known.members


def test_an_invitation_that_is_over_lets_nobody_in() -> None:
    anna, dana = House("Anna"), House("Dana")
    dana.joins(anna, anna.invites())
    card = dana.known.card(dana.identity)
    assert anna.protocol.receive(dana.topics.member(dana.id), card, 0.0, NOW_S + 101) == []
    assert anna.known.members == {}


def test_who_left_offers_nothing_and_who_we_parted_from_gets_nothing() -> None:
    wire, (anna, ben, cem) = circle_of("Anna", "Ben", "Cem")
    offer = anna.offers(STORY)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry()
    assert len(cem.known.offered()) == 1
    anna.known.members[ben.id] = replace(anna.known.members[ben.id], state=PARTED)
    ben.wants(offer.sha256, anna)
    wire.carry(5)
    assert ben.had[offer.sha256] == set()
    anna.known.with_new_card(NOW_S + 5)
    anna.known.circle = replace(anna.known.circle, left=True)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry(2)
    assert cem.known.members[anna.id].state == LEFT
    assert cem.known.offered() == []
    assert not any(topic.startswith(f"{anna.topics.base}/offer/") for topic in wire.retained)


def test_an_old_card_does_not_bring_back_who_left() -> None:
    wire, (anna, ben) = circle_of("Anna", "Ben")
    old = anna.known.card(anna.identity)
    anna.known.with_new_card(NOW_S + 5)
    anna.known.circle = replace(anna.known.circle, left=True)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry(2)
    ben.perform(ben.protocol.receive(anna.topics.member(anna.id), old, 0.0, NOW_S))
    assert ben.known.members[anna.id].state == LEFT


def test_questions_grow_rare_when_nobody_answers() -> None:
    wire, (anna, ben) = circle_of("Anna", "Ben")
    offer = anna.offers(STORY)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry()
    wire.houses.remove(anna)
    ben.wants(offer.sha256, anna)
    wire.carry(3600, step_s=1.0)
    first_hour = len([said for said in wire.log if "/ask/" in said.topic])
    assert 2 < first_hour < 3600 / PATIENCE_S / 3
    assert ben.known.takes[offer.sha256].state == WANTED


def test_lending_is_slow_and_fair() -> None:
    wire, (anna, ben, cem) = circle_of("Anna", "Ben", "Cem")
    anna.protocol = type(anna.protocol)(anna.known, anna.identity, bytes_per_s=65536)
    anna.perform(anna.protocol.connected())
    offer = anna.offers(STORY)
    for house in (ben, cem):
        ask = sign_ask(house.identity, Ask(CIRCLE, anna.id, offer.sha256, (0, 1, 2, 3)))
        anna.perform(anna.protocol.receive(house.topics.ask(anna.id), ask, 0.0, NOW_S))
    wire.log.clear()
    for second in range(1, 9):
        wire.carry()
        sent = [said.topic for said in wire.log if "/piece/" in said.topic]
        assert abs(len(sent) - second) <= 1
    assert abs(sum(f"/piece/{ben.id}/" in topic for topic in sent) - 4) <= 0
    assert len(sent) == 8


def test_a_household_s_offers_are_bounded() -> None:
    _, (anna, ben) = circle_of("Anna", "Ben")
    for number in range(203):
        offer = offer_for(b"story %d" % number)
        topic = anna.topics.offer(anna.id, offer.sha256)
        ben.perform(ben.protocol.receive(topic, sign_offer(anna.identity, offer), 0.0, NOW_S))
    assert len(ben.known.offers) == 200
    assert read_offer(next(iter(ben.known.offers.values())).payload, CIRCLE).household == anna.id


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.floats(0.0, 0.6), st.floats(0.0, 0.4))
def test_on_any_wire_a_story_comes_whole_or_not_yet_but_never_wrong(rng: Random, lost: float, spoilt: float) -> None:
    """Messages are lost, altered, doubled, and processes start anew; when the wire is good again the story comes."""
    wire, (anna, ben) = circle_of("Anna", "Ben")
    offer = anna.offers(STORY)
    anna.perform(anna.protocol.refresh(anna.known))
    wire.carry()
    ben.wants(offer.sha256, anna)

    def bad(said: Publish) -> Publish | None:
        if rng.random() < lost:
            return None
        if rng.random() < spoilt and said.payload:
            at = rng.randrange(len(said.payload))
            return replace(said, payload=said.payload[:at] + b"?" + said.payload[at + 1 :])
        if rng.random() < 0.2:
            ben.perform(ben.protocol.receive(said.topic, said.payload, wire.at_s, NOW_S))
        return said

    wire.spoil = bad
    for _ in range(15):
        wire.carry(2)
        if rng.random() < 0.2:
            ben.protocol = ben.machine(ben.known)
            wire.comes(ben)
        for index in ben.had.get(offer.sha256, ()):
            piece = STORY[index * 65536 : (index + 1) * 65536]
            assert bytes(ben.disk[offer.sha256][index * 65536 : index * 65536 + len(piece)]) == piece
    wire.spoil = lambda said: said
    wire.retained[anna.topics.offer(anna.id, offer.sha256)] = anna.known.offers[anna.id, offer.sha256].payload
    for house in (anna, ben):
        wire.comes(house)
    wire.carry(400)
    assert ben.shelf == {offer.sha256}
    assert bytes(ben.disk[offer.sha256]) == STORY
