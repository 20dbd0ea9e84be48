"""Samples to stages. Pure; numpy only; time is an argument."""
