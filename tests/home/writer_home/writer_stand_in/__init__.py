"""An AI task as newer releases have it, for one that has none: it is there once ``writer_stand_in.appear`` was called.

Three entities: one writes, one fails, one is slow. What is written holds the last line of what was asked for, so that
it can only come from there. Apart from the other stand-ins: a test copies it where it is wanted.
"""

# Home Assistant is installed in .venv-home alone, where no type checker looks.
# mypy: disable-error-code="import-not-found,misc,no-untyped-call"

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.typing import ConfigType

SLOW_S = 600.0


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    async def generate_data(call: ServiceCall) -> dict[str, Any]:
        match call.data["entity_id"]:
            case "ai_task.broken":
                raise HomeAssistantError("the model fell over")
            case "ai_task.slow":
                await asyncio.sleep(SLOW_S)
        ending = call.data["instructions"].strip().splitlines()[-1].partition(": ")[2]
        paragraphs = ["Once, in a kitchen, a dream was told.", *["It was quiet, and the kettle hummed. " * 3] * 2]
        return {"conversation_id": "stand-in", "data": "\n\n".join([*paragraphs, f"At its end {ending}."])}

    async def appear(_call: ServiceCall) -> None:
        hass.services.async_register("ai_task", "generate_data", generate_data, supports_response=SupportsResponse.ONLY)
        for name in ("writer", "broken", "slow"):
            hass.states.async_set(f"ai_task.{name}", "unknown")

    hass.services.async_register("writer_stand_in", "appear", appear)
    return True
