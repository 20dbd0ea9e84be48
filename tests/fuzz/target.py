"""What is fuzzed: one target a module of ``tests/fuzz/targets``, each a function of bytes that raises only on a defect.

A target gives hostile bytes to the product and lets through what the product promises: the documented error, with a
sentence in it that a person can use, or the documented answer. Whatever else comes out, or does not come within
``slow_s`` of processor time, is a finding. Findings lie in ``tests/fuzz/findings/TARGET/`` for ever and are replayed.
"""

import importlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FINDINGS = HERE / "findings"
PACKAGES = ("somnisphere", "somnisphere_hardware", "somnisphere_home")
"""What is instrumented: ours alone. What a library does inside is seen through what it makes ours do."""


@dataclass(frozen=True, slots=True)
class Target:
    """``words``: what a guided fuzzer may put in. ``ci_examples``: as many as CI has time for."""

    one: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    words: tuple[str, ...] = ()
    longest_bytes: int = 4096
    slow_s: float = 5.0
    ci_examples: int = 60


class SlowError(AssertionError):
    """It came to an end, too late."""


def names() -> list[str]:
    return sorted(path.stem for path in (HERE / "targets").glob("*.py"))


def target(name: str) -> Target:
    found: Any = importlib.import_module(f"tests.fuzz.targets.{name}").TARGET
    assert isinstance(found, Target)
    return found


def findings(name: str) -> list[bytes]:
    """Past findings, smallest first."""
    return sorted((path.read_bytes() for path in (FINDINGS / name).glob("*.bin")), key=len)


def timed(target: Target, data: bytes) -> None:
    """One execution. Raises what the target raises, and ``SlowError``."""
    began_s = time.process_time()
    target.one(data)
    took_s = time.process_time() - began_s
    if took_s > target.slow_s:
        raise SlowError(f"{len(data)} bytes took {took_s:.1f} s of processor time")


def sentence(problem: object) -> None:
    """An error is one a person can act on: words, not a name of Python's, and not endless."""
    text = str(problem)
    assert text.strip(), "an error without words"
    assert len(text) < 4000, f"an error of {len(text)} characters"
    assert "Traceback" not in text
