"""The server: starts, says where it is, ends on Ctrl-C."""

import importlib.util
import logging
import socket

from ..errors import ColornetError
from ..formats.photo import limit_pixels
from ..terminal import note

__all__ = ['missing_web', 'serve']

#: Names of this machine for itself.
LOOPBACK = {'127.0.0.1', 'localhost', '::1'}


def missing_web():
    """Why there can be no server, or ''."""
    for name in 'Flask', 'waitress':
        if importlib.util.find_spec(name.lower()) is None:
            return ("the page needs the package %s: pip install '.[web]' in "
                    "colornet's folder" % name)
    return ''


def serve(model, host='127.0.0.1', port=8000, places=8, max_bytes=64 << 20,
          max_pixels=60000000):
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

    Raises
    ------
    ColornetError
        If a package is missing, or the port cannot be had.
    """
    if missing_web():
        raise ColornetError(missing_web())
    import waitress

    from .app import make_app

    # It tells of each request that waits for a thread.
    logging.getLogger('waitress.queue').setLevel(logging.ERROR)
    name = '[%s]' % host if ':' in host else host
    limit_pixels(max_pixels)
    app = make_app(model, places, max_bytes, max_pixels,
                   hosts=LOOPBACK if host in LOOPBACK else None)
    try:
        server = waitress.create_server(
            app, host=host, port=port, ident='colornet',
            # Those who wait hold a thread each; the others answer.
            threads=places + 8,
            max_request_body_size=app.config['MAX_CONTENT_LENGTH'])
    except (OSError, ValueError, socket.gaierror) as error:
        raise ColornetError('cannot serve at %s:%d: %s; --port takes another '
                            'port' % (name, port, getattr(
                                error, 'strerror', None) or error))
    # It has several sockets where a name stands for several addresses.
    port = getattr(server, 'effective_port', port)
    note('colornet: http://%s:%s/ (Ctrl-C ends it)' % (name, port))
    if host not in LOOPBACK:
        note('colornet: note: whoever reaches this machine by its network '
             'may use it')
    server.run()
