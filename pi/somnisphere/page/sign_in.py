"""The household's PIN: how it is kept, and how often it may be tried. Pure; time is an argument.

It is kept as scrypt's hash (RFC 7914; n = 2^14, r = 8: 16 MiB and a moment even for a Pi Zero). A PIN is short, so
what protects it is that few can be tried: five in a row from one device, then ever longer rests, and so many an hour
from all devices together.
"""

import hashlib
import hmac
from collections import OrderedDict, deque

LEAST_CHARS, MOST_CHARS = 6, 64
FREE_TRIES = 5
FIRST_REST_S, LONGEST_REST_S = 30.0, 3600.0
MOST_TRIES, WITHIN_S = 40, 3600.0
"""Of all devices together."""
MOST_DEVICES = 500
_N, _R, _P = 2**14, 8, 1


def pin_problem(pin: str) -> str:
    """Why it cannot be the household's PIN; "" when it can."""
    if not LEAST_CHARS <= len(pin) <= MOST_CHARS:
        return f"a PIN has {LEAST_CHARS} to {MOST_CHARS} characters"
    if len(set(pin)) < 3 or pin in "01234567890" or pin in "09876543210":
        return "this PIN is the first that anybody tries; take another one"
    return ""


def hash_pin(pin: str, salt: bytes) -> str:
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${_hashed(pin, salt, _N, _R, _P).hex()}"


def is_pin(pin: str, kept: str) -> bool:
    """``kept``: of ``hash_pin``. A hash that cannot be read is nobody's."""
    try:
        kind, n, r, p, salt, digest = kept.split("$")
        if kind != "scrypt" or len(pin) > MOST_CHARS:
            return False
        found = _hashed(pin, bytes.fromhex(salt), int(n), int(r), int(p))
        return hmac.compare_digest(found, bytes.fromhex(digest))
    except ValueError:
        return False


def _hashed(pin: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(pin.encode(errors="replace"), salt=salt, n=n, r=r, p=p, dklen=32)


class Tries:
    """Counts them. A try is counted before it is judged, so that many at once count as many."""

    def __init__(self) -> None:
        self._devices: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """By device: tries in a row, and when the last one was."""
        self._all: deque[float] = deque()

    def rest_s(self, device: str, at_s: float) -> float:
        """So long must be waited before the next try; 0: it may be now."""
        while self._all and not 0.0 <= at_s - self._all[0] < WITHIN_S:
            self._all.popleft()  # also what a clock that was put back would keep for ever
        everybody_s = self._all[0] + WITHIN_S - at_s if len(self._all) >= MOST_TRIES else 0.0
        count, last_s = self._devices.get(device, (0, 0.0))
        if count < FREE_TRIES:
            return everybody_s
        rest_s = min(LONGEST_REST_S, FIRST_REST_S * 2.0 ** min(20, count - FREE_TRIES))
        return max(everybody_s, min(rest_s, last_s + rest_s - at_s), 0.0)

    def begin(self, device: str, at_s: float) -> float:
        """Count a try, if it may be; else the seconds to wait."""
        if (rest_s := self.rest_s(device, at_s)) > 0.0:
            return rest_s
        count, _ = self._devices.pop(device, (0, 0.0))
        self._devices[device] = (count + 1, at_s)
        self._all.append(at_s)
        while len(self._devices) > MOST_DEVICES:
            self._devices.popitem(last=False)
        return 0.0

    def succeeded(self, device: str) -> None:
        """The household's own fingers: what they tried is forgotten."""
        self._devices.pop(device, None)
        if self._all:
            self._all.pop()
