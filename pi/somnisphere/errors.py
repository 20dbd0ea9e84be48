"""The one error that is meant for people."""


class UserError(Exception):
    """Something a person can mend; the text says what, where and how. The command line shows it without a traceback."""
