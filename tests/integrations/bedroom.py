"""A made-up device for these tests: small, but with one entity of every platform. Nothing of sleep is needed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.entity import Entity, choice, light_json, light_state, number, press, switch
from somnisphere_home.messages import Topics
from somnisphere_home.session import HomeSession


@dataclass(frozen=True, slots=True)
class Room:
    """The snapshot."""

    warmth_c: float | None = 18.04
    mood: str | None = "calm"
    occupied: bool | None = True
    since: datetime | None = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    lamp_pct: float | None = 40.0
    books: tuple[str, ...] = ("The Snow Queen", "Moby-Dick")
    book: str | None = "Moby-Dick"
    volume: float | None = 30.0
    quiet: bool | None = False
    note: str = ""


EVENTS = ("came", "went")

ENTITIES: tuple[Entity[Room], ...] = (
    Entity(
        key="warmth",
        platform="sensor",
        name="Warmth",
        group="air",
        value=lambda r: r.warmth_c,
        attributes=lambda r: {"note": r.note},
        attribute_schema={"note": {"type": "string"}},
        unit="°C",
        device_class="temperature",
        state_class="measurement",
        precision=1,
        deadband=0.5,
        expire_after_s=400,
        parts=("sensor",),
    ),
    Entity(
        key="mood",
        platform="sensor",
        name="Mood",
        group="people",
        value=lambda r: r.mood,
        device_class="enum",
        options=("calm", "restless"),
    ),
    Entity(
        key="occupied",
        platform="binary_sensor",
        name="Occupied",
        group="people",
        value=lambda r: r.occupied,
        device_class="occupancy",
        enabled_by_default=False,
    ),
    Entity(
        key="since",
        platform="sensor",
        name="Since",
        group="people",
        value=lambda r: r.since,
        device_class="timestamp",
    ),
    Entity(
        key="lamp",
        platform="light",
        name="Lamp",
        group="lamp",
        value=lambda r: light_state(r.lamp_pct),
        command=light_json(max_transition_s=3600),
    ),
    Entity(
        key="book",
        platform="select",
        name="Book",
        group="shelf",
        value=lambda r: r.book,
        options=lambda r: r.books,
        command=choice(),
        parts=("player", "sensor"),
    ),
    Entity(
        key="volume",
        platform="number",
        name="Volume",
        group="shelf",
        value=lambda r: r.volume,
        unit="%",
        entity_category="config",
        command=number(0, 100, 5),
        config={"mode": "slider"},
    ),
    Entity(key="quiet", platform="switch", name="Quiet", group="shelf", value=lambda r: r.quiet, command=switch()),
    Entity(key="begin", platform="button", name="Begin", command=press(), icon="mdi:play"),
    Entity(key="visit", platform="event", name="Visit", options=EVENTS),
    Entity(key="view", platform="image", name="View", config={"content_type": "image/svg+xml"}),
)

TOPICS = Topics("attic")
DEVICE = DeviceInfo(name="Attic", sw_version="1.2.3", suggested_area="Attic", configuration_url="http://attic.local")
ROOM = Room()


def session() -> HomeSession[Room]:
    """A session whose answer to a birth waits two seconds."""
    return HomeSession(ENTITIES, TOPICS, DEVICE, min_intervals_s={"air": 10.0}, birth_wait_s=lambda: 2.0)
