"""Who answers the dialogue: a person at a terminal, or a file and the defaults where nobody is there."""

import difflib
import getpass
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from somnisphere.errors import UserError
from somnisphere.setup.deeds import Deed, Dialogue, Say
from somnisphere.setup.dialogue import ANSWERABLE
from somnisphere.setup.questions import NO, NONE, YES, NotUnderstoodError, Question, understood

T = TypeVar("T")


class Answers(Protocol):
    def answer(self, question: Question) -> str: ...

    def say(self, text: str) -> None: ...


def hold(dialogue: Dialogue[T], answers: Answers, do: Callable[[Deed[Any]], Any]) -> T:
    """Carries what is asked to who knows it, until the dialogue ends."""
    came: Any = None
    while True:
        try:
            step = dialogue.send(came)
        except StopIteration as end:
            ended: T = end.value
            return ended
        came = None
        match step:
            case Say():
                answers.say(step.text)
            case Question():
                came = answers.answer(step)
            case _:
                came = do(step)


def _write_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Terminal:
    """A person. ``read`` and ``read_secret`` show a prompt and return the line that was typed."""

    def __init__(
        self,
        read: Callable[[str], str] = input,
        read_secret: Callable[[str], str] = getpass.getpass,
        write: Callable[[str], None] = _write_line,
    ) -> None:
        self._read = read
        self._read_secret = read_secret
        self._write = write

    def say(self, text: str) -> None:
        self._write(text)

    def answer(self, question: Question) -> str:
        for number, offer in enumerate(question.offers, 1):
            self._write(f"  {number}  {offer.words}")
        prompt = f"{question.text} [{self._kept(question)}] "
        while True:
            try:
                typed = (self._read_secret if question.kind == "secret" else self._read)(prompt)
            except EOFError:
                raise UserError("The input ended before all was answered; nothing was written.") from None
            try:
                return understood(question, typed)
            except NotUnderstoodError as problem:
                self._write(f"  {problem}")

    @staticmethod
    def _kept(question: Question) -> str:
        """What Enter means."""
        if question.kind == "secret":
            return "as it is" if question.default else "none"
        if question.kind == "yes_no":
            return "Y/n" if question.default == YES else "y/N"
        numbers = [str(k) for k, offer in enumerate(question.offers, 1) if offer.answer == question.default]
        if question.only_offers and numbers:
            return numbers[0]
        return question.default or "none"


class Unattended:
    """Nobody: ``answers`` by key, and for the rest what Enter would mean, or ``Question.unattended``."""

    def __init__(
        self, answers: Mapping[str, str], source: str = "--yes", write: Callable[[str], None] = _write_line
    ) -> None:
        self._answers = answers
        self._source = source
        self._write = write

    def say(self, text: str) -> None:
        self._write(text)

    def answer(self, question: Question) -> str:
        told = self._answers.get(question.key)
        if told is None:
            answer = question.default if question.unattended is None else question.unattended
        else:
            answer = self._understood(question, told)
        shown = "(not shown)" if question.kind == "secret" and answer else answer or "none"
        self._write(f"{question.text} {shown}")
        return answer

    def _understood(self, question: Question, told: str) -> str:
        try:
            return understood(question, NONE[0] if not told and question.optional else told)
        except NotUnderstoodError as problem:
            words = str(problem).removeprefix(f"{question.key}: ")
            raise UserError(f"{self._source}: {question.key}: {words}") from None


def read_answers(path: Path) -> dict[str, str]:
    """A file like the configuration, with ``mqtt.password`` and ``home_assistant.token`` in it, too."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise UserError(f"{path}: cannot be read as TOML: {problem}") from problem
    answers: dict[str, str] = {}
    for section, values in found.items():
        for key, value in values.items() if isinstance(values, dict) else [("", values)]:
            name = f"{section}.{key}" if key else section
            if name not in ANSWERABLE:
                near = difflib.get_close_matches(name, ANSWERABLE, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise UserError(f"{path}: {name} is not asked{hint} (asked are: {', '.join(ANSWERABLE)})")
            if not isinstance(value, bool | int | str):
                raise UserError(f"{path}: {name} is {value!r}; an answer is text, a whole number, true or false")
            answers[name] = (YES if value else NO) if isinstance(value, bool) else str(value)
    return answers
