"""Story cards: a word to begin from, of six kinds. Pure: the same seed draws the same cards."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

KINDS = ("who", "where", "thing", "trouble", "help", "turn")


@dataclass(frozen=True, slots=True)
class Card:
    key: str
    kind: str
    words: Mapping[str, str]
    """By language."""


_WHO = {
    "otter": ("an otter who cannot swim", "ein Otter, der nicht schwimmen kann"),
    "baker": ("a baker who gets up before the birds", "ein Bäcker, der vor den Vögeln aufsteht"),
    "giant": ("a giant who is afraid of stairs", "eine Riesin, die sich vor Treppen fürchtet"),
    "postwoman": ("a postwoman with one last letter", "eine Briefträgerin mit einem letzten Brief"),
    "twins": ("two sisters who share one coat", "zwei Schwestern mit einem einzigen Mantel"),
    "cloud": ("a cloud that came down to look", "eine Wolke, die zum Schauen heruntergekommen ist"),
}
_WHERE = {
    "attic": ("in an attic with a round window", "auf einem Dachboden mit rundem Fenster"),
    "ferry": ("on the last ferry", "auf der letzten Fähre"),
    "market": ("at a market by night", "auf einem Markt bei Nacht"),
    "hill": ("on a hill that hums", "auf einem Hügel, der summt"),
    "underwater": ("in a house under the lake", "in einem Haus unter dem See"),
    "station": ("at a station where no train stops", "an einem Bahnhof, an dem kein Zug hält"),
}
_THING = {
    "key": ("a key that fits nothing", "ein Schlüssel, der nirgends passt"),
    "teapot": ("a teapot that talks in its sleep", "eine Teekanne, die im Schlaf spricht"),
    "rope": ("a rope that is always a little too short", "ein Seil, das immer ein wenig zu kurz ist"),
    "lantern": ("a lantern that burns backwards", "eine Laterne, die rückwärts brennt"),
    "map": ("a map with a hole in it", "eine Landkarte mit einem Loch"),
    "whistle": ("a whistle only dogs and grandmothers hear", "eine Pfeife, die nur Hunde und Großmütter hören"),
}
_TROUBLE = {
    "dark": ("it gets dark too early", "es wird zu früh dunkel"),
    "lost": ("somebody has lost their name", "jemand hat seinen Namen verloren"),
    "locked": ("the door is there, but it has no handle", "die Tür ist da, aber sie hat keine Klinke"),
    "quarrel": ("two who belong together do not speak", "zwei, die zusammengehören, reden nicht miteinander"),
    "flood": ("the water comes up the stairs", "das Wasser kommt die Treppe herauf"),
    "promise": ("a promise was made, and nobody knows which", "etwas wurde versprochen, und niemand weiß was"),
}
_HELP = {
    "stranger": ("a stranger with bread", "ein Fremder mit Brot"),
    "song": ("a song that somebody half remembers", "ein Lied, das jemand halb noch kann"),
    "smallest": ("the smallest one has an idea", "die Kleinste hat eine Idee"),
    "enemy": ("the one who was feared", "der, vor dem sich alle fürchteten"),
    "wind": ("the wind, if it is asked kindly", "der Wind, wenn man ihn freundlich bittet"),
    "neighbour": ("the neighbour who is always at home", "die Nachbarin, die immer zu Hause ist"),
}
_TURN = {
    "bigger": ("it was bigger than it looked", "es war größer, als es aussah"),
    "before": ("it had happened before", "es war schon einmal geschehen"),
    "listening": ("somebody had been listening all the time", "jemand hatte die ganze Zeit zugehört"),
    "laugh": ("somebody begins to laugh", "jemand fängt an zu lachen"),
    "wait": ("it only had to be waited for", "man musste nur darauf warten"),
    "sleep": ("all of them fall asleep but one", "alle schlafen ein, nur eine nicht"),
}

CARDS: Mapping[str, Card] = {
    key: Card(key, kind, {"en": english, "de": german})
    for kind, cards in zip(KINDS, (_WHO, _WHERE, _THING, _TROUBLE, _HELP, _TURN), strict=True)
    for key, (english, german) in cards.items()
}


def draw(seed: int) -> tuple[str, ...]:
    """One of each kind, as keys."""
    choose = random.Random(seed)
    return tuple(choose.choice([card.key for card in CARDS.values() if card.kind == kind]) for kind in KINDS)
