"""The command that serves a page in the browser."""

import argparse

from ..errors import ColornetError
from .options import add, add_photo_network, positive, whole

__all__ = ['add_serve']


def add_serve(commands):
    """Add ``colornet serve``."""
    command = add(commands, 'serve', _serve,
                  'serve a page in the browser that colours photos and '
                  'short films')
    command.add_argument('--host', default='127.0.0.1', metavar='ADDRESS',
                         help='this machine only, unless another address is '
                         'given, such as 0.0.0.0 (default: %(default)s)')
    command.add_argument('--port', type=_port, default=8000, metavar='N',
                         help='0: any that is free (default: %(default)s)')
    command.add_argument('--allowed-host', action='append', default=[],
                         type=_name, metavar='NAME', help='another name of '
                         'the server, such as behind a proxy: without, only '
                         "addresses, localhost and this machine's own name "
                         'are answered; may be repeated')
    command.add_argument('--max-pixels', type=positive, default=60000000,
                         metavar='N', help='refuse larger photos (default: '
                         '%(default)s)')
    command.add_argument('--max-bytes', type=positive, default=64 << 20,
                         metavar='N', help='refuse larger files (default: '
                         '%(default)s)')
    command.add_argument('--max-seconds', type=_seconds, default=60,
                         metavar='N', help='refuse longer films; 0 takes none '
                         '(default: %(default)s)')
    add_photo_network(command)


def _seconds(text):
    return whole(text, 'is no number of seconds')


def _port(text):
    return whole(text, 'is no port, 0 to 65535', most=65535)


def _name(text):
    from ..web.names import check_name
    try:
        return check_name(text)
    except ColornetError as error:
        raise argparse.ArgumentTypeError(str(error))


def _serve(options):
    from ..web.server import missing_web, serve
    if missing_web():
        raise ColornetError(missing_web())
    from ..terminal import note
    from ..web.model import load_model
    note('colornet: loading the network')
    model = load_model(options.network, options.vgg, options.decoding,
                       options.engine, options.bfloat16, options.device)
    serve(model, options.host, options.port, max_bytes=options.max_bytes,
          max_pixels=options.max_pixels, names=options.allowed_host,
          max_seconds=options.max_seconds)
