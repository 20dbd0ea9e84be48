"""The page's words in the reader's language. The only file that imports babel.

Texts are written in English in the code; ``translations/<language>/*.po`` holds the others, read at the start. The
language is the one chosen on the page, else the browser's, else the box's.
"""

import gettext as gettext_files
import io
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""By their own names. English is the one the texts are written in."""
FOLDER = Path(__file__).parent / "translations"
_MOST_WISHES = 20
_FORMATS = {"en": "en_GB", "de": "de"}


def gettext_noop(text: str) -> str:
    """Marks a text for translation where it stands; it is translated where it is shown."""
    return text


class Words:
    """All texts of one language."""

    def __init__(self, language: str, catalogue: gettext_files.NullTranslations) -> None:
        self.language = language
        self._catalogue = catalogue
        self._format = _FORMATS.get(language, language)

    def gettext(self, text: str, /, **values: object) -> str:
        """``text`` translated; ``%(name)s`` in it is filled in, when values are given."""
        said = self._catalogue.gettext(text)
        return said % values if values else said

    def ngettext(self, one: str, many: str, number: int, /, **values: object) -> str:
        """``%(num)s`` is the number itself."""
        return self._catalogue.ngettext(one, many, number) % {"num": number, **values}

    def pgettext(self, context: str, text: str, /, **values: object) -> str:
        said = self._catalogue.pgettext(context, text)
        return said % values if values else said

    def language_name(self, tag: str) -> str:
        """Of a BCP 47 tag, as its readers call it; the tag itself when nobody knows it."""
        try:
            return Locale.parse(tag, sep="-").get_display_name(self._format) or tag
        except (UnknownLocaleError, ValueError, TypeError):
            return tag

    def day(self, day: date) -> str:
        """Such as Saturday, 14 March."""
        return format_date(day, "EEEE, d MMMM" if self.language != "de" else "EEEE, d. MMMM", locale=self._format)

    def clock(self, moment: datetime) -> str:
        """Such as 21:40, as the moment's own zone has it."""
        return format_time(moment, "HH:mm", locale=self._format)


def all_words(folder: Path = FOLDER) -> Mapping[str, Words]:
    """By language."""
    return {language: Words(language, _catalogue(sorted((folder / language).glob("*.po")))) for language in LANGUAGES}


def _catalogue(files: Iterable[Path]) -> gettext_files.NullTranslations:
    """One out of all files; a text that two of them have means the same in both (a test holds that)."""
    merged: gettext_files.GNUTranslations | None = None
    for path in files:
        with path.open("rb") as file:
            catalogue = read_po(file)
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        read = gettext_files.GNUTranslations(compiled)
        if merged is not None:
            read.add_fallback(merged)
        merged = read
    return merged or gettext_files.NullTranslations()


def language_for(chosen: str, accepted: str, box_language: str) -> str:
    """``chosen``: on the page; ``accepted``: the browser's Accept-Language."""
    if chosen in LANGUAGES:
        return chosen
    wishes = []
    for place, wish in enumerate(accepted.split(",")[:_MOST_WISHES]):
        tag, _, parameters = wish.strip().partition(";")
        wishes.append((-_weight(parameters), place, tag.strip().lower().split("-")[0]))
    return next((tag for weight, _, tag in sorted(wishes) if weight < 0 and tag in LANGUAGES), box_language)


def _weight(parameters: str) -> float:
    """Of ``q=0.8``; 1 when none is said, 0 when it cannot be read."""
    name, _, value = parameters.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
