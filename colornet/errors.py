"""The exceptions for everything that a user can mend."""

__all__ = ['ColornetError', 'Diverged', 'TheanoMissing', 'Unfinished']


class ColornetError(ValueError):
    """Bad input, file, configuration or set-up.

    The message is one line that says what came, what was expected and,
    where there is one, the command that helps. The command line prints it
    and exits with :attr:`exit_status`.
    """

    exit_status = 2


class Unfinished(ColornetError):
    """What ended work of which a part is done."""

    exit_status = 1


class Diverged(ColornetError):
    """A training came to numbers that are not finite."""


class TheanoMissing(ColornetError):
    """Theano or Lasagne is not installed.

    Parameters
    ----------
    what : str
        What needs them.
    why : str
        Where they could be had.
    """

    def __init__(self, what, why):
        super().__init__('%s needs Theano, %s' % (what, why))
        self.why = why
