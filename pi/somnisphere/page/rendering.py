"""Templates filled in. The only file that imports jinja2. What comes from people is escaped everywhere."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from somnisphere.page.words import Words

FOLDER = Path(__file__).parent / "templates"


class Rendering:
    """One environment a language, so that ``_`` and ``{% trans %}`` speak it. ``values``: for every template."""

    def __init__(self, words: Mapping[str, Words], values: Mapping[str, object], folder: Path = FOLDER) -> None:
        self._environments = {language: _environment(spoken, values, folder) for language, spoken in words.items()}

    def page(self, template: str, language: str, values: Mapping[str, object]) -> str:
        """A name that a template uses and nobody gives is a mistake of the program."""
        return self._environments[language].get_template(template).render(**values)


def _environment(words: Words, values: Mapping[str, object], folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        words.gettext, words.ngettext, newstyle=True, pgettext=words.pgettext
    )
    environment.filters["clock"] = lambda moment: words.clock(moment) if isinstance(moment, datetime) else ""
    environment.filters["day"] = words.day
    environment.globals.update(values)
    return environment
