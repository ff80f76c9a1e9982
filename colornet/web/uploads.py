"""What a request sends: a file, its name, and options; who has gone."""

from pathlib import PureWindowsPath

from flask import request

from .options import BadOption

__all__ = ['has_left', 'result_name', 'sent_file', 'sent_values']

#: Characters of a file's name that come back.
_LONGEST_NAME = 120


def has_left():
    """What tells whether who asks has gone; None if the server cannot.

    Returns
    -------
    callable or None
    """
    return request.environ.get('waitress.client_disconnected')


def sent_file():
    """The file of a request.

    Returns
    -------
    binary file
    str
        Its plain name.

    Raises
    ------
    BadOption
        If it is not one.
    """
    files = request.files.getlist('file')
    if len(files) != 1:
        raise BadOption('send one file, as "file" of multipart/form-data')
    return files[0], _plain_name(files[0].filename)


def sent_values():
    """Names and values of the options of a request.

    Returns
    -------
    list of (str, str)
    """
    # A part of a form need not have a name.
    return [(name or '', value) for values in (request.args, request.form)
            for name, value in values.items(multi=True)]


def result_name(name, suffix):
    """What the result of a file is called.

    Parameters
    ----------
    name : str
        Of the file that was sent.
    suffix : str
        Of the result, with its dot.

    Returns
    -------
    str
    """
    return PureWindowsPath(name).stem + '-coloured' + suffix


def _plain_name(name):
    """A file's name: it comes from anywhere, and goes into a header."""
    name = ''.join(filter(str.isprintable, PureWindowsPath(name).name))
    path = PureWindowsPath(name)
    return path.stem[:_LONGEST_NAME] + path.suffix[:12] or 'photo'
