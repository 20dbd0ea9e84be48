"""What the service manager hears: ready, alive while the sensor's thread moves, stopping; and nothing when it hangs."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.box import box

from somnisphere import live as live_module
from somnisphere.clock import SystemClock
from somnisphere.events import Event, Tick
from somnisphere.household_clock import HouseholdClock
from somnisphere.live import Inbox, Live
from somnisphere.poll_thread import PollThread
from somnisphere.service_manager import ServiceManager
from somnisphere_home.messages import Message
from somnisphere_home.mqtt import BrokerSettings, HomeLink


class Ear:
    """The manager's end of the line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(str(path))
        self._line.setblocking(False)

    def heard(self) -> list[str]:
        said = []
        while True:
            try:
                said.append(self._line.recv(4096).decode())
            except BlockingIOError:
                return said

    def close(self) -> None:
        self._line.close()


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    it = Ear(tmp_path / "notify")
    yield it
    it.close()


def manager(ear: Ear, **more: str) -> ServiceManager:
    return ServiceManager({"NOTIFY_SOCKET": str(ear.path), **more})


def test_it_is_told_in_its_own_words(ear: Ear) -> None:
    ours = manager(ear, WATCHDOG_USEC="60000000", WATCHDOG_PID=str(os.getpid()))
    ours.ready()
    for at_s in (0.0, 1.0, 19.9, 20.0, 39.0, 40.0):
        ours.feed(at_s)
    ours.stopping()
    assert ear.heard() == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]


@pytest.mark.parametrize("more", [{}, {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "soon"}])
def test_a_watchdog_that_is_not_ours_is_not_fed(ear: Ear, more: dict[str, str]) -> None:
    manager(ear, **more).feed(0.0)
    assert ear.heard() == []


def test_nobody_there_is_no_trouble(tmp_path: Path) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "nobody")}, {"NOTIFY_SOCKET": "@nobody is here"}):
        ServiceManager(environment).ready()


class Device:
    """Answers at once until it hangs."""

    def __init__(self) -> None:
        self.due_s = 0.0
        self.hangs = threading.Event()
        self.let_go = threading.Event()
        self.polls = 0

    def poll(self, at_s: float) -> tuple[()]:
        self.polls += 1
        if self.hangs.is_set():
            self.let_go.wait(30.0)
        self.due_s = at_s + 0.01
        return ()


def test_a_thread_that_hangs_is_late_and_one_that_rests_is_not() -> None:
    device, clock = Device(), SystemClock()
    thread: PollThread[object] = PollThread("device", device, lambda _: None, clock, lambda _: None)
    thread.start()
    try:
        wait_for(lambda: device.polls > 3)
        assert thread.late_s(clock.now_s()) < 1.0
        device.hangs.set()
        wait_for(lambda: thread.late_s(clock.now_s()) > 0.3)
    finally:
        device.let_go.set()
        thread.stop()


def wait_for(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 10.0
    while not true():
        assert time.monotonic() < end_s, "it never came true"
        time.sleep(0.01)


def test_the_loop_feeds_it_until_the_sensor_hangs(ear: Ear, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real loop over a bed of which only the polling is ours."""
    monkeypatch.setattr(live_module, "HUNG_S", 0.5)
    device, clock = Device(), SystemClock()
    with box(tmp_path / "journal.db", connected=False) as it:
        link = HomeLink(BrokerSettings(host="127.0.0.1", port=1, client_id="nobody"), Message("x", b""), lambda _: None)
        ours = manager(ear, WATCHDOG_USEC="30000")
        loop = Live(it.daemon, device, link, Inbox(), HouseholdClock(clock), manager=ours)  # type: ignore[arg-type]
        heard: list[str] = []
        ticks = 0
        handle = it.daemon.handle

        def counted(event: Event) -> None:
            nonlocal ticks
            ticks += isinstance(event, Tick)
            handle(event)

        monkeypatch.setattr(it.daemon, "handle", counted)

        def ticks_on(count: int) -> None:
            until = ticks + count
            wait_for(lambda: ticks >= until)

        def fed_twice() -> bool:
            heard.extend(ear.heard())
            return heard.count("WATCHDOG=1") >= 2

        def watch() -> None:
            try:
                wait_for(fed_twice)
                device.hangs.set()
                ticks_on(3)
                ear.heard()
                ticks_on(3)
                heard.append("then")
                heard.extend(ear.heard())
            finally:
                device.let_go.set()
                loop.stop()

        watching = threading.Thread(target=watch)
        watching.start()
        loop.run()
        watching.join(10.0)
    assert heard[0] == "READY=1"
    assert heard[-1] == "then", "a hung sensor: nothing more is said, and the manager starts us anew"
    assert ear.heard()[-1] == "STOPPING=1"
