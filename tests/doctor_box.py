"""A healthy bedside for the doctor: simulated chips and pins, a machine of files, a real broker, a home over HTTP."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.brokers import mosquitto
from tests.home_api import FakeHome, fake_home

from somnisphere.doctor.examine import examine
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import World
from somnisphere.journal import Journal
from somnisphere_hardware.simulated.body import Phantom
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050
from somnisphere_hardware.simulated.pins import SimulatedPins, simulated_pins

BUS = 91
NOW_S = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
ZONE = "Europe/Vienna"


@dataclass
class DoctorBox:
    """``keys``: the configuration by section. A fault changes something here; ``findings`` is what the doctor says."""

    folder: Path
    stack: ExitStack
    bus: SimulatedBus
    pins: SimulatedPins
    home: FakeHome
    world: World
    chips: tuple[SimulatedMax30102, SimulatedMpu6050]
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.world.root

    @property
    def journal(self) -> Path:
        return Path(self.keys["journal"]["path"])

    def put(self, path: str, content: str | bytes = "") -> Path:
        """A file of the machine."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def lives_in(self, **changes: Any) -> None:
        self.world = replace(self.world, **changes)

    def broker(self, extra_config: str) -> None:
        """Another broker than the healthy one."""
        host, port = self.stack.enter_context(mosquitto(extra_config=extra_config))
        self.keys["mqtt"] |= {"host": host, "port": port}

    @property
    def config_file(self) -> Path:
        path = self.folder / "somnisphere.toml"
        lines = []
        for section, keys in self.keys.items():
            lines += [f"[{section}]", *(f"{name} = {_toml(value)}" for name, value in keys.items())]
        path.write_text("\n".join(lines) + "\n")
        return path

    def findings(self) -> list[Finding]:
        return list(examine(self.config_file, self.world))

    def bad(self) -> list[Finding]:
        return [finding for finding in self.findings() if not finding.ok]


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return f'"{value}"' if isinstance(value, str | Path) else str(value)


def machine(root: Path) -> None:
    """Its files, as on a Pi that is well."""
    for path, content in {
        "dev/snd/pcmC0D0p": b"",
        "proc/asound/cards": b" 0 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones\n",
        "run/systemd/timesync/synchronized": b"",
        f"sys/class/i2c-adapter/i2c-{BUS}/of_node/clock-frequency": (400_000).to_bytes(4, "big"),
        "sys/devices/platform/soc/soc:firmware/get_throttled": b"0\n",
    }.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (root / "etc").mkdir()
    (root / "etc/localtime").symlink_to(f"../usr/share/zoneinfo/{ZONE}")


@contextmanager
def doctor_box(folder: Path, broker: tuple[str, int]) -> Iterator[DoctorBox]:
    root, token, journal = folder / "root", folder / "token", folder / "state" / "journal.db"
    machine(root)
    token.touch(0o600)
    token.write_text("a token")
    os.umask(before := os.umask(0o077))
    journal.parent.mkdir()
    Journal(journal).close()
    journal.chmod(0o600)
    os.umask(before)
    bus, body = SimulatedBus(BUS), Phantom()
    chips = SimulatedMax30102(body), SimulatedMpu6050(body)
    bus.attach(chips[0])
    bus.attach(chips[1])
    with ExitStack() as stack:
        stack.enter_context(bus.installed())
        home = stack.enter_context(fake_home())
        home.configuration["time_zone"] = ZONE
        home.states["light.bedroom"] = ("off", {})
        world = World(
            root=root,
            now_s=lambda: bus.now_s,
            wait=bus.wait,
            wall_s=lambda: NOW_S,
            knock_s=0.6,
            login_s=3.0,
            echo_s=0.6,
        )
        pins = stack.enter_context(simulated_pins())
        made = DoctorBox(folder, stack, bus, pins, home, world, chips)
        made.keys = {
            "sensor": {"bus": BUS},
            "lamp": {"pin": 18},
            "button": {"pin": 17},
            "speaker": {"ao": "null"},
            "mqtt": {"host": broker[0], "port": broker[1]},
            "home_assistant": {"url": home.url, "token_file": token, "bedroom_lights": ["light.bedroom"]},
            "journal": {"path": journal},
        }
        yield made
