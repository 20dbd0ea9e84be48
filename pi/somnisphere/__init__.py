"""Somnisphere: a bedside companion that senses sleep honestly and joins light and story to the sleeper."""

__version__ = "0.1.0"
