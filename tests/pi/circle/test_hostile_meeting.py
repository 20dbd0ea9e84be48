"""A broker where the circle meets that means harm: what it sends unasked reaches the broker that reached out to it, on
any topic. A broker of the circle's own keeps it from the house's."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.brokers import HOST, free_port, mosquitto
from tests.circle_wire import Box
from tests.home.broker import Broker, Listener
from tests.home.client import wait_until
from tests.pi.circle.test_three_households import own_mosquitto

pytestmark = pytest.mark.broker

BUTTON = "somnisphere/bedside/begin/set"
CONNECT, PUBLISH, SUBSCRIBE, PING = 1, 0x30, 8, 12


@contextmanager
def hostile_broker() -> Iterator[int]:
    """Greets, takes a subscription, and then presses a button of the house again and again."""
    server = socket.create_server((HOST, 0))
    server.settimeout(0.2)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                guest, _ = server.accept()
            except TimeoutError:
                continue
            with guest:
                guest.settimeout(0.2)
                _talk(guest, over)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        over.set()
        thread.join(10)
        server.close()


def _talk(guest: socket.socket, over: threading.Event) -> None:
    waiting, subscribed = b"", False
    press = struct.pack(">H", len(BUTTON)) + BUTTON.encode() + b"\x00" + b"PRESS"
    while not over.is_set():
        try:
            data = guest.recv(4096)
        except TimeoutError:
            if subscribed:
                guest.sendall(bytes([PUBLISH, len(press)]) + press)
            continue
        except OSError:
            return
        if not data:
            return
        waiting += data
        while (packet := _packet(waiting)) is not None:
            kind, body, waiting = packet
            if kind == CONNECT:
                guest.sendall(b"\x20\x03\x00\x00\x00")
            elif kind == SUBSCRIBE:
                guest.sendall(bytes([0x90, 4]) + body[:2] + b"\x00\x01")
                subscribed = True
            elif kind == PING:
                guest.sendall(b"\xd0\x00")


def _packet(data: bytes) -> tuple[int, bytes, bytes] | None:
    """(kind, body, what follows) of the first whole packet."""
    size, place = 0, 1
    while place < len(data):
        size |= (data[place] & 127) << 7 * (place - 1)
        place += 1
        if not data[place - 1] & 128:
            return (
                (data[0] >> 4, data[place : place + size], data[place + size :]) if len(data) >= place + size else None
            )
    return None


def pressed(listener: Listener) -> bool:
    return any(message.topic == BUTTON for message in listener.received)


def test_with_a_broker_of_its_own_the_house_hears_nothing(tmp_path: Path) -> None:
    with hostile_broker() as port:
        box = Box(tmp_path / "house", free_port(), own_port=free_port())
        box.run("circle", "new", "Birch Street", "--household", "The Arslans")
        there = ("circle", "bridge", "--address", f"{HOST}:{port}", "--no-tls")
        own = tmp_path / "own.conf"
        with mosquitto(box.port), Broker(box.port).listening("#") as house:
            with own_mosquitto(own, box, *there), Broker(box.circle_port).listening("#") as circle:
                # Its own broker believes it: that is mosquitto's way, and why there is a second one.
                wait_until(lambda: pressed(circle), "the press at the circle's own broker", 20)
                Broker(box.port).publish("the/end", b"x")
                wait_until(lambda: house.received, "the house's broker")
            assert not pressed(house)
