"""How words become sound on this box: voices, spoken stories, their loudness, and a person's own telling."""

SPOKEN = "spoken"
"""Below the stories' cache: where spoken sound is kept."""
