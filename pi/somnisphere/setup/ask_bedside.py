"""What this bedside is called, and who sleeps here. Pure."""

from somnisphere.config import complaint
from somnisphere.setup.deeds import Dialogue, Say, TellTime, ask, ask_yes, do
from somnisphere.setup.draft import Draft
from somnisphere.setup.questions import YES, Offer, Question

RESERVED_NODE = "house"
"""``somnisphere/house`` is what all bedsides of a house share."""


def node_complaint(node: str) -> str:
    if node == RESERVED_NODE:
        return f"“{node}” is what all bedsides of a house share; take another."
    return complaint("box.node", node)


def ask_bedside(draft: Draft) -> Dialogue[None]:
    yield Say("\nThis bedside.")
    name = Question(
        key="box.name",
        text="What is it called?",
        default=draft.get("box.name"),
        complaint=lambda answer: complaint("box.name", answer),
    )
    draft.put("box.name", (yield from ask(name)))
    node = Question(
        key="box.node",
        text="Its short name in topics and entity ids, one per bedside (a-z, 0-9, _)",
        default=draft.get("box.node"),
        complaint=node_complaint,
    )
    draft.put("box.node", (yield from ask(node)))
    language = Question(
        key="box.language",
        text="The language of its entities in the home",
        default=draft.get("box.language"),
        offers=(Offer("en", "English"), Offer("de", "Deutsch")),
        only_offers=True,
    )
    draft.put("box.language", (yield from ask(language)))
    time = yield from do(TellTime())
    right = Question(key="box.time_is_right", text=f"It is {time.words}. Right?", kind="yes_no", default=YES)
    if not (yield from ask_yes(right)):
        yield Say("  mend: sudo timedatectl set-timezone Europe/Vienna (timedatectl list-timezones lists all), and")
        yield Say("  sudo timedatectl set-ntp true for the clock. Nights are kept in universal time; none is lost.")


def ask_sleeper(draft: Draft) -> Dialogue[None]:
    name = Question(
        key="sleeper.name",
        text="Who sleeps here? (a name for the home to show; - for none)",
        default=draft.get("sleeper.name"),
        optional=True,
        complaint=lambda answer: complaint("sleeper.name", answer),
    )
    draft.put("sleeper.name", (yield from ask(name)))
    born = Question(
        key="sleeper.born",
        text="A child? Then year and month of birth, such as 2019-05 (- for an adult)",
        default=draft.get("sleeper.born"),
        optional=True,
        complaint=lambda answer: complaint("sleeper.born", answer),
    )
    draft.put("sleeper.born", (yield from ask(born)))
