"""Nobody is scored: never a score, a share of sleep, a goal, a rank or a streak, in anything that a person reads.

All that is published, answered, printed, logged, drawn and served is searched; then a score is planted in a copy of
each kind of it, and found.
"""

import contextlib
import datetime
import io
import json
import logging
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests import no_scores
from tests.letters import FACTS, letters_of
from tests.no_scores import ALLOWED, Allowed, Said, faults

from somnisphere.cli import build_parser, main
from somnisphere.config import Config
from somnisphere.diary.questions import DONT_KNOW_WORDS, FORMS
from somnisphere.diary.telling import WRONG
from somnisphere.diary.words import Words
from somnisphere.entities import ENTITIES
from somnisphere.entity_names import GERMAN, named
from somnisphere.events import Say
from somnisphere.letter.difference import LEARNED
from somnisphere.letter.night_facts import LetterFacts
from somnisphere.letter.ribbon import ribbon
from somnisphere.letter.week import evenings, week_words
from somnisphere.page.words import FOLDER as TRANSLATIONS
from somnisphere.simulation import open_rehearsal
from somnisphere.snapshot import Snapshot
from somnisphere_home.messages import Message

ROOT = Path(__file__).resolve().parent.parent
PI = ROOT / "pi" / "somnisphere"
TEMPLATES = PI / "page" / "templates"
DESK = PI / "coach_desk"
"""The coach's own page: there too nobody is scored."""
NOT_SHIPPED_TO_READERS = ("training",)
"""What makes the weights is a developer's tool, and its figures are of the model, not of anybody's night."""
STATE = Snapshot(0.0, 0.0, phase=None)  # type: ignore[arg-type]


@dataclass
class Lived:
    """All that came of one rehearsed night."""

    folder: Path
    published: list[Message] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    printed: list[Said] = field(default_factory=list)


class _Keeps(logging.Handler):
    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._into = into

    def emit(self, record: logging.LogRecord) -> None:
        self._into.append(record.getMessage())


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A night with its log at its most talkative, all questions asked, and the commands that read it run."""
    it = Lived(tmp_path_factory.mktemp("lived"))
    keeps, root = _Keeps(it.logged), logging.getLogger("somnisphere")
    before = root.level
    root.addHandler(keeps)
    root.setLevel(logging.DEBUG)
    try:
        with open_rehearsal(Config(), it.folder, seed=2, hours=2.0, speed=0.0, broker=None) as simulation:
            daemon = simulation.daemon
            daemon.publish_through(it.published.append)
            daemon.home_connected(0.0)
            simulation.rehearsal.run(simulation.until_s)
            for name in ("shelf", "nights", "night", "cover", "seek"):
                topic = f"somnisphere/bedside/ask/{name}"
                daemon.home_said(topic, b"{}", retained=False, at_s=simulation.clock.at_s)
    finally:
        root.removeHandler(keeps)
        root.setLevel(before)
    config = it.folder / "somnisphere.toml"
    config.write_text(f'[journal]\npath = "{it.folder / "rehearsal.sqlite"}"\n')
    night = next(json.loads(m.payload)["night_id"] for m in it.published if m.topic.endswith("sleep_moment/event"))
    for words in (
        ["night"], ["night", "--json"], ["nights"], ["nights", "--json"], ["nights", "--csv"], ["config"],
        ["explain", night, "+00:40"], ["explain", night, "+00:40", "--json"], ["story", "list"], ["doctor"],
        ["reference"], ["config", "--example"], ["discovery", "show"],
    ):  # fmt: skip
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main(["--config", str(config), *words])
        assert said.getvalue(), words
        it.printed.append((f"printed by {' '.join(words)}", said.getvalue()))
    return it


def questions_and_answers() -> Iterator[Said]:
    both: list[Words] = [DONT_KNOW_WORDS, *WRONG.values(), *LEARNED.values()]
    for asked in FORMS.values():
        for question in asked:
            both += [question.words, *(choice.words for choice in question.choices)]
    for words in both:
        yield from (("words", words.en), ("words", words.de))


def static() -> Iterator[Said]:
    """Everything that can be searched without living through a night."""
    for folder in (TEMPLATES, DESK / "templates"):
        yield from no_scores.templates(folder)
    for folder in (TRANSLATIONS, DESK / "translations"):
        yield from no_scores.translations(folder)
    for language in ("en", "de"):
        yield from no_scores.entities(named(ENTITIES, language), STATE)
    yield from no_scores.lines("entity names", GERMAN.values())
    yield from questions_and_answers()
    yield from no_scores.yaml_words(ROOT, "integrations/home_assistant/**/*.yaml")
    yield from no_scores.files(
        ROOT,
        "README.md",
        "integrations/README.md",
        "integrations/custom_components/README.md",
        "integrations/custom_components/somnisphere/*.yaml",
        "integrations/custom_components/somnisphere/strings.json",
        "integrations/custom_components/somnisphere/translations/*.json",
        "hardware/README.md",
        "deploy/*.example",
        "integrations/asyncapi.json",
        "pi/somnisphere/stories/*.story/text.txt",
    )
    yield from no_scores.helps(build_parser())
    for room in ("pi/somnisphere", "hardware/somnisphere_hardware", "integrations"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if not set(path.relative_to(ROOT).parts) & set(NOT_SHIPPED_TO_READERS):
                yield from no_scores.sentences(path)


def of_a_night(lived: Lived) -> Iterator[Said]:
    yield from no_scores.messages(lived.published)
    yield from no_scores.lines("log", lived.logged)
    yield from lived.printed


def test_nothing_that_people_read_scores_anybody(lived: Lived) -> None:
    used: set[Allowed] = set()
    said = [*static(), *of_a_night(lived)]
    assert "\n".join(faults(said, ALLOWED, used)) == ""
    assert [one for one in ALLOWED if one not in used] == [], "an exception that nothing needs any more"
    assert all(one.reason for one in ALLOWED)


@settings(max_examples=60, deadline=None)
@given(FACTS)
def test_no_letter_scores_anybody(facts: LetterFacts) -> None:
    assert faults(("letter", sentence) for sentence in letters_of(facts)) == []


@settings(max_examples=40, deadline=None)
@given(FACTS)
def test_no_week_scores_anybody(facts: LetterFacts) -> None:

    monday = datetime.date(2026, 3, 9)
    nights = {(monday + datetime.timedelta(days=day)).isoformat(): facts for day in (0, 1, 3, 5)}
    for language in ("en", "de"):
        rows = evenings(monday, nights, [])
        assert faults(("week", said) for said in (*week_words(rows, language), ribbon(rows, language))) == []


def test_every_kind_of_surface_was_really_walked(lived: Lived) -> None:
    """A walker that finds nothing to read would let everything pass."""
    places = {where.split()[0] for where, _ in (*static(), *of_a_night(lived))}
    assert places >= {
        "template",
        "translation",
        "entity",
        "words",
        "yaml",
        "file",
        "help",
        "code",
        "message",
        "log",
        "printed",
    }
    topics = {message.topic.split("/", 2)[-1] for message in lived.published}
    assert {"sleep_moment/event", "night", "night/image", "ask/night/result", "vitals"} <= topics
    assert "The pulse sensor (MAX30102) answers." in lived.logged


# ---- a score is planted, and found ----------------------------------------------------------------------------------

SCORES = [
    "Sleep score: 87",
    "You slept at 87 % efficiency",
    "Deep sleep: 23 %",
    "Your night: 7/10",
    "Grade A+ for last night",
    "A streak of five nights",
    "three nights in a row",
    "Goal reached: eight hours",
    "You rank among the top 10",
    "★★★★☆",
    "A medal for you 🥇",
    "You slept badly",
    "Sleep quality: high",
    "better than yesterday",
    "87 percent asleep",
    "9 out of 10",
    "You earned 40 points in your sleep score",
    "Dein Schlafscore: 87 Punkte",
    "Schlafeffizienz",
    "Schlafziel erreicht",
    "drei Nächte in Folge",
    "Platz 3 der Rangliste",
    "Du hast schlecht geschlafen",
    "Schlafqualität",
    "23 Prozent Tiefschlaf",
    "Ein neuer Rekord",
    "Abzeichen verdient",
]


@pytest.mark.parametrize("score", SCORES)
def test_a_score_in_words_or_in_form_is_one(score: str) -> None:
    assert faults([("anywhere", score)])


@pytest.mark.parametrize("score", SCORES)
def test_no_exception_excuses_a_score(score: str) -> None:
    for place in (
        "template morning.html",
        "translation de/morning.po",
        "entity night",
        "message night",
        "log",
        "letter",
    ):
        assert faults([(place, score)], ALLOWED)


@pytest.mark.parametrize("score", SCORES)
def test_a_score_planted_in_a_template_is_found(score: str, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    assert faults(no_scores.templates(copy), ALLOWED) == []
    page = copy / "morning.html"
    page.write_text(page.read_text().replace("{% endblock %}", f'<p>{{{{ _("{score}") }}}}</p>{{% endblock %}}'))
    (fault, *_) = faults(no_scores.templates(copy), ALLOWED)
    assert fault.startswith("template morning.html: ")


def test_a_share_that_is_filled_in_is_found_in_a_template_and_a_translation(tmp_path: Path) -> None:
    (tmp_path / "morning.html").write_text("<p>{{ _('Asleep') }}: {{ night.share }} %</p>")
    assert faults(no_scores.templates(tmp_path), ALLOWED)
    (tmp_path / "morning.po").write_text('msgid "asleep"\nmsgstr "%(num)s %% der Nacht"\n')
    assert faults(no_scores.translations(tmp_path), ALLOWED)
    (tmp_path / "home.yaml").write_text("message: 'Asleep {{ states(share) }} % of it'\n")
    assert faults(no_scores.yaml_words(tmp_path, "*.yaml"), ALLOWED)


@pytest.mark.parametrize("score", SCORES)
def test_a_score_planted_in_a_translation_is_found(score: str, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(TRANSLATIONS, tmp_path / "translations"))
    assert faults(no_scores.translations(copy), ALLOWED) == []
    catalogue = copy / "de" / "morning.po"
    catalogue.write_text(re.sub(r'msgstr "Ein Brief"', f'msgstr "Ein Brief. {score}"', catalogue.read_text()))
    (fault, *_) = faults(no_scores.translations(copy), ALLOWED)
    assert fault.startswith("translation de/morning.po: ")


@pytest.mark.parametrize(
    "planted",
    [
        {"name": "Sleep score"},
        {"name": "Schlafeffizienz"},
        {"key": "sleep_score"},
        {"unit": "%"},
        {"options": ("good night", "bad night")},
        {"attributes": lambda _: {"sleep_efficiency": 0.87}},
        {"attributes": lambda _: {"note": "slept 87 % of the time"}},
        {"attributes": lambda _: {"streak": 5}},
    ],
)
def test_a_score_planted_in_an_entity_is_found(planted: dict[str, object]) -> None:
    stage = next(entity for entity in ENTITIES if entity.key == "sleep_stage")
    assert faults(no_scores.entities([stage], STATE), ALLOWED) == []
    plain = {"device_class": None, "options": ()} if "unit" in planted else {}
    mutant = replace(stage, **{**plain, **planted})  # type: ignore[arg-type]
    assert faults(no_scores.entities([mutant], STATE), ALLOWED)


@pytest.mark.parametrize(
    "payload",
    [
        {"fell_asleep": None, "sleep_score": 87},
        {"fell_asleep": None, "note": "87 % of the night asleep"},
        {"ok": True, "answer": {"night": "2026-03-14", "efficiency": {"about": 0.87}}},
        {"ok": True, "answer": {"rank": 3}},
        {"event_type": "morning", "streak_days": 5, "note": "five nights in a row"},
    ],
)
def test_a_score_planted_in_a_message_is_found(payload: dict[str, object], lived: Lived) -> None:
    mutant = Message("somnisphere/bedside/night", json.dumps(payload).encode(), retain=True)
    (fault, *_) = faults(no_scores.messages([*lived.published, mutant]), ALLOWED)
    assert fault.startswith("message somnisphere/bedside/night: ")


@pytest.mark.parametrize("score", SCORES)
def test_a_score_planted_in_a_log_line_is_found(score: str, lived: Lived) -> None:
    logged = [*lived.logged, Say(f"The night is over. {score}").text]
    (fault, *_) = faults(no_scores.lines("log", logged), ALLOWED)
    assert fault.startswith("log: ")


@pytest.mark.parametrize("score", SCORES)
def test_a_score_planted_in_what_a_module_says_is_found(score: str, tmp_path: Path) -> None:
    module = tmp_path / "morning.py"
    module.write_text(f'"""About a score: nobody reads this."""\nSAID = f"{{nights}} nights. {score}"\n')
    assert faults(no_scores.sentences(module), ALLOWED)


@pytest.mark.parametrize(
    "line",
    [
        'f"{asleep_s / night_s:.0%} of it"',
        'f"{share} %"',
        'f"{right}/10"',
        'f"{right} out of {all_of_them}"',
        'f"Top {place}"',
    ],
)
def test_a_share_that_is_worked_out_is_found_where_it_is_said(line: str, tmp_path: Path) -> None:
    module = tmp_path / "morning.py"
    module.write_text(f"SAID = {line}\n")
    assert faults(no_scores.sentences(module), ALLOWED)


@pytest.mark.parametrize("score", SCORES)
def test_a_score_planted_in_a_letter_is_found(score: str) -> None:
    assert faults([("letter", f"Sleep came between ten and eleven. {score}.")], ALLOWED)


def test_a_score_planted_in_a_blueprint_is_found(tmp_path: Path) -> None:
    (tmp_path / "score.yaml").write_text(
        "# a comment scores nobody\nname: Good morning\naction:\n  - message: !input text\n"
    )
    assert faults(no_scores.yaml_words(tmp_path, "*.yaml"), ALLOWED) == []
    (tmp_path / "score.yaml").write_text("name: Good morning\nmessage: 'Your sleep score is {{ states(x) }} of 100'\n")
    assert faults(no_scores.yaml_words(tmp_path, "*.yaml"), ALLOWED)
