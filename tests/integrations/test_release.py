"""The newest release, as the household says it: taken, taken back, or refused in words."""

import pytest

from somnisphere_home.entity import update_state
from somnisphere_home.release import MAX_BYTES, TOPIC, Release, ReleaseDesk


def test_a_release_is_taken_and_taken_back() -> None:
    desk = ReleaseDesk()
    assert desk.heard(TOPIC, b'{"version": "1.2.0", "url": "https://example.org/1.2", "summary": "Warmer"}')
    assert desk.newest == Release("1.2.0", "https://example.org/1.2", "Warmer")
    assert desk.heard(TOPIC, b"")
    assert desk.newest == Release()
    assert not desk.heard("somnisphere/house/quiet", b"ON")


@pytest.mark.parametrize(
    "payload",
    [b"1.2.0", b"[]", b"{}", b'{"version": "the newest"}', b'{"version": "1.0", "url": "javascript:x"}',
     b"\xff", b"[" * 4000, b" " * (MAX_BYTES + 1)],
)  # fmt: skip
def test_what_is_no_release_is_refused_and_changes_nothing(payload: bytes) -> None:
    desk = ReleaseDesk()
    desk.heard(TOPIC, b'{"version": "1.2.0"}')
    assert desk.heard(TOPIC, payload)
    assert desk.newest == Release("1.2.0")
    assert desk.problem.startswith(f"{TOPIC}: ignored")


def test_who_knows_of_no_release_has_the_latest() -> None:
    assert update_state("1.0") == {"installed_version": "1.0", "latest_version": "1.0"}
    assert update_state("1.0", "1.1", "https://example.org")["latest_version"] == "1.1"
