"""What Home Assistant did, from its own database: kept over its restarts, and told of its starts too."""

import itertools
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.home.client import wait_until
from tests.home.harness import HomeAssistant

MARKER = "somnisphere_tests_marker"
_marks = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Kept:
    """One event; events of one run of an automation have one ``context``."""

    number: int
    kind: str
    data: dict[str, Any]
    context: bytes


def mark(home: HomeAssistant) -> int:
    """Returns once the database holds everything that happened until now; what follows has a greater number."""
    word = next(_marks)
    home.client.request("POST", f"/api/events/{MARKER}", {"word": word})

    def written() -> int | None:
        return next((each.number for each in kept(home, 0, MARKER) if each.data["word"] == word), None)

    return wait_until(written, "the recorder to have written", 20, 0.2)


def kept(home: HomeAssistant, after: int, *kinds: str) -> list[Kept]:
    question = (
        "SELECT event_id, event_types.event_type, shared_data, context_id_bin FROM events"
        " JOIN event_types USING (event_type_id) LEFT JOIN event_data USING (data_id)"
        f" WHERE event_id > ? AND event_types.event_type IN ({', '.join('?' * len(kinds))}) ORDER BY event_id"
    )
    with closing(sqlite3.connect(home.folder / "home-assistant_v2.db", timeout=10.0)) as database:
        rows = database.execute(question, (after, *kinds)).fetchall()
    return [Kept(number, kind, json.loads(data or "{}"), context or b"") for number, kind, data, context in rows]


def deeds(home: HomeAssistant, after: int, domains: set[str]) -> dict[str, list[tuple[str, Any]]]:
    """What each automation called since, in order: ``{alias: [("light.turn_on", "light.x"), ...]}``; [] for a run that
    called nothing. Calls by nobody's automation stand under ""."""
    runs: dict[bytes, str] = {}
    found: dict[str, list[tuple[str, Any]]] = {}
    for event in kept(home, after, "automation_triggered", "call_service"):
        if event.kind == "automation_triggered":
            runs[event.context] = event.data["name"]
            found.setdefault(event.data["name"], [])
        elif event.data["domain"] in domains:
            target = event.data["service_data"].get("entity_id")
            called = f"{event.data['domain']}.{event.data['service']}", _alone(target)
            found.setdefault(runs.get(event.context, ""), []).append(called)
    return found


def _alone(target: Any) -> Any:
    return target[0] if isinstance(target, list) and len(target) == 1 else target
