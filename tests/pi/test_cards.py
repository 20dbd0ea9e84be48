"""What a card means and what comes of it: laid on, lying there, lifted, blank; and with the core behind it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core_bedside import ATTIC, BOAT, Bedside

from somnisphere.bedtime.phases import Phase
from somnisphere.bedtime.shelf import Shelf
from somnisphere.cards import (
    LINK_S,
    WORDS,
    CardBook,
    CardDeed,
    CardTable,
    StoryMeant,
    WordMeant,
    card_id_of,
    is_random,
)
from somnisphere.events import (
    ButtonPressed,
    CardLaid,
    CardLifted,
    CardLinked,
    CommandReceived,
    PauseStory,
    PlayStory,
    Press,
    ResumeStory,
    Say,
)
from somnisphere_hardware.card_reader import CardGone, CardSeen, CardSign, ReaderState

BEAR, FOX, STOP, BLANK = "04A2B3C4D5E680", "DEADBEEF", "11223344", "99887766"


def book() -> CardBook:
    return CardBook({BEAR: StoryMeant(BOAT.key), FOX: StoryMeant(ATTIC.key), STOP: WordMeant("stop")})


def table(**settings: Any) -> CardTable:
    return CardTable(book(), Shelf((ATTIC, BOAT)).find, **settings)


def laid(
    on: CardTable, card_id: str, at_s: float, phase: Phase = Phase.IDLE, *, playing: bool = False
) -> list[CardDeed]:
    return on.receive(CardSeen(at_s, card_id), phase, playing=playing)


def gone(
    on: CardTable, card_id: str, at_s: float, phase: Phase = Phase.STORY, *, playing: bool = True
) -> list[CardDeed]:
    return on.receive(CardGone(at_s, card_id), phase, playing=playing)


@pytest.mark.parametrize(
    ("phase", "playing", "then"),
    [
        (Phase.IDLE, False, "begin"),
        (Phase.MORNING, False, "begin"),
        (Phase.WIND_DOWN, False, ""),
        (Phase.STORY, True, ""),
        (Phase.STORY, False, "one_more_page"),
        (Phase.DRIFTING, True, ""),
        (Phase.DRIFTING, False, "one_more_page"),
        (Phase.ASLEEP, False, "one_more_page"),
        (Phase.STIRRING, False, "one_more_page"),
    ],
)
def test_a_storys_card_chooses_it_and_does_what_the_phase_asks(phase: Phase, playing: bool, then: str) -> None:
    wishes = [CommandReceived(5.0, "story", BOAT.key)] + ([CommandReceived(5.0, then, True)] if then else [])
    assert laid(table(), BEAR, 5.0, phase, playing=playing) == [CardLaid(5.0, BEAR), *wishes]


def test_every_phase_is_thought_of() -> None:
    for phase in Phase:
        assert CommandReceived(5.0, "story", BOAT.key) in laid(table(), BEAR, 5.0, phase)


def test_a_storys_card_may_leave_the_evening_alone() -> None:
    assert laid(table(story_begins=False), BEAR, 5.0) == [CardLaid(5.0, BEAR), CommandReceived(5.0, "story", BOAT.key)]


def test_a_words_card_is_that_wish() -> None:
    assert laid(table(), STOP, 5.0, Phase.STORY) == [CardLaid(5.0, STOP), CommandReceived(5.0, "stop", True)]


def test_a_story_that_is_not_on_the_shelf_is_said_and_starts_nothing() -> None:
    on = CardTable(CardBook({BEAR: StoryMeant("gone.opus")}), Shelf((ATTIC,)).find)
    deeds = laid(on, BEAR, 5.0)
    assert deeds[0] == CardLaid(5.0, BEAR)
    assert isinstance(deeds[1], Say)
    assert "gone.opus, which is not on the shelf" in deeds[1].text
    assert len(deeds) == 2


# ---- one laying is one event -----------------------------------------------------------------------------------------


def test_lifted_and_back_within_three_seconds_is_nothing_new() -> None:
    on = table(lift_pauses=True)
    assert laid(on, BEAR, 5.0)
    assert gone(on, BEAR, 20.0) == []
    assert laid(on, BEAR, 22.9, Phase.STORY, playing=True) == []
    assert on.tick(40.0, playing=True) == []
    assert gone(on, BEAR, 50.0) == []
    assert on.tick(52.9, playing=True) == []
    assert on.tick(53.0, playing=True) == [CardLifted(53.0, BEAR), ButtonPressed(53.0, Press.DOUBLE)]
    assert on.tick(60.0, playing=False) == []
    assert laid(on, BEAR, 61.0, Phase.STORY)[0] == CardLaid(61.0, BEAR)


def test_a_reader_that_types_the_number_again_and_again_is_one_card() -> None:
    on = table()
    assert laid(on, BEAR, 5.0)
    assert all(laid(on, BEAR, 5.0 + k) == [] for k in range(1, 200))
    assert laid(on, BEAR, 210.0)


def test_lifting_does_nothing_unless_asked_for() -> None:
    on = table()
    laid(on, BEAR, 5.0)
    gone(on, BEAR, 20.0)
    assert on.tick(23.0, playing=True) == [CardLifted(23.0, BEAR)]


@pytest.mark.parametrize(("card_id", "playing"), [(BEAR, False), (STOP, True), (BLANK, True)])
def test_lifting_pauses_only_a_story_that_plays_and_only_by_its_card(card_id: str, playing: bool) -> None:
    on = table(lift_pauses=True)
    laid(on, card_id, 5.0)
    gone(on, card_id, 20.0)
    assert on.tick(25.0, playing=playing) == [CardLifted(25.0, card_id)]


def test_another_card_is_another_event_at_once() -> None:
    on = table(lift_pauses=True)
    laid(on, BEAR, 5.0)
    gone(on, BEAR, 6.0)
    assert laid(on, FOX, 6.0, Phase.STORY, playing=True) == [
        CardLaid(6.0, FOX),
        CommandReceived(6.0, "story", ATTIC.key),
    ]
    assert on.tick(30.0, playing=True) == [], "the story goes on, with another card"


def test_a_card_that_lay_there_when_the_box_started_begins_nothing() -> None:
    on = table()
    on.receive(ReaderState(3.0, True, "PN532 1.6"), Phase.IDLE, playing=False)
    (said,) = laid(on, BEAR, 3.0)
    assert isinstance(said, Say)
    assert "lay there already" in said.text
    gone(on, BEAR, 10.0)
    assert laid(on, BEAR, 20.0)[:2] == [CardLifted(20.0, BEAR), CardLaid(20.0, BEAR)]


def test_a_card_laid_on_after_the_reader_came_up_counts() -> None:
    on = table()
    on.receive(ReaderState(3.0, True), Phase.IDLE, playing=False)
    assert laid(on, BEAR, 4.0)[0] == CardLaid(4.0, BEAR)


def test_trouble_of_the_reader_is_said_and_so_is_its_end() -> None:
    on = table()
    assert on.receive(ReaderState(1.0, False, "", "No wires."), Phase.IDLE, playing=False) == [
        Say("No wires.", "warning")
    ]
    assert on.problem == "No wires."
    assert on.receive(ReaderState(9.0, True), Phase.IDLE, playing=False) == [Say("The card reader answers again.")]
    assert on.problem == ""


# ---- blank cards -----------------------------------------------------------------------------------------------------


def test_a_blank_card_takes_the_next_story_chosen() -> None:
    on = table()
    deeds = laid(on, BLANK, 5.0)
    assert deeds[0] == CardLaid(5.0, BLANK)
    assert isinstance(deeds[1], Say)
    assert "blank" in deeds[1].text
    assert "within 2 minutes" in deeds[1].text
    assert len(deeds) == 2, "it starts nothing"
    linked, said = on.story_chosen(5.0 + LINK_S, BOAT.title)
    assert linked == CardLinked(125.0, BLANK, BOAT.key)
    assert said == Say(f"The card {BLANK} now means “The boat”.")
    assert on.story_chosen(126.0, ATTIC.title) == [], "only the next one"


def test_after_two_minutes_it_stays_blank_and_that_is_said() -> None:
    on = table()
    laid(on, BLANK, 5.0)
    assert on.tick(5.0 + LINK_S, playing=False) == []
    (said,) = on.tick(5.5 + LINK_S, playing=False)
    assert isinstance(said, Say)
    assert "stays blank" in said.text
    assert on.story_chosen(6.0 + LINK_S, BOAT.title) == []


def test_the_choice_comes_too_late_even_without_a_tick() -> None:
    on = table()
    laid(on, BLANK, 5.0)
    assert on.story_chosen(5.1 + LINK_S, BOAT.title) == []


def test_a_story_that_is_not_there_links_nothing_and_the_card_goes_on_waiting() -> None:
    on = table()
    laid(on, BLANK, 5.0)
    assert on.story_chosen(6.0, "No such story") == []
    assert on.story_chosen(7.0, BOAT.key)[0] == CardLinked(7.0, BLANK, BOAT.key)


def test_the_last_blank_card_waits_and_a_known_card_ends_the_waiting() -> None:
    on = table()
    laid(on, BLANK, 5.0)
    laid(on, "55667788", 10.0)
    assert on.story_chosen(20.0, BOAT.key)[0] == CardLinked(20.0, "55667788", BOAT.key)
    laid(on, BLANK, 30.0)
    laid(on, FOX, 40.0)
    assert on.story_chosen(41.0, BOAT.key) == []


def test_no_card_waits_when_none_was_laid() -> None:
    assert table().story_chosen(5.0, BOAT.key) == []


def test_a_telephone_cannot_be_linked_and_is_told_why() -> None:
    on = table()
    deeds = laid(on, "08ABCDEF", 5.0)
    assert isinstance(deeds[1], Say)
    assert "another number each time" in deeds[1].text
    assert on.story_chosen(6.0, BOAT.key) == []
    assert not is_random("08ABCDEF112233")


# ---- the book --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "card_id"),
    [
        ("04:a2:b3:c4", "04A2B3C4"),
        (" 04 A2-b3 c4\n", "04A2B3C4"),
        ("0006543210", "0006543210"),
        ("bear", None),
        ("", None),
        ("0x04a2", None),
        ("123", None),
        ("1" * 33, None),
        ("٣٤٥٦", None),
    ],
)
def test_numbers_as_people_write_them(text: str, card_id: str | None) -> None:
    assert card_id_of(text) == card_id


meanings = st.one_of(
    st.text(min_size=1, max_size=1000).map(StoryMeant),
    st.sampled_from([WordMeant(word) for word in WORDS]),
)


@given(st.dictionaries(st.from_regex(r"\A[0-9A-F]{4,32}\Z"), meanings, max_size=8))
def test_a_book_is_the_same_after_keeping_it(links: dict[str, Any]) -> None:
    assert CardBook.from_dict(CardBook(links).to_dict()).links == links


@pytest.mark.parametrize(
    "kept",
    [
        {"bear": {"story": "a"}},
        {"04A2": "a"},
        {"04A2": {"story": ""}},
        {"04A2": {"story": 3}},
        {"04A2": {"word": "dance"}},
        {"04A2": {"story": "a", "word": "stop"}},
        {"04A2": {}},
        {4: {"story": "a"}},
    ],
)
def test_a_book_that_cannot_be_is_refused(kept: dict[Any, Any]) -> None:
    with pytest.raises(ValueError, match=r"card"):
        CardBook.from_dict(kept)


def test_unlinking() -> None:
    cards = book()
    assert cards.unlink(BEAR) is True
    assert cards.unlink(BEAR) is False
    assert cards.meaning(BEAR) is None
    assert cards.links.keys() == {FOX, STOP}


signs: dict[str, Callable[[float, str], CardSign]] = {
    "seen": CardSeen,
    "gone": CardGone,
    "up": lambda at_s, _: ReaderState(at_s, True),
    "down": lambda at_s, _: ReaderState(at_s, False, "", "Down."),
}


@given(
    st.lists(st.tuples(st.sampled_from(sorted(signs)), st.sampled_from([BEAR, FOX, STOP, BLANK]), st.floats(0, 10))),
    st.sampled_from(list(Phase)),
    st.booleans(),
)
def test_whatever_the_reader_says_a_hand_is_counted_once(
    train: list[tuple[str, str, float]], phase: Phase, lift_pauses: bool
) -> None:
    on, at_s, last = table(lift_pauses=lift_pauses), 0.0, (-100.0, "")
    for what, card_id, wait_s in train:
        at_s += wait_s
        deeds = on.receive(signs[what](at_s, card_id), phase, playing=True)
        if any(isinstance(deed, CardLaid) for deed in deeds):
            assert what == "seen"
            assert (card_id != last[1]) or at_s - last[0] >= 3.0
            last = (at_s, card_id)
        else:
            assert not any(isinstance(deed, CommandReceived) for deed in deeds)


# ---- with the core behind it -----------------------------------------------------------------------------------------


class Table:
    """A reader's table wired to a core, as the daemon does it."""

    def __init__(self, **settings: Any) -> None:
        self.bed = Bedside()
        self.cards = table(**settings)

    @property
    def playing(self) -> bool:
        plays = [a for a in self.bed.done if isinstance(a, PlayStory | ResumeStory | PauseStory)]
        return bool(plays) and not isinstance(plays[-1], PauseStory)

    def act(self, deeds: list[CardDeed]) -> None:
        for deed in deeds:
            if isinstance(deed, CommandReceived | ButtonPressed):
                self.bed.done += self.bed.core.receive(deed)

    def says(self, sign: CardSign) -> None:
        self.act(self.cards.receive(sign, self.bed.core.snapshot().phase, playing=self.playing))

    def live(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.bed.live(1.0)
            self.act(self.cards.tick(self.bed.at_s, playing=self.playing))

    def stories(self) -> list[Path]:
        return [a.path for a in self.bed.done if isinstance(a, PlayStory)]


def test_an_evening_by_cards_alone() -> None:
    on = Table()
    on.says(CardSeen(on.bed.at_s, BEAR))
    assert on.bed.in_phase(Phase.WIND_DOWN)
    on.live(70)
    assert on.stories() == [BOAT.path]
    on.says(CardGone(on.bed.at_s, BEAR))
    on.live(10)
    assert on.playing, "lifting does nothing by default"
    on.says(CardSeen(on.bed.at_s, FOX))
    assert on.stories() == [BOAT.path, ATTIC.path]
    on.live(10)
    on.says(CardSeen(on.bed.at_s, STOP))
    assert on.bed.in_phase(Phase.IDLE)


def test_lifting_pauses_and_laying_back_goes_on() -> None:
    on = Table(lift_pauses=True)
    on.says(CardSeen(on.bed.at_s, BEAR))
    on.live(70)
    on.says(CardGone(on.bed.at_s, BEAR))
    on.live(5)
    assert not on.playing
    assert on.bed.in_phase(Phase.STORY)
    on.says(CardSeen(on.bed.at_s, BEAR))
    assert on.playing
    assert on.stories() == [BOAT.path], "it goes on where it was"


def test_laid_back_in_the_moment_in_which_the_lifting_counts() -> None:
    on = Table(lift_pauses=True)
    on.says(CardSeen(on.bed.at_s, BEAR))
    on.live(70)
    on.says(CardGone(on.bed.at_s, BEAR))
    on.bed.live(3.0)  # and no tick of the table's own
    on.says(CardSeen(on.bed.at_s, BEAR))
    assert on.playing
    assert any(isinstance(action, PauseStory) for action in on.bed.done)
