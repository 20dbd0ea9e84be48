"""What the home sees of the box itself, and when each moment happened last. ``entities.py`` has the whole tuple."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from somnisphere import __version__
from somnisphere.events import MOMENTS
from somnisphere.snapshot import Snapshot
from somnisphere_home.entity import Entity, switch, update_state
from somnisphere_home.json_schema import TEXT


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
    "distress": "Last distress",
    "quiet_word": "Last quiet word",
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


def _diagnostic(key: str, name: str, group: str, value: Callable[[Snapshot], Any], **more: Any) -> Entity[Snapshot]:
    return Entity(key=key, platform="sensor", name=name, group=group, value=value, entity_category="diagnostic", **more)


MEASURED = {"state_class": "measurement", "precision": 0}
COUNTED = {"state_class": "total_increasing", "precision": 0, "enabled_by_default": False}

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
    _diagnostic(
        "started",
        "Started",
        "box",
        lambda s: time_of(s.health.started_wall_s),
        device_class="timestamp",
        icon="mdi:power",
    ),
    Entity(
        key="update",
        platform="update",
        name="Update",
        group="update",
        value=lambda s: update_state(
            __version__, s.health.release.version, s.health.release.url, s.health.release.summary
        ),
        entity_category="diagnostic",
        icon="mdi:package-up",
    ),
    _diagnostic("version", "Version", "box", lambda _: __version__, icon="mdi:tag-outline"),
    _diagnostic(
        "disk_free",
        "Disk left",
        "box",
        lambda s: s.health.machine.disk_free_mb,
        unit="MB",
        device_class="data_size",
        deadband=10.0,
        **MEASURED,
    ),
    _diagnostic(
        "memory",
        "Memory",
        "box",
        lambda s: s.health.machine.memory_mib,
        unit="MiB",
        device_class="data_size",
        deadband=2.0,
        enabled_by_default=False,
        **MEASURED,
    ),
    _diagnostic(
        "cpu",
        "Processor",
        "box",
        lambda s: s.health.machine.cpu_pct,
        unit="%",
        icon="mdi:chip",
        deadband=5.0,
        enabled_by_default=False,
        **MEASURED,
    ),
    _diagnostic(
        "last_published",
        "Last published",
        "box",
        lambda s: time_of(s.health.published_wall_s),
        device_class="timestamp",
        enabled_by_default=False,
    ),
    Entity(
        key="machine",
        platform="binary_sensor",
        name="Machine",
        group="health",
        value=lambda s: bool(s.health.machine_problem or s.health.clock_problem),
        attributes=lambda s: {"strain": s.health.machine_problem, "clock": s.health.clock_problem},
        attribute_schema={
            "strain": {
                **TEXT,
                "description": "Too hot, too busy or short of power, and what waits for that.",
            },
            "clock": {**TEXT, "description": "Why times are only guessed; empty when the clock is set."},
        },
        device_class="problem",
        entity_category="diagnostic",
    ),
    _diagnostic(
        "sensor_errors",
        "Sensor errors",
        "health",
        lambda s: s.health.bus_errors,
        icon="mdi:alert-circle-outline",
        **COUNTED,
    ),
    _diagnostic(
        "samples_lost", "Samples lost", "health", lambda s: s.health.samples_lost, icon="mdi:counter", **COUNTED
    ),
    _diagnostic(
        "blocks_dropped",
        "Blocks dropped",
        "health",
        lambda s: s.health.blocks_dropped,
        icon="mdi:tray-remove",
        **COUNTED,
    ),
)
