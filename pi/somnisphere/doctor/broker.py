"""The MQTT broker."""

import queue
from collections.abc import Iterator
from dataclasses import replace

from somnisphere.broker import broker_settings
from somnisphere.config import Config, ConfigError
from somnisphere.doctor.finding import Finding
from somnisphere_home.messages import OFFLINE, Message, Topics
from somnisphere_home.mqtt import Connected, HomeLink, LinkEvent

BROKER_WAIT_S = 12.0
"""Two greetings of ``HomeLink``: the second with the older MQTT."""


def check_broker(config: Config) -> Iterator[Finding]:
    place = f"{config.mqtt.host}:{config.mqtt.port}"
    try:
        settings = broker_settings(config)
    except ConfigError as problem:
        yield Finding("broker", False, str(problem), "correct this key in the configuration")
        return
    topics = Topics(config.box.node)
    answers: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
    link = HomeLink(
        replace(settings, client_id=f"{settings.client_id}_doctor"),
        Message(f"{topics.base}/doctor/status", OFFLINE),  # a will of its own: the daemon may be connected too
        answers.put,
    )
    link.start()
    try:
        answer: LinkEvent | None = answers.get(timeout=BROKER_WAIT_S)
    except queue.Empty:
        answer = None
    finally:
        link.stop()
    if isinstance(answer, Connected):
        yield Finding("broker", True, f"{place} lets us in, with MQTT {'5' if answer.mqtt5 else '3.1.1'}")
        return
    yield Finding(
        "broker",
        False,
        getattr(answer, "reason", f"{place} says nothing"),
        "start one (sudo apt install mosquitto), or correct mqtt.host, port, username, password_file",
    )
