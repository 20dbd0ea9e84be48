"""The MQTT broker: the door, the login, and what this login may read and write, tried with messages of no meaning."""

import queue
import time
from collections.abc import Iterator
from dataclasses import replace

from somnisphere.broker import broker_settings, topics_of
from somnisphere.config import Config, ConfigError
from somnisphere.doctor.broker_door import speaks_tls, trouble_at_the_door
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World
from somnisphere_home.messages import OFFLINE, Message, Topics
from somnisphere_home.mqtt import Connected, HomeLink, LinkEvent, Received

PART, RIGHTS = "broker", "access list"


def check_broker(config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    place = f"{config.mqtt.host}:{config.mqtt.port}"
    try:
        settings = replace(broker_settings(config), client_id=f"somnisphere_{config.box.node}_doctor")
    except ConfigError as problem:
        yield Finding(PART, False, str(problem), "correct this key, or look as the user who runs it, or with sudo")
        return
    if trouble := trouble_at_the_door(settings, world.knock_s):
        yield Finding(PART, False, *trouble)
        return
    topics, events = topics_of(config), queue.SimpleQueue[LinkEvent]()
    # A will of its own, not retained: the daemon may be connected, too.
    will = Message(f"{topics.base}/doctor/status", OFFLINE, qos=1)
    link = HomeLink(settings, will, events.put, greeting_s=min(5.0, world.login_s / 2))
    link.start()
    try:
        answer = _next(events, world.login_s)
        if isinstance(answer, Connected):
            safe = ", TLS" if settings.tls else ""
            yield Finding(PART, True, f"{place} lets us in, with MQTT {'5' if answer.mqtt5 else '3.1.1'}{safe}")
            yield from _rights(config, topics, link, events, will.topic, answer.mqtt5, world)
            return
    finally:
        link.stop()
    if not settings.tls and speaks_tls(settings, world.knock_s):
        yield Finding(
            PART, False, f"{place} speaks TLS, and mqtt.tls is false", "set mqtt.tls = true, and mqtt.ca_file"
        )
        return
    mend = "correct mqtt.username and the password's file; is this an MQTT broker?"
    yield Finding(PART, False, getattr(answer, "reason", f"{place} says nothing"), mend)


def _next(events: "queue.SimpleQueue[LinkEvent]", within_s: float) -> LinkEvent | None:
    try:
        return events.get(timeout=max(0.0, within_s))
    except queue.Empty:
        return None


def _rights(
    config: Config,
    topics: Topics,
    link: HomeLink,
    events: "queue.SimpleQueue[LinkEvent]",
    own: str,
    mqtt5: bool,
    world: World,
) -> Iterator[Finding]:
    """Messages to ourselves. Refusals are told by MQTT 5 where the broker tells them; else nothing comes back."""
    announced = f"{topics.prefix}/sensor/{topics.device_id}/doctor/config"
    tried = {own: b"is there anybody?"}
    if config.mqtt.discovery != "off":
        tried[announced] = b""  # of an entity that nobody has: the home has nothing to take away
    filters = {topic: _filter_of(topic, own) for topic in tried}
    for pattern in filters.values():
        link.subscribe(pattern)
    link.publish(Message(own, tried[own]))  # the link holds moments back until its will's topic was said
    for topic, payload in tried.items():
        link.publish(Message(topic, payload, qos=1))
    back, until_s = set[str](), time.monotonic() + world.echo_s
    while back != tried.keys() and (left_s := until_s - time.monotonic()) > 0:
        if isinstance(event := _next(events, left_s), Received):
            back.add(event.topic)
    if own not in back:
        yield _refused(f"{topics.base}/#", own, filters[own], link.refused_topics)
    # What is announced need not be readable: a write that was taken is enough, where a refusal would be told.
    elif announced in tried and announced not in back and (not mqtt5 or announced in link.refused_topics):
        may = f"{topics.prefix}/+/{topics.device_id}/+/config"
        yield _refused(may, announced, filters[announced], link.refused_topics)
    else:
        yield Finding(RIGHTS, True, f"this login may read and write below {topics.base}")


def _filter_of(topic: str, own: str) -> str:
    """Another text than the topic, so that a refusal says which deed it is about."""
    return f"{own.rpartition('/')[0]}/+" if topic == own else f"{topic.removesuffix('/config')}/+"


def _refused(may: str, topic: str, pattern: str, refused: frozenset[str]) -> Finding:
    below = may.removesuffix("/#")
    if topic in refused:
        verdict = f"the broker does not let this login write to {below}"
    elif pattern in refused:
        verdict = f"the broker does not let this login read {below}"
    else:
        verdict = f"what this login writes to {below} does not come back: the broker drops it without a word"
    mend = f"give it “topic readwrite {may}” in the broker's access list (deploy/broker/new-box.sh writes it)"
    return Finding(RIGHTS, False, verdict, mend)
