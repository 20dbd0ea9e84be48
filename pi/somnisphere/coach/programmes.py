"""What a sleep coach would suggest to nearly anybody, as data: each with its reason, its source and its end. Pure.

What must never be automated is not here and cannot be added: ``Programme`` refuses to be made of it. Sleep restriction
(less time in bed, a later bedtime, an earlier rising) is strong medicine that belongs into a person's hands; so are
medicines and supplements. No suggestion names an hour, an amount or anything to reach.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from somnisphere.coach.signs import Signs
from somnisphere.diary.words import Words

Ask = Literal["steady_rising", "getting_up_when_awake", "quiet_before_bed", "daylight", "routine"]
"""Everything that a suggestion may ask of somebody."""
NEVER = frozenset(("later_bedtime", "earlier_rising", "less_time_in_bed", "no_naps", "medicine", "supplement"))
"""Left to a person, always. Named, so that a test can try each."""
ALLOWED: frozenset[str] = frozenset(
    ("steady_rising", "getting_up_when_awake", "quiet_before_bed", "daylight", "routine")
)
Whom = Literal["adult", "child"]

APART_MIN = 90.0
"""Clock times of two weeks that lie further apart than this are called different."""
SOME_NIGHTS = 3
"""So many nights of two weeks make a sign; fewer are chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    key: str
    whom: Whom
    asks: frozenset[str]
    fits: Callable[[Signs], bool]
    days: int
    """It ends by itself after so many days, whatever came of it."""
    title: Words
    suggestion: Words
    reason: Words
    source: str

    def __post_init__(self) -> None:
        if not self.asks or not self.asks <= ALLOWED:
            raise ValueError(f"programme {self.key}: {sorted(self.asks - ALLOWED)} is left to a person")
        if self.days < 7:
            raise ValueError(f"programme {self.key}: one that ends within a week would make room for a second")


def _rises_differently(signs: Signs) -> bool:
    return signs.rising_apart_min is not None and signs.rising_apart_min > APART_MIN


def _beds_differ(signs: Signs) -> bool:
    return signs.bed_apart_min is not None and signs.bed_apart_min > APART_MIN


PROGRAMMES: Sequence[Programme] = (
    Programme(
        key="steady_rising",
        whom="adult",
        asks=frozenset(("steady_rising",)),
        fits=_rises_differently,
        days=14,
        title=Words("A steady morning", "Ein fester Morgen"),
        suggestion=Words(
            "Get up at about the same time each day, at weekends too: a time that already suits most of your mornings. "
            "Go to bed whenever you are tired. Nothing is taken from your night.",
            "Stehen Sie jeden Tag ungefähr zur selben Zeit auf, auch am Wochenende: zu einer Zeit, die schon jetzt zu "
            "den meisten Ihrer Morgen passt. Gehen Sie ins Bett, wann immer Sie müde sind. Von Ihrer Nacht wird "
            "nichts genommen.",
        ),
        reason=Words(
            "The mornings you told begin at quite different times. Researchers of sleep who read the studies together "
            "agree that steady times do people good.",
            "Die Morgen, von denen Sie erzählt haben, beginnen zu recht verschiedenen Zeiten. Schlafforschende, die "
            "die Studien gemeinsam gelesen haben, sind sich einig, dass feste Zeiten guttun.",
        ),
        source="Sletten et al. 2023, Sleep Health 9(6), 801–820",
    ),
    Programme(
        key="getting_up",
        whom="adult",
        asks=frozenset(("getting_up_when_awake",)),
        fits=lambda signs: signs.long_awake_nights >= SOME_NIGHTS,
        days=14,
        title=Words("When you lie awake", "Wenn Sie wach liegen"),
        suggestion=Words(
            "When you lie awake and it is no rest any more, get up, sit somewhere warm in a low light and do something "
            "quiet. Go back when you are sleepy. Leave the clock out of it. Where getting up at night is not safe for "
            "you, choose “ignore”.",
            "Wenn Sie wach liegen und es keine Ruhe mehr ist, stehen Sie auf, setzen Sie sich bei wenig Licht an einen "
            "warmen Platz und tun Sie etwas Stilles. Gehen Sie zurück, wenn Sie schläfrig sind. Lassen Sie die Uhr "
            "dabei aus dem Spiel. Wo es für Sie nachts nicht sicher ist aufzustehen, wählen Sie „ignorieren“.",
        ),
        reason=Words(
            "You told of nights with long waking. Getting up then is a part of what is called stimulus control, which "
            "the American Academy of Sleep Medicine suggests for adults with lasting insomnia.",
            "Sie haben von Nächten erzählt, in denen Sie lange wach waren. Dann aufzustehen ist ein Teil dessen, was "
            "Stimuluskontrolle heißt; die American Academy of Sleep Medicine rät Erwachsenen mit anhaltender Insomnie "
            "dazu.",
        ),
        source="Edinger et al. 2021, J Clin Sleep Med 17(2), 255–262",
    ),
    Programme(
        key="wind_down",
        whom="adult",
        asks=frozenset(("quiet_before_bed",)),
        fits=lambda signs: signs.slow_onset_nights >= SOME_NIGHTS,
        days=14,
        title=Words("A quiet end of the day", "Ein stiller Ausklang"),
        suggestion=Words(
            "Keep the last while of the evening for quiet things that you like: low light, a bath, a story, slow "
            "breathing. What is unfinished can be written down and left until the morning.",
            "Halten Sie die letzte Weile des Abends frei für Stilles, das Sie mögen: wenig Licht, ein Bad, eine "
            "Geschichte, langsames Atmen. Was unfertig ist, lässt sich aufschreiben und bis zum Morgen liegen lassen.",
        ),
        reason=Words(
            "You told of nights on which sleep came late. Learning to relax is among what the American Academy of "
            "Sleep Medicine suggests for adults with lasting insomnia.",
            "Sie haben von Nächten erzählt, in denen der Schlaf spät kam. Entspannung zu lernen gehört zu dem, was die "
            "American Academy of Sleep Medicine Erwachsenen mit anhaltender Insomnie rät.",
        ),
        source="Edinger et al. 2021, J Clin Sleep Med 17(2), 255–262",
    ),
    Programme(
        key="morning_light",
        whom="adult",
        asks=frozenset(("daylight",)),
        fits=lambda signs: _rises_differently(signs) or signs.slow_onset_nights >= SOME_NIGHTS,
        days=14,
        title=Words("Light in the morning", "Licht am Morgen"),
        suggestion=Words(
            "Go outside soon after getting up, or have breakfast at your brightest window.",
            "Gehen Sie bald nach dem Aufstehen nach draußen oder frühstücken Sie am hellsten Fenster.",
        ),
        reason=Words(
            "You told of mornings at different times, or of nights on which sleep came late. Bright days and dim "
            "evenings are what researchers of light recommend for the body's clock.",
            "Sie haben von Morgen zu verschiedenen Zeiten erzählt oder von Nächten, in denen der Schlaf spät kam. "
            "Helle Tage und dämmrige Abende sind das, was Lichtforschende für die innere Uhr empfehlen.",
        ),
        source="Brown et al. 2022, PLoS Biology 20(3), e3001571",
    ),
    Programme(
        key="childs_routine",
        whom="child",
        asks=frozenset(("routine",)),
        fits=lambda signs: _beds_differ(signs) or max(signs.slow_onset_nights, signs.long_awake_nights) >= SOME_NIGHTS,
        days=21,
        title=Words("The same few things each evening", "Jeden Abend dasselbe"),
        suggestion=Words(
            "Choose with your child a few calm things and do them in the same order each evening: a wash, teeth, a "
            "story, a cuddle, light out. A drawing of them on the wall lets your child lead.",
            "Suchen Sie mit Ihrem Kind ein paar ruhige Dinge aus und tun Sie sie jeden Abend in derselben Reihenfolge: "
            "waschen, Zähne, eine Geschichte, kuscheln, Licht aus. Ein Bild davon an der Wand lässt Ihr Kind "
            "vorangehen.",
        ),
        reason=Words(
            "You told of evenings at different hours, or on which sleep came late or did not stay. Where more than ten "
            "thousand mothers of children up to five were asked in many countries, the more evenings had a routine, "
            "the better they said the children slept.",
            "Sie haben von Abenden zu verschiedenen Zeiten erzählt, oder von Nächten, in denen der Schlaf spät kam "
            "oder nicht blieb. Als mehr als zehntausend Mütter von Kindern bis fünf in vielen Ländern gefragt wurden, "
            "schliefen die Kinder nach ihren Worten umso besser, je mehr Abende einen festen Ablauf hatten.",
        ),
        source="Mindell et al. 2015, Sleep 38(5), 717–722",
    ),
)
"""In the order in which they are thought of."""
