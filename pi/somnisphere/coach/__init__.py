"""A coach with rails: one suggestion now and then, what is for a person, and what a household shares with one."""
