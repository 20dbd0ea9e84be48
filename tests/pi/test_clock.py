"""The machine's clock keeps the promise of ``Clock``."""

import time

from somnisphere.clock import Clock, SystemClock


def test_now_is_the_clock_the_drivers_stamp_samples_with() -> None:
    clock: Clock = SystemClock()
    before_s, now_s, after_s = time.monotonic(), clock.now_s(), time.monotonic()
    assert before_s <= now_s <= after_s


def test_wall_is_unix_time() -> None:
    clock: Clock = SystemClock()
    before_s, wall_s, after_s = time.time(), clock.wall_s(), time.time()
    assert before_s <= wall_s <= after_s
