"""The shape of every answer of the doctor."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What the doctor found of one part. ``mend`` is "" where nothing is to be done, or the verdict says it."""

    part: str
    ok: bool
    verdict: str
    mend: str = ""
