"""Asking Home Assistant what MQTT cannot tell: whether a light is on, what another player does. The only file that
imports homeassistant_api, and only when something is asked.

Every failure is an answer, never an exception: a home that is down, slow, hung or refuses the token must not delay a
night. Calls block for at most ``timeout_s``, so they belong on a thread that has time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


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

    def call(
        self, domain: str, service: str, data: Mapping[str, Any] | None = None
    ) -> HomeUnreachable | HomeRefused | None:
        """Have an action done: ``call("light", "turn_off", {"entity_id": "light.bedroom"})``. None: it was done.

        Home Assistant also says so for an entity that does not exist; ask for its ``state`` where that matters.
        """
        answer = self._ask(lambda client: client.trigger_service(domain, service, **(data or {})))
        if isinstance(answer, _NotFound):
            return HomeRefused(f"there is no action {domain}.{service}")
        return answer if isinstance(answer, HomeUnreachable | HomeRefused) else None

    def fire_event(self, name: str, data: Mapping[str, Any]) -> HomeUnreachable | HomeRefused | None:
        """Put an event on the home's bus. None: it was done."""
        answer = self._ask(lambda client: client.fire_event(name, **data))
        if isinstance(answer, _NotFound):
            return HomeRefused(f"{self._url} takes no events")
        return answer if isinstance(answer, HomeUnreachable | HomeRefused) else None

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
        except (errors.HomeassistantAPIError, OSError, ValueError, TypeError) as problem:
            # niquests' own errors are OSErrors; a reply that is no JSON, or no state, is one of the last two.
            return HomeUnreachable(f"{self._url} cannot be asked: {type(problem).__name__}: {problem}")


def _entity_state(answer: Any) -> EntityState:
    return EntityState(str(answer.state), dict(answer.attributes))


class _NotFound:
    """The address asked for does not exist there."""
