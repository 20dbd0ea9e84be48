"""Home Assistant, for what MQTT cannot tell. Optional: its MQTT integration needs nothing of this. Pure."""

from somnisphere.setup.deeds import Dialogue, GreetHome, Neighbourhood, Say, ask, do
from somnisphere.setup.draft import Draft
from somnisphere.setup.questions import Offer, Question


def ask_home(draft: Draft, around: Neighbourhood) -> Dialogue[None]:
    yield Say("\nHome Assistant. Over MQTT it needs nothing from here. With an access token this box can also use its")
    yield Say("lights, players and voices; make one at the bottom of your profile there, under Security.")
    url: str = draft.get("home_assistant.url") or ""
    found = around.homes[0] if around.homes else ""
    while True:
        question = Question(
            key="home_assistant.url",
            text="Its address (- for none)",
            default=url or found,
            offers=tuple(Offer(home, f"{home} announces itself") for home in around.homes),
            optional=True,
            complaint=_complaint,
        )
        url = (yield from ask(question)).rstrip("/")
        token = (yield from _ask_token(draft)) if url else ""
        if not token:
            draft.put("home_assistant.url", None)
            draft.put("home_assistant.token_file", None)
            if url:
                yield Say("  Without a token it is reached over MQTT alone.")
            return
        draft.put("home_assistant.url", url)
        draft.put_secret("home_assistant.token", token)
        problem = yield from do(GreetHome(url, token))
        if not problem:
            yield Say(f"  {url} takes the token.")
            return
        yield Say(f"  {problem}")
        again = Question(
            key="home_assistant.again",
            text="Then",
            offers=(Offer("go_on", "go on with it as it is"), Offer("again", "another address or token")),
            only_offers=True,
            default="go_on",
        )
        if (yield from ask(again)) == "go_on":
            return


def _ask_token(draft: Draft) -> Dialogue[str]:
    question = Question(
        key="home_assistant.token",
        text="Its token (- for none)",
        kind="secret",
        default=draft.secret("home_assistant.token"),
        optional=True,
    )
    return (yield from ask(question))


def _complaint(url: str) -> str:
    if url.startswith(("http://", "https://")):
        return ""
    return f"“{url}” is no address such as http://homeassistant.local:8123."
