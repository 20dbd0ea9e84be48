"""Every target meets its past findings and some hundred hostile inputs. More: ``SOMNISPHERE_FUZZ=200000 pytest
tests/fuzz`` (by hand: hours), or guided, ``bash tests/fuzz/run.sh``.
"""

import os
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fuzz.target import FINDINGS, Target, findings, names, target, timed

EXAMPLES = int(os.environ.get("SOMNISPHERE_FUZZ", "0"))
"""0: as many as CI has time for, and the same ones each time."""
_WHOLE_BYTES = 512
_MOST_CHANGES = 6

Change = tuple[int, int, bytes]
"""Where (modulo the length), how many bytes go, and what comes in their place."""


def changed(data: bytes, changes: Sequence[Change]) -> bytes:
    found = bytearray(data)
    for at, gone, new in changes:
        place = at % (len(found) + 1)
        found[place : place + gone] = new
    return bytes(found)


def hostile(what: Target) -> st.SearchStrategy[bytes]:
    """Bytes of any kind, and seeds with some of them exchanged for others or for words that mean something."""
    seeds = sorted(what.seeds(), key=len)
    words = [word.encode() for word in what.words] or [b""]
    new = st.one_of(st.binary(max_size=4), st.sampled_from(words))
    change = st.tuples(st.integers(0, 1 << 16), st.integers(0, 8), new)
    near = st.builds(changed, st.sampled_from(seeds), st.lists(change, max_size=_MOST_CHANGES))
    return st.one_of(st.binary(max_size=_WHOLE_BYTES), near, near)


@pytest.mark.parametrize("name", names())
def test_past_findings_and_seeds(name: str) -> None:
    what = target(name)
    for data in (*findings(name), *what.seeds()):
        timed(what, data)


@pytest.mark.timeout(120 if not EXAMPLES else 0)
@pytest.mark.parametrize("name", names())
def test_hostile_bytes_come_to_a_known_end(name: str) -> None:
    what = target(name)

    @settings(
        max_examples=EXAMPLES or what.ci_examples,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(hostile(what))
    def attack(data: bytes) -> None:
        timed(what, data)

    attack()


def test_every_finding_belongs_to_a_target() -> None:
    assert {path.name for path in FINDINGS.iterdir()} <= set(names())
    assert all(path.suffix == ".bin" for path in FINDINGS.glob("*/*"))
