"""The house page served for tests, and a browser that looks at it (``page.mjs``)."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from tests.home.broker import free_port
from tests.home.client import wait_until
from tests.home.harness import HERE

from somnisphere.page.app import build_app
from somnisphere.page.house import House
from somnisphere.page.server import settings

WINDOWS = {"phone": (390, 844), "tablet": (820, 1180)}


@contextmanager
def served(house: House) -> Iterator[str]:
    """Its address, as long as it is served, by the same server as on a box."""
    port = free_port()
    server = uvicorn.Server(settings(build_app(house), "127.0.0.1", port))
    thread = threading.Thread(target=server.run, name="page")
    thread.start()
    try:
        wait_until(lambda: server.started, "the house page", 15)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def look_at(url: str, looks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each in a window of its own. A look is as ``page.mjs`` has it; ``window`` is one of ``WINDOWS``."""
    sized = []
    for look in looks:
        width, height = WINDOWS[look.get("window", "tablet")]
        sized.append({"width": width, "height": height, **{k: v for k, v in look.items() if k != "window"}})
    job = {"url": url, "chromium": shutil.which("chromium"), "looks": sized}
    done = subprocess.run(
        ["node", str(HERE / "page.mjs"), json.dumps(job)], capture_output=True, text=True, timeout=60 + 20 * len(looks)
    )
    if done.returncode != 0:
        raise RuntimeError(f"the browser did not look at {url}:\n{done.stderr[-3000:]}")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
