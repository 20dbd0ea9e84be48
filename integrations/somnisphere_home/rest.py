"""Asking Home Assistant what MQTT cannot tell: whether a light is on, what another player does. The only file that
imports homeassistant_api, and only when something is asked.

Every failure is an answer, never an exception: a home that is down, slow, hung or refuses the token must not delay a
night. Calls block for at most ``timeout_s``, so they belong on a thread that has time.
"""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, TypeVar

T = TypeVar("T")

AI_TASK_S = 60.0
MOST_SOUND_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class HomeUnreachable:
    """No answer could be had; ``reason`` is a sentence for a person."""

    reason: str


@dataclass(frozen=True, slots=True)
class HomeRefused:
    """The home answered, and said no."""

    reason: str


@dataclass(frozen=True, slots=True)
class EntityState:
    """``attributes`` as Home Assistant's JSON has them."""

    state: str
    attributes: Mapping[str, Any]


def number_of(value: object, least: float, most: float) -> float | None:
    """An attribute as a number from ``least`` to ``most``; None for anything else: integrations say what they like."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        return None
    return float(value)


class HomeAssistantClient:
    """``url`` as in a browser (``http://homeassistant.local:8123``), ``token`` a long-lived access token."""

    def __init__(self, url: str, token: str, timeout_s: float = 5.0) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._timeout_s = timeout_s
        self._client: Any = None

    def state(self, entity_id: str) -> str | HomeUnreachable | HomeRefused | None:
        """The state of an entity; None when there is no such entity, or when its state is not known."""
        answer = self._ask(lambda client: str(client.get_state(entity_id=entity_id).state))
        if isinstance(answer, _NotFound) or answer in ("unknown", "unavailable"):
            return None
        return answer

    def attributes(self, entity_id: str) -> "EntityState | HomeUnreachable | HomeRefused | None":
        """The state of an entity with its attributes, as it is (``unavailable``, too); None: no such entity."""
        answer = self._ask(lambda client: _entity_state(client.get_state(entity_id=entity_id)))
        return None if isinstance(answer, _NotFound) else answer

    def configuration(self) -> Mapping[str, Any] | HomeUnreachable | HomeRefused:
        """What the home says of itself: ``version``, ``time_zone``, ``location_name`` and more."""
        answer = self._ask(lambda client: dict(client.get_config()))
        return HomeUnreachable(f"{self._url} is no Home Assistant") if isinstance(answer, _NotFound) else answer

    def rendered(self, template: str) -> str | HomeUnreachable | HomeRefused:
        """A template's text; refused to the tokens of people who are no administrators."""
        answer = self._ask(lambda client: str(client.get_rendered_template(template)))
        return HomeRefused(f"{self._url} renders no templates") if isinstance(answer, _NotFound) else answer

    def call(
        self, domain: str, service: str, data: Mapping[str, Any] | None = None
    ) -> HomeUnreachable | HomeRefused | None:
        """Have an action done: ``call("light", "turn_off", {"entity_id": "light.bedroom"})``. None: it was done.

        Home Assistant also says so for an entity that does not exist; ask for its ``state`` where that matters.
        """
        answer = self._act(domain, service, lambda client: client.trigger_service(domain, service, **(data or {})))
        return answer if isinstance(answer, HomeUnreachable | HomeRefused) else None

    def call_on(
        self, entity_id: str, service: str, data: Mapping[str, Any] | None = None
    ) -> HomeUnreachable | HomeRefused | None:
        """As ``call`` on one entity, which must exist and be there: ``call_on("light.bedroom", "turn_off")``."""
        found = self.attributes(entity_id)
        if isinstance(found, HomeUnreachable | HomeRefused):
            return found
        if found is None:
            return HomeRefused(f"there is no {entity_id}")
        if found.state == "unavailable":
            return HomeRefused(f"{entity_id} is unavailable there; has it power?")
        return self.call(entity_id.partition(".")[0], service, {"entity_id": entity_id, **(data or {})})

    def ask_ai_task(
        self, task_name: str, instructions: str, entity_id: str | None = None
    ) -> str | HomeUnreachable | HomeRefused:
        """What the household's AI task writes (Home Assistant 2025.7 and newer); ``entity_id``: which, None: the one
        it prefers. That takes its time: give this client a ``timeout_s`` of ``AI_TASK_S``, and a thread of its own."""
        data = {"task_name": task_name, "instructions": instructions}
        if entity_id is not None:
            found = self.attributes(entity_id)
            if not isinstance(found, EntityState):
                return HomeRefused(f"there is no {entity_id}") if found is None else found
            data["entity_id"] = entity_id
        answer = self._act(
            "ai_task", "generate_data", lambda c: c.trigger_service_with_response("ai_task", "generate_data", **data)[1]
        )
        if isinstance(answer, HomeUnreachable | HomeRefused):
            return answer
        written = answer.get("data") if isinstance(answer, Mapping) else None
        return written if isinstance(written, str) else HomeRefused("ai_task.generate_data answered without a text")

    def speech(self, engine: str, text: str, language: str = "") -> bytes | HomeUnreachable | HomeRefused:
        """``text`` spoken by a voice such as ``tts.piper``, as the bytes of an audio file of whatever format."""
        asked = {"engine_id": engine, "message": text} | ({"language": language} if language else {})
        found = self._ask(lambda client: str(client.request("tts_get_url", method="POST", json=asked)["path"]))
        if isinstance(found, _NotFound):
            return HomeRefused(f"{self._url} has no voices; set up a text-to-speech integration there")
        if isinstance(found, HomeUnreachable | HomeRefused):
            return found
        return self._fetch(found)

    def fire_event(self, name: str, data: Mapping[str, Any]) -> HomeUnreachable | HomeRefused | None:
        """Put an event on the home's bus. None: it was done."""
        answer = self._ask(lambda client: client.fire_event(name, **data))
        if isinstance(answer, _NotFound):
            return HomeRefused(f"{self._url} takes no events")
        return answer if isinstance(answer, HomeUnreachable | HomeRefused) else None

    def _act(self, domain: str, service: str, question: Callable[[Any], T]) -> T | HomeUnreachable | HomeRefused:
        """A call of an action; Home Assistant says the same of one that it has not and of one that it does not like."""

        def asked(client: Any) -> T:
            from homeassistant_api import errors

            try:
                return question(client)
            except errors.RequestError as problem:
                if not isinstance(problem, errors.RequestTimeoutError) and not _has_action(client, domain, service):
                    raise errors.EndpointNotFoundError(service) from problem
                raise

        answer = self._ask(asked)
        return HomeRefused(f"there is no action {domain}.{service}") if isinstance(answer, _NotFound) else answer

    def _fetch(self, path: str) -> bytes | HomeUnreachable | HomeRefused:
        """A file that the home lends at ``path``. It is made while it is fetched."""
        if not path.startswith("/"):
            return HomeRefused(f"{self._url} lends what it spoke at {path!r}, which is no place there")
        found, until_s = b"", time.monotonic() + self._timeout_s
        try:
            with urllib.request.urlopen(self._url + path, timeout=self._timeout_s) as answer:
                while len(found) <= MOST_SOUND_BYTES and (more := answer.read1(1 << 16)):
                    found += more
                    if time.monotonic() > until_s:
                        raise TimeoutError(f"not all of it came within {self._timeout_s:g} s")
        except urllib.error.HTTPError as problem:
            problem.close()
            return HomeRefused(f"{self._url} could not speak ({problem.code}); its log says why")
        except (OSError, HTTPException) as problem:
            return HomeUnreachable(f"{self._url} did not send what it spoke: {problem}")
        return HomeRefused(f"{self._url} speaks without end") if len(found) > MOST_SOUND_BYTES else found

    def close(self) -> None:
        if self._client is not None:
            self._client.__exit__(None, None, None)
            self._client = None

    def _ask(self, question: "Callable[[Any], T]") -> "T | _NotFound | HomeUnreachable | HomeRefused":
        try:
            from homeassistant_api import Client, errors
        except ImportError:
            return HomeUnreachable("homeassistant-api is not installed; mend: pip install 'somnisphere[home]'")
        try:
            if self._client is None:
                self._client = Client(
                    f"{self._url}/api", self._token, global_request_kwargs={"timeout": self._timeout_s}
                )
            return question(self._client)
        except errors.EndpointNotFoundError:
            return _NotFound()
        except errors.UnauthorizedError:
            return HomeRefused(f"{self._url} does not accept the access token; make a new one in your profile there")
        except errors.RequestTimeoutError:
            return HomeUnreachable(f"{self._url} did not answer within {self._timeout_s:g} s")
        except errors.InternalServerError:
            return HomeRefused(f"{self._url} got itself into trouble; its log says why")
        except errors.RequestError as problem:
            return HomeRefused(f"{self._url} refused: {problem}")
        except (errors.HomeassistantAPIError, OSError, ValueError, TypeError, LookupError) as problem:
            # niquests' own errors are OSErrors; a reply that is no JSON, or no such answer, is one of the others.
            return HomeUnreachable(f"{self._url} cannot be asked: {type(problem).__name__}: {problem}")


def _entity_state(answer: Any) -> EntityState:
    return EntityState(str(answer.state), dict(answer.attributes))


def _has_action(client: Any, domain: str, service: str) -> bool:
    known = client.request("services")
    return any(one["domain"] == domain and service in one["services"] for one in known)


class _NotFound:
    """The address asked for does not exist there."""
