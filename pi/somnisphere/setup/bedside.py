"""The box as the first run tries it: buses looked at, a lamp lit, a sound played, a press waited for."""

import queue
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from somnisphere.bedtime.state import volume_gain_db
from somnisphere.library import STARTER_FOLDER
from somnisphere.library.reading import stories_below
from somnisphere.setup.chime import write_chime
from somnisphere.setup.deeds import LocalTime, Press, SeenBus, SeenChip, Sounds
from somnisphere.setup.questions import Offer
from somnisphere_hardware import detect
from somnisphere_hardware.bus import Bus, BusError
from somnisphere_hardware.button import PressDecoder, open_button
from somnisphere_hardware.lamp import Lamp, open_lamp
from somnisphere_hardware.mpv_devices import audio_devices
from somnisphere_hardware.mpv_speaker import MpvSpeaker

LIT_PCT = 60.0
FADE_S, LIT_S = 0.8, 1.5
PRESS_WAIT_S = 20.0
SOUND_WAIT_S = 30.0
STEP_S = 0.02


def bus_numbers(devices: Path = Path("/dev")) -> list[int]:
    return sorted(int(path.name[4:]) for path in devices.glob("i2c-*") if path.name[4:].isdecimal())


def scan_buses(first: int, others: Iterable[int]) -> tuple[SeenBus, ...]:
    return tuple(_look_at(number) for number in dict.fromkeys((first, *others)))


def _look_at(number: int) -> SeenBus:
    try:
        bus = Bus.open(number)
    except BusError as problem:
        return SeenBus(number, problem=problem.hint)
    try:
        found = detect.scan(bus)
    finally:
        bus.close()
    return SeenBus(
        number,
        tuple(SeenChip(one.part, f"{one.problem or one.chip + ' (' + one.part + ')'}", one.usable) for one in found),
    )


def light_lamp(pin: int, hardware_pwm: bool) -> str:
    """Up, a moment of light, and out."""
    lamp, problem = open_lamp(pin, hardware_pwm)
    try:
        if not problem:
            _fade(lamp, LIT_PCT)
            _wait(LIT_S if not lamp.problem else 0.0)
            _fade(lamp, 0.0)
            problem = lamp.problem
    finally:
        lamp.close()
    return problem


def _fade(lamp: Lamp, to_pct: float) -> None:
    lamp.dim(to_pct, FADE_S, time.monotonic())
    while (due_s := lamp.step(time.monotonic())) is not None and not lamp.problem:
        _wait(due_s - time.monotonic())


def wait_for_press(pin: int, wait_s: float = PRESS_WAIT_S) -> Press:
    edges: queue.SimpleQueue[tuple[bool, float]] = queue.SimpleQueue()
    button, problem = open_button(pin, lambda pressed: edges.put((pressed, time.monotonic())))
    if button is None:
        return Press(False, problem)
    try:
        if button.is_pressed:
            return Press(False, "It is down already: let go of it; if nobody holds it, its wire touches ground.")
        decoder, until_s = PressDecoder(), time.monotonic() + wait_s
        while time.monotonic() < until_s:
            words = decoder.tick(time.monotonic())
            while not edges.empty():
                words += decoder.edge(*edges.get())
            if words:
                return Press(True)
            _wait(STEP_S)
    finally:
        button.close()
    return Press(False, f"No press came within {wait_s:g} s: its two legs go to this pin and to ground.")


def list_sounds() -> Sounds:
    try:
        found = audio_devices()
    except FileNotFoundError:
        return Sounds(problem="There is no mpv to tell stories with. mend: sudo apt install mpv")
    except OSError as problem:
        return Sounds(problem=f"mpv cannot be asked: {problem}.")
    return Sounds(tuple(Offer(one.name, f"{one.words}: {one.name}") for one in found))


def play_sound(ao: str, device: str, volume_pct: float, wait_s: float = SOUND_WAIT_S) -> str:
    """As a story is played, through the same mpv."""
    with tempfile.TemporaryDirectory(prefix="somnisphere-") as folder:
        chime = Path(folder) / "chime.wav"
        write_chime(chime)
        speaker = MpvSpeaker(Path(folder), ao, device)
        try:
            speaker.play(chime, 0.0, volume_gain_db(volume_pct))
            until_s = time.monotonic() + wait_s
            while time.monotonic() < until_s:
                for report in speaker.step(time.monotonic()):
                    if report.state in ("ended", "failed"):
                        return report.problem
                _wait(STEP_S)
        finally:
            speaker.close()
    return f"The sound did not end within {wait_s:g} s: another program may hold the speaker."


def tell_time(now: Callable[[], datetime] = datetime.now, zone_link: Path = Path("/etc/localtime")) -> LocalTime:
    local = now().astimezone()
    _, found, zone = str(zone_link.resolve()).partition("/zoneinfo/")
    return LocalTime(f"{local:%H:%M} on {local:%A, %-d %B %Y}, {zone if found else local.tzname()}")


def look_at_stories(folder: str, hidden: tuple[str, ...]) -> str:
    """``hidden``: folders that the service does not see."""
    place = Path(folder).expanduser() if folder else STARTER_FOLDER
    if not place.is_dir():
        return f"{place} is no folder. mend: sudo mkdir -p {place}, and put stories there; until then none is told."
    if folder and any(place.resolve().is_relative_to(one) for one in hidden):
        return (
            f"The service sees nothing below {place.resolve().parents[-2]}. mend: put the stories below /srv/stories."
        )
    count = sum(1 for _ in stories_below(place))
    return f"{count} in {place}." if count else f"There is none in {place} yet. mend: somnisphere story add FILE."


def _wait(seconds: float) -> None:
    time.sleep(max(0.0, seconds))
