"""Voices of Home Assistant's: which there are, which language each understands by what name, and words spoken by one.

For a thread that has time. Nothing is asked before the first word.
"""

from somnisphere_home.rest import HomeAssistantClient, HomeRefused, HomeUnreachable
from somnisphere_home.rest_socket import HomeSocket, SocketLostError, SocketRefusedError

SENTENCE_S = 30.0
"""A voice that has not spoken one piece of text within this is too slow to tell a story."""


class HomeSpeech:
    """``url`` as in a browser, ``token`` a long-lived access token."""

    def __init__(self, url: str, token: str, timeout_s: float = SENTENCE_S) -> None:
        self._url = url
        self._token = token
        self._timeout_s = timeout_s
        self._languages: dict[tuple[str, str], str] = {}

    def speak(self, engine: str, text: str, language: str) -> bytes | HomeUnreachable | HomeRefused:
        """``language`` is BCP 47 or "", for the one the engine likes best; the bytes of an audio file."""
        its_own = self._languages.get((engine, language))
        if its_own is None:
            found = self.language(engine, language)
            if not isinstance(found, str):
                return found
            its_own = self._languages[engine, language] = found
        client = HomeAssistantClient(self._url, self._token, self._timeout_s)
        try:
            return client.speech(engine, text, its_own)
        finally:
            client.close()

    def language(self, engine: str, language: str) -> str | HomeUnreachable | HomeRefused:
        """What ``engine`` calls ``language``: each has names of its own, ``en``, ``en-GB`` or ``en_GB``."""
        try:
            with HomeSocket(self._url, self._token) as socket:
                asked = {"language": language} if language else {}
                listed = socket.ask("tts/engine/list", **asked)
        except SocketLostError as problem:
            return HomeUnreachable(str(problem))
        except SocketRefusedError as problem:
            if "unknown_command" in str(problem):  # as long as no voice is set up, the question is not known
                return HomeRefused(f"there is no {engine}; Home Assistant has no voices")
            return HomeRefused(str(problem))
        try:
            languages = {str(one["engine_id"]): list(one["supported_languages"]) for one in listed["providers"]}
        except (TypeError, KeyError) as problem:
            return HomeUnreachable(f"{self._url} lists its voices in a way not known here: {problem!r}")
        if engine not in languages:
            known = ", ".join(sorted(languages)) or "none"
            return HomeRefused(f"there is no {engine}; Home Assistant has {known}")
        if not language:
            return ""
        if not languages[engine]:
            return HomeRefused(f"{engine} does not speak {language!r}")
        return str(languages[engine][0])
