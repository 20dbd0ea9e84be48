"""The broker: where it is, whether by TLS, as whom; tried for real, and asked anew for just what was wrong. Pure."""

from somnisphere.config import complaint
from somnisphere.setup.ask_bedside import node_complaint
from somnisphere.setup.deeds import (
    BrokerAnswer,
    BrokerFault,
    BrokerPlace,
    Dialogue,
    GreetBroker,
    Neighbourhood,
    Say,
    ask,
    ask_yes,
    do,
)
from somnisphere.setup.draft import Draft
from somnisphere.setup.questions import NO, YES, Offer, Question

TLS_PORT = 8883
HERE = ("localhost", "127.0.0.1", "::1")

_ANEW: dict[BrokerFault, tuple[Offer, ...]] = {
    "place": (Offer("place", "try again, or another place"),),
    "tls": (Offer("tls", "another answer about TLS"), Offer("place", "another place")),
    "login": (Offer("login", "another name or password"), Offer("place", "another place")),
}
_KEEP = Offer("keep", "go on with it as it is; the box tries again by itself")


def ask_broker(draft: Draft, around: Neighbourhood) -> Dialogue[None]:
    yield Say("\nThe MQTT broker.")
    failed: set[GreetBroker] = set()
    part = "place"
    while True:
        if part == "place":
            yield from _ask_place(draft, around)
        if part in ("place", "tls"):
            yield from _ask_tls(draft)
        if part in ("place", "login"):
            yield from _ask_login(draft)
        greeting = _greeting(draft)
        answer = yield from do(greeting)
        yield Say(f"  {answer.words}")
        if not answer.fault:
            if greeting.username and not greeting.tls and greeting.host not in HERE:
                yield Say("  Without TLS anybody in this network can read that password. mend: deploy/broker")
            yield from _ask_node_anew(draft, answer)
            return
        # Enter tries anew what was changed, and goes on where nothing was: it alone must come to an end.
        offers = (*_ANEW[answer.fault], _KEEP)
        question = Question(
            key="mqtt.again",
            text="Then",
            offers=offers,
            only_offers=True,
            default=_KEEP.answer if greeting in failed else offers[0].answer,
            unattended=_KEEP.answer,
        )
        failed.add(greeting)
        part = yield from ask(question)
        if part == _KEEP.answer:
            return


def _greeting(draft: Draft) -> GreetBroker:
    return GreetBroker(
        host=draft.get("mqtt.host"),
        port=draft.get("mqtt.port"),
        username=draft.get("mqtt.username"),
        password=draft.secret("mqtt.password") if draft.get("mqtt.username") else "",
        tls=draft.get("mqtt.tls"),
        ca_file=draft.get("mqtt.ca_file") or "",
    )


def _ask_place(draft: Draft, around: Neighbourhood) -> Dialogue[None]:
    host, found = draft.get("mqtt.host"), around.brokers
    if found and draft.before("mqtt.host") == host and "mqtt.host" not in draft.present.named:
        host = found[0].host
    question = Question(
        key="mqtt.host",
        text="Its name or address",
        default=host,
        offers=tuple(Offer(_spelled(place), place.words) for place in found),
        complaint=_place_complaint,
    )
    host, port = place_of((yield from ask(question)))
    told = next((place for place in found if host == place.host and port in (None, place.port)), None)
    if port is None:
        usual = told.port if told is not None and host != draft.before("mqtt.host") else draft.get("mqtt.port")
        question = Question(
            key="mqtt.port",
            text="Its port (8883 is the usual one with TLS)",
            default=str(usual),
            complaint=lambda answer: complaint("mqtt.port", int(answer) if answer.isdecimal() else answer),
        )
        port = int((yield from ask(question)))
    if told is not None and port == told.port:
        draft.put("mqtt.tls", told.tls)
    elif port != draft.get("mqtt.port"):
        draft.put("mqtt.tls", port == TLS_PORT)
    draft.put("mqtt.host", host)
    draft.put("mqtt.port", port)


def place_of(answer: str) -> tuple[str, int | None]:
    """``HOST``, ``HOST:PORT``, ``[IPV6]:PORT``; a bare address of IPv6 has no port."""
    host, colon, port = answer.rpartition(":")
    if not colon or (host.count(":") and not host.endswith("]")) or not port.isdecimal():
        return answer.strip("[]"), None
    return host.strip("[]"), int(port)


def _spelled(place: BrokerPlace) -> str:
    return f"[{place.host}]:{place.port}" if ":" in place.host else f"{place.host}:{place.port}"


def _place_complaint(answer: str) -> str:
    host, port = place_of(answer)
    if not host or any(letter.isspace() or letter == "/" for letter in host):
        return f"“{answer}” is no name or address such as homeassistant.local or 192.168.1.5."
    return "" if port is None else complaint("mqtt.port", port)


def _ask_tls(draft: Draft) -> Dialogue[None]:
    question = Question(key="mqtt.tls", text="With TLS?", kind="yes_no", default=YES if draft.get("mqtt.tls") else NO)
    tls = yield from ask_yes(question)
    draft.put("mqtt.tls", tls)
    if not tls:
        return
    question = Question(
        key="mqtt.ca_file",
        text="The file of the authority that signed its certificate (- for the system's own)",
        default=draft.get("mqtt.ca_file") or "",
        optional=True,
        complaint=_ca_complaint,
    )
    draft.put("mqtt.ca_file", (yield from ask(question)) or None)


def _ca_complaint(path: str) -> str:
    return "" if path.startswith(("/", "~")) else f"“{path}” is no whole path, such as /etc/somnisphere/ca.crt."


def _ask_login(draft: Draft) -> Dialogue[None]:
    name = Question(
        key="mqtt.username", text="User name there (- for none)", default=draft.get("mqtt.username"), optional=True
    )
    username = yield from ask(name)
    draft.put("mqtt.username", username)
    if not username:
        draft.put("mqtt.password_file", None)
        return
    draft.put("mqtt.password_file", draft.before("mqtt.password_file"))
    password = Question(
        key="mqtt.password", text="Password", kind="secret", default=draft.secret("mqtt.password"), optional=True
    )
    draft.put_secret("mqtt.password", (yield from ask(password)))


def _ask_node_anew(draft: Draft, answer: BrokerAnswer) -> Dialogue[None]:
    """Two bedsides of one name would push each other off the broker. Where this one was set up before, it is that."""
    node = draft.get("box.node")
    if draft.present.named or node not in answer.bedsides:
        return
    free = next(name for number in range(2, 1000) if (name := f"{node[:28]}_{number}") not in answer.bedsides)
    question = Question(
        key="box.node",
        text=f"There is a bedside “{node}” on this broker already. The short name of this one",
        default=free,
        complaint=node_complaint,
    )
    draft.put("box.node", (yield from ask(question)))
