"""The grammar's own sentences, by language: what stands around the teller's words. Each slot has several; one is taken.

A slot that ends in a colon takes what follows it as it is, so that "my grandmother" and "My grandmother came." both
fit.
"""

from collections.abc import Mapping

Frames = Mapping[str, tuple[str, ...]]

ENGLISH: Frames = {
    "title": ("The page that was turned", "The dream with another ending", "The dream that was told by day"),
    "title_of": ("{name} turns the page", "The dream that {name} turned", "{name} and the other ending"),
    "open": (
        "This is a dream that was told by day, with the curtains open.",
        "Some dreams are like a coat put on inside out. This one was taken off, and looked at, and turned.",
        "Somebody brought a dream to the table, put it down beside the bread, and said: this one needs another end.",
        "A dream does not know that it can be told twice. This one was about to learn it.",
    ),
    "open_of": (
        "This is a dream that {name} told by day, with the curtains open.",
        "{name} brought a dream to the table, put it down beside the bread, and said: this one needs another end.",
    ),
    "happened": (
        "The first time, it went like this.",
        "In the night it had gone like this.",
        "This is how it was before the page was turned.",
    ),
    "pause": (
        "Here the one who told it took a breath. The dream had to wait, for it was day, and by day dreams wait.",
        "Then there was a small silence, the kind in which a page is turned.",
        "Stop, said the one who told it, and the dream stood still with one foot in the air.",
    ),
    "change": (
        "And this is how it goes now.",
        "This time it was told differently.",
        "So the page was turned, and on the next one it stood like this.",
    ),
    "helper": (
        "Nobody had to be there alone. Somebody came to help:",
        "Then there was a knock, not loud, and the one who came was just the right one:",
        "And there was help, as there is when one asks for it:",
    ),
    "together": (
        "They stood side by side for a while, and looked at it together. Things that two look at grow smaller.",
        "Side by side they were as big as they had to be.",
        "It is easier to breathe beside somebody who breathes slowly. In, and out. In, and out.",
    ),
    "ending": ("And it ended like this.", "So the end was another one.", "And on the last page stood this."),
    "close": (
        "After that the dream was tired. It lay down at the foot of the bed, and it was soft, and it slept.",
        "The lamp was still there, and the blanket, and the breathing of the house. The page lay flat and did not turn"
        " by itself.",
        "That is the whole dream, as it is told now. It can be told again, and each time it goes like this.",
    ),
}

GERMAN: Frames = {
    "title": ("Die umgeblätterte Seite", "Der Traum mit dem anderen Ende", "Der Traum, der bei Tag erzählt wurde"),
    "title_of": ("{name} blättert um", "Der Traum, den {name} umgeblättert hat", "{name} und das andere Ende"),
    "open": (
        "Das ist ein Traum, der bei Tag erzählt wurde, bei offenen Vorhängen.",
        "Manche Träume sind wie eine Jacke, die man verkehrt herum angezogen hat. Diese wurde ausgezogen, angesehen und"
        " umgedreht.",
        "Jemand legte einen Traum auf den Tisch, gleich neben das Brot, und sagte: Der braucht ein anderes Ende.",
        "Ein Traum weiß nicht, dass man ihn zweimal erzählen kann. Dieser sollte es gerade lernen.",
    ),
    "open_of": (
        "Das ist ein Traum, den {name} bei Tag erzählt hat, bei offenen Vorhängen.",
        "{name} legte einen Traum auf den Tisch, gleich neben das Brot, und sagte: Der braucht ein anderes Ende.",
    ),
    "happened": (
        "Beim ersten Mal ging er so.",
        "In der Nacht war er so gegangen.",
        "So war es, bevor umgeblättert wurde.",
    ),
    "pause": (
        "Hier holte die Stimme, die erzählte, einmal Luft. Der Traum musste warten, denn es war Tag, und am Tag warten"
        " Träume.",
        "Dann wurde es kurz still, so still, wie wenn jemand eine Seite umblättert.",
        "Halt, sagte die Stimme, die erzählte, und der Traum blieb stehen, einen Fuß in der Luft.",
    ),
    "change": (
        "Und so geht er jetzt.",
        "Diesmal wurde er anders erzählt.",
        "Also wurde umgeblättert, und auf der nächsten Seite stand es so.",
    ),
    "helper": (
        "Niemand musste dort allein sein. Es kam Hilfe:",
        "Da klopfte es, nicht laut, und es war genau der richtige Besuch:",
        "Und es gab Hilfe, wie es sie gibt, wenn man danach fragt:",
    ),
    "together": (
        "Eine Weile standen sie nebeneinander und sahen es sich gemeinsam an. Was zwei ansehen, wird kleiner.",
        "Nebeneinander waren sie so groß, wie sie sein mussten.",
        "Neben jemandem, der langsam atmet, atmet es sich leichter. Ein und aus. Ein und aus.",
    ),
    "ending": ("Und so ging es aus.", "Also war das Ende ein anderes.", "Und auf der letzten Seite stand dies."),
    "close": (
        "Danach war der Traum müde. Er legte sich ans Fußende des Bettes, und er war weich, und er schlief.",
        "Die Lampe war noch da, und die Decke, und das Atmen des Hauses. Die Seite lag flach und blätterte sich nicht"
        " von selbst um.",
        "Das ist der ganze Traum, wie er jetzt erzählt wird. Man kann ihn wieder erzählen, und jedes Mal geht er so.",
    ),
}

FRAMES: Mapping[str, Frames] = {"en": ENGLISH, "de": GERMAN}
