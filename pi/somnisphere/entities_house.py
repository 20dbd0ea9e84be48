"""What the box knows of the house from the household's Home Assistant. ``entities.py`` has the whole tuple."""

from somnisphere.entities_evening import LISTENER_ENTITY
from somnisphere.snapshot import Snapshot
from somnisphere_home.entity import Entity

UP_ENTITY = "someone_up"
DARK_ENTITY = "bedroom_dark"

SOMETIMES = frozenset({LISTENER_ENTITY, UP_ENTITY, DARK_ENTITY})
"""Entities of those boxes alone whose configuration names what they are about."""

HOUSE_ENTITIES: tuple[Entity[Snapshot], ...] = (
    Entity(
        key=UP_ENTITY,
        platform="binary_sensor",
        name="Somebody is up",
        group="house",
        value=lambda s: s.someone_up,
        icon="mdi:home-account",
    ),
    Entity(
        key=DARK_ENTITY,
        platform="binary_sensor",
        name="Bedroom dark",
        group="house",
        value=lambda s: s.bedroom_dark,
        icon="mdi:weather-night",
    ),
)
