"""What tests of the command line share: its output read strictly, a configuration, and chips on a living bus."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.pulse_waves import beat_times, light

Output = pytest.CaptureFixture[str]
FS_HZ = 50.0
SECONDS = 150.0


def wave() -> NDArray[np.float64]:
    """A pulse of 60 a minute, as light counts."""
    return light(beat_times(SECONDS, 60.0), SECONDS, FS_HZ, noise=15)


def rows_of(text: str) -> list[dict[str, Any]]:
    """JSON lines, strictly: NaN is not JSON."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def error_of(output: Output) -> str:
    """The one line that was said, in words for a person."""
    said = output.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    (line,) = said.err.splitlines()
    assert line.startswith("somnisphere: ")
    return line


def configured(folder: Path, text: str = "") -> Path:
    path = folder / "somnisphere.toml"
    path.write_text(text)
    return path
