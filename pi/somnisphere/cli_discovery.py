"""``somnisphere discovery show`` and ``clear``: what the home is told of this bedside, and how it forgets it."""

import argparse
import json
import queue
from collections.abc import Iterator
from dataclasses import replace

from somnisphere.assemble import device_of, entities_of, home_session
from somnisphere.bedtime.phases import Phase
from somnisphere.broker import broker_settings, topics_of
from somnisphere.config import Config, load
from somnisphere.errors import UserError
from somnisphere.snapshot import Snapshot
from somnisphere_home.announcement import Announcement
from somnisphere_home.messages import Message
from somnisphere_home.mqtt import Connected, Disconnected, HomeLink, LinkEvent, Received
from somnisphere_home.tags import clear_tag_message

PATIENCE_S = 10.0
SETTLED_S = 1.0
NOTHING = Snapshot(at_s=0.0, wall_s=0.0, phase=Phase.IDLE)


def show(arguments: argparse.Namespace) -> int:
    """Each message as one JSON object; options that depend on the shelf are left empty."""
    for message in home_session(load(arguments.config)).announced(NOTHING):
        print(json.dumps({"topic": message.topic, "payload": json.loads(message.payload)}, ensure_ascii=False))
    return 0


def clear(arguments: argparse.Namespace) -> int:
    """Take this bedside out of the home, with all that the broker keeps of how it was announced."""
    config = load(arguments.config)
    place = f"{config.mqtt.host}:{config.mqtt.port}"
    node = config.box.node
    if not arguments.yes:
        print(f"Home Assistant will forget the bedside {node!r}: its entities, and the names and rooms you gave them.")
        print("A service that runs announces it again; stop that first: sudo systemctl stop somnisphere")
        try:
            if input(f"Clear it from the broker at {place}? [y/N] ").strip().lower() not in ("y", "yes"):
                raise UserError("Nothing was cleared.")
        except (EOFError, KeyboardInterrupt):
            raise UserError("Nothing was cleared.") from None
    topics = topics_of(config)
    announcement = Announcement(entities_of(config), topics, device_of(config))
    clear_all(
        config, [*announcement.everything_cleared(NOTHING), clear_tag_message(topics)], announcement.subscriptions
    )
    print(f"The broker at {place} keeps no announcement of {node!r} any more.")
    return 0


def clear_all(config: Config, messages: list[Message], kept_at: tuple[str, ...]) -> None:
    """Say ``messages`` to the configured broker, and take away what else it keeps at ``kept_at``: entities of earlier
    versions. ``UserError`` when it does not answer in time."""
    events: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
    settings = broker_settings(config)
    # Not the daemon's name on the broker, which would be thrown out; and a will that says nothing of it.
    will = Message(f"somnisphere/{config.box.node}/tool", b"")
    link = HomeLink(replace(settings, client_id=f"{settings.client_id}_tool"), will, events.put)
    link.start()
    try:
        event = events.get(timeout=PATIENCE_S)
        if isinstance(event, Disconnected):
            raise UserError(f"{event.reason}. Check the [mqtt] section of the configuration.")
        assert isinstance(event, Connected)
        for topic in kept_at:
            link.subscribe(topic)
        messages = [*messages, *_found(events)]
    except queue.Empty:
        raise UserError(f"nothing answers at {settings.host}:{settings.port}. Is the broker running there?") from None
    finally:
        link.stop(messages, timeout_s=PATIENCE_S)


def _found(events: "queue.SimpleQueue[LinkEvent]") -> Iterator[Message]:
    """Empty words for what the broker keeps, until it has said nothing for a while."""
    while True:
        try:
            event = events.get(timeout=SETTLED_S)
        except queue.Empty:
            return
        if isinstance(event, Disconnected):
            raise UserError(f"{event.reason}. Nothing was cleared; try again.")
        if isinstance(event, Received) and event.retained and event.payload:
            yield Message(event.topic, b"", retain=True, qos=1)
