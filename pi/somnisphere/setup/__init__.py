"""The guided first run: ``somnisphere setup``.

What is asked, and in which order, is a pure generator (``dialogue.py`` and the ``ask_...`` beside it). It yields three
kinds of steps and is sent what came of each:

    Say        a line for the person; nothing comes of it
    Question   what the person answers (``questions.py``)
    Deed       what the world answers: a login tried, a lamp lit, a bus looked at (``deeds.py``)

``hands.py`` does the deeds, ``terminal.py`` asks a person, ``unattended.py`` answers where nobody is there. Whatever is
decided stays in a ``Draft`` until the last step writes it: a dialogue that is broken off has changed nothing.
"""
