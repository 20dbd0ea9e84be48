"""The lamp and the button: which pin, lit and pressed for a try. Pure."""

from somnisphere.config import complaint
from somnisphere.setup.deeds import Dialogue, LightLamp, Say, WaitForPress, ask, ask_yes, do
from somnisphere.setup.draft import Draft
from somnisphere.setup.questions import NO, YES, Offer, Question

WIRING = "hardware/README.md shows the wiring"


def pin_of(answer: str) -> int | None:
    return int(answer) if answer else None


def pin_complaint(key: str, other: int | None, what_other: str, answer: str) -> str:
    if not answer.isdecimal():
        return f"“{answer}” is no GPIO number (BCM), such as 18."
    if int(answer) == other:
        return f"GPIO {answer} is {what_other}'s; give each a GPIO of its own."
    return complaint(key, int(answer))


def _ask_pin(draft: Draft, key: str, text: str, other: str) -> Dialogue[int | None]:
    pin = draft.get(key)
    question = Question(
        key=key,
        text=text,
        default="" if pin is None else str(pin),
        optional=True,
        complaint=lambda answer: pin_complaint(key, draft.get(f"{other}.pin"), f"the {other}", answer),
    )
    answer = pin_of((yield from ask(question)))
    draft.put(key, answer)
    return answer


def ask_lamp(draft: Draft) -> Dialogue[None]:
    yield Say("\nThe lamp.")
    if light := draft.get("lamp.home_light"):
        yield Say(f"  It is {light}, a light of Home Assistant's.")
        return
    if draft.get("lamp.cold_pin") is not None:
        yield Say(f"  It has two whites, on GPIO {draft.get('lamp.pin')} and {draft.get('lamp.cold_pin')}.")
        return
    while True:
        text = f"GPIO number of its pin ({WIRING}: 18; - for no lamp)"
        pin = yield from _ask_pin(draft, "lamp.pin", text, "button")
        if pin is None:
            return
        test = Question(key="lamp.test", text="Light it for a moment?", kind="yes_no", default=YES, unattended=NO)
        if not (yield from ask_yes(test)):
            return
        problem = yield from do(LightLamp(pin, draft.get("lamp.hardware_pwm")))
        if problem:
            yield Say(f"  {problem}")
        elif (yield from ask_yes(Question(key="lamp.seen", text="Did you see it?", kind="yes_no", default=YES))):
            return
        else:
            yield Say(
                f"  Is that its pin (BCM number, not the place on the header), its LED the right way round? {WIRING}"
            )
        if not (yield from _again("lamp.again")):
            return


def ask_button(draft: Draft) -> Dialogue[None]:
    yield Say("\nThe button.")
    while True:
        text = f"GPIO number of its pin ({WIRING}: 17; - for no button)"
        pin = yield from _ask_pin(draft, "button.pin", text, "lamp")
        if pin is None:
            return
        test = Question(
            key="button.test", text="Press it after Enter. Try it?", kind="yes_no", default=YES, unattended=NO
        )
        if not (yield from ask_yes(test)):
            return
        yield Say("  Press it now ...")
        press = yield from do(WaitForPress(pin))
        if press.seen:
            yield Say("  That was a press.")
            return
        yield Say(f"  {press.problem}")
        if not (yield from _again("button.again")):
            return


def _again(key: str) -> Dialogue[bool]:
    """Enter goes on: a first run that Enter alone cannot end would be a trap."""
    question = Question(
        key=key,
        text="Then",
        offers=(Offer("go_on", "go on with this pin"), Offer("again", "again, or another pin")),
        only_offers=True,
        default="go_on",
    )
    return (yield from ask(question)) == "again"
