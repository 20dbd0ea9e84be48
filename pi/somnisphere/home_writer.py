"""Texts by whatever writes them in the household's own Home Assistant (its ``ai_task``), where one was named."""

import logging
import threading
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

from somnisphere.config_keys_home import HomeAssistant
from somnisphere.dreams.by_the_home import TASK
from somnisphere_home.rest import HomeAssistantClient, HomeRefused, HomeUnreachable

log = logging.getLogger(__name__)


def write_at_home(home: HomeAssistant, asked: str, within_s: float) -> str | None:
    """The text, None when there is none: the log says why. Blocks for ``within_s`` at the most, whatever the home does:
    somebody waits for the page."""
    try:
        token = Path(home.token_file or "").expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        log.warning("home_assistant.token_file cannot be read: %s", problem)
        return None
    written: Future[str | HomeRefused | HomeUnreachable] = Future()

    def ask() -> None:
        try:
            with closing(HomeAssistantClient(home.url or "", token, timeout_s=within_s)) as client:
                written.set_result(client.ask_ai_task(TASK, asked, home.ai_task))
        except BaseException as problem:  # for whoever waits
            written.set_exception(problem)

    threading.Thread(target=ask, name="home writer", daemon=True).start()
    try:
        answer = written.result(within_s)
    except TimeoutError:
        answer = HomeUnreachable(f"{home.url} had written nothing within {within_s:g} s")
    if isinstance(answer, str):
        return answer
    log.warning("The home's writer wrote nothing: %s", answer.reason)
    return None
