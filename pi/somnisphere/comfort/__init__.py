"""Comfort for uneasy sleep: a ladder of small things, each tried only if the one before did no harm. Never an alarm.

Pure: time is an argument, and what is to be done leaves as actions.
"""

from somnisphere.comfort.ladder import ComfortSettings, Ladder, Step
from somnisphere.comfort.memory import ComfortMemory

__all__ = ["ComfortMemory", "ComfortSettings", "Ladder", "Step"]
