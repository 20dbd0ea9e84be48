"""What the box writes of a night that was opened: words and ribbons, ranges for numbers, and what it does not know."""
