"""What a box keeps: saved whole, put back, forgotten for good."""
