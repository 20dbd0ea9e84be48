"""Freed memory goes back to the system."""

import subprocess
import sys

import pytest

from somnisphere import heap
from somnisphere.heap import EVERY_S, Heap, give_back

PROGRAM = """
import re, sys
from pathlib import Path
from somnisphere.heap import give_back

def resident_kib():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

kept = []
for _ in range(400):  # holes of 64 KiB, below what malloc maps by itself, between small things that stay
    hole = bytearray(65536)
    kept.append(bytearray(700))
    kept.append(hole)
kept = kept[::2]
before = resident_kib()
assert give_back()
print(before - resident_kib())
"""


def test_holes_between_what_stays_are_given_back() -> None:
    if not give_back():
        pytest.skip("this C library has no malloc_trim")
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) > 15_000, "of 25,600 KiB"


def test_it_is_done_every_hour_and_not_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(heap, "_TRIM", asked.append)
    ours = Heap()
    done = [at_s for at_s in (70.0, 80.0, 70.0 + EVERY_S, 80.0 + EVERY_S, 70.0 + 2 * EVERY_S) if ours.tick(at_s)]
    assert done == [70.0 + EVERY_S, 70.0 + 2 * EVERY_S]
    assert asked == [0, 0]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_TRIM", None)
    assert not give_back()
