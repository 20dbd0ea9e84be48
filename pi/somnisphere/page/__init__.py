"""The house page: what the box shows to a browser of the house, served by a process of its own that may die.

``app.py`` puts it together; each room (a page) is one module with its templates and its words, and ``rooms.py`` names
the rooms there are. Nothing here is imported by the daemon.
"""
