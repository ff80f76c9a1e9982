"""The program: its commands, errors and exit statuses."""

import argparse
import io
import os
import shlex
import signal
import sys
import textwrap
import traceback

from .. import __version__
from ..errors import ColornetError, TheanoMissing
from ..resources import take_environment
from ..terminal import PARENT, end_with_parent, printable, put, standard_output
from . import colorize, evaluation, photos, serving, studies, training, video
from .completion import PrintCompletion

__all__ = ['report_errors', 'run_program']

#: What adds each command, in the order of ``colornet --help``.
COMMANDS = [
    colorize.add_colorize, video.add_video, photos.add_demo,
    serving.add_serve, training.add_train, evaluation.add_evaluate,
    training.add_export, evaluation.add_table2, evaluation.add_decodings,
    evaluation.add_everyday, evaluation.add_hints, video.add_flicker,
    studies.add_consistency, studies.add_study, evaluation.add_table1,
    studies.add_report, evaluation.add_figure, training.add_data,
    photos.add_selftest, photos.add_info]

#: Characters of an internal error that are shown.
MAX_MESSAGE = 200


def run_program(arguments=None):
    """Run the command line, as :func:`colornet.cli.main` does.

    Parameters
    ----------
    arguments : list of str, optional
        ``sys.argv[1:]`` if not given.

    Returns
    -------
    int
        The exit status.
    """
    # What this process starts has other parents.
    end_with_parent(os.environ.pop(PARENT, ''))
    _prepare_streams()
    take_environment(os.environ)
    arguments = _join_hints(sys.argv[1:] if arguments is None else arguments)
    return report_errors(_run, *_make_parser(), arguments)


def report_errors(run, *arguments, program='colornet'):
    """Call a function; what it raises becomes one line and an exit status.

    Parameters
    ----------
    run : callable
        Takes `arguments`; returns the exit status, or None for 0.
    program : str
        How the line begins, on the standard error stream.

    Returns
    -------
    int
        The exit status.
    """
    try:
        status = run(*arguments) or 0
        with standard_output():
            sys.stdout.flush()
        return status
    except ColornetError as error:
        _complain('%s: error: %s' % (program, error))
        return error.exit_status
    except KeyboardInterrupt as interrupt:
        _complain('%s: %s' % (program, str(interrupt) or 'interrupted'))
        return 128 + getattr(interrupt, 'signal_number', signal.SIGINT)
    except BrokenPipeError:
        # Whoever read our output has gone.
        return 128 + signal.SIGPIPE
    except MemoryError:
        _complain('%s: error: out of memory' % program)
        return 2
    except OSError as error:
        text = ': '.join(str(part) for part in (
            error.filename, error.strerror or error) if part is not None)
        if _let_output_go():
            text = 'cannot write to the standard output: %s' % error.strerror
        _complain('%s: error: %s' % (program, text))
        return 2
    except Exception as error:
        if os.environ.get('COLORNET_DEBUG'):
            traceback.print_exc()
        # Theano's messages fill pages.
        text = textwrap.shorten(str(error), MAX_MESSAGE, placeholder=' ...')
        _complain('%s: internal error: %s: %s (COLORNET_DEBUG=1 shows where)'
                  % (program, type(error).__name__, text))
        return 2
    finally:
        _let_output_go()


def _let_output_go():
    """Drop what cannot be printed, which Python would try again.

    Returns
    -------
    bool
        Whether there was any.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _complain(text):
    print(printable(text), file=sys.stderr)


def _join_hints(arguments):
    """Arguments in which a hint that begins with a minus is no option."""
    joined = []
    for argument in arguments:
        if (joined and len(joined[-1]) > 4 and argument[:1] == '-' and
                '--hints'.startswith(joined[-1])):
            joined[-1] += '=' + argument
        else:
            joined.append(argument)
    return joined


def _suggest_colorize(parser, commands, arguments):
    """Say which command colours photos to those who gave none."""
    first = arguments[0] if arguments else ''
    if (first and not first.startswith('-') and first not in commands and
            (os.path.exists(first) or set(first) & {'.', os.sep})):
        parser.error('%s is no command; to colour it: colornet colorize %s'
                     % (first, ' '.join(map(shlex.quote, arguments))))


def _run(parser, commands, arguments):
    try:
        _suggest_colorize(parser, commands, arguments)
        options = parser.parse_args(arguments)
    except SystemExit as ended:  # By help, or what is wrong.
        return ended.code
    _refuse_empty(options, commands[options.command])
    try:
        return options.run(options)
    except TheanoMissing as error:
        raise TheanoMissing(options.command, error.why +
                            (options.instead or ''))


def _refuse_empty(options, command):
    """No file or folder is called ''; paths take it for the current one."""
    for action in command._actions:
        value = getattr(options, action.dest, None)
        if value == '' or isinstance(value, list) and '' in value:
            raise ColornetError('%s is empty' % (
                action.option_strings[-1] if action.option_strings
                else action.metavar))


def _prepare_streams():
    """Let all that is printed go somewhere."""
    # Where a standard stream is closed, the next file opened would take its
    # number, and C++ libraries would print into it.
    for name in ('stdin', 'stdout', 'stderr'):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, 'r' if name == 'stdin'
                                    else 'w'))
    # Names of files need not be in the encoding of the terminal.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')


class _Parser(argparse.ArgumentParser):
    """One whose errors are a line, also those of printing help."""

    def error(self, message):
        self.exit(2, '%s: error: %s (%s --help shows more)\n'
                  % (self.prog, message, self.prog))

    def _print_message(self, message, file=None):
        if message and file is sys.stdout:
            put(message, end='')
        else:
            super()._print_message(message, file)


def _make_parser():
    parser = _Parser(
        prog='colornet', description='Colours for black-and-white photos.')
    parser.add_argument('--version', action='version',
                        version='colornet ' + __version__)
    parser.add_argument('--print-completion', action=PrintCompletion)
    commands = parser.add_subparsers(title='commands', metavar='COMMAND',
                                     dest='command')
    commands.required = True
    for add_command in COMMANDS:
        add_command(commands)
    return parser, commands.choices
