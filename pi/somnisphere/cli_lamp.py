"""``somnisphere lamp floor light.X``: how far down a bulb of the home still shines, asked of the person who sees it."""

import argparse
import re
from collections.abc import Callable
from typing import Any

from somnisphere.config import find, load
from somnisphere.config_edit import toml_lines, write_values
from somnisphere.errors import UserError
from somnisphere_home.rest import HomeAssistantClient

STEPS = (26, 18, 13, 10, 8, 6, 5, 4, 3, 2, 1)
"""Brightness of 255, from what every bulb can do down to the least there is."""

Ask = Callable[[str], str]


def floor(arguments: argparse.Namespace, ask: Ask = input) -> int:
    """Walk the light down; its floor goes into the configuration."""
    from somnisphere.cli_daemon import home_client

    if not re.fullmatch(r"light\.[a-z0-9_]+", arguments.light):
        raise UserError(f"{arguments.light}: a light of Home Assistant is needed, such as light.bedroom")
    config = load(arguments.config)
    if not config.home_assistant.url:
        raise UserError("Where is Home Assistant? Give home_assistant.url and home_assistant.token_file first.")
    client = home_client(config)
    try:
        brightness = lowest_lit(client, arguments.light, ask)
    finally:
        client.close()
    values: dict[str, float | str] = {
        "home_light": arguments.light,
        "home_light_floor_pct": round(brightness / 2.55, 2),
    }
    place = arguments.config or find()
    if place is not None and not arguments.dry_run and write_values(place, "lamp", values):
        load(place)
        print(f"# Written to [lamp] in {place}; it holds from the next start of the service:")
    else:
        print("# Put these lines under [lamp] in your configuration, and restart the service:")
    print("\n".join(["[lamp]", *toml_lines(values)]))
    return 0


def lowest_lit(client: HomeAssistantClient, light: str, ask: Ask) -> int:
    """The least brightness of 255 that was still seen. The light is off afterwards. ``UserError`` when it has none."""
    seen: int | None = None
    if client.state(light) is None:
        raise UserError(f"There is no {light} in Home Assistant, or it has no power.")
    try:
        for brightness in STEPS:
            _tell(client, "turn_on", {"entity_id": light, "brightness": brightness, "transition": 1})
            if not ask(f"{brightness / 2.55:.1f} %: is it still lit? [y/n] ").strip().lower().startswith("y"):
                break
            seen = brightness
    except (EOFError, KeyboardInterrupt):
        raise UserError("Not finished; nothing was written.") from None
    finally:
        client.call("light", "turn_off", {"entity_id": light, "transition": 1})
    if seen is None:
        raise UserError(f"{light} was never seen lit. Is it the right light, and is it plugged in?")
    return seen


def _tell(client: HomeAssistantClient, action: str, data: dict[str, Any]) -> None:
    if (trouble := client.call("light", action, data)) is not None:
        raise UserError(f"The light cannot be told: {trouble.reason}.")
