"""The threads of a real box for a few seconds: `somnisphere run` with simulated chips and pins, mosquitto and mpv."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from tests.box import LAMP_PIN, box
from tests.brokers import mosquitto
from tests.ear import Ear
from tests.living_bus import living_chips

from somnisphere.bedtime.phases import Phase
from somnisphere.cli import main
from somnisphere.clock import SystemClock
from somnisphere.events import BrokerReported
from somnisphere.household_clock import HouseholdClock
from somnisphere.journal import Journal
from somnisphere.live import INBOX_BLOCKS, Edge, Inbox, Live, PlayerSpoke
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.button import Button
from somnisphere_hardware.samples import MotionBlock, PartState, PulseBlock
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.pins import SimulatedPins, simulated_pins
from somnisphere_home.messages import Message
from somnisphere_home.mqtt import BrokerSettings, Connected, HomeLink, Received

BUTTON_PIN = 17
BUS = 78


@contextmanager
def handlers_kept() -> Iterator[None]:
    """``run`` takes the signals of its process; this one has a life after it."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end_s, "it never came true"
        time.sleep(0.01)


def position_s(ear: Ear) -> float:
    """Where the story is now: by itself it is told once in a while only, but with every change of the volume."""
    volume = ear.wait_for("story", lambda _: True)["volume"] % 50 + 10
    ear.say("volume", str(volume))
    told = ear.wait_for("story", lambda state: state["volume"] == volume)
    return float(told["story_position"] or 0.0)


def run_while(config: Path, user: Callable[[], None]) -> None:
    """``somnisphere run`` on the main thread, ``user`` on another; then SIGTERM."""

    def act() -> None:
        try:
            user()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    with handlers_kept(), ThreadPoolExecutor(1) as hands:
        signal.signal(signal.SIGTERM, lambda *_: None)  # until `run` has its own
        acting = hands.submit(act)
        assert main(["--config", str(config), "run"]) == 0
        acting.result()


@pytest.fixture
def pins() -> Iterator[SimulatedPins]:
    with simulated_pins() as pins:
        yield pins


@pytest.fixture
def living_bus() -> Iterator[SimulatedBus]:
    with living_chips(BUS) as bus:
        yield bus


def configured(folder: Path, place: tuple[str, int], bus: int = BUS) -> Path:
    path = folder / "somnisphere.toml"
    path.write_text(
        f"[sensor]\nbus = {bus}\n[lamp]\npin = {LAMP_PIN}\n[button]\npin = {BUTTON_PIN}\n"
        f'[speaker]\nao = "null"\n[mqtt]\nhost = "{place[0]}"\nport = {place[1]}\n'
        f'[journal]\npath = "{folder}/journal.db"\n'
    )
    return path


@pytest.mark.broker
@pytest.mark.mpv
@pytest.mark.skipif(shutil.which("mpv") is None, reason="mpv is not installed (apt install mpv)")
def test_an_evening_in_real_time(
    tmp_path: Path, pins: SimulatedPins, living_bus: SimulatedBus, caplog: pytest.LogCaptureFixture
) -> None:
    def user() -> None:
        ear.wait("status", b"online")
        ear.wait("sensor/status", b"online")
        ear.say("begin")
        ear.wait_for("ritual", lambda state: state["phase"] == "wind_down")
        ear.say("volume", "not a number")
        ear.say("story", "The lamp that learned to land")
        ear.wait_for("story", lambda state: state["story"] == "The lamp that learned to land")
        until(lambda: pins.duty(LAMP_PIN) > 0.005)  # it rises by itself, between two events
        first = pins.duty(LAMP_PIN)
        until(lambda: pins.duty(LAMP_PIN) > first)
        pins.press(BUTTON_PIN)
        time.sleep(0.1)
        pins.release(BUTTON_PIN)
        ear.wait_for("ritual", lambda state: state["phase"] == "story")
        ear.wait_for("story", lambda state: state["story_playing"] == "The lamp that learned to land")
        with Ear(place) as late:  # somebody who comes later finds everything
            late.wait_for("ritual", lambda state: state["phase"] == "story")
            late.wait("status", b"online")
        until(lambda: position_s(ear) >= 1.0)
        ear.say("stop")
        ear.wait_for("story", lambda state: state["story_playing"] is None)
        ear.wait_for("ritual", lambda state: state["phase"] == "idle")

    with mosquitto() as place, Ear(place) as ear:
        run_while(configured(tmp_path, place), user)
        ear.wait("status", b"offline")
        ear.wait("sensor/status", b"offline")
    assert pins.duty(LAMP_PIN) == 0.0
    assert any("volume/set" in line and "a number from 0 to 100" in line for line in caplog.messages)
    assert [m for m in caplog.messages if "cannot" in m] == []
    journal = Journal(tmp_path / "journal.db")
    (night_id,) = journal.nights()
    assert [moment.type for moment in journal.load(night_id).moments] == ["lights_down", "story_began"]
    journal.close()
    assert living_bus.transactions > 20
    assert {thread.name for thread in threading.enumerate()}.isdisjoint({"sensor"})


@pytest.mark.broker
def test_sigterm_ends_the_process_cleanly(tmp_path: Path) -> None:
    with mosquitto() as place, Ear(place) as ear:
        config = configured(tmp_path, place, bus=250)  # no chips, no pins: the box still lives
        with subprocess.Popen(
            [sys.executable, "-m", "somnisphere", "--config", str(config), "run"],
            stderr=subprocess.PIPE,
            env={**os.environ, "GPIOZERO_PIN_FACTORY": "none"},
        ) as process:
            try:
                ear.wait("status", b"online", 60.0)
                ear.say("begin")
                ear.wait_for("ritual", lambda state: state["phase"] == "wind_down")
                began_s = time.monotonic()
                process.terminate()
                process.wait(5.0)
            finally:
                process.kill()
            assert process.stderr is not None
            said = process.stderr.read().decode()
        assert process.returncode == 0, said
        assert time.monotonic() - began_s < 5.0
        ear.wait("status", b"offline")
    assert "Traceback" not in said
    assert "lamp" in said
    assert "button" in said
    assert said.count("pulse sensor") == 1
    journal = Journal(tmp_path / "journal.db")
    saved = journal.saved_ritual(0.0, time.time())
    assert saved is not None
    assert saved.state["state"]["phase"] == Phase.WIND_DOWN, "kept as it was at the stop, not at the last half minute"
    journal.close()


@contextmanager
def live_box(
    folder: Path, bedside: Bedside | None = None, button: Button | None = None
) -> Iterator[tuple[Live, Inbox]]:
    """``Live`` over a box, its broker out of reach."""
    inbox = Inbox()
    will = Message("somnisphere/bedside/status", b"offline")
    link = HomeLink(BrokerSettings(client_id="nobody"), will, inbox.put)
    with box(folder / "journal.db") as it:
        yield Live(it.daemon, bedside or no_chips(), link, inbox, HouseholdClock(SystemClock()), button), inbox
        link.stop()


def no_chips() -> Bedside:
    return Bedside(lambda: Bus.open(250))


def test_a_crash_on_the_sensor_thread_ends_the_run(tmp_path: Path) -> None:
    class Broken(Bedside):
        def poll(self, at_s: float) -> list[PulseBlock | MotionBlock | PartState]:
            raise ZeroDivisionError(f"a fault of the program at {at_s}")

    with live_box(tmp_path, Broken(lambda: Bus.open(250))) as (live, _), pytest.raises(ZeroDivisionError):
        live.run()


def test_a_crash_on_the_main_thread_ends_the_sensor_thread(tmp_path: Path) -> None:
    with live_box(tmp_path) as (live, inbox):
        inbox.put(Received("somnisphere/bedside/begin/set", None, False))  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            live.run()
    assert "sensor" not in {thread.name for thread in threading.enumerate()}


def test_what_was_put_is_taken_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with live_box(tmp_path) as (live, inbox):
        taken: list[str] = []
        monkeypatch.setattr(live._daemon, "home_said", lambda topic, *_, **__: taken.append(topic))
        monkeypatch.setattr(live._daemon, "step_speaker", lambda _: taken.append("player"))
        monkeypatch.setattr(
            live._daemon, "handle", lambda event: taken.append("broker") if isinstance(event, BrokerReported) else None
        )
        inbox.put(Connected())
        inbox.put(Received("one", b"", False))
        inbox.put(PlayerSpoke())
        inbox.put(Received("two", b"", False))
        monkeypatch.setattr(live._daemon.keeping, "evening", lambda *_: taken.append("kept"))
        stopping = threading.Timer(0.5, live.stop)
        stopping.start()
        live.run()
        stopping.join()
    assert taken == ["broker", "one", "player", "two", "kept"]


def test_a_press_is_read_from_the_line_where_its_edges_are_lost(tmp_path: Path, pins: SimulatedPins) -> None:
    """lgpio may lose edges; here all of them are lost. A held button ends the evening."""
    button = Button(BUTTON_PIN, lambda _: None)
    try:
        with live_box(tmp_path, button=button) as (live, inbox):
            daemon = live._daemon

            def user() -> None:
                inbox.put(Received("somnisphere/bedside/begin/set", b"PRESS", False))
                until(lambda: daemon.snapshot().phase is Phase.WIND_DOWN)
                pins.press(BUTTON_PIN)
                until(lambda: daemon.snapshot().phase is Phase.IDLE)

            with ThreadPoolExecutor(1) as hands:
                acting = hands.submit(user)
                acting.add_done_callback(lambda _: live.stop())
                live.run()
                acting.result()
    finally:
        button.close()


# ---- the inbox -------------------------------------------------------------------------------------------------------


def pulse(at_s: float) -> PulseBlock:
    counts = np.zeros(1, dtype=np.int32)
    return PulseBlock(at_s, 50.0, counts, counts, 7.0, 7.0)


def test_a_full_inbox_drops_samples_and_counts_them() -> None:
    inbox = Inbox()
    for k in range(INBOX_BLOCKS + 7):
        inbox.put_sample(pulse(float(k)))
    assert inbox.blocks_dropped == 7
    kept = [inbox.get(0.0) for _ in range(INBOX_BLOCKS)]
    assert [block.start_s for block in kept if isinstance(block, PulseBlock)] == [float(k) for k in range(INBOX_BLOCKS)]
    assert inbox.get(0.0) is None
    inbox.put_sample(MotionBlock(0.0, 25.0, np.zeros((1, 3))))
    assert isinstance(inbox.get(0.0), MotionBlock), "there is room again"
    assert inbox.blocks_dropped == 7


def test_a_full_inbox_drops_no_hand_no_home_and_no_news_of_a_sensor() -> None:
    inbox = Inbox()
    for k in range(2 * INBOX_BLOCKS):
        inbox.put_sample(pulse(float(k)))
    news = [PartState("pulse", 1.0, False, problem="gone"), Edge(1.0, True), Received("a", b"", False), PlayerSpoke()]
    inbox.put_sample(news[0])  # type: ignore[arg-type]
    for item in news[1:]:
        inbox.put(item)  # type: ignore[arg-type]
    items = [inbox.get(0.0) for _ in range(INBOX_BLOCKS + len(news))]
    assert items[INBOX_BLOCKS:] == news


def test_an_empty_inbox_waits_no_longer_than_asked() -> None:
    inbox = Inbox()
    began_s = time.monotonic()
    assert inbox.get(0.05) is None
    assert 0.04 <= time.monotonic() - began_s < 1.0
    assert inbox.get(-1.0) is None
