"""Every text of the page has a German one, in the catalogue of its room, and no catalogue holds what nobody says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.pofile import read_po

from somnisphere.page.rooms import ROOMS
from somnisphere.page.words import FOLDER, LANGUAGES, all_words, language_for

PACKAGE = FOLDER.parent.parent
PAGE = FOLDER.parent
KEYWORDS = {**DEFAULT_KEYWORDS, "gettext_noop": None}
OPTIONS = {"trimmed": "false", "newstyle_gettext": "true", "silent": "false"}
HOUSE = "house"
CATALOGUES = (HOUSE, *(room.name for room in ROOMS))
FURTHER = {room.name: room.words_from for room in ROOMS}


def owner_of(path: Path) -> str:
    """The room whose module or template it is: ``tonight_now.html`` is Tonight's."""
    stem = path.stem
    return next((room.name for room in ROOMS if stem == room.name or stem.startswith(f"{room.name}_")), HOUSE)


def sources(name: str) -> Iterator[Path]:
    """The files whose texts the catalogue of a room has to translate."""
    own = [*sorted(PAGE.glob("*.py")), *sorted((PAGE / "templates").glob("*.html"))]
    yield from (path for path in own if owner_of(path) == name and path.name != "rooms.py")
    for place in FURTHER.get(name, ()):
        target = PACKAGE / place
        yield from sorted(target.rglob("*.py")) if target.is_dir() else [target]


def said_in(path: Path) -> set[str | tuple[str, ...]]:
    method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
    options = {} if path.suffix == ".py" else OPTIONS
    found = extract_from_file(method, path, keywords=KEYWORDS, options=options)
    return {message for _, message, _, _ in found if message and message != ("", "")}


def texts(name: str) -> set[str | tuple[str, ...]]:
    """A room's title is its own, though it stands in ``rooms.py``."""
    titles = {room.title for room in ROOMS if room.name == name}
    return titles.union(*(said_in(path) for path in sources(name)))


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
@pytest.mark.parametrize("name", CATALOGUES)
def test_every_text_is_translated_and_nothing_else(name: str, language: str) -> None:
    with (FOLDER / language / f"{name}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    written = {message.id: message for message in catalogue if message.id}
    empty = [
        message.id
        for message in written.values()
        if not (all(message.string) if isinstance(message.string, tuple) else message.string)
    ]
    said = texts(name)
    assert said, f"nothing is said in {name}: the extraction is broken"
    assert {"missing": said - written.keys(), "nobody says": written.keys() - said} == {
        "missing": set(),
        "nobody says": set(),
    }
    assert empty == []
    assert [message.id for message in written.values() if message.fuzzy] == []


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_translations_keep_what_is_filled_in_and_agree(language: str) -> None:
    known: dict[object, object] = {}
    for path in sorted((FOLDER / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if not message.id:
                    continue
                assert list(message.check()) == [], f"{path.name}: {message.id}"
                assert known.setdefault(message.id, message.string) == message.string, f"{path.name}: {message.id}"


def test_no_catalogue_without_a_room() -> None:
    stray = [path for path in FOLDER.glob("*/*.po") if path.stem not in CATALOGUES or path.parent.name not in LANGUAGES]
    assert stray == []


def test_texts_are_spoken_in_each_language() -> None:
    words = all_words()
    assert words["en"].gettext("Tonight") == "Tonight"
    assert words["de"].gettext("Tonight") == "Heute Abend"
    said = ("%(num)s minute told", "%(num)s minutes told")
    assert words["de"].ngettext(*said, 1) == "1 Minute erzählt"
    assert words["de"].ngettext(*said, 4) == "4 Minuten erzählt"


@pytest.mark.parametrize(
    ("chosen", "accepted", "box", "language"),
    [
        ("", "", "en", "en"),
        ("", "", "de", "de"),
        ("de", "en", "en", "de"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "en", "de"),
        ("", "fr,en;q=0.3,de;q=0.7", "en", "de"),
        ("", "fr-FR", "de", "de"),
        ("", "de;q=0, en;q=nan, *", "en", "en"),
        ("", "de;q=x,;;;,=", "en", "en"),
        ("", "en,de", "de", "en"),
    ],
)
def test_the_language_is_the_chosen_else_the_browsers_else_the_boxs(
    chosen: str, accepted: str, box: str, language: str
) -> None:
    assert language_for(chosen, accepted, box) == language
