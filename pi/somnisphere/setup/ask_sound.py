"""The speaker: its device is chosen, and a sound is played until somebody heard it. Pure."""

from somnisphere.setup.deeds import Dialogue, ListSounds, PlaySound, Say, ask, ask_yes, do
from somnisphere.setup.draft import Draft
from somnisphere.setup.questions import NO, YES, Offer, Question

AUTO = "auto"
"""mpv's name for whichever device is the default one."""


def ask_sound(draft: Draft) -> Dialogue[None]:
    yield Say("\nThe speaker.")
    if player := draft.get("speaker.home_player"):
        yield Say(f"  Stories are heard from {player}, a player of Home Assistant's.")
        return
    devices = yield from do(ListSounds())
    if devices.problem:
        yield Say(f"  {devices.problem}")
        return
    while True:
        yield from _ask_device(draft, devices.offers)
        test = Question(key="speaker.test", text="Play a sound?", kind="yes_no", default=YES, unattended=NO)
        if not (yield from ask_yes(test)):
            return
        sound = PlaySound(draft.get("speaker.ao"), draft.get("speaker.device"), draft.get("speaker.volume_pct"))
        problem = yield from do(sound)
        if problem:
            yield Say(f"  {problem}")
        elif (yield from ask_yes(Question(key="speaker.heard", text="Did you hear it?", kind="yes_no", default=YES))):
            return
        again = Question(
            key="speaker.again",
            text="Then",
            offers=(Offer("go_on", "go on with this device"), Offer("again", "again, or another device")),
            only_offers=True,
            default="go_on",
        )
        if (yield from ask(again)) == "go_on":
            return


def _ask_device(draft: Draft, offers: tuple[Offer, ...]) -> Dialogue[None]:
    present = draft.get("speaker.device") or AUTO
    question = Question(key="speaker.device", text="Which audio device?", default=present, offers=offers)
    device = yield from ask(question)
    if device == present:
        return
    output, _, name = device.partition("/")  # mpv names a device with its output before it, or an output alone
    if device != AUTO:
        draft.put("speaker.ao", output)
    draft.put("speaker.device", device if name else "")
