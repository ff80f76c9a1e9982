"""What a user at a terminal sees and does: progress, notes, Ctrl-C."""

import contextlib
import ctypes
import os
import re
import signal
import sys
import threading

from tqdm import tqdm

from .errors import ColornetError

__all__ = ['PARENT', 'Interrupted', 'catch_signals', 'end_with_parent',
           'note', 'on_terminal', 'printable', 'progress_bar', 'put', 'say',
           'standard_output']

#: Environment variable: the process that a command shall end with.
PARENT = 'COLORNET_PARENT'

#: prctl: a signal for the process when its parent has died.
_PR_SET_PDEATHSIG = 1

#: What moves the cursor, changes colours, begins lines or turns the order of
#: characters around; a name of a file may have any of them.
_CONTROLS = re.compile('[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]')

#: Delayed to where nothing is lost.
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def on_terminal():
    """Whether the standard error stream is open and a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def progress_bar(iterable=None, **options):
    """A tqdm bar that fills no log files.

    Parameters
    ----------
    iterable, options
        As tqdm takes them.

    Returns
    -------
    tqdm
        On a terminal, drawn twice a second; elsewhere, a line every half
        minute.
    """
    interval = 0.5 if on_terminal() else 30
    if sys.stderr is None:
        options['disable'] = True
    return tqdm(iterable, mininterval=interval, maxinterval=max(interval, 10),
                **options)


def printable(text):
    """A line as a terminal may show it.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        With control characters as Python writes them, such as ``\\n``.
    """
    return _CONTROLS.sub(lambda found: found.group().encode(
        'unicode_escape').decode('ascii'), text)


def note(text):
    """Print a line on the standard error stream, above any progress bar."""
    if sys.stderr is not None:
        tqdm.write(printable(text), file=sys.stderr)


def say(text):
    """Print a line on the standard output stream."""
    put(printable(text))


def put(text, end='\n', flush=False):
    """Print a text of many lines there, as ``print`` does.

    Raises
    ------
    ColornetError
        If it cannot be printed; that says where.
    BrokenPipeError
        If nobody reads it any more.
    """
    with standard_output():
        print(text, end=end, flush=flush)


@contextlib.contextmanager
def standard_output():
    """Name the standard output in the error of writing to it."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ColornetError('cannot write to the standard output: %s'
                            % error.strerror)


class Interrupted(KeyboardInterrupt):
    """One of the signals came; the state has been saved.

    Parameters
    ----------
    signal_number : int
    """

    def __init__(self, signal_number):
        super().__init__('interrupted by %s'
                         % signal.Signals(signal_number).name)
        self.signal_number = signal_number


@contextlib.contextmanager
def catch_signals():
    """Delay the signals to where the state can be saved.

    Yields
    ------
    callable
        Raises :class:`Interrupted` if one came. A second one is not delayed.
    """
    received = []

    def handle(number, frame):
        received.append(number)
        for name, handler in previous.items():
            # A shell ignores SIGINT for what it starts in the background.
            signal.signal(name, signal.default_int_handler if handler ==
                          signal.SIG_IGN else handler)

    def check():
        if received:
            raise Interrupted(received[0])

    if threading.current_thread() is not threading.main_thread():
        yield check  # Python lets only the main thread handle signals.
        return
    previous = {name: signal.getsignal(name) for name in SIGNALS
                # That is what nohup does.
                if name != signal.SIGHUP or
                signal.getsignal(name) != signal.SIG_IGN}
    try:
        for name in previous:
            signal.signal(name, handle)
        yield check
    finally:
        for name, handler in previous.items():
            signal.signal(name, handler)


def end_with_parent(parent):
    """Let this process be ended by SIGTERM when its parent ends.

    Where the system cannot do that, it only ends if its parent has already.

    Parameters
    ----------
    parent : int or str
        Process id of the parent; a text that is none does nothing.
    """
    if not str(parent).isdigit():
        return
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    except (OSError, AttributeError):
        pass  # Not on Linux.
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGTERM)
