"""How words become sound on this box: voices, spoken stories, their loudness, and a person's own telling."""
