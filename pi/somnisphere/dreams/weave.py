"""A dream and its change become a short story, by a small grammar of tellings. Pure: the same dream, the same story.

    story    = opening  before  pause  after  closing
    before   = "happened" frame, the teller's words
    after    = change help ending | help change ending        help may come before the change
    help     = "helper" frame, the teller's words, [together]

The teller's own words stand as they were said: they are the dream. What is around them only slows it down.
"""

import random
from dataclasses import dataclass
from hashlib import sha256

from somnisphere.dreams.frames import FRAMES
from somnisphere.dreams.telling import Dream


@dataclass(frozen=True, slots=True)
class Woven:
    title: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n\n".join(self.paragraphs)


def weave(dream: Dream, variant: int = 0) -> Woven:
    """``variant``: another telling of the same dream. Raises ``ValueError`` when one of the four answers is missing."""
    if missing := dream.missing():
        raise ValueError(f"not told yet: {', '.join(missing)}")
    frames = FRAMES[dream.language]
    words = "\0".join((dream.happened, dream.change, dream.helper, dream.ending, dream.dreamer, str(variant)))
    choose = random.Random(sha256(words.encode()).digest())

    def frame(slot: str) -> str:
        named = dream.dreamer and f"{slot}_of" in frames
        return choose.choice(frames[f"{slot}_of" if named else slot]).format(name=dream.dreamer)

    helped = [f"{frame('helper')} {sentence(dream.helper, capital=False)}"]
    if choose.random() < 2 / 3:
        helped.append(frame("together"))
    changed = [frame("change"), sentence(dream.change)]
    after = [*helped, " ".join(changed)] if choose.random() < 1 / 3 else [" ".join(changed), *helped]
    paragraphs = (
        frame("open"),
        f"{frame('happened')} {sentence(dream.happened)}",
        frame("pause"),
        *after,
        f"{frame('ending')} {sentence(dream.ending)}",
        frame("close"),
    )
    return Woven(dream.title or frame("title"), paragraphs)


def sentence(text: str, *, capital: bool = True) -> str:
    """As the teller said it, with a capital at its beginning and a stop at its end."""
    text = text.strip()
    if capital:
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…", '."', '!"', '?"', ".“", "!“", "?“")) else f"{text}."
