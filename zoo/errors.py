"""What goes wrong by a user's doing."""


class UserError(ValueError):
    """A mistake in what was asked, told in one line: what was given, expected, and what to do.

    The command line prints the message and exits with code 2, without a traceback.
    """
