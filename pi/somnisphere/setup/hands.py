"""Does what the dialogue asks of the world."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from somnisphere.doctor.examine import examine
from somnisphere.setup import bedside, network, writing
from somnisphere.setup.deeds import (
    Deed,
    Examine,
    GreetBroker,
    GreetHome,
    LightLamp,
    ListSounds,
    LookAround,
    LookAtStories,
    PlaySound,
    ScanBuses,
    TellTime,
    WaitForPress,
    Write,
)

SERVICE_SEES_NOT = ("/home", "/root", "/run/user")
"""``ProtectHome=yes`` of the unit (systemd.exec(5))."""


@dataclass(frozen=True, slots=True)
class Hands:
    """``config``: the file that is written. ``interfaces``: addresses to look around at; None is every one.
    ``buses``: those that this box has."""

    config: Path
    rights: writing.Rights
    interfaces: Sequence[str] | None = None
    buses: Sequence[int] = field(default_factory=bedside.bus_numbers)
    press_wait_s: float = bedside.PRESS_WAIT_S

    def do(self, deed: Deed[Any]) -> Any:
        match deed:
            case LookAround():
                return network.look_around(self.interfaces)
            case GreetBroker():
                return network.greet_broker(deed)
            case GreetHome():
                return network.greet_home(deed.url, deed.token)
            case ScanBuses():
                return bedside.scan_buses(deed.first, self.buses)
            case LightLamp():
                return bedside.light_lamp(deed.pin, deed.hardware_pwm)
            case WaitForPress():
                return bedside.wait_for_press(deed.pin, self.press_wait_s)
            case ListSounds():
                return bedside.list_sounds()
            case PlaySound():
                return bedside.play_sound(deed.ao, deed.device, deed.volume_pct)
            case TellTime():
                return bedside.tell_time()
            case LookAtStories():
                return bedside.look_at_stories(deed.folder, SERVICE_SEES_NOT if self.rights.for_service else ())
            case Write():
                return writing.write(deed.draft, self.config, self.rights)
            case Examine():
                return tuple(examine(self.config))
        raise TypeError(f"nobody knows how to do {deed!r}")
