"""Whether the page is dark: after sunset, unless the reader chose. Pure.

Where the household gave its place, the sun's own times are used: the low-accuracy equations of NOAA's Global Monitoring
Laboratory ("General Solar Position Calculations", within a few minutes below the polar circles). Without a place it is
dark from 19:00 to 07:00 by the box's clock.
"""

from math import acos, cos, degrees, pi, radians, sin

DAY_S = 86400.0
EVENING_S, MORNING_S = 19 * 3600.0, 7 * 3600.0
ZENITH_DEG = 90.833
"""Of the sun's centre at sunset: refraction, and half its width."""
CHOICES = ("auto", "day", "night")


def is_dark(wall_s: float, utc_offset_s: float, latitude_deg: float | None, longitude_deg: float | None) -> bool:
    """At this Unix time. A place on one of the poles' long days or nights is told so, too."""
    if latitude_deg is None or longitude_deg is None:
        since_midnight_s = (wall_s + utc_offset_s) % DAY_S
        return not MORNING_S <= since_midnight_s < EVENING_S
    return _sun_zenith_deg(wall_s, latitude_deg, longitude_deg) > ZENITH_DEG


def _sun_zenith_deg(wall_s: float, latitude_deg: float, longitude_deg: float) -> float:
    days = wall_s / DAY_S
    hour = days % 1.0 * 24.0
    day_of_year = days % 365.2425  # Unix time began with a year
    year = 2 * pi / 365.2425 * (day_of_year - 0.5)
    equation_min = 229.18 * (
        0.000075 + 0.001868 * cos(year) - 0.032077 * sin(year) - 0.014615 * cos(2 * year) - 0.040849 * sin(2 * year)
    )
    declination = (
        0.006918
        - 0.399912 * cos(year)
        + 0.070257 * sin(year)
        - 0.006758 * cos(2 * year)
        + 0.000907 * sin(2 * year)
        - 0.002697 * cos(3 * year)
        + 0.00148 * sin(3 * year)
    )
    solar_min = hour * 60.0 + equation_min + 4.0 * longitude_deg
    angle = radians(solar_min / 4.0 - 180.0)
    latitude = radians(latitude_deg)
    height = sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(angle)
    return degrees(acos(max(-1.0, min(1.0, height))))
