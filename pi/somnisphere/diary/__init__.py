"""People tell their own night first: questions, tellings, and the seal on what the sensor thinks of it."""
