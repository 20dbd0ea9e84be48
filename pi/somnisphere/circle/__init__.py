"""The circle: households share stories, never sleep.

Pure: ``signed.py`` (messages under a household's key), ``manifest.py`` (offers), ``members.py`` (cards, invitations),
``take_back.py``, ``pieces.py`` (asking and answering for a story's pieces), ``topics.py``, ``known.py`` (what a
household knows), ``protocol.py`` (the state machine) with ``fetching.py`` and ``serving.py``, ``bridge.py`` (the
configuration of mosquitto), ``evening.py`` (a ring of tellers).

With a disk: ``identity.py`` (the key), ``store.py``, ``partial.py`` (a story on its way), ``placing.py`` (onto the
shelf and off it), ``desk.py`` (what a person does), ``evening_store.py``. ``runner.py`` joins them to the household's
broker, in a process of its own: the night knows nothing of it, and it knows nothing of the night.
"""
