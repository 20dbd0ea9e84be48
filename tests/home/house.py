"""A house around the bedside: lights, lock, heating and a switch of other makes, and words for what is done there."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.home.harness import ROOT

SHIPPED = ROOT / "integrations" / "home_assistant" / "blueprints" / "automation" / "somnisphere"
HOUSE = "homeassistant/device/prints_house/config"
FLOOR, PATH, DOOR, BELL = "light.house_floor", "light.house_path", "lock.house_door", "switch.house_bell"
NIGHT, DAWN = "light.house_night", "light.house_dawn"
HEATING, BEDROOM, KITCHEN = "climate.house_heating", "media_player.bedroom_speaker", "media_player.kitchen_speaker"
SEEN = {"light", "lock", "climate", "media_player", "homeassistant", "persistent_notification"}
SOUND = {"media_content_id": "media-source://media_source/local/rain.mp3", "media_content_type": "audio/mpeg"}
AMBER = [255, 126, 0]


def house() -> dict[str, Any]:
    """Things of other makes."""
    light = {"platform": "light", "schema": "json", "brightness": True, "supported_color_modes": ["rgb"]}
    things: dict[str, dict[str, Any]] = {
        "light_floor": light,
        "light_path": light,
        "light_night": light,
        "light_dawn": light,
        "lock_door": {"platform": "lock"},
        "switch_bell": {"platform": "switch"},
        "climate_heating": {"platform": "climate", "modes": ["heat"], "temperature_command_topic": "house/set/degrees"},
    }
    for key, thing in things.items():
        name = key.partition("_")[2]
        topic = {} if "modes" in thing else {"command_topic": f"house/set/{name}"}
        object_id = {"object_id": f"house_{name}", "unique_id": f"house_{name}", "name": name}
        object_id["default_entity_id"] = f"{thing['platform']}.house_{name}"  # how newer versions want it
        things[key] = {**thing, **topic, **object_id}
    return {
        "device": {"identifiers": ["prints_house"], "name": "House"},
        "origin": {"name": "tests"},
        "components": things,
    }


def clock(minutes: float) -> str:
    """The household's clock, from now on. Its time zone is UTC."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%H:%M:%S")


def note(text: str) -> list[dict[str, Any]]:
    """Actions a person might choose."""
    return [{"action": "persistent_notification.create", "data": {"message": text, "notification_id": "prints"}}]


def noted(text: str) -> tuple[str, dict[str, Any]]:
    return "persistent_notification.create", {"message": text, "notification_id": "prints"}


def on(light: str, **data: object) -> tuple[str, dict[str, Any]]:
    return "light.turn_on", {"entity_id": light, **data}


def off(light: str, **data: object) -> tuple[str, dict[str, Any]]:
    return "light.turn_off", {"entity_id": light, **data}


def volume(player: str, level: float) -> tuple[str, dict[str, Any]]:
    return "media_player.volume_set", {"entity_id": player, "volume_level": level}
