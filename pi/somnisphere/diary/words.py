"""Words in the languages of the house. Pure."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "de"]


@dataclass(frozen=True, slots=True)
class Words:
    """The same thing said in each language. Translated by meaning, not word by word."""

    en: str
    de: str

    def to(self, language: str) -> str:
        """English where the language is not one of ours."""
        return self.de if language.split("-")[0] == "de" else self.en
