"""Names by which a server may be called.

A page from elsewhere can let its own name stand for this machine's address
(DNS rebinding), and is then the same server to the browser. It cannot do so
with an address, nor with a name that is not its own.
"""

import ipaddress
import re
import socket

from ..errors import ColornetError

__all__ = ['check_name', 'is_loopback', 'is_server_name', 'server_names']

# A name or an address, and a port.
_HOST = re.compile(r'(\[[0-9a-f:.]+\]|[0-9a-z_.-]+)(:[0-9]*)?', re.IGNORECASE)


def is_loopback(host):
    """Whether an address or name is this machine's, for itself only."""
    return host == 'localhost' or _is_address(host) and ipaddress.ip_address(
        host).is_loopback


def _is_address(host):
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def check_name(name):
    """A name that a server may be called by, as browsers write it.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Raises
    ------
    ColornetError
        If it is none; there are neither ports nor patterns.
    """
    try:
        plain = name.encode('idna').decode('ascii').lower().rstrip('.')
    except UnicodeError:
        plain = ''
    found = _HOST.fullmatch(plain)
    if not found or found.group(2) is not None:
        raise ColornetError('%s is no name of a server, such as '
                            'photos.example.org' % (name or "''"))
    return plain


def server_names(host, others=()):
    """Names by which a server may be called; any address is one, too.

    Parameters
    ----------
    host : str
        That it is served at.
    others : iterable of str
        What else it is called, as behind a proxy.

    Returns
    -------
    set of str

    Raises
    ------
    ColornetError
        If one of the others is no name.
    """
    names = {'localhost'}.union(map(check_name, others))
    if not is_loopback(host):
        # As the machine knows it: to ask others could be answered with a lie.
        own = socket.gethostname().lower()
        short = own.partition('.')[0]
        names |= {host.lower(), own, short, short + '.local'}
    return names


def is_server_name(header, names):
    """Whether a request is for this server.

    Parameters
    ----------
    header : str
        ``Host`` of the request.
    names : set of str

    Returns
    -------
    bool
    """
    found = _HOST.fullmatch(header)
    name = found and found.group(1).lower().rstrip('.')
    return bool(name) and (
        name in names or name.endswith('.localhost') or
        _is_address(name.strip('[]')))
