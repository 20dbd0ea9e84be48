"""Simulated chips in raw datasheet bytes, the bus they sit on and the bodies they sense."""
