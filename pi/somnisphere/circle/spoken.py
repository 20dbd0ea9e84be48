"""Numbers that two people can compare on the telephone: four syllables' letters for sixteen bits, as in ``lusab``.

Consonants carry four bits, vowels two (the scheme of Wilkerson's proquints, arXiv 0901.4016). Only small letters and
hyphens come out, so a name of this kind is also a level of an MQTT topic and a file name.
"""

import re

QUINTS_PATTERN = r"^[bdfghjklmnprstvz][aiou][bdfghjklmnprstvz][aiou][bdfghjklmnprstvz](-[bdfghjklmnprstvz][aiou][bdfghjklmnprstvz][aiou][bdfghjklmnprstvz]){4}$"  # noqa: E501
"""Of ten bytes."""

_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aiou"


def spoken(number: bytes) -> str:
    """An even count of bytes as words of five letters."""
    return "-".join(_word(int.from_bytes(number[n : n + 2], "big")) for n in range(0, len(number), 2))


def unspoken(words: str) -> bytes:
    """The ten bytes again. ``ValueError``: these are no such words."""
    if not re.fullmatch(QUINTS_PATTERN, words):
        raise ValueError(f"{words[:40]!r} is no name of five words such as lusab-babad-gutih-tugad-mibik")
    return b"".join(_number(word).to_bytes(2, "big") for word in words.split("-"))


def _word(number: int) -> str:
    consonant = [_CONSONANTS[number >> shift & 15] for shift in (12, 6, 0)]
    vowel = [_VOWELS[number >> shift & 3] for shift in (10, 4)]
    return consonant[0] + vowel[0] + consonant[1] + vowel[1] + consonant[2]


def _number(word: str) -> int:
    number = 0
    for letter in word:
        letters, bits = (_VOWELS, 2) if letter in _VOWELS else (_CONSONANTS, 4)
        number = number << bits | letters.index(letter)
    return number
