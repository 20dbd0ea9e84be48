"""Nights that leave the box for a person's own use, and nights of other trackers that come in."""
