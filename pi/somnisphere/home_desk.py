"""Where the home's commands and questions arrive, and where their answers leave.

What touches the disk is done on a thread, one job after the other, and answered when it is done; a rehearsal, which has
no time of its own to lose, does it at once. A job that fails is answered too.
"""

import json
import logging
import queue
import threading
from collections.abc import Mapping
from typing import Any

from somnisphere.answers import QUESTIONS, Answers, Job, NoAnswerError
from somnisphere.snapshot import Snapshot
from somnisphere_home.commands import Refusal, Wish
from somnisphere_home.messages import Message, Reply, Topics, printable
from somnisphere_home.questions import Question, answer_message, asked_id, command_answer, read_question
from somnisphere_home.session import HomeSession

log = logging.getLogger(__name__)

SHELF_EVERY_S = 60.0
MOST_WAITING = 20
SHELF_BYTES = 60_000


class HomeDesk:
    """``answers`` None: questions are not taken. Call ``finished`` with each tick, for answers that took their time."""

    def __init__(
        self, session: HomeSession[Snapshot], topics: Topics, answers: Answers | None, *, background: bool = False
    ) -> None:
        self._session = session
        self._topics = topics
        self._answers = answers
        self._background = background
        self._jobs: queue.SimpleQueue[tuple[Question, Reply | None, Job]] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._worker: threading.Thread | None = None
        self._shelf_said: bytes | None = None
        self._shelf_due_s = 0.0

    @property
    def subscriptions(self) -> tuple[str, ...]:
        return (*self._session.subscriptions, *((self._topics.asks,) if self._answers is not None else ()))

    def heard(
        self, topic: str, payload: bytes, retained: bool, reply: Reply | None, snapshot: Snapshot, at_s: float
    ) -> tuple[Wish | None, list[Message]]:
        """What is wished, and what to say when it was done."""
        if self._answers is not None and self._topics.ask_name(topic) is not None:
            return self._asked(topic, payload, retained, reply, snapshot)
        found = self._session.received(topic, payload, retained, snapshot, at_s)
        if found is None:
            return None, []
        error = ""
        if isinstance(found, Refusal):
            log.warning("%s: %s", printable(topic), found.text)
            if retained:  # it will come again with each connection
                return None, []
            error = found.text
        key = self._topics.command_key(topic) or ""
        return found if isinstance(found, Wish) else None, [command_answer(self._topics, key, reply, error)]

    def finished(self) -> list[Message]:
        """Answers of jobs that were done since."""
        found = []
        while not self._finished.empty():
            found.append(self._finished.get())
        return found

    def shelf(self, at_s: float) -> list[Message]:
        """What is on the shelf, when it is not what was said; bookmarks move, so at most once a minute."""
        if self._answers is None or at_s < self._shelf_due_s:
            return []
        self._shelf_due_s = at_s + SHELF_EVERY_S
        payload = _shortened(self._answers.shelf())
        if payload == self._shelf_said:
            return []
        self._shelf_said = payload
        return [Message(self._topics.shelf, payload, retain=True)]

    def connected(self) -> None:
        """All is to be said anew."""
        self._shelf_said, self._shelf_due_s = None, 0.0

    def wait(self, seconds: float) -> None:
        """For the end of what is being worked at."""
        if self._worker is not None:
            self._worker.join(seconds)

    # ---- questions --------------------------------------------------------------------------------------------------

    def _asked(
        self, topic: str, payload: bytes, retained: bool, reply: Reply | None, snapshot: Snapshot
    ) -> tuple[Wish | None, list[Message]]:
        assert self._answers is not None
        question = read_question(QUESTIONS, self._topics, topic, payload, retained)
        if isinstance(question, Refusal):
            log.warning("%s: %s", printable(topic), question.text)
            name = self._topics.ask_name(topic) or ""
            refused = answer_message(self._topics, name, asked_id(payload), reply, question.text)
            return None, [] if retained else [refused]
        try:
            found = self._answers.to(question, has_story=snapshot.story_playing or snapshot.story_paused)
        except NoAnswerError as problem:
            return None, [self._message(question, reply, str(problem))]
        if isinstance(found, Wish):
            return found, [self._message(question, reply, {})]
        if isinstance(found, dict):
            return None, [self._message(question, reply, found)]
        if not self._background:
            return None, [self._done(question, reply, found)]
        if self._jobs.qsize() >= MOST_WAITING:
            return None, [self._message(question, reply, "too many questions wait already; ask again later")]
        self._jobs.put((question, reply, found))
        if self._worker is None or not self._worker.is_alive():
            self._worker = threading.Thread(target=self._work, name="answers", daemon=True)
            self._worker.start()
        return None, []

    def _message(self, question: Question, reply: Reply | None, answer: Mapping[str, Any] | str) -> Message:
        return answer_message(self._topics, question.name, question.id, reply, answer)

    def _done(self, question: Question, reply: Reply | None, job: Job) -> Message:
        try:
            return self._message(question, reply, job())
        except NoAnswerError as problem:
            return self._message(question, reply, str(problem))
        except Exception:
            # Whoever asked hears of it, and the night goes on: a question must not end it.
            log.exception("The question %r could not be answered.", question.name)
            return self._message(question, reply, "something went wrong in the box; its log says more")

    def _work(self) -> None:
        while True:
            question, reply, job = self._jobs.get()
            self._finished.put(self._done(question, reply, job))


def _shortened(shelf: dict[str, Any]) -> bytes:
    """A shelf that is too long for a message loses its last rows, and says how many."""
    rows, left_out = list(shelf["stories"]), 0
    while True:
        body = {"stories": rows, "left_out": left_out}
        payload = json.dumps(body, ensure_ascii=False).encode(errors="replace")
        if len(payload) <= SHELF_BYTES or not rows:
            return payload
        cut = max(1, len(rows) // 8)
        del rows[-cut:]
        left_out += cut
