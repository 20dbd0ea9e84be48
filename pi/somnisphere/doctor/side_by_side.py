"""Checks side by side: each waits for something else, and all of them together may take no longer than the slowest."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence

from somnisphere.doctor.finding import Finding

Looks = Callable[[], Iterator[Finding]]


def side_by_side(looks: Sequence[tuple[str, Looks]], most_s: Callable[[], float]) -> Iterator[Finding]:
    """What each finds, in the order given. ``most_s``: how much longer may be waited. A look that does not end is
    told as such (a network drive may hang for ever) and left behind; what a look raises is raised here."""
    answers = [_begun(look) for _, look in looks]
    for (part, _), answer in zip(looks, answers, strict=True):
        try:
            found = answer.get(timeout=max(0.0, most_s()))
        except queue.Empty:
            yield Finding(part, False, "did not answer in time", "is a drive or a device hanging? sudo dmesg | tail")
            continue
        if isinstance(found, BaseException):
            raise found
        yield from found


def _begun(look: Looks) -> "queue.SimpleQueue[list[Finding] | BaseException]":
    answer: queue.SimpleQueue[list[Finding] | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            answer.put(list(look()))
        except BaseException as problem:
            answer.put(problem)

    threading.Thread(target=run, name="doctor", daemon=True).start()
    return answer
