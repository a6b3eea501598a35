"""What goes wrong by a user's doing."""


class UserError(ValueError):
    """A mistake in what was asked, told in one line: what was given, expected, and what to do.

    The command line prints the message and exits with code 2, without a traceback.
    """


class Interrupted(KeyboardInterrupt):
    """Training that a signal has stopped, between two steps.

    Args:
        number: of the signal.
        command: what continues it; empty if nothing was saved.
    """

    def __init__(self, number: int, command: str = "") -> None:
        super().__init__(f"stopped; continue with: {command}" if command else "stopped")
        self.number, self.command = number, command
