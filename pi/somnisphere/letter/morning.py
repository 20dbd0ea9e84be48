"""Three sentences of a night: how sleep came and who read, how long it stayed, and what is not known. Pure.

It tells and never judges: whoever is told that they slept badly has a worse day (a trial with sham feedback, Journal of
Sleep Research 2018, e12726). So nothing here is good or bad, more or less than anything, or counted; how often somebody
woke is left to the picture, for those who ask.
"""

from somnisphere.journal import Told
from somnisphere.letter.choosing import chosen
from somnisphere.letter.clock_words import clock_range, is_german, length_range
from somnisphere.letter.night_facts import LetterFacts

SOME, MUCH = 0.1, 0.4
"""Shares of the record that could not be told: from the first on that is said, from the second on as a warning."""


def morning(facts: LetterFacts, language: str) -> tuple[str, str, str]:
    """The letter of a night that was opened."""
    german = is_german(language)
    return (
        _evening(facts, language, german),
        _night(facts, language, german),
        _not_known(facts, german),
    )


def told_words(told: tuple[Told, ...], language: str) -> str:
    """Who read what to whom, as the beginning of a sentence; "" when no story was told."""
    if not told:
        return ""
    german, first = is_german(language), told[0]
    title = _quoted(" ".join(first.title.split()), german)
    if first.teller:
        words = f"{first.teller} erzählte {title}" if german else f"{first.teller} told {title}"
        if first.listener:
            words = f"{first.teller} erzählte {first.listener} {title}" if german else f"{words} to {first.listener}"
    elif first.listener:
        words = f"{first.listener} hörte {title}" if german else f"{first.listener} listened to {title}"
    else:
        words = f"Die Geschichte war {title}" if german else f"The story was {title}"
    more = len({(story.title, story.teller) for story in told}) > 1
    return words + (" und noch eine Geschichte" if german else " and another story") if more else words


def _evening(facts: LetterFacts, language: str, german: bool) -> str:
    story = told_words(facts.told, language)
    if facts.onset is None:
        unseen = (
            ("den Schlaf habe ich nicht kommen sehen", "wann der Schlaf kam, weiß ich nicht")
            if german
            else ("I did not see sleep come", "when sleep came I do not know")
        )
        return _joined(story, chosen(unseen, facts.night_id, "unseen"), german)
    at = clock_range(facts.onset.low, facts.onset.high, language)
    came = (
        (f"der Schlaf kam {at}", f"{at} kam der Schlaf", f"irgendwann {at} war der Schlaf da")
        if german
        else (f"sleep came {at}", f"{at} sleep came", f"some time {at} sleep was there")
    )
    return _joined(story, chosen(came, facts.night_id, "came"), german)


def _night(facts: LetterFacts, language: str, german: bool) -> str:
    if facts.sleep_min is None or facts.waking is None:
        nothing = (
            ("Von der Nacht selbst kann ich nichts erzählen.", "Die Nacht selbst ist mir entgangen.")
            if german
            else ("Of the night itself I can tell nothing.", "The night itself went past me.")
        )
        return chosen(nothing, facts.night_id, "nothing")
    length = length_range(facts.sleep_min.low, facts.sleep_min.high, language)
    ended = clock_range(facts.waking.low, facts.waking.high, language)
    ways = (
        (
            f"Er blieb {length}, soweit ich es sehen konnte, und ging {ended}.",
            f"Soweit ich es sehen konnte, blieb er {length}; {ended} war die Nacht zu Ende.",
            f"Geblieben ist er wohl {length}, und aufgewacht wurde {ended}.",
        )
        if german
        else (
            f"It stayed {length}, as far as I could see, and left {ended}.",
            f"As far as I could see, it stayed {length}; {ended} the night was over.",
            f"It stayed for {length} or so it seemed, and waking came {ended}.",
        )
    )
    return chosen(ways, facts.night_id, "night")


def _not_known(facts: LetterFacts, german: bool) -> str:
    if facts.recorded_min <= 0:
        return (
            "Aufgezeichnet wurde nichts, also gehört diese Nacht ganz der eigenen Erinnerung."
            if german
            else "Nothing was recorded, so this night belongs to memory alone."
        )
    ways: tuple[str, ...]
    share = facts.unknown_min / facts.recorded_min
    if share >= MUCH:
        ways = (
            ("Einen großen Teil der Nacht habe ich nicht sehen können; bitte wenig darauf geben.",)
            if german
            else ("For a large part of the night I could not see; please set little store by this.",)
        )
    elif share >= SOME:
        ways = (
            ("Eine Weile konnte ich nichts erkennen, und auch das Übrige ist geraten.",)
            if german
            else ("For a while I could not tell anything, and the rest is a guess as well.",)
        )
    else:
        ways = (
            (
                "Was dazwischen war und was geträumt wurde, weiß ich nicht: ich rate nach Puls und Bewegung.",
                "Wie sich die Nacht anfühlte, weiß ich nicht; ich rate nach Puls und Bewegung.",
            )
            if german
            else (
                "What went on in between, and what was dreamt, I do not know: I guess from pulse and movement.",
                "How the night felt I do not know; I guess from pulse and movement.",
            )
        )
    return chosen(ways, facts.night_id, "unknown")


def _joined(story: str, rest: str, german: bool) -> str:
    if not story:
        return f"{rest[0].upper()}{rest[1:]}."
    return f"{story}, und {rest}." if german else f"{story}, and {rest}."


def _quoted(title: str, german: bool) -> str:
    return f"„{title}“" if german else f"“{title}”"
