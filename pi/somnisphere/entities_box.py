"""What the home sees of the box itself, and when each moment happened last. ``entities.py`` has the whole tuple."""

from collections.abc import Callable
from datetime import UTC, datetime

from somnisphere import __version__
from somnisphere.events import MOMENTS
from somnisphere.snapshot import Snapshot
from somnisphere_home.entity import Entity, switch


def time_of(wall_s: float | None) -> datetime | None:
    """Unix seconds as the home wants them, to the second."""
    return None if wall_s is None else datetime.fromtimestamp(round(wall_s), UTC)


_LAST_NAMES = {
    "in_bed": "Last got into bed",
    "lights_down": "Last lights down",
    "story_began": "Last story began",
    "drifting": "Last drifted off",
    "fell_asleep": "Last fell asleep",
    "stirred": "Last stirred",
    "woke_up": "Last woke up",
    "left_bed": "Last left the bed",
    "morning": "Last morning",
}


def _last(moment: str) -> Callable[[Snapshot], datetime | None]:
    return lambda s: time_of(s.last_moments.get(moment))


MOMENT_ENTITIES: tuple[Entity[Snapshot], ...] = tuple(
    Entity(
        key=f"last_{moment}",
        platform="sensor",
        name=_LAST_NAMES[moment],
        group="moments",
        value=_last(moment),
        device_class="timestamp",
        entity_category="diagnostic",
        icon="mdi:clock-outline",
        enabled_by_default=False,
    )
    for moment in MOMENTS
)

BOX_ENTITIES: tuple[Entity[Snapshot], ...] = (
    Entity(
        key="sensing",
        platform="switch",
        name="Sensing",
        group="sensing",
        value=lambda s: s.sensing,
        entity_category="config",
        command=switch(),
        icon="mdi:eye-outline",
    ),
    Entity(
        key="started",
        icon="mdi:power",
        platform="sensor",
        name="Started",
        group="box",
        value=lambda s: time_of(s.health.started_wall_s),
        device_class="timestamp",
        entity_category="diagnostic",
    ),
    Entity(
        key="version",
        platform="sensor",
        name="Version",
        group="box",
        value=lambda _: __version__,
        entity_category="diagnostic",
        icon="mdi:tag-outline",
    ),
    Entity(
        key="disk_free",
        platform="sensor",
        name="Disk left",
        group="box",
        value=lambda s: s.health.machine.disk_free_mb,
        unit="MB",
        device_class="data_size",
        state_class="measurement",
        entity_category="diagnostic",
        precision=0,
        deadband=10.0,
    ),
    Entity(
        key="memory",
        platform="sensor",
        name="Memory",
        group="box",
        value=lambda s: s.health.machine.memory_mib,
        unit="MiB",
        device_class="data_size",
        state_class="measurement",
        entity_category="diagnostic",
        precision=0,
        deadband=2.0,
        enabled_by_default=False,
    ),
    Entity(
        key="cpu",
        platform="sensor",
        name="Processor",
        group="box",
        value=lambda s: s.health.machine.cpu_pct,
        unit="%",
        state_class="measurement",
        entity_category="diagnostic",
        icon="mdi:chip",
        precision=0,
        deadband=5.0,
        enabled_by_default=False,
    ),
    Entity(
        key="last_published",
        platform="sensor",
        name="Last published",
        group="box",
        value=lambda s: time_of(s.health.published_wall_s),
        device_class="timestamp",
        entity_category="diagnostic",
        enabled_by_default=False,
    ),
    Entity(
        key="sensor_errors",
        platform="sensor",
        name="Sensor errors",
        group="health",
        value=lambda s: s.health.bus_errors,
        state_class="total_increasing",
        entity_category="diagnostic",
        icon="mdi:alert-circle-outline",
        precision=0,
        enabled_by_default=False,
    ),
    Entity(
        key="blocks_dropped",
        platform="sensor",
        name="Blocks dropped",
        group="health",
        value=lambda s: s.health.blocks_dropped,
        state_class="total_increasing",
        entity_category="diagnostic",
        icon="mdi:tray-remove",
        precision=0,
        enabled_by_default=False,
    ),
)
