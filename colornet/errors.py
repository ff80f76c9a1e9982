"""The exceptions for everything that a user can mend."""

__all__ = ['ColornetError', 'Diverged']


class ColornetError(ValueError):
    """Bad input, file, configuration or set-up.

    The message is one line that says what came, what was expected and,
    where there is one, the command that helps. The command line prints it
    and exits with status 2.
    """


class Diverged(ColornetError):
    """A training came to numbers that are not finite."""
