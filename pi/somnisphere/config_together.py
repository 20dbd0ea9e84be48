"""Keys of the configuration that are fine alone and not together."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from somnisphere.config import Config


def disagreement(config: "Config") -> str:
    """Which keys, why, and what to do; "" where all is well."""
    if config.box.node == "house":
        return 'box.node is "house", which stands for what all bedsides share; take another name'
    speaker, lamp, button = config.speaker, config.lamp, config.button
    if speaker.volume_floor_pct > speaker.volume_ceiling_pct:
        return (
            f"speaker.volume_floor_pct is {speaker.volume_floor_pct:g}, above speaker.volume_ceiling_pct "
            f"({speaker.volume_ceiling_pct:g}); the floor must not be above the ceiling"
        )
    if lamp.pin is not None and lamp.pin == button.pin:
        return f"lamp.pin and button.pin are both {lamp.pin}; give each a GPIO of its own"
    if lamp.cold_pin is not None and (problem := _two_whites_disagree(config)):
        return problem
    sensor = config.sensor
    if (sensor.oxygen_offset_pct is None) != (sensor.oxygen_slope_pct is None):
        return "sensor.oxygen_offset_pct and sensor.oxygen_slope_pct belong together; give both or neither"
    if (config.page.latitude is None) != (config.page.longitude is None):
        return "page.latitude and page.longitude belong together; give both or neither"
    return _home_disagrees(config)


def _home_disagrees(config: "Config") -> str:
    speaker, lamp = config.speaker, config.lamp
    if config.home_assistant.url and not config.home_assistant.token_file:
        return "home_assistant.url is given without home_assistant.token_file; the API needs a token"
    if (lamp.home_light or speaker.home_player) and not config.home_assistant.url:
        return "lamp.home_light and speaker.home_player need home_assistant.url and home_assistant.token_file"
    if config.home_assistant.fire_events and not config.home_assistant.url:
        return "home_assistant.fire_events needs home_assistant.url and home_assistant.token_file"
    if (config.home_questions.entity_ids or config.voice.home_engine) and not config.home_assistant.url:
        return (
            "home_assistant.still_up, bedroom_light_level and bedroom_lights, and voice.home_engine, need "
            "home_assistant.url and home_assistant.token_file"
        )
    if config.home_assistant.ai_task and not config.home_assistant.url:
        return "home_assistant.ai_task needs home_assistant.url and home_assistant.token_file"
    if config.home_assistant.begin_waits_min and not config.home_assistant.still_up:
        return "home_assistant.begin_waits_min needs home_assistant.still_up: it waits while somebody is up"
    return ""


def _two_whites_disagree(config: "Config") -> str:
    lamp = config.lamp
    if lamp.pin is None:
        return "lamp.cold_pin is given without lamp.pin, the warm LED's; give both, or lamp.pin alone"
    if lamp.cold_pin in (lamp.pin, config.button.pin):
        return f"lamp.cold_pin is {lamp.cold_pin}, which is taken; give each a GPIO of its own"
    if lamp.warm_k >= lamp.cold_k:
        return f"lamp.warm_k is {lamp.warm_k:g}, not below lamp.cold_k ({lamp.cold_k:g}); the warm LED has fewer kelvin"
    if lamp.night_k > lamp.evening_k:
        return f"lamp.night_k is {lamp.night_k:g}, above lamp.evening_k ({lamp.evening_k:g}); the night is the warmer"
    return ""
