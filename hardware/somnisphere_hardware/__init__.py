"""What the bed says and does: sensor chips, lamp, button, speaker. Knows nothing of sleep or of homes."""
