"""The rule that nobody is scored: what no text may say, where it is looked for, and the few numbers that are allowed.

A *surface* is something that people read, as pairs of a place and a text. Each takes what it walks as an argument, so
that a test can plant a score in a copy of it and see it found.
"""

import argparse
import ast
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from babel.messages.pofile import read_po

from somnisphere.snapshot import Snapshot
from somnisphere_home.entity import Entity
from somnisphere_home.messages import Message

Said = tuple[str, str]
"""Where it stands, and what it says."""

RULES: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "a score": r"\bscor(e|es|ed|ing)\b|\bsleep (quality|performance|credit|debt|rating|index)\b"
        r"|\b(\w*punkte|punktzahl|punktestand|\w*wertung|schlafqualität|schlafnote|schulnote|schlafindex)\b",
        "efficiency": r"\b(efficien(cy|t)|\w*effizienz\w*|effizient\w*)\b",
        "a goal": r"\b(goals?|sleep targets?|target (hours|sleep|bedtime)|\w*schlafziele?|ziele? (erreicht|verfehlt)"
        r"|tagesziele?|zielzeit)\b",
        "a rank": r"\b(rank(s|ed|ing|ings)?|leader ?boards?|rang(liste)?|platz \d+|better than|besser als|top \d+"
        r"|percentiles?|perzentile?)\b",
        "a streak": r"\b(streaks?|(nights?|days?|mornings?|weeks?) in a row|in folge|hintereinander|serien?"
        r"|personal best|best(wert|leistung)|rekorde?|records? broken)\b",
        "a prize": r"\b(badges?|medals?|troph(y|ies)|achievements?|rewards?|stars? (earned|won)|abzeichen|medaillen?"
        r"|pokale?|belohnung(en)?|sterne gesammelt)\b|[★☆⭐🏆🏅🎖🥇🥈🥉💯]",
        "a mark": r"\bgrade[ds]?\b|\b[A-F][+-](?=[\s.,;!]|$)|\b\d{1,3} ?/ ?(5|10|100)\b|\b\d+ out of \d+\b"
        r"|\b\d+ von \d+ (punkten|sternen)\b|\bnote \d (für|in)\b",
        "a share": r"\d\s?[%‰](?!\})|\b(percent(age)?s?|per cent|prozent\w*)\b|[%‰]\s*(of\s+|des\s+|der\s+)?"
        r"(your\s+)?(sleep|asleep|deep|light sleep|rem\b|schlaf)",
        "a verdict": r"\b(slept|sleep) (badly|poorly|well|better|worse|too (little|long|much))\b"
        r"|\b(schlecht|gut|besser|schlechter) geschlafen\b|\b(bad|poor) (night|sleep|sleeper)\b"
        r"|\bgood sleep(er)?\b|\b(had|was) a good night\b"
        r"|\b(gute|schlechte) nacht (gehabt|gewesen)\b",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """A text that has a number or a word of the rules and scores nobody. ``where``: beginning of the place."""

    where: str
    text: str
    reason: str


ALLOWED: tuple[Allowed, ...] = (
    Allowed("entity oxygen", "is 1 %", "oxygen is measured in per cent of haemoglobin, everywhere"),
    Allowed("entity volume", "is 1 %", "how loud a story is told"),
    Allowed("entity cpu", "is 1 %", "how busy the box is"),
    Allowed("message homeassistant/", "mdi:water-percent", "an icon's name, for oxygen"),
    Allowed("printed by discovery show", "mdi:water-percent", "an icon's name, for oxygen"),
    Allowed("printed by explain", "spread rank", "how steady a heart was then, among the same night's own minutes"),
    Allowed("printed by reference", "a number from 0 to 100 %", "how loud a story is told"),
    Allowed("file integrations/README.md", "a number from 0 to 100 %", "how loud a story is told"),
    Allowed("file hardware/README.md", "%", "clocks, currents, bus traffic and light of chips; nobody sleeps in there"),
    Allowed("yaml comfort.yaml", "below one percent", "how dim a lamp is"),
    Allowed("yaml dawn.yaml", "brightness * 255 / 100", "a lamp's level, in Home Assistant's own scale"),
    Allowed("file README.md", "It never scores anybody", "the promise itself"),
    Allowed("file README.md", "how well that went on scored nights", "nights whose stages people wrote down by hand"),
    Allowed("code calibration.py", "An oximeter shows 50 to 100 %", "oxygen, as the oximeter beside it shows it"),
    Allowed("code cli_calibrate.py", "1 % at ratio", "oxygen, as the oximeter beside it shows it"),
    Allowed("code cli_calibrate.py", "ratio 1 at 1 %", "oxygen, as the oximeter beside it shows it"),
    Allowed("code cli_lamp.py", "is it still lit?", "how bright a lamp is"),
    Allowed("code picture_beats.py", "1 %", "how much light a height of the drawn pulse is"),
    Allowed("code picture_stages.py", "Scored by people", "a reference that people wrote down by hand"),
    Allowed("code picture_stages.py", "People scored:", "a reference that people wrote down by hand"),
    Allowed("code watch_home.py", "LIGHT SCALE", "how bright the lamp is"),
)


def faults(said: Iterable[Said], allowed: Sequence[Allowed] = (), used: set[Allowed] | None = None) -> list[str]:
    """What breaks a rule: the place, the rule and the words. Underscores count as spaces: keys are read too."""
    found = []
    for where, text in said:
        plain = text.replace("_", " ")
        for name, pattern in RULES.items():
            for hit in pattern.finditer(plain):
                around = plain[max(0, hit.start() - 60) : hit.end() + 60].replace("\n", " ")
                reason = next((one for one in allowed if where.startswith(one.where) and one.text in around), None)
                if reason is None:
                    found.append(f"{where}: {name}: {hit.group(0)!r} in “{around.strip()}”")
                elif used is not None:
                    used.add(reason)
    return found


# ---- surfaces -------------------------------------------------------------------------------------------------------


def templates(folder: Path) -> Iterator[Said]:
    """Every template of the page, and what else it serves as text."""
    for path in sorted(folder.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        yield from ((f"template {path.name}", text), (f"template {path.name}", _with_numbers(text)))


def _with_numbers(text: str) -> str:
    """A template as it may look when it is filled in."""
    text = re.sub(r"{%.*?%}", " ", re.sub(r"{{.*?}}", "1", text, flags=re.DOTALL), flags=re.DOTALL)
    return re.sub(r"%\(\w+\)s", "1", text)


def translations(folder: Path) -> Iterator[Said]:
    """Every text of the page in every language."""
    for path in sorted(folder.rglob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                for text in (message.id, message.string or ""):
                    for part in (text,) if isinstance(text, str) else text:
                        yield f"translation {path.parent.name}/{path.name}", _with_numbers(str(part))


def entities(declared: Iterable[Entity[Snapshot]], snapshot: Snapshot) -> Iterator[Said]:
    """Names, options and attributes, and a unit, with which a number would be one of them."""
    for entity in declared:
        where = f"entity {entity.key}"
        yield where, entity.key
        yield where, entity.name
        for option in entity.options_for(snapshot):
            yield where, option
        if entity.attributes is not None:
            yield where, json.dumps(entity.attributes(snapshot), default=str)
        if entity.unit:
            yield where, f"{entity.name} is 1 {entity.unit}"


def messages(published: Iterable[Message]) -> Iterator[Said]:
    """Every different message: topic, keys and words."""
    seen = set[tuple[str, bytes]]()
    for message in published:
        if (message.topic, message.payload) not in seen:
            seen.add((message.topic, message.payload))
            yield f"message {message.topic}", f"{message.topic} {message.payload.decode(errors='replace')}"


def lines(where: str, said: Iterable[str]) -> Iterator[Said]:
    for line in dict.fromkeys(said):
        yield where, line


def files(root: Path, *patterns: str) -> Iterator[Said]:
    """Whole files that people read."""
    for pattern in patterns:
        found = sorted(root.glob(pattern))
        assert found, f"nothing is named {pattern} any more"
        for path in found:
            yield f"file {path.relative_to(root).as_posix()}", path.read_text(encoding="utf-8")


def yaml_words(root: Path, pattern: str) -> Iterator[Said]:
    """Names, descriptions, words and templates of blueprints and dashboards, comments left out."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Takes Home Assistant's own tags as what they hold."""

    Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))
    found = sorted(root.glob(pattern))
    assert found, f"nothing is named {pattern} any more"
    for path in found:
        for document in yaml.load_all(path.read_text(encoding="utf-8"), Loader):
            for text in _strings(document):
                yield from ((f"yaml {path.name}", text), (f"yaml {path.name}", _with_numbers(text)))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, held in value.items():
            yield str(key)
            yield from _strings(held)
    elif isinstance(value, list):
        for held in value:
            yield from _strings(held)
    elif isinstance(value, str):
        yield value


def helps(parser: argparse.ArgumentParser) -> Iterator[Said]:
    """The help of a command and of all below it."""
    yield f"help {parser.prog}", parser.format_help()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in dict.fromkeys(action.choices.values()):
                yield from helps(command)


def sentences(source: Path) -> Iterator[Said]:
    """Every text with a space in a module that is no docstring: whatever is said, logged or published from there. What
    is filled in counts as a number."""
    for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        read = {id(statement.value) for statement in ast.walk(tree) if isinstance(statement, ast.Expr)}
        read |= {id(node.format_spec) for node in ast.walk(tree) if isinstance(node, ast.FormattedValue)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and id(node) not in read:
                read |= {id(part) for part in ast.walk(node)}
                yield f"code {path.name}:{node.lineno}", "".join(_filled_in(part) for part in node.values)
        for node in ast.walk(tree):
            said = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if " " in said.strip() and id(node) not in read:
                yield f"code {path.name}:{node.lineno}", said  # type: ignore[attr-defined]


def _filled_in(part: ast.expr) -> str:
    """A piece of an f-string: its words, or a number with its unit and what is behind it."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    spec = () if part.format_spec is None else ast.walk(part.format_spec)
    is_share = any(isinstance(piece, ast.Constant) and str(piece.value).endswith("%") for piece in spec)
    return f"1 % ({ast.unparse(part.value)})" if is_share else "1"
