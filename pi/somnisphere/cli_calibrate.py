"""``somnisphere calibrate oxygen``: the oxygen line of this unit, from readings beside a finger oximeter."""

import argparse
import select
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from somnisphere.calibration import OxygenLine, Reading, fit_line, read_readings
from somnisphere.cli import NOT_MEDICAL
from somnisphere.config import find, load
from somnisphere.errors import UserError
from somnisphere_hardware.samples import PartState, Sample


def calibrate(arguments: argparse.Namespace) -> int:
    """Readings from a file, or typed while the sensor looks on; prints the lines for the configuration."""
    readings = read_readings(arguments.file) if arguments.file else list(_live(arguments.config))
    line = fit_line(readings)
    for text in lines_of(line, arguments.against, datetime.now(UTC).date().isoformat()):
        print(text)
    place = arguments.config or find()
    where = f"Put these lines under [sensor] in {place}" if place else "Put these lines into your configuration"
    print(f"# {where}, and restart the service.")
    return 0


def lines_of(line: OxygenLine, against: str, date: str) -> Iterator[str]:
    """What was found, in words and as configuration."""
    yield f"# {line.reading_count} readings; a reading left out is missed by {line.left_out_error_pct:.1f} points."
    if not line.slope_fitted:
        yield "# They span too little to tell a slope: the customary one is kept, and high values are best trusted."
    yield f"# {NOT_MEDICAL}"
    yield "[sensor]"
    yield f"oxygen_offset_pct = {line.offset_pct:.1f}"
    yield f"oxygen_slope_pct = {line.slope_pct:.1f}"
    yield f'oxygen_calibrated = "against {against}, {date}"'


def _live(config_path: Path | None) -> Iterator[Reading]:
    from somnisphere.assemble import bedside_settings
    from somnisphere.clock import SystemClock
    from somnisphere_hardware.bedside import Bedside
    from somnisphere_hardware.bus import Bus

    config = load(config_path)
    clock = SystemClock()
    bedside = Bedside(lambda: Bus.open(config.sensor.bus), bedside_settings(config))
    print(
        "One finger on this sensor, the oximeter on the other hand; sit still. Whenever the oximeter has shown the same"
    )
    print("for half a minute, type what it shows and press Enter. An empty line ends.")
    try:
        yield from readings_of(lambda: bedside.poll(clock.now_s()), clock.now_s, _typed)
    finally:
        bedside.close()


def _typed(wait_s: float) -> str | None:
    """A line that a person typed within ``wait_s``; None: not yet."""
    ready, _, _ = select.select([sys.stdin], [], [], wait_s)
    return sys.stdin.readline() if ready else None


def readings_of(
    poll: Callable[[], list[Sample]], now_s: Callable[[], float], typed: Callable[[float], str | None]
) -> Iterator[Reading]:
    """Pairs what is typed with the ratio of that moment, until an empty line or the end of the input."""
    from somnisphere.sleep.pipeline import SleepPipeline

    pipeline = SleepPipeline()
    while True:
        for sample in poll():
            if isinstance(sample, PartState) and not sample.ok:
                raise UserError(f"{sample.problem} Find out more with: somnisphere doctor")
            pipeline.add(sample)
        pipeline.advance(now_s())
        text = typed(0.1)
        if text is None:
            continue
        if not text.strip():
            return
        try:
            oximeter_pct = float(text.strip().rstrip("%"))
        except ValueError:
            print(f"“{text.strip()}” is no number; type what the oximeter shows, such as 97.")
            continue
        ratio = pipeline.oxygen_ratio
        if ratio is None:
            print("No steady pulse in both lights yet: hold still and type it again in half a minute.")
            continue
        print(f"ratio {ratio:.3f} at {oximeter_pct:g} %")
        yield Reading(ratio, oximeter_pct)
