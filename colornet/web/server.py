"""The server: starts, says where it is, ends on Ctrl-C."""

import importlib.util
import logging
import os

from ..engine.memory import return_freed_memory
from ..errors import ColornetError
from ..formats.photo import limit_pixels
from ..terminal import note
from .names import is_loopback, server_names

__all__ = ['listen', 'missing_web', 'serve']

#: Connections at a time; others wait until one ends.
MAX_CONNECTIONS = 400

#: Threads for those who need not wait, whoever does.
ANSWERING = 8


def missing_web():
    """Why there can be no server, or ''."""
    for name in 'Flask', 'waitress':
        if importlib.util.find_spec(name.lower()) is None:
            return ("the page needs the package %s: pip install '.[web]' in "
                    "colornet's folder" % name)
    return ''


def serve(model, host='127.0.0.1', port=8000, places=8, max_bytes=64 << 20,
          max_pixels=60000000, names=(), max_seconds=60):
    """Serve the page until Ctrl-C.

    Parameters
    ----------
    model : Model
    host : str
        Address of this machine; from others, it can be reached by those that
        are not its loopback's.
    port : int
        0 takes a free one.
    places, max_bytes, max_pixels
        As for :func:`colornet.web.app.make_app`.
    names : iterable of str
        What else the server is called than :func:`.names.server_names` knows.
    max_seconds : int
        Of a film; 0: none are taken.

    Raises
    ------
    ColornetError
        If a package is missing, a name is none, or the port cannot be had.
    """
    if missing_web():
        raise ColornetError(missing_web())
    from .app import make_app

    shown = '[%s]' % host if ':' in host else host
    limit_pixels(max_pixels)
    # It would take 300 MB more within minutes.
    return_freed_memory()
    app = make_app(model, places, max_bytes, max_pixels,
                   names=server_names(host, names), max_seconds=max_seconds)
    try:
        server = listen(app, host, port)
    except (OSError, ValueError) as error:
        raise ColornetError('cannot serve at %s:%d: %s; --host and --port '
                            'take others' % (shown, port, getattr(
                                error, 'strerror', None) or error))
    # It has several sockets where a name stands for several addresses.
    port = getattr(server, 'effective_port', port)
    note('colornet: http://%s:%s/ (Ctrl-C ends it)' % (shown, port))
    if not is_loopback(host):
        note('colornet: note: whoever reaches this machine by its network '
             'may use it')
    server.run()
    if app.extensions['line'].waiting() or app.extensions['films'].working():
        # What is under way cannot be stopped otherwise, and nobody waits for
        # it; the server writes nothing that would be left half done.
        note('colornet: ended; what was under way is not coloured')
        os._exit(0)


def listen(app, host, port):
    """A server of an application, which listens, and answers in ``run()``.

    Parameters
    ----------
    app : flask.Flask
        Of :func:`colornet.web.app.make_app`.
    host, port
        As for :func:`serve`.

    Returns
    -------
    object
        Of waitress.

    Raises
    ------
    OSError, ValueError
    """
    import waitress

    from .channel import Channel

    # It tells of each request that waits for a thread, of each connection
    # that waits.
    for name in 'waitress', 'waitress.queue':
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # Those who wait hold a thread each; who finds none waits where nobody
    # counts him.
    waiting = sum(app.extensions[name].places
                  for name in ('line', 'screen', 'films'))
    sockets = {}
    server = waitress.create_server(
        app, map=sockets, host=host, port=port, ident='colornet',
        threads=waiting + ANSWERING, connection_limit=MAX_CONNECTIONS,
        # So many, with their files, may be more than select() can take.
        asyncore_use_poll=True, log_socket_errors=False,
        max_request_body_size=app.config['MAX_CONTENT_LENGTH'] + 1)
    for one in sockets.values():
        if hasattr(one, 'channel_class'):
            one.channel_class = Channel
    return server
