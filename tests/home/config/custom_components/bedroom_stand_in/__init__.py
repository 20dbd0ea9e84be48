"""A media player and a lamp of "another make", as found in a home: they do as told and remember what they were told."""
