"""What a process says of itself: its entries in proc(5), and the memory it holds.

Resident is what the system has given; held is what is in use of it. The rest are holes, which come and go.
"""

import ctypes
import re
import sys
from pathlib import Path

import numpy as np


def of_proc(name: str, key: str) -> int:
    """A number of this process, as proc(5) says it."""
    found = re.search(rf"^{key}:\s+(\d+)", Path(f"/proc/self/{name}").read_text(), re.MULTILINE)
    assert found is not None, f"/proc/self/{name} has no {key}"
    return int(found[1])


_OF_MALLINFO2 = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
"""mallinfo(3)"""


class _Mallinfo2(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_size_t) for name in _OF_MALLINFO2.split(" "))


BLOCK_BYTES = 96
"""Python's small blocks have 16 to 512 bytes."""


def held_mib() -> float:
    """In use of the main arena, mapped by itself, or a small block of Python's. NaN where there is no ``mallinfo2``."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return float("nan")
    mallinfo2.restype = _Mallinfo2
    found = mallinfo2()
    return float((found.uordblks + found.hblkhd + sys.getallocatedblocks() * BLOCK_BYTES) / 2**20)


def slope_mb_per_day(samples: list[tuple[float, float]]) -> float:
    """By least squares, of the samples after the second night, from which on the last night is held beside the running
    one; NaN when there are too few."""
    later = [(day, mib) for day, mib in samples if day > 2.0]
    if len(later) < 3:
        return float("nan")
    days, mib = np.array(later).T
    return float(np.polyfit(days, mib, 1)[0]) * 2**20 / 1e6
