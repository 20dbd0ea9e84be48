"""A failing week made small: faults that are not needed for the failure are left out, half of them at a time at first.

The plainest form of delta debugging (Zeller & Hildebrandt 2002).
"""

from collections.abc import Callable
from dataclasses import replace

from tests.chaos.faults import Fault
from tests.chaos.schedule import Week

Place = tuple[int, Fault]


def shrink(week: Week, fails: Callable[[Week], bool], most_tries: int = 60) -> Week:
    """The smallest week found that still fails; ``fails(week)`` is expected to be true."""
    while len(week.nights) > 1 and most_tries > 0:  # nights at the end, then at the beginning
        shorter = [replace(week, nights=week.nights[:-1]), replace(week, nights=week.nights[1:])]
        most_tries -= len(shorter)
        found = next((w for w in shorter if fails(w)), None)
        if found is None:
            break
        week = found
    places = [(k, fault) for k, night in enumerate(week.nights) for fault in night.faults]
    chunk = max(1, len(places) // 2)
    while most_tries > 0:
        at = 0
        while at < len(places) and most_tries > 0:
            fewer = places[:at] + places[at + chunk :]
            most_tries -= 1
            if fails(_with(week, fewer)):
                places = fewer
            else:
                at += chunk
        if chunk == 1:
            break
        chunk = max(1, chunk // 2)
    return _with(week, places)


def _with(week: Week, places: list[Place]) -> Week:
    return week.without(tuple(tuple(fault for k, fault in places if k == n) for n in range(len(week.nights))))
