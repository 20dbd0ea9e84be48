"""What a night is asked about, as data: for an adult, and for a child in pictures without a number.

The nine things asked are those of the core of the Consensus Sleep Diary (Carney and others 2012, Sleep 35(2), 287-302):
into bed, tried to sleep, how long it took, wakings, how long they were, the last waking, up for the day, how it was,
and room for words. Which things are asked is a fact; the words are ours. Nothing is required, and "I don't know" is an
answer everywhere.
"""

from dataclasses import dataclass
from typing import Literal

from somnisphere.diary.words import Words

Kind = Literal["clock", "minutes", "choice", "text"]
Form = Literal["adult", "child"]

DONT_KNOW = "dont_know"
DONT_KNOW_WORDS = Words("I don't know", "Weiß ich nicht")
DONT_KNOW_PICTURE = "shrug"


@dataclass(frozen=True, slots=True)
class Choice:
    """``picture``: a name in ``pictures.py``, "" in an adult's form. The words are its text alternative."""

    key: str
    words: Words
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    key: str
    kind: Kind
    words: Words
    choices: tuple[Choice, ...] = ()


WAKINGS = (
    Choice("none", Words("not that I remember", "nicht, dass ich wüsste")),
    Choice("once", Words("once", "einmal")),
    Choice("few", Words("a few times", "ein paar Mal")),
    Choice("often", Words("often", "oft")),
)
FELT = (
    Choice("hard", Words("a hard night", "eine schwere Nacht")),
    Choice("uneasy", Words("an uneasy one", "eine unruhige")),
    Choice("plain", Words("a night like others", "eine wie andere")),
    Choice("kind", Words("a kind one", "eine freundliche")),
    Choice("deep", Words("a deep, quiet one", "eine tiefe, stille")),
)

ADULT: tuple[Question, ...] = (
    Question("into_bed", "clock", Words("When did you get into bed?", "Wann sind Sie ins Bett gegangen?")),
    Question("tried", "clock", Words("When did you want to sleep?", "Wann wollten Sie schlafen?")),
    Question(
        "latency_min",
        "minutes",
        Words("About how many minutes until sleep came?", "Etwa wie viele Minuten, bis der Schlaf kam?"),
    ),
    Question("wakings", "choice", Words("Did you wake in between?", "Sind Sie zwischendurch aufgewacht?"), WAKINGS),
    Question(
        "awake_min",
        "minutes",
        Words(
            "About how many minutes were you awake then, all in all?",
            "Etwa wie viele Minuten waren Sie dann wach, alles zusammen?",
        ),
    ),
    Question("woke", "clock", Words("When did you wake for the last time?", "Wann sind Sie zuletzt aufgewacht?")),
    Question("got_up", "clock", Words("When did you get up for the day?", "Wann sind Sie aufgestanden?")),
    Question("felt", "choice", Words("What kind of night was it?", "Was für eine Nacht war es?"), FELT),
    Question("words", "text", Words("Anything you want to say about it?", "Möchten Sie etwas dazu sagen?")),
)

CHILD: tuple[Question, ...] = (
    Question(
        "into_bed",
        "choice",
        Words("What was it like outside when you went to bed?", "Wie war es draußen, als du ins Bett gegangen bist?"),
        (
            Choice("light", Words("still light", "noch hell"), "sun"),
            Choice("dusk", Words("nearly dark", "fast dunkel"), "low_sun"),
            Choice("dark", Words("dark", "dunkel"), "moon"),
        ),
    ),
    Question(
        "tried",
        "choice",
        Words("And in bed, what came first?", "Und im Bett, was kam zuerst?"),
        (
            Choice("sleep", Words("eyes shut", "Augen zu"), "shut_eye"),
            Choice("story", Words("a story", "eine Geschichte"), "book"),
            Choice("play", Words("playing", "spielen"), "ball"),
        ),
    ),
    Question(
        "fell_asleep",
        "choice",
        Words("How did sleep come to you?", "Wie kam der Schlaf zu dir?"),
        (
            Choice("mouse", Words("quick as a mouse", "flink wie eine Maus"), "mouse"),
            Choice("cat", Words("strolling like a cat", "gemütlich wie eine Katze"), "cat"),
            Choice("snail", Words("slow as a snail", "langsam wie eine Schnecke"), "snail"),
        ),
    ),
    Question(
        "wakings",
        "choice",
        Words("Did you wake in the night?", "Bist du in der Nacht aufgewacht?"),
        (
            Choice("none", Words("no, I slept on", "nein, ich schlief weiter"), "shut_eye"),
            Choice("once", Words("yes, for a bit", "ja, ein bisschen"), "open_eye"),
            Choice("often", Words("yes, again and again", "ja, immer wieder"), "open_eyes"),
        ),
    ),
    Question(
        "awake_long",
        "choice",
        Words("Was that short or long?", "War das kurz oder lang?"),
        (
            Choice("short", Words("short as a worm", "kurz wie ein Regenwurm"), "worm"),
            Choice("long", Words("long as a snake", "lang wie eine Schlange"), "snake"),
        ),
    ),
    Question(
        "woke",
        "choice",
        Words("What was outside when you woke up?", "Was war draußen, als du aufgewacht bist?"),
        (
            Choice("dark", Words("still dark", "noch dunkel"), "moon"),
            Choice("dawn", Words("nearly light", "fast hell"), "low_sun"),
            Choice("light", Words("light", "hell"), "sun"),
        ),
    ),
    Question(
        "got_up",
        "choice",
        Words("And then?", "Und dann?"),
        (
            Choice("jumped", Words("up I jumped", "raus aus dem Bett"), "frog"),
            Choice("cuddled", Words("I cuddled a while", "noch gekuschelt"), "bear"),
            Choice("called", Words("somebody woke me", "jemand hat mich geweckt"), "bell"),
        ),
    ),
    Question(
        "felt",
        "choice",
        Words("What weather was your night?", "Welches Wetter hatte deine Nacht?"),
        (
            Choice("storm", Words("a storm", "Sturm"), "storm"),
            Choice("clouds", Words("clouds", "Wolken"), "cloud"),
            Choice("stars", Words("a sky full of stars", "lauter Sterne"), "stars"),
        ),
    ),
    Question(
        "words",
        "text",
        Words(
            "Do you want to tell something? Somebody can write it.", "Magst du etwas erzählen? Jemand schreibt es auf."
        ),
    ),
)

FORMS: dict[Form, tuple[Question, ...]] = {"adult": ADULT, "child": CHILD}
