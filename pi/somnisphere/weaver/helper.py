"""The helper at the table: it asks. It writes a line only when it is told to, and then only hands it over. Pure."""

import random
from collections.abc import Mapping
from hashlib import sha256

from somnisphere.weaver.cards import CARDS
from somnisphere.weaver.table import Table

_ASK: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "en": {
        "begin": ("Who is in it?", "Where does it begin?", "What was that day like, before it began?"),
        "early": (
            "What does it want, the one it is about?",
            "What can be heard there? What does it smell of?",
            "Who else is there, and has not said anything yet?",
        ),
        "middle": (
            "And what stands in the way?",
            "What would be the worst thing to do now? And what do they do?",
            "Who could be asked?",
            "What does nobody know yet but you?",
        ),
        "late": (
            "Where does the light come from, now?",
            "What is different from the beginning?",
            "What is the last thing one sees before the page is turned?",
        ),
        "card": ("A card still lies there: {card}. What about it?",),
    },
    "de": {
        "begin": ("Wer kommt vor?", "Wo fängt es an?", "Wie war der Tag, bevor es anfing?"),
        "early": (
            "Was will die, um die es geht?",
            "Was ist dort zu hören? Wonach riecht es?",
            "Wer ist noch da und hat noch nichts gesagt?",
        ),
        "middle": (
            "Und was steht im Weg?",
            "Was wäre jetzt das Dümmste? Und was tun sie?",
            "Wen könnte man fragen?",
            "Was weiß noch niemand außer dir?",
        ),
        "late": (
            "Woher kommt jetzt das Licht?",
            "Was ist anders als am Anfang?",
            "Was sieht man zuletzt, bevor umgeblättert wird?",
        ),
        "card": ("Eine Karte liegt noch da: {card}. Was ist damit?",),
    },
}
_WRITE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "en": {
        "who": ("Once there was {card}.", "There was {card}, and this is how it went."),
        "where": ("It was {card}.", "All of it happened {card}."),
        "thing": ("And there lay {card}.", "In a pocket was {card}."),
        "trouble": ("But {card}.", "And then, nobody knew why: {card}."),
        "help": ("Then came help: {card}.", "There was one thing left: {card}."),
        "turn": ("And look, {card}.", "For {card}."),
        "none": (
            "And for a while it was quiet.",
            "So they went on, a little slower.",
            "Then somebody put the kettle on.",
        ),
    },
    "de": {
        "who": ("Es war einmal: {card}.", "Es gab einmal jemanden: {card}."),
        "where": ("Das war {card}.", "Das alles geschah {card}."),
        "thing": ("Und da lag etwas: {card}.", "In einer Tasche steckte etwas: {card}."),
        "trouble": ("Aber {card}.", "Und dann, niemand wusste warum: {card}."),
        "help": ("Da kam Hilfe: {card}.", "Eines gab es noch: {card}."),
        "turn": ("Und siehe da: {card}.", "Denn {card}."),
        "none": (
            "Und eine Weile war es still.",
            "Also gingen sie weiter, ein wenig langsamer.",
            "Dann setzte jemand Tee auf.",
        ),
    },
}
EARLY_LINES = 3
LATE_LINES = 12


def question(table: Table, nth: int = 0) -> str:
    """What the helper asks now. ``nth``: another question about the same lines."""
    asks = _ASK[table.language]
    count = len(table.lines)
    stage = "begin" if not count else "early" if count < EARLY_LINES else "late" if count >= LATE_LINES else "middle"
    unused = untold(table)
    about_card = [asks["card"][0].format(card=CARDS[key].words[table.language]) for key in unused[:1] if count]
    asked = [*asks[stage], *about_card]
    return asked[(_number(table) + nth) % len(asked)]


def line_when_told(table: Table, nth: int = 0) -> str:
    """A line that somebody asked for, from the next card that nobody took up. It is not on the table yet."""
    writes, unused = _WRITE[table.language], untold(table)
    card = CARDS[unused[0]] if unused else None
    choices = writes["none"] if card is None else writes[card.kind]
    line = random.Random(_number(table) + nth).choice(choices)
    return line if card is None else line.format(card=card.words[table.language])


def untold(table: Table) -> list[str]:
    """Cards of which no long word stands in any line yet."""
    told = " ".join(line.text for line in table.lines).casefold()
    return [
        key
        for key in table.cards
        if key in CARDS
        and not any(word in told for word in CARDS[key].words[table.language].casefold().split() if len(word) > 4)
    ]


def _number(table: Table) -> int:
    words = "\0".join([table.title, *(line.text for line in table.lines)])
    return int.from_bytes(sha256(words.encode()).digest()[:4], "big")
