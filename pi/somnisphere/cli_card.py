"""``somnisphere card``: which card means what, and which card lies there now."""

import argparse
import json
import time
from pathlib import Path

from somnisphere.bedtime.shelf import Shelf
from somnisphere.card_file import CardFile, beside
from somnisphere.cards import WORDS, Meaning, StoryMeant, WordMeant, card_id_of, is_random
from somnisphere.clock import SystemClock
from somnisphere.config import Config, load
from somnisphere.errors import UserError
from somnisphere_hardware.card_reader import CardGone, CardSeen, CardSign, ReaderState

_TITLES_SHOWN = 12


def show(arguments: argparse.Namespace) -> int:
    """All cards, one a line."""
    config = load(arguments.config)
    file, shelf = _file(config), _shelf(config)
    links = file.book.links
    for card_id, meaning in sorted(links.items()):
        if arguments.json:
            print(json.dumps({"card": card_id, **_as_json(meaning, shelf)}, ensure_ascii=False))
        else:
            print(f"{card_id:<20}  {_in_words(meaning, shelf)}")
    if not links and not arguments.json:
        print("No card means anything yet. Lay one on the reader and choose a story in the home, or:")
        print("    somnisphere card link CARD STORY")
    return 0


def link(arguments: argparse.Namespace) -> int:
    config = load(arguments.config)
    card_id, shelf = _card_id(arguments.card), _shelf(config)
    if is_random(card_id):
        raise UserError(f"{card_id}: such a card (a telephone, say) shows another number each time; take another card.")
    meaning = _meaning(arguments.story, shelf)
    file = _file(config)
    _keep(file, card_id, meaning)
    print(f"The card {card_id} now means: {_in_words(meaning, shelf)}")
    return 0


def unlink(arguments: argparse.Namespace) -> int:
    config = load(arguments.config)
    card_id, file = _card_id(arguments.card), _file(config)
    if file.book.meaning(card_id) is None:
        raise UserError(f"{card_id}: this card means nothing. All that do: somnisphere card list")
    _keep(file, card_id, None)
    print(f"The card {card_id} is blank again.")
    return 0


def watch(arguments: argparse.Namespace) -> int:
    """What the reader says, until Ctrl-C. The daemon must not run: a reader obeys one program."""
    from somnisphere.card_reading import card_reader

    config = load(arguments.config)
    reader = card_reader(config)
    if reader is None:
        raise UserError(
            'no card reader is configured. Set reader = "pn532", or the path of an input device, below [cards].'
        )
    file, shelf, clock = _file(config), _shelf(config), SystemClock()
    until_s = None if arguments.seconds is None else clock.now_s() + arguments.seconds
    try:
        while until_s is None or clock.now_s() < until_s:
            for sign in reader.poll(clock.now_s()):
                file.refresh()
                print(_told(sign, file, shelf), flush=True)
            due_s = reader.due_s if until_s is None else min(reader.due_s, until_s)
            time.sleep(max(0.0, due_s - clock.now_s()))
    except KeyboardInterrupt:
        pass  # the usual way to end it
    finally:
        reader.close()
    return 0


def _told(sign: CardSign, file: CardFile, shelf: Shelf) -> str:
    match sign:
        case CardSeen(card_id=card_id):
            meaning = file.book.meaning(card_id)
            blank = f"blank (somnisphere card link {card_id} STORY)"
            return f"on   {card_id:<20}  {blank if meaning is None else _in_words(meaning, shelf)}"
        case CardGone(card_id=card_id):
            return f"off  {card_id}"
        case ReaderState(ok=True, reader=name):
            return f"The card reader ({name}) answers. Lay a card on it; Ctrl-C ends this."
        case ReaderState(problem=problem):
            return problem


def _file(config: Config) -> CardFile:
    file = CardFile(beside(Path(config.journal.path)))
    if file.problem:
        raise UserError(file.problem)
    if file.mended:
        print(file.mended)
    return file


def _keep(file: CardFile, card_id: str, meaning: Meaning | None) -> None:
    if not file.link(card_id, meaning):
        raise UserError(file.problem)


def _shelf(config: Config) -> Shelf:
    from somnisphere.assemble import shelf_reader

    return Shelf(shelf_reader(config).read() or ())


def _card_id(text: str) -> str:
    card_id = card_id_of(text)
    if card_id is None:
        raise UserError(
            f"{text!r} is no card's number: 4 to 32 of 0-9 and A-F. `somnisphere card watch` and the log say it."
        )
    return card_id


def _meaning(text: str, shelf: Shelf) -> Meaning:
    for word in WORDS:
        if text == word:
            return WordMeant(word)
    story = shelf.find(text)
    if story is None:
        titles = shelf.titles
        there = ", ".join(titles[:_TITLES_SHOWN]) + (" ..." if len(titles) > _TITLES_SHOWN else "")
        raise UserError(f"{text!r} is not on the shelf, which has: {there or 'nothing'}; or one of {', '.join(WORDS)}")
    return StoryMeant(story.key)


def _in_words(meaning: Meaning, shelf: Shelf) -> str:
    if isinstance(meaning, WordMeant):
        return {"begin": "begin the evening", "stop": "stop", "one_more_page": "one more page"}[meaning.word]
    title = shelf.title_of(meaning.key)
    return f"{meaning.key} (not on the shelf)" if title is None else f"“{title}”"


def _as_json(meaning: Meaning, shelf: Shelf) -> dict[str, str | None]:
    if isinstance(meaning, WordMeant):
        return {"word": meaning.word}
    return {"story": meaning.key, "title": shelf.title_of(meaning.key)}
