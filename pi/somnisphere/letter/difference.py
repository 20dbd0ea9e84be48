"""Where the telling and the sensor differ: said kindly, and what is learned from it said too. Pure."""

from somnisphere.diary.learning import Direction
from somnisphere.diary.words import Words
from somnisphere.letter.clock_words import clock_words
from somnisphere.sleep.facts import Range

DIFFER_S = 15 * 60.0
"""Beyond the sensor's own range by more than this; less is how people round."""

LEARNED: dict[Direction, Words] = {
    "back": Words(
        "From how you tell your nights I have learned: stories now begin a little further back.",
        "Aus dem Erzählten habe ich gelernt: Geschichten beginnen jetzt ein wenig weiter vorn.",
    ),
    "on": Words(
        "From how you tell your nights I have learned: stories now begin not quite so far back.",
        "Aus dem Erzählten habe ich gelernt: Geschichten beginnen jetzt nicht mehr ganz so weit vorn.",
    ),
}


def difference(told_s: float | None, seen: Range | None, language: str) -> str | None:
    """A sentence about the moment of sleep as it was told and as it was seen, None where they agree. Seconds after
    the same midnight."""
    if told_s is None or seen is None or seen.low - DIFFER_S <= told_s <= seen.high + DIFFER_S:
        return None
    told = clock_words(told_s, language)
    said = (
        Words(
            f"As it is remembered, sleep came around {told}, before I saw it. Memory and pulse are two witnesses, and"
            " neither is wrong; I keep what was told.",
            f"Erinnert wird der Schlaf gegen {told}, früher als ich ihn sah. Erinnerung und Puls sind zwei Zeugen, und"
            " keiner von beiden irrt; was erzählt wurde, bleibt.",
        )
        if told_s < seen.low
        else Words(
            f"As it is remembered, sleep came around {told}, after I saw it. A still body may be awake for a long time,"
            " and I cannot tell; I keep what was told.",
            f"Erinnert wird der Schlaf gegen {told}, später als ich ihn sah. Ein stiller Körper kann lange wach sein,"
            " und ich merke es nicht; was erzählt wurde, bleibt.",
        )
    )
    return said.to(language)
