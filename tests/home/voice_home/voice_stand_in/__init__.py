"""A voice that hums as long as its text is, and an AI task that repeats what it was told.

Apart from the other stand-ins, for most homes of the tests have no voice: a test copies it where it is wanted.
"""

# Home Assistant is installed in .venv-home alone, where no type checker looks.
# mypy: disable-error-code="import-not-found,misc,no-untyped-call"

import io
import wave
from typing import Any

from homeassistant.components.tts import TextToSpeechEntity
from homeassistant.components.tts.const import DATA_COMPONENT
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.helpers.typing import ConfigType

RATE_HZ = 16000
CHARACTER_S = 0.05


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    await hass.data[DATA_COMPONENT].async_add_entities([StandInVoice()])

    async def generate_data(call: ServiceCall) -> dict[str, Any]:
        return {"conversation_id": "stand-in", "data": f"{call.data['task_name']}: {call.data['instructions']}"}

    hass.services.async_register("ai_task", "generate_data", generate_data, supports_response=SupportsResponse.ONLY)
    return True


class StandInVoice(TextToSpeechEntity):
    _attr_name = "Stand-in"
    _attr_unique_id = "voice_stand_in"
    _attr_default_language = "en_GB"
    _attr_supported_languages = ["de_DE", "en_GB"]  # noqa: RUF012

    async def async_get_tts_audio(self, message: str, language: str, _options: dict[str, Any]) -> tuple[str, bytes]:
        if language != "en_GB":
            raise ValueError(f"asked for {language}")
        made = io.BytesIO()
        period = b"".join(value.to_bytes(2, "little", signed=True) for value in (0, 6000, 8000, 6000, 0, -6000, -8000))
        with wave.open(made, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(period * round(len(message) * CHARACTER_S * RATE_HZ / 7))
        return "wav", made.getvalue()
