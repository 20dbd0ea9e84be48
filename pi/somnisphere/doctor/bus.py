"""The I2C bus itself: why it cannot be opened, whether a wire holds it, how fast it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import World
from somnisphere_hardware import detect
from somnisphere_hardware.bus import Bus, BusError
from somnisphere_hardware.detect import Found

FASTEST_HZ = 400_000
"""The fastest mode of every chip of ours (their datasheets: fast mode)."""
SLOWEST_HZ = 50_000
"""Below it a night's samples and a reader of cards do not fit beside each other."""

PART = "I2C bus"


@dataclass(frozen=True, slots=True)
class Seen:
    """What answered, and what broke the look off; ``refused``: addresses whose reading failed otherwise."""

    found: tuple[Found, ...]
    refused: tuple[tuple[int, BusError], ...] = ()
    stuck: BusError | None = None

    @property
    def is_held(self) -> bool:
        """One wire answers for everybody: each address reads the same, and no bus has a chip at each of them."""
        ids = {found.chip_id for found in self.found}
        return len(self.found) == len(detect.ID_REGISTERS) and len(ids) == 1


def look(bus: Bus) -> Seen:
    found: list[Found] = []
    refused: list[tuple[int, BusError]] = []
    for address in detect.ID_REGISTERS:
        try:
            one = detect.probe(bus, address)
        except BusError as error:
            if error.bus_is_stuck:  # each further one would take a second
                return Seen(tuple(found), tuple(refused), error)
            refused.append((address, error))
            continue
        if one is not None:
            found.append(one)
    return Seen(tuple(found), tuple(refused))


def not_opened(number: int, problem: BusError, world: World) -> Finding:
    """Why ``/dev/i2c-<number>`` cannot be opened, from what the machine has."""
    node = f"/dev/i2c-{number}"
    if problem.errno_name != "ENOENT":
        return Finding(PART, False, f"{node} cannot be opened", problem.hint)
    others = sorted(path.name for path in world.at("dev").glob("i2c-*"))
    if world.at(f"sys/bus/i2c/devices/i2c-{number}").exists():
        mend = "load the kernel's module: echo i2c-dev | sudo tee /etc/modules-load.d/i2c.conf; sudo modprobe i2c-dev"
        return Finding(PART, False, f"the bus is there, but {node} is not", mend)
    if others:
        return Finding(PART, False, f"there is no {node}; there is {', '.join(others)}", _is_it(problem.hint))
    return Finding(PART, False, f"{node} cannot be opened", problem.hint)


def _is_it(hint: str) -> str:
    return f"correct sensor.bus if the chips are on another one; else: {hint}"


def judged(number: int, seen: Seen, world: World) -> Iterator[Finding]:
    """The bus that could be opened."""
    if seen.stuck is not None:
        yield Finding(PART, False, f"bus {number} does not move: SDA or SCL is held low", seen.stuck.hint)
        return
    if seen.is_held:
        yield Finding(
            PART,
            False,
            f"on bus {number} every address reads the same: SDA is loose, or held by a wire or a chip",
            "check the wires of SDA (GPIO 2) and SCL (GPIO 3), and take the power off and on",
        )
        return
    rate_hz = _rate_hz(number, world)
    speed = "" if rate_hz is None else f", {rate_hz / 1000:g} kHz"
    verdict = f"/dev/i2c-{number}{speed}"
    if rate_hz is not None and not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
        mend = "dtparam=i2c_arm=on,i2c_arm_baudrate=400000 in /boot/firmware/config.txt, and reboot"
        yield Finding(PART, False, f"{verdict}: the chips are made for 100 to 400", mend)
        return
    yield Finding(PART, True, verdict)


def _rate_hz(number: int, world: World) -> int | None:
    """As the device tree has it: four bytes, the highest first."""
    try:
        data = world.at(f"sys/class/i2c-adapter/i2c-{number}/of_node/clock-frequency").read_bytes()
    except OSError:
        return None
    return int.from_bytes(data, "big") if len(data) == 4 else None


def missing(found: Sequence[Found], number: int) -> Iterator[Finding]:
    """The parts of which nobody answers."""
    for part in ("pulse", "motion"):
        if not any(chip.part == part for chip in found):
            yield Finding(
                f"{part} chip",
                False,
                f"no {part} sensor answers on I2C bus {number}",
                "check 3.3 V, ground, SDA (GPIO 2) and SCL (GPIO 3); hardware/README.md shows the wiring",
            )
