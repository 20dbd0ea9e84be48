"""``somnisphere calibrate oxygen``: the oxygen line of this unit, from readings beside a finger oximeter."""

import argparse
import select
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from somnisphere.calibration import LEAST_FOR_SLOPE, LEAST_SPAN, OxygenLine, Reading, fit_line, read_readings
from somnisphere.cli import NOT_MEDICAL
from somnisphere.config import find, load
from somnisphere.config_edit import toml_lines, write_values
from somnisphere.errors import UserError
from somnisphere_hardware.samples import PartState, Sample


def calibrate(arguments: argparse.Namespace) -> int:
    """Readings from a file, or typed while the sensor looks on; the line goes into the configuration."""
    if arguments.live and arguments.file is not None:
        raise UserError(f"--live takes its readings from the sensor, not from {arguments.file}: name one of the two.")
    readings = read_readings(arguments.file) if arguments.file else list(_live(arguments.config))
    line = fit_line(readings)
    for text in words_of(line):
        print(text)
    date = datetime.now(UTC).date().isoformat()
    values: dict[str, float | str] = {
        "oxygen_offset_pct": round(line.offset_pct, 1),
        "oxygen_slope_pct": round(line.slope_pct, 1),
        "oxygen_calibrated": f"against {' '.join(arguments.against.split())}, {date}",
    }
    place = arguments.config or find()
    if place is not None and not arguments.dry_run and write_values(place, "sensor", values):
        load(place)
        print(f"# Written to [sensor] in {place}; it holds from the next start of the service:")
    else:
        where = "Put these lines under [sensor] in " + (str(place) if place else "your configuration")
        print(f"# {where}, and restart the service:")
    print("\n".join(["[sensor]", *toml_lines(values)]))
    return 0


def words_of(line: OxygenLine) -> Iterator[str]:
    """What was found, as comments above the lines of configuration."""
    yield f"# {line.reading_count} readings; a reading left out is missed by {line.left_out_error_pct:.1f} points."
    for reading in line.outliers:
        yield (
            f"# Far off the line, and of little weight in it: {reading.oximeter_pct:g} % at ratio {reading.ratio:.3f}. "
            "Take it anew or leave it out."
        )
    if not line.slope_fitted:
        yield (
            f"# The offset alone is fitted: a slope takes {LEAST_FOR_SLOPE} readings whose ratios span {LEAST_SPAN:g} "
            "(some three points of saturation). Trust values near those you took."
        )
    yield f"# {NOT_MEDICAL}"


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
