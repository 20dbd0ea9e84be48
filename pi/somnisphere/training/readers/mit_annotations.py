"""Annotation files in the MIT format of the WFDB library, as ``annot(5)`` of the WFDB Applications Guide gives it
(https://physionet.org/physiotools/wag/annot-5.htm), and the rate in a record's header, ``header(5)``.

The ``wfdb`` package reads them too; it brings pandas, scipy and matplotlib along, some 400 MB, for two pages of format.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from somnisphere.columns import RecordingError

SKIP, NUM, SUB, CHN, AUX = 59, 60, 61, 62, 63
NORMAL = 1
BEATS = frozenset((*range(1, 14), 25, 30, 34, 35, 38, 41))
"""Codes of a QRS complex (``isqrs`` of ecgmap.h); NORMAL is one of a normal beat."""
DEFAULT_RATE_HZ = 250.0


@dataclass(slots=True)
class Annotation:
    """``sample``: from the start of the record. ``code``: of ecgcodes.h. ``text``: auxiliary text, "" where none is."""

    sample: int
    code: int
    text: str = ""


def read_annotations(path: Path) -> list[Annotation]:
    """All annotations of a file, in its order. Raises ``RecordingError`` where it is cut off."""
    data = _bytes(path)
    words = np.frombuffer(data[: len(data) // 2 * 2], dtype="<u2").tolist()
    found: list[Annotation] = []
    sample = at = 0
    while at < len(words):
        code, number = words[at] >> 10, words[at] & 0x3FF
        at += 1
        if code == 0 and number == 0:
            return found
        if code == SKIP:
            if at + 2 > len(words):
                break
            # The high half comes first; the whole is signed.
            jump = (words[at] << 16) | words[at + 1]
            sample += jump - (1 << 32) if jump >> 31 else jump
            at += 2
        elif code == AUX:
            text = data[2 * at : 2 * at + number]
            at += (number + 1) // 2
            if found:
                found[-1].text = text.split(b"\0")[0].decode("ascii", "replace")
        elif code not in (NUM, SUB, CHN):
            sample += number
            found.append(Annotation(sample, code))
    raise RecordingError(path, "it is cut off: the mark at its end is missing", "Download it again.")


def rate_hz(header: Path) -> float:
    """Samples a second of a record, from its ``.hea`` file."""
    lines = _bytes(header).decode("utf-8", "replace").splitlines()
    fields = next((line.split() for line in lines if line.strip() and not line.startswith("#")), [])
    if len(fields) == 2:
        return DEFAULT_RATE_HZ
    try:
        rate = float(fields[2].split("/")[0].split("(")[0])
    except (IndexError, ValueError):
        rate = 0.0
    if not rate > 0:
        raise RecordingError(header, "its first line does not say a rate", "Download it again.")
    return rate


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise RecordingError(path, "there is no such file", "Download the whole set again.") from None
    except OSError as problem:
        raise RecordingError(path, f"it cannot be read ({problem.strerror})", "Check its rights.") from problem
