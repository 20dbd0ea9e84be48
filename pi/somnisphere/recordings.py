"""Recordings on disk: what the sensor said, and nights as others recorded them."""

from somnisphere.columns import RecordingError
from somnisphere.watch_nights import NightRecording, read_night

__all__ = ["NightRecording", "RecordingError", "read_night"]
