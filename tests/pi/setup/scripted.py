"""A first run without a world: what a person types by question, and what comes of each deed."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.setup.deeds import (
    BrokerAnswer,
    Deed,
    Examine,
    GreetBroker,
    GreetHome,
    LightLamp,
    ListSounds,
    LocalTime,
    LookAround,
    LookAtStories,
    Neighbourhood,
    PlaySound,
    Press,
    ScanBuses,
    SeenBus,
    SeenChip,
    Sounds,
    TellTime,
    WaitForPress,
    Write,
    Written,
)
from somnisphere.setup.dialogue import examination, setup_dialogue
from somnisphere.setup.draft import Draft, Present
from somnisphere.setup.questions import Offer, Question, understood
from somnisphere.setup.shells import hold

PULSE = SeenChip("pulse", "MAX30102 (pulse)", True)
MOTION = SeenChip("motion", "LIS3DH (motion)", True)
WELL = BrokerAnswer("", "lets us in")
DEVICES = Sounds((Offer("auto", "Default"), Offer("alsa/plughw:CARD=Box", "Box")))
WRITTEN = Written((Path("/x/somnisphere.toml"),))
MOST_QUESTIONS = 60


@dataclass
class World:
    """``broker``: what each greeting gets in turn, the last one for ever after; so ``lamp``, ``sound``, ``press``,
    ``home``."""

    around: Neighbourhood = field(default_factory=Neighbourhood)
    broker: list[BrokerAnswer] = field(default_factory=lambda: [WELL])
    buses: tuple[SeenBus, ...] = (SeenBus(1, (PULSE, MOTION)),)
    lamp: list[str] = field(default_factory=lambda: [""])
    press: list[Press] = field(default_factory=lambda: [Press(True)])
    sounds: Sounds = DEVICES
    sound: list[str] = field(default_factory=lambda: [""])
    home: list[str] = field(default_factory=lambda: [""])
    findings: tuple[Finding, ...] = ()
    written: Written = WRITTEN
    done: list[Deed[Any]] = field(default_factory=list)

    def do(self, deed: Deed[Any]) -> Any:
        self.done.append(deed)
        match deed:
            case LookAround():
                return self.around
            case GreetBroker():
                return _next(self.broker)
            case ScanBuses():
                return self.buses
            case LightLamp():
                return _next(self.lamp)
            case WaitForPress():
                return _next(self.press)
            case ListSounds():
                return self.sounds
            case PlaySound():
                return _next(self.sound)
            case GreetHome():
                return _next(self.home)
            case TellTime():
                return LocalTime("21:03 on Saturday, Europe/Vienna")
            case LookAtStories():
                return "7 there."
            case Write():
                return self.written
            case Examine():
                return self.findings
        raise AssertionError(f"unknown deed {deed}")

    def deeds(self, kind: type) -> list[Any]:
        return [deed for deed in self.done if isinstance(deed, kind)]


def _next(outcomes: list[Any]) -> Any:
    return outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]


@dataclass
class Person:
    """``lines``: what is typed for a question, by key; a list is used up one by one, and then it is Enter."""

    lines: dict[str, str | list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.read.append(text)

    def answer(self, question: Question) -> str:
        self.asked.append(question.key)
        self.questions.append(question)
        assert len(self.asked) < MOST_QUESTIONS, f"no end of questions: {self.asked}"
        typed = self.lines.get(question.key, "")
        if isinstance(typed, list):
            typed = typed.pop(0) if typed else ""
        return understood(question, typed)

    @property
    def text(self) -> str:
        return "\n".join(self.read)


def run(world: World, person: Person, present: Present | None = None) -> Draft | None:
    """The draft that was written; None: none was."""
    if hold(setup_dialogue(present or Present(Config()), "/x/somnisphere.toml"), person, world.do):
        hold(examination(), person, world.do)
    drafts = [deed.draft for deed in world.deeds(Write)]
    return drafts[0] if drafts else None
