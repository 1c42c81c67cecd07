"""Errors for the person who reads them.

Belongs here: the one exception whose text is shown as it is. An infrastructure failure and a data failure are both
raised as this type only where the text already says what, where, and what to do.
"""


class ShoplakeError(Exception):
    """A failure that its message explains in one line; the command line prints it without a stack trace."""
