"""Readers of public sets of scored nights, each in the form its publisher gives it: one file a set."""
