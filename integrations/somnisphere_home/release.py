"""Which release is the newest, as far as the household says. Pure.

A box asks nobody outside the house. Whoever wants to be reminded lets an automation publish, retained,
``{"version": "1.2.0", "url": "...", "summary": "..."}`` on ``somnisphere/house/release``.
"""

import json
import re
from dataclasses import dataclass

TOPIC = "somnisphere/house/release"
MAX_BYTES = 4096
_VERSION = re.compile(r"\d+(\.\d+){0,3}([a-z0-9.+-]{0,20})?")


@dataclass(frozen=True, slots=True)
class Release:
    version: str = ""
    url: str = ""
    summary: str = ""


class ReleaseDesk:
    """``newest`` is empty until somebody says one; ``problem``: why the last word was not taken, once."""

    def __init__(self) -> None:
        self.newest = Release()
        self.problem = ""

    def heard(self, topic: str, payload: bytes) -> bool:
        """A message of the broker; True when it was of a release. An empty one takes the release back."""
        if topic != TOPIC:
            return False
        self.problem = ""
        if not payload:
            self.newest = Release()
            return True
        try:
            self.newest = _read(payload)
        except (ValueError, RecursionError) as problem:
            self.problem = f"{TOPIC}: ignored: {problem}"
        return True


def _read(payload: bytes) -> Release:
    expected = 'expected JSON such as {"version": "1.2.0", "url": "https://..."}'
    if len(payload) > MAX_BYTES:
        raise ValueError(f"{len(payload)} bytes are too many; {expected}")
    try:
        said = json.loads(payload)
    except ValueError:
        raise ValueError(expected) from None
    if not isinstance(said, dict) or not _VERSION.fullmatch(str(said.get("version", ""))):
        raise ValueError(expected)
    url = str(said.get("url") or "")
    if url and not re.fullmatch(r"https?://\S{1,500}", url):
        raise ValueError(f"the url is none; {expected}")
    return Release(str(said["version"]), url, str(said.get("summary") or "")[:255])
