"""The whole first run, in its order. Pure."""

from somnisphere.cli import NOT_MEDICAL
from somnisphere.setup.ask_bedside import ask_bedside, ask_sleeper
from somnisphere.setup.ask_broker import ask_broker
from somnisphere.setup.ask_hands import ask_button, ask_lamp
from somnisphere.setup.ask_home import ask_home
from somnisphere.setup.ask_sensor import ask_sensor
from somnisphere.setup.ask_sound import ask_sound
from somnisphere.setup.ask_stories import ask_stories
from somnisphere.setup.deeds import Dialogue, Examine, LookAround, Say, Write, ask_yes, do
from somnisphere.setup.draft import SECRETS, Draft, Present
from somnisphere.setup.questions import YES, Question

ANSWERABLE = (
    *("box.name", "box.node", "box.language", "sleeper.name", "sleeper.born"),
    *("sensor.bus", "lamp.pin", "lamp.test", "button.pin", "button.test", "speaker.test", "speaker.device"),
    *("stories.folder", "mqtt.host", "mqtt.port", "mqtt.tls", "mqtt.ca_file", "mqtt.username", "mqtt.password"),
    *("home_assistant.url", "home_assistant.token", "write"),
)
"""What a file of answers may name. The other questions are about what a person saw or heard, or what to try again."""


def setup_dialogue(present: Present, config_name: str) -> Dialogue[bool]:
    """Asks, tries, and writes. True when the configuration is as wished."""
    draft = Draft(present)
    yield Say(f"{NOT_MEDICAL}\n")
    yield Say(
        "Enter takes what stands in [brackets]; nothing is written before the end, so Ctrl-C leaves all as it is."
    )
    yield from ask_bedside(draft)
    yield from ask_sleeper(draft)
    yield from ask_sensor(draft)
    yield from ask_lamp(draft)
    yield from ask_button(draft)
    yield from ask_sound(draft)
    yield from ask_stories(draft)
    yield Say("\nThe home. Looking around in the network ...")
    around = yield from do(LookAround())
    if around.problem:
        yield Say(around.problem)
    yield from ask_broker(draft, around)
    yield from ask_home(draft, around)
    return (yield from _write(draft, config_name))


def _write(draft: Draft, config_name: str) -> Dialogue[bool]:
    changes = [f"{section}.{key}" for section, values in draft.changes().items() for key in values]
    secrets = list(draft.new_secrets)
    if draft.present.has_file and not changes and not secrets:
        yield Say(f"\nNothing changes in {config_name}.")
        return True
    yield Say("")
    for key in changes:
        value = draft.get(key)
        yield Say(f"  {key} = {'(taken out)' if value is None else value}")
    for key in secrets:
        yield Say(f"  {key} in a file of its own, named by {SECRETS[key]}")
    if not (yield from ask_yes(Question(key="write", text=f"Write {config_name}?", kind="yes_no", default=YES))):
        yield Say("Nothing was written.")
        return False
    written = yield from do(Write(draft))
    for path in written.files:
        yield Say(f"Wrote {path}")
    if written.problem:
        yield Say(written.problem)
        for line in written.by_hand:
            yield Say(line)
        return False
    return True


def examination() -> Dialogue[None]:
    """What is missing, each with its mend: of the box as it is now, with its daemon running again."""
    yield Say("\nLooking whether all of it works (somnisphere doctor does this at any time) ...")
    bad = [finding for finding in (yield from do(Examine())) if not finding.ok]
    yield Say("What is missing; the box does without meanwhile:" if bad else "Nothing is missing.")
    for finding in bad:
        yield Say(f"  {finding.part}: {finding.verdict}" + (f"\n      mend: {finding.mend}" if finding.mend else ""))
