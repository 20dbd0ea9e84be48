"""Names as people read them: titles of one line, keys that can be written anywhere, languages in BCP 47."""

import re
from pathlib import Path

TITLE_LENGTH = 120

_JOINERS = "\u200c\u200d"
"""Persian words and joined pictures need them, though they print nothing themselves."""

_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?(?:[-_].*)?")

_CODES = """
ara:ar bul:bg cat:ca ces:cs cze:cs cym:cy wel:cy dan:da deu:de ger:de ell:el gre:el eng:en spa:es est:et eus:eu
baq:eu fas:fa per:fa fin:fi fra:fr fre:fr gle:ga heb:he hin:hi hrv:hr hun:hu hye:hy arm:hy ind:id isl:is ice:is
ita:it jpn:ja kat:ka geo:ka kor:ko lat:la lit:lt lav:lv nld:nl dut:nl nor:no nob:nb nno:nn pol:pl por:pt ron:ro
rum:ro rus:ru slk:sk slo:sk slv:sl sqi:sq alb:sq srp:sr swe:sv tam:ta tha:th tur:tr ukr:uk urd:ur vie:vi zho:zh
chi:zh und: xxx: zxx: mul: iw:he
"""

_TWO_LETTERS = dict(pair.split(":") for pair in _CODES.split())
"""ISO 639-2 as audio tags have it, as ISO 639-1."""


def clean_name(name: str) -> str:
    """A name that can be written anywhere: file names of another encoding have bytes that are no characters."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c if c.isprintable() else " " for c in name)


def key_of(path: Path, shelf: Path) -> str:
    """What stays of a story: its path below the shelf's folder. A file outside of it is known by its name."""
    inside = path.relative_to(shelf) if path.is_relative_to(shelf) else Path(path.name)
    return clean_name(inside.as_posix())


def one_line(text: object) -> str:
    """A title or a name: one line, printable, not endless."""
    kept = "".join(
        c if c.isprintable() or c in _JOINERS else "\ufffd" if "\ud800" <= c <= "\udfff" else " " for c in str(text)
    )
    return " ".join(kept.split())[:TITLE_LENGTH].strip()


def title_from(path: Path) -> str:
    """A file name made readable."""
    return one_line(path.stem.replace("_", " ").replace("-", " ")) or one_line(path.name)


def language_tag(text: object) -> str:
    """BCP 47 of what a tag says (``eng``, ``en_GB``, ``de-Latn-AT``); "" for what is no language."""
    found = _LANGUAGE.fullmatch(str(text).strip().strip("\x00"))
    if not found:
        return ""
    language, script, region = found.groups()
    language = _TWO_LETTERS.get(language.lower(), language.lower())
    if not language:
        return ""
    return "-".join(part for part in (language, script and script.title(), region and region.upper()) if part)
