"""Texts by whatever writes them in the household's own Home Assistant (its ``ai_task``), where one was named."""

import logging
from pathlib import Path

from somnisphere.config_keys_home import HomeAssistant
from somnisphere.dreams.by_the_home import TASK
from somnisphere_home.rest import HomeAssistantClient

log = logging.getLogger(__name__)

WRITES_WITHIN_S = 60.0


def write_at_home(home: HomeAssistant, asked: str) -> str | None:
    """The text, None when there is none: the log says why. Blocks for a minute at the most."""
    try:
        token = Path(home.token_file or "").expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        log.warning("home_assistant.token_file cannot be read: %s", problem)
        return None
    client = HomeAssistantClient(home.url or "", token, timeout_s=WRITES_WITHIN_S)
    try:
        answer = client.ask_ai_task(TASK, asked, home.ai_task)
    finally:
        client.close()
    if isinstance(answer, str):
        return answer
    log.warning("The home's writer wrote nothing: %s", answer.reason)
    return None
