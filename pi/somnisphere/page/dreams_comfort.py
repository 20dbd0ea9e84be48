"""What comfort did in the last nights, in words: for whoever opens the room, and for nobody who sleeps."""

from contextlib import closing
from dataclasses import dataclass

from somnisphere.comfort_file import beside, remembered
from somnisphere.diary.door import Door
from somnisphere.night_in_progress import night_id_of
from somnisphere.page.house import House
from somnisphere.page.words import Words, gettext_noop

MOST_SHOWN = 12
_WORDS = {
    ("note", "tried"): gettext_noop("sleep seemed uneasy; it was noted"),
    ("glow", "tried"): gettext_noop("a faint glow"),
    ("glow", "woke"): gettext_noop("somebody woke soon after the glow"),
    ("sound", "tried"): gettext_noop("the chosen sound"),
    ("sound", "woke"): gettext_noop("somebody woke soon after the sound"),
    ("word", "tried"): gettext_noop("a quiet word to the home"),
    ("word", "woke"): gettext_noop("somebody woke soon after the quiet word"),
}


@dataclass(frozen=True, slots=True)
class Comforted:
    """``wall_s``: Unix seconds."""

    wall_s: float
    words: str


def _may_be_told(house: House, wall_s: float) -> bool:
    """Of a night that waits to be told first, nothing."""
    if not house.config.sleeper.tell_first:
        return True
    with closing(Door(house.household, tell_first=True)) as door:
        door.look()
        return door.shows(night_id_of(wall_s + house.utc_offset_s(wall_s)))


def comforted(house: House, words: Words) -> list[Comforted]:
    """The latest first. A file that cannot be read is the daemon's trouble, and it says so."""
    notes = [note for note in remembered(beside(house.journal)).notes if _may_be_told(house, note.wall_s)]
    said = [(note.wall_s, _WORDS.get((note.step, note.what))) for note in reversed(notes)]
    return [Comforted(wall_s, words.gettext(text)) for wall_s, text in said if text is not None][:MOST_SHOWN]
