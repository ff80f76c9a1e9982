"""Runs the tests, and says what was left out for want of Theano.

It takes the arguments of ``python -m nose``.
"""

import ast
import sys

import nose
from nose.failure import Failure
from nose.plugins import Plugin
from nose.suite import ContextSuite

from colornet.engine.available import missing_theano


class LeftOut(Plugin):
    """Counts the test functions that want Theano.

    Where a module or a class cannot even be prepared, the runner has a single
    entry for all that is in it.

    Parameters
    ----------
    slow : bool or None
        Whether those that are slow are run only, or are not run.
    """

    name = 'left-out'
    enabled = True
    score = 2000  # Before the plugin that takes them for skipped.

    def __init__(self, slow=None):
        super().__init__()
        self.slow = slow
        self.count = 0
        self.files = set()

    def options(self, parser, env):
        """It has none."""

    def configure(self, options, conf):
        """Always on."""

    def addError(self, test, err):
        """A test that failed or, with what it was skipped for, was skipped."""
        if 'needs Theano, ' not in str(err[1]):
            return
        if isinstance(test, ContextSuite):
            context = test.context
            # Of a module or a class that could not be set up.
            self._add_all(sys.modules[getattr(
                context, '__module__', context.__name__)].__file__,
                getattr(context, '__qualname__', None))
        elif isinstance(test.test, Failure):
            self._add_all(test.address()[0], None)
        else:
            self.files.add(test.address()[0])
            self.count += 1

    def _add_all(self, path, name):
        """Add those of a file, or of a class in it."""
        with open(path, encoding='utf-8') as stream:
            nodes = ast.parse(stream.read()).body
        self.files.add(path)
        self.count += sum(self._count(node) for node in nodes
                          if name in (None, getattr(node, 'name', None)))

    def _count(self, node, is_slow=False):
        """Test functions in a function or class."""
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            return 0
        is_slow = is_slow or any(
            "'slow'" in ast.dump(decorator)
            for decorator in node.decorator_list)
        if isinstance(node, ast.ClassDef):
            return node.name.startswith('Test') and sum(
                self._count(one, is_slow) for one in node.body)
        return node.name.startswith('test') and self.slow in (None, is_slow)


def main(arguments):
    """Run the tests; returns the exit status."""
    slow = {'slow': True, '!slow': False}.get(
        arguments[arguments.index('-a') + 1] if '-a' in arguments else '')
    left_out = LeftOut(slow)
    program = nose.core.TestProgram(
        argv=['nosetests'] + arguments, addplugins=[left_out], exit=False)
    if left_out.count:
        print('%d tests in %d files were left out: they need Theano, %s' % (
            left_out.count, len(left_out.files), missing_theano()),
            file=sys.stderr)
    return 0 if program.success else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
