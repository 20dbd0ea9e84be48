"""A night in a network of its own, with every packet kept: ``unshare --net python -m tests.deploy.night_alone FOLDER``.

There are two ways out of it. ``lo`` has the loopback addresses and those of the broker and of Home Assistant; ``away``
is the way to everything else: it leads nowhere, and whatever is sent there is a leak. Prints what was seen as JSON.
``--leaks`` plants some, in place of the night.
"""

import argparse
import io
import json
import os
import queue
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BROKER, HOME = "10.99.0.1", "10.99.0.2"
GATEWAY = "10.77.0.1"
STRANGER = "203.0.113.9"
MEMBER = "bedside"
LIGHT, PLAYER, MOTION = "light.bedroom", "media_player.bedroom", "binary_sensor.kitchen_motion"
ASLEEP_MIN, NIGHT_S = 4.0, 15 * 60.0
SETUP = f"""
ip link set lo up
ip addr add {BROKER}/32 dev lo
ip addr add {HOME}/32 dev lo
ip link add away type veth peer name beyond
ip addr add 10.77.0.2/24 dev away
ip link set away up
ip link set beyond up
ip neigh add {GATEWAY} lladdr 02:00:00:00:00:01 dev away nud permanent
ip route add default via {GATEWAY} dev away
sysctl -qw net.ipv6.conf.away.accept_ra=0 2>/dev/null || true
ip -6 addr add fd00:77::2/64 dev away nodad 2>/dev/null || true
ip -6 neigh add fd00:77::1 lladdr 02:00:00:00:00:01 dev away nud permanent 2>/dev/null || true
ip -6 route add default via fd00:77::1 dev away 2>/dev/null || true
"""


@dataclass
class Seen:
    """``peers``: protocol, address, port and way of everything that was sent to. ``to_home``: all bytes to Home
    Assistant's ports."""

    peers: set[tuple[str, str, int, str]] = field(default_factory=set)
    to_home: bytearray = field(default_factory=bytearray)
    packets: int = 0
    lost: int = 0


@contextmanager
def every_packet(home_ports: set[int]) -> Iterator[Seen]:
    """What leaves on any way, as the kernel hands it over. (``ETH_P_ALL``, ``PACKET_OUTGOING``: linux/if_packet.h.)"""
    seen, over = Seen(), threading.Event()
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)) as tap:
        tap.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        tap.settimeout(0.1)

        def listen() -> None:
            while True:
                try:
                    packet, (way, protocol, kind, *_) = tap.recvfrom(1 << 17)
                except TimeoutError:
                    if over.is_set():
                        return
                    continue
                if kind == 4 and way != "beyond":
                    _note(seen, packet, protocol, way, home_ports)

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield seen
        finally:
            time.sleep(0.2)
            over.set()
            thread.join()
            _, seen.lost = struct.unpack("II", tap.getsockopt(263, 6, 8))  # SOL_PACKET, PACKET_STATISTICS


def _note(seen: Seen, packet: bytes, protocol: int, way: str, home_ports: set[int]) -> None:
    seen.packets += 1
    if protocol == 0x0800:
        head, kind, to = (packet[0] & 15) * 4, packet[9], socket.inet_ntop(socket.AF_INET, packet[16:20])
    elif protocol == 0x86DD:
        head, kind, to = 40, packet[6], socket.inet_ntop(socket.AF_INET6, packet[24:40])
        if kind in (0, 58):  # the kernel's own talk with its neighbours (hop-by-hop, ICMPv6)
            return
    else:
        seen.peers.add((f"ether {protocol:#06x}", "", 0, way))
        return
    names = {6: "tcp", 17: "udp"}
    port = struct.unpack("!H", packet[head + 2 : head + 4])[0] if kind in names else 0
    if kind == 6 and port in home_ports:
        seen.to_home += packet[head + (packet[head + 12] >> 4) * 4 :]
    if kind == 6 and not packet[head + 13] & 2:
        return  # no beginning of a connection: where it goes was noted then
    if kind == 6 and packet[head + 13] & 16:
        return  # the answer to one
    seen.peers.add((names.get(kind, f"protocol {kind}"), to, port, way))


def leaks() -> None:
    """What must not be, once of each kind: the test shows that it would be seen."""
    with suppress(OSError):
        urllib.request.urlopen(f"http://{STRANGER}/?heart_rate=61", timeout=0.3)
    asked = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x07example\x03org\x00\x00\x01\x00\x01"
    for family, said, to in (
        (socket.AF_INET, asked, ("9.9.9.9", 53)),
        (socket.AF_INET, b"somnisphere", ("224.0.0.251", 5353)),
        (socket.AF_INET6, b"heart", ("2001:db8::9", 443)),
    ):
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as caller:
            caller.sendto(said, to)


CONFIG = """
[mqtt]
host = "{broker}"
port = {port}
username = "bedside"
password_file = "{files}/bedside.password"
tls = true
ca_file = "{files}/ca.crt"
[sleeper]
name = "Mia"
[home_assistant]
url = "{home}"
token_file = "{folder}/token"
fire_events = true
still_up = ["{motion}"]
[speaker]
home_player = "{player}"
[lamp]
home_light = "{light}"
[ritual]
wind_down_min = 1
[stories]
cache = "{folder}/cache"
[journal]
path = "{folder}/journal.db"
"""


def whole_night(folder: Path, home_ports: set[int]) -> dict[str, Any]:
    """The daemon on simulated chips with the home's player, light, events and states; the page and the circle beside
    it, each a process; a Home Assistant at the broker."""
    from tests.brokers import free_port, wait_for_port
    from tests.home_api import fake_home
    from tests.home_socket import fake_socket_home
    from tests.secured_broker import Person, secured_broker

    from somnisphere.config import load

    folder.mkdir(exist_ok=True)
    (folder / "token").write_text("good")
    with (
        secured_broker(("bedside", "--circle"), ("--home", "homeassistant"), names=(BROKER, "127.0.0.1")) as broker,
        fake_home(HOME) as home,
        fake_socket_home(HOME) as socket_home,
        Person(broker, "homeassistant") as listener,
    ):
        home.states |= {
            LIGHT: ("off", {"supported_color_modes": ["brightness"]}),
            PLAYER: ("idle", {"volume_level": 0.3}),
        }
        socket_home.states[MOTION] = "off"
        home_ports |= {int(one.url.rpartition(":")[2]) for one in (home, socket_home)}
        named = {"broker": BROKER, "port": broker.tls_port, "files": broker.files, "home": home.url, "folder": folder}
        text = CONFIG.format(**named, motion=MOTION, player=PLAYER, light=LIGHT)
        config, also = folder / "somnisphere.toml", folder / "socket.toml"
        config.write_text(text)
        also.write_text(text.replace(home.url, socket_home.url))
        listener.subscribe("somnisphere/#")
        listener.subscribe("homeassistant/#")
        page = free_port()
        command = [sys.executable, "-m", "somnisphere", "--config", str(config)]
        circle = ["--config", str(config), "circle"]
        refused = quietly([*circle, "run"])  # it is off
        assert quietly([*circle, "new", "Birch Street", "--household", "No. 7"]) == 0
        with running([*command, "page", "--port", str(page)]), running([*command, "circle", "run"]):
            said = sleep(load(config), load(also), folder)
            wait_for_port("127.0.0.1", page)
            urllib.request.urlopen(f"http://127.0.0.1:{page}/", timeout=10).close()
        listener.waits("somnisphere/bedside/status", b"offline")
        moments = [
            json.loads(m.payload)["event_type"] for m in listener.heard if m.topic.endswith("sleep_moment/event")
        ]
        vitals = [
            json.loads(m.payload) for m in listener.heard if m.topic == "somnisphere/bedside/vitals" and m.payload
        ]
        return {
            "broker": [BROKER, broker.tls_port],
            "home_ports": sorted(home_ports),
            "page": page,
            "circle_off": refused,
            "files": {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")},
            "denied": broker.denied,
            "unheard": sorted(said - listener.topics()),
            "moments": moments,
            "hearts": [one["heart_rate"] for one in vitals if one["heart_rate"] is not None],
            "events": home.events,
            "calls": sorted(set(home.names())),
            "asked": socket_home.asked,
        }


def quietly(words: list[str]) -> int:
    from somnisphere.cli import main

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return main(words)


@contextmanager
def running(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield
        assert process.poll() is None, f"{command[5:]} ended: {process.stderr.read() if process.stderr else ''}"
    finally:
        process.terminate()
        process.communicate(timeout=15)


def sleep(config: Any, also: Any, folder: Path) -> set[str]:
    """The night; every topic that the daemon said something on."""
    from somnisphere.assemble import assemble, bedside_settings, shelf_reader
    from somnisphere.broker import broker_settings
    from somnisphere.cli_daemon import evening_lamp, evening_speaker, follow_home, moment_teller
    from somnisphere.events import HomeReported, Tick
    from somnisphere.journal import Journal
    from somnisphere.live import Edge
    from somnisphere.rehearsal import Rehearsal, RehearsalClock
    from somnisphere_hardware.bedside import Bedside
    from somnisphere_hardware.bus import Bus
    from somnisphere_hardware.simulated.bus import SimulatedBus
    from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
    from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050
    from somnisphere_hardware.simulated.sleeper import Sleeper
    from somnisphere_home.messages import Message
    from somnisphere_home.mqtt import HomeLink, LinkEvent

    body = Sleeper.usual_night(2, hours=1.0, fall_asleep_min=ASLEEP_MIN, absent_before_min=1.0)
    bus, clock = SimulatedBus(77), RehearsalClock(0.0, 1_781_380_800.0)
    bus.attach(SimulatedMax30102(body))
    bus.attach(SimulatedMpu6050(body))
    inbox: queue.SimpleQueue[LinkEvent | Edge] = queue.SimpleQueue()
    reports: queue.SimpleQueue[HomeReported] = queue.SimpleQueue()
    topics: set[str] = set()
    with ExitStack() as stack:
        stack.enter_context(bus.installed())
        bedside = Bedside(lambda: Bus.open(77), bedside_settings(config))
        stack.callback(bedside.close)
        lamp, _ = evening_lamp(config)
        stack.callback(lamp.close)
        speaker = evening_speaker(config, stack, lambda: None)
        stack.callback(speaker.close)
        journal = Journal(folder / "journal.db")
        stack.callback(journal.close)
        reader = shelf_reader(config)
        teller = moment_teller(config, stack)
        tick = Tick(0.0, clock.wall_s())
        made = assemble(config, tick, journal, bedside, lamp, speaker, reader, tell_moment=teller)
        stack.callback(made.door.close)
        follow_home(also, stack, reports.put, clock.now_s)
        link = HomeLink(broker_settings(config), made.session.will, inbox.put)
        link.start()
        stack.callback(lambda: link.stop(made.session.farewell(), 5.0))
        until(lambda: link.is_connected)

        def say(message: Message) -> None:
            topics.add(message.topic)
            link.publish(message)

        def press() -> None:
            made.daemon.home_said("somnisphere/bedside/begin/set", b"PRESS", retained=False, at_s=clock.at_s)

        def hear(_: object) -> None:
            while not reports.empty():
                made.daemon.handle(reports.get())

        made.daemon.publish_through(say)
        Rehearsal(made.daemon, bus, clock, link=link, inbox=inbox, hands=((90.0, press),), show=hear).run(NIGHT_S)
    return topics


def until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--leaks", action="store_true")
    arguments = parser.parse_args()
    if socket.if_nameindex()[1:]:
        print("this is not a network of its own: unshare --net", file=sys.stderr)
        return 1
    subprocess.run(["sh", "-ec", SETUP], check=True)
    os.umask(0o022)  # as on a usual desk: what must not be read by others is not left to the umask
    told: dict[str, Any] = {}
    if arguments.leaks:
        with every_packet(set()) as seen:
            leaks()
    else:
        ports: set[int] = set()
        with every_packet(ports) as seen:
            told = whole_night(arguments.folder, ports)
    print(
        json.dumps(
            {
                "peers": sorted(seen.peers),
                "packets": seen.packets,
                "lost": seen.lost,
                **told,
                "to_home": seen.to_home.decode("latin-1"),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
