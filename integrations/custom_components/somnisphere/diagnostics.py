"""What helps whoever mends, and nothing of a body or of what is told to whom."""

from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.core import HomeAssistant

from .box import SomnisphereEntry
from .device import announced_device

OF_A_PERSON = {
    "phase",  # says who sleeps
    "fade_db",  # follows sleep
    "bookmark",  # is put where sleep came
    "other_bookmark",
    "listener",
    "story",
    "story_playing",
    "story_key",
    "title",
    "teller",
}


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: SomnisphereEntry) -> dict[str, Any]:
    box = entry.runtime_data
    stories = box.shelf.stories
    return {
        "entry": dict(entry.data),
        "announced_over_mqtt": announced_device(hass, box.topics.node) is not None,
        "broker_online": box.broker_online,
        "online": box.online,
        "player_online": box.player_online,
        "story": async_redact_data(box.story, OF_A_PERSON),
        "ritual": async_redact_data(box.ritual, OF_A_PERSON),
        "shelf": {
            "stories": len(stories),
            "left_out": box.shelf.left_out,
            "tellers": len(box.shelf.tellers),
            "listeners": len(box.shelf.listeners),
            "languages": sorted({story.language for story in stories}),
            "without_duration": sum(story.duration_s is None for story in stories),
        },
        "questions": {"asked": box.asked, "refused": box.refused, "unanswered": box.unanswered},
    }
