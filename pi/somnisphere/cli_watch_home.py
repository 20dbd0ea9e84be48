"""``somnisphere watch --broker``: every Somnisphere on a broker, live, from any machine of the house."""

import argparse
import os
import queue
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from somnisphere.broker import broker_settings
from somnisphere.config import load
from somnisphere.errors import UserError
from somnisphere.watch_home import SUBSCRIPTIONS, Bedsides
from somnisphere_home.messages import Message
from somnisphere_home.mqtt import Connected, Disconnected, HomeLink, LinkEvent, Received

PATIENCE_S = 8.0
"""So long is waited for a broker and for a first bedside."""
SETTLED_S = 0.5
"""A broker that said nothing for so long has said all it keeps."""
CLEAR = "\x1b[H\x1b[2J"


def watch_home(arguments: argparse.Namespace) -> int:
    """Until Ctrl-C; with ``--once`` until everything kept has been heard. ``UserError``: no broker, or nobody on it."""
    config = load(arguments.config)
    settings = broker_settings(config, _place(arguments.broker, config.mqtt.port))
    events: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
    watcher = replace(settings, client_id=f"somnisphere_watch_{os.getpid()}")
    link = HomeLink(watcher, Message("somnisphere/watch", b""), events.put)
    link.start()
    try:
        _follow(link, events, Bedsides(arguments.node or ""), arguments, time.monotonic)
    except KeyboardInterrupt:
        pass  # the usual way to stop looking
    finally:
        link.stop()
    return 0


def _place(broker: str, usual_port: int) -> tuple[str, int] | None:
    """``HOST[:PORT]``; "" is the configured one."""
    if not broker:
        return None
    host, colon, port = broker.rpartition(":") if broker.count(":") == 1 else (broker, "", "")
    if colon and not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise UserError(f"{broker}: a broker is named as HOST or HOST:PORT")
    return host or broker, int(port) if colon else usual_port


def _follow(
    link: HomeLink,
    events: "queue.SimpleQueue[LinkEvent]",
    bedsides: Bedsides,
    arguments: argparse.Namespace,
    now_s: Callable[[], float],
) -> None:
    live = sys.stdout.isatty() and not arguments.plain and not arguments.once
    began_s, shown, due_s, lost = now_s(), "", 0.0, ""
    while True:
        try:
            event: LinkEvent | None = events.get(timeout=SETTLED_S)
        except queue.Empty:
            event = None
        match event:
            case Connected():
                lost = ""
                for topic in SUBSCRIPTIONS:
                    link.subscribe(topic)
            case Disconnected(reason=reason):
                if not bedsides.known:
                    raise UserError(f"{reason}. Name it with --broker HOST, or in the configuration's [mqtt].")
                lost = f"{reason}; trying again"
            case Received(topic=topic, payload=payload):
                bedsides.hear(topic, payload)
        if not bedsides.known:
            if now_s() - began_s > PATIENCE_S:
                raise UserError("no Somnisphere has said anything on this broker. Is it running, and is --node right?")
            continue
        if arguments.once and event is not None:
            continue  # more may come
        if now_s() >= due_s or event is None:
            text = "\n".join([*bedsides.lines(), *([lost] if lost else [])])
            if text != shown:
                shown, due_s = text, now_s() + (0.0 if live else arguments.every)
                print(f"{CLEAR}{text}" if live else text, flush=True)
        if arguments.once:
            return
