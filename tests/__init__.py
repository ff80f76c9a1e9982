"""The tests. Where Theano is missing, those that need it are left out."""

from unittest import SkipTest

from colornet import errors


class _Missing(errors.TheanoMissing, SkipTest):
    """What the runner takes for a test that is to be skipped."""


errors.TheanoMissing = _Missing
