"""What is one for a person. A page to read, not a questionnaire: which of them fits is neither asked nor kept. Pure.

All that is ever stored is whether suggestions are welcome (``store.py``). Until somebody has read the page and said
that none of these fits, there are none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from somnisphere.diary.words import Words

FOR_A_PERSON = Words("This is one for a person.", "Das ist etwas für einen Menschen.")
WHY = Words(
    "A box by the bed knows too little for these, and a suggestion from it could do harm. Somebody who can listen, "
    "ask and examine is the right one. Somnisphere is not a medical device.",
    "Ein Kasten am Bett weiß dafür zu wenig, und ein Vorschlag von ihm könnte schaden. Richtig ist jemand, der "
    "zuhören, fragen und untersuchen kann. Somnisphere ist kein Medizinprodukt.",
)
AT_ONCE = Words(
    "If somebody is in danger now, or thinks of not living any more, call the emergency number of where you are.",
    "Wenn jetzt jemand in Gefahr ist oder daran denkt, nicht mehr leben zu wollen, wählen Sie den Notruf Ihres Landes.",
)
NONE_OF_THESE = Words(
    "None of these fits: suggestions are welcome", "Nichts davon trifft zu: Vorschläge sind willkommen"
)
ONE_OF_THESE = Words("One of these fits, or may: no suggestions", "Etwas davon trifft zu, vielleicht: keine Vorschläge")


@dataclass(frozen=True, slots=True)
class RedFlag:
    key: str
    sign: Words
    person: Words
    """Whom one could turn to."""


RED_FLAGS: Sequence[RedFlag] = (
    RedFlag(
        "breathing",
        Words(
            "Somebody noticed pauses in your breathing, gasping, or loud snoring every night.",
            "Jemandem sind bei Ihnen Atempausen, Luftschnappen oder lautes Schnarchen in jeder Nacht aufgefallen.",
        ),
        Words(
            "Your doctor, who can send you to a sleep laboratory.",
            "Ihre Ärztin oder Ihr Arzt; von dort geht es, wenn nötig, in ein Schlaflabor.",
        ),
    ),
    RedFlag(
        "at_the_wheel",
        Words(
            "You grow sleepy at the wheel, at a machine, or in the middle of a conversation.",
            "Sie werden am Steuer, an einer Maschine oder mitten im Gespräch schläfrig.",
        ),
        Words(
            "Leave the car until you have spoken to a doctor, and do so soon.",
            "Lassen Sie das Auto stehen, bis Sie mit einer Ärztin oder einem Arzt gesprochen haben, und tun Sie es "
            "bald.",
        ),
    ),
    RedFlag(
        "low_mood",
        Words(
            "Your days have been heavy and without joy for two weeks or longer, or life seems not worth it.",
            "Ihre Tage sind seit zwei Wochen oder länger schwer und freudlos, oder das Leben scheint sich nicht zu "
            "lohnen.",
        ),
        Words(
            "Your doctor, a psychotherapist, or a crisis line of your country; somebody near you may call with you.",
            "Ihre Ärztin, ein Psychotherapeut oder die Telefonseelsorge; jemand, der Ihnen nah ist, kann mit anrufen.",
        ),
    ),
    RedFlag(
        "mania",
        Words(
            "You need hardly any sleep and are full of energy, or such times are known of you.",
            "Sie brauchen kaum Schlaf und sind voller Energie, oder solche Zeiten sind bei Ihnen bekannt.",
        ),
        Words(
            "A psychiatrist or your doctor. Changing sleep or light by oneself can set such times off.",
            "Eine Psychiaterin oder Ihr Arzt. Schlaf oder Licht auf eigene Faust zu ändern, kann solche Zeiten "
            "auslösen.",
        ),
    ),
    RedFlag(
        "seizures",
        Words(
            "There are seizures, now or in the past, or movements at night that nobody can explain.",
            "Es gibt Anfälle, jetzt oder früher, oder nächtliche Bewegungen, die niemand erklären kann.",
        ),
        Words("A neurologist or your doctor.", "Eine Neurologin oder Ihr Arzt."),
    ),
    RedFlag(
        "pregnancy",
        Words("You are pregnant, or gave birth not long ago.", "Sie sind schwanger oder haben vor kurzem geboren."),
        Words("Your midwife or your doctor.", "Ihre Hebamme oder Ihre Ärztin."),
    ),
    RedFlag(
        "shift_work",
        Words(
            "You work in shifts or at night, so that your hours are not yours to choose.",
            "Sie arbeiten in Schichten oder nachts, so dass Sie sich Ihre Zeiten nicht aussuchen können.",
        ),
        Words(
            "The doctor of your workplace, or a sleep coach who knows shift work.",
            "Die Betriebsärztin, oder ein Schlafcoach, der Schichtarbeit kennt.",
        ),
    ),
    RedFlag(
        "under_18",
        Words(
            "It is about somebody under eighteen whose sleep worries you.",
            "Es geht um jemanden unter achtzehn, dessen Schlaf Ihnen Sorgen macht.",
        ),
        Words("The child's doctor.", "Die Kinderärztin oder der Kinderarzt."),
    ),
    RedFlag(
        "trauma",
        Words(
            "What keeps you awake is something terrible that happened, or it comes back at night.",
            "Was Sie wach hält, ist etwas Schlimmes, das geschehen ist, oder es kommt nachts wieder.",
        ),
        Words(
            "A psychotherapist who works with such experiences; your doctor can help to find one.",
            "Eine Psychotherapeutin, die mit solchen Erfahrungen arbeitet; Ihr Arzt kann bei der Suche helfen.",
        ),
    ),
)
