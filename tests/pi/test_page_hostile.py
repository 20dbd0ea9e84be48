"""Hostile requests find no mistake of the program: no 500, no exception, nothing written that was not asked for.

``SOMNISPHERE_HOSTILE=10000 pytest tests/pi/test_page_hostile.py -s`` sends that many and prints what came of them.
"""

import asyncio
import logging
import os
import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.pi.hostile import Asked, Target, asked
from tests.pi.page_house import GUEST, PIN, Browser, Time, ToldBox, house_in, with_pin

COUNT = int(os.environ.get("SOMNISPHERE_HOSTILE", "2000"))
FOUND_IN_BOX: tuple[Mapping[str, Any], ...] = (
    {},
    {"ritual": {"phase": ["x"]}, "story": {"story_playing_attributes": 7, "volume": float("nan")}},
)


async def answered(app: Any, request: Asked) -> int:
    """The status; 0 when the visitor was gone before there was one."""
    pieces = list(request.pieces)
    status = [0]

    async def receive() -> dict[str, Any]:
        if pieces:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces) or request.is_cut}
        return {"type": "http.disconnect"} if request.is_cut else {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            status[0] = message["status"]
            for name, value in message["headers"]:
                assert b"\n" not in name + value
                assert b"\r" not in name + value

    await app(dict(request.scope), receive, send)
    return status[0]


# Of a file that a body breaks off in, starlette's parser keeps nothing: Python closes it, and says so.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <function SpooledTemporaryFile")
@pytest.mark.timeout(900)
def test_hostile_requests_find_no_mistake(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "stories").mkdir()
    box, time = ToldBox(), Time()
    listener = [{"name": "Mia"}, {"name": "Jon", "folder": "jon"}]
    house = with_pin(house_in(tmp_path, time, box, stories={"folder": str(tmp_path / "stories")}, listener=listener))
    browser = Browser(house, GUEST)
    browser.sign_in(PIN)
    token = browser.token()
    names = browser.desk.cookies
    visitor = f"{names.visitor}={browser.cookies[names.visitor]}; {names.session}="
    target = Target.of(browser.app.routes)  # type: ignore[attr-defined]
    assert len(target.posts) > 8
    assert {"pin", "key", "listener", "text"} <= set(target.fields)
    rng = random.Random(7)
    seen: Counter[int] = Counter()
    faults: list[str] = []

    async def all_of_them() -> None:
        for number in range(COUNT):
            if number % 20 == 0:  # some of them sign everybody out
                cookie = f"{visitor}{browser.desk.sessions.begin('hostile', time.wall_s)}".encode()
                box.groups = rng.choice((*FOUND_IN_BOX, ToldBox().groups))
                time.at_s += 60.0
            request = asked(rng, target, cookie, token)
            try:
                status = await answered(browser.app, request)
            except Exception as mistake:
                faults.append(f"{request.scope['method']} {request.scope['path'][:80]!r}: {mistake!r}")
                continue
            seen[status] += 1
            if status >= 500:
                faults.append(f"{request.scope['method']} {request.scope['path'][:80]!r}: {status}")

    with caplog.at_level(logging.WARNING):
        asyncio.run(all_of_them())
    print(f"\n{COUNT} hostile requests:", ", ".join(f"{status}: {count}" for status, count in sorted(seen.items())))
    assert faults[:5] == [], len(faults)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert sum(seen.values()) == COUNT
    assert seen[200] + seen[303] > COUNT / 5, "most were stopped before they came to a room: the test is blind"
    assert seen[422] + seen[413] + seen[403] > COUNT / 50
