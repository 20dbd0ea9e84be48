"""The weaver's table: a household makes a story together, a line each in turn, with cards to begin from and a helper
that asks and never writes unless it is told to. What comes of it is a story for the shelf.
"""
