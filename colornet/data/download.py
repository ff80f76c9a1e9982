"""Fetching the photos of CVCL, and checking a copy of them (paper, 4)."""

import contextlib
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from pathlib import Path

from ..errors import ColornetError
from ..files import digest_file, replacing
from ..terminal import progress_bar
from .datasets import DATASETS
from .splits import find_photo

__all__ = ['CVCL_URL', 'download', 'fetch_cvcl', 'verify_folder']

#: Eight categories in one flat folder, about 125 MB.
CVCL_URL = ('https://people.csail.mit.edu/torralba/code/spatialenvelope/'
            'spatial_envelope_256x256_static_8outdoorcategories.zip')

#: Attempts in a row without a new byte before a download is given up.
MAX_FAILURES = 4

#: Seconds between attempts.
RETRY_WAIT = 2.

#: Seconds without an answer after which a connection counts as dropped.
TIMEOUT = 30.

_CHUNK_SIZE = 1 << 16


class _Dropped(Exception):
    """A failure that another attempt may mend."""


def download(url, path, progress=None):
    """Download a file; go on where an earlier attempt was interrupted.

    What has arrived is kept in ``<path>.part``; `path` appears when all of
    it is there. Dropped connections are tried again a few times.

    Parameters
    ----------
    url : str
    path : str or Path
    progress : bool or None
        Whether to show a progress bar on stderr; None: if that is a
        terminal.

    Raises
    ------
    ColornetError
        If there is no network, the server refuses, sends a web page instead
        of a file or keeps dropping the connection, or the file cannot be
        written.
    """
    path = os.fspath(path)
    part = path + '.part'
    try:
        os.makedirs(Path(path).parent, exist_ok=True)
        with progress_bar(
                desc=Path(path).name, unit='B', unit_scale=True,
                leave=False,
                disable=None if progress is None else not progress) as bar:
            _receive_all(url, part, bar)
        os.replace(part, path)
    except OSError as error:
        raise ColornetError('cannot write %s: %s'
                            % (path, error.strerror or error))


def _receive_all(url, part, bar):
    """Ask for a file until all of it is there, or nothing more comes."""
    most, failures = 0, 0
    while True:
        try:
            return _receive(url, part, bar)
        except _Dropped as error:
            size = _file_size(part)
            failures = 0 if size > most else failures + 1
            most = max(most, size)
            if failures == MAX_FAILURES:
                raise ColornetError('cannot download %s: %s; try again '
                                    'later, it goes on where it stopped'
                                    % (url, error))
        time.sleep(RETRY_WAIT)


def _receive(url, part, bar):
    """Write what `part` lacks of a file; all of it if there is no way else.

    Raises
    ------
    _Dropped
        If `part` is not complete then.
    """
    start = _file_size(part)
    with contextlib.closing(_request(url, part, start)) as response:
        if response.headers.get_content_type() == 'text/html':
            raise ColornetError('cannot download %s: the server sent a web '
                                'page instead of the file' % url)
        content_range = re.match(r'bytes (\d+)-\d+/(\d+)$',
                                 response.headers.get('Content-Range', ''))
        if content_range and int(content_range.group(1)) == start:
            total = int(content_range.group(2))
        elif response.getcode() == http.client.PARTIAL_CONTENT:
            os.remove(part)
            raise _Dropped('the server sent another part of the file')
        else:
            # The server knows no ranges: this is the file from its start.
            start = 0
            total = int(response.headers.get('Content-Length', 0)) or None
        bar.reset(total)
        bar.update(start)
        with open(part, 'ab' if start else 'wb') as file:
            for chunk in _read_chunks(response):
                file.write(chunk)
                bar.update(len(chunk))
    size = _file_size(part)
    if total is not None and size != total:
        raise _Dropped('%d of %d bytes arrived' % (size, total))


def _request(url, part, start):
    """Ask for the bytes of a file from `start` on."""
    headers = {'User-Agent': 'colornet'}
    if start:
        headers['Range'] = 'bytes=%d-' % start
    try:
        return urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        reason = '%d %s' % (error.code, error.reason)
        if error.code == 416 and start:  # No such bytes: begin anew.
            os.remove(part)
        elif error.code < 500 and error.code not in (408, 429):
            raise ColornetError('cannot download %s: the server answers %s'
                                % (url, reason))
        raise _Dropped('the server answers ' + reason)
    except urllib.error.URLError as error:
        raise _Dropped('no connection (%s)' % error.reason)
    except (OSError, http.client.HTTPException) as error:
        raise _Dropped('the connection failed (%s)' % error)
    except ValueError as error:
        raise ColornetError('cannot download %s: %s' % (url, error))


def _read_chunks(response):
    while True:
        try:
            chunk = response.read(_CHUNK_SIZE)
        except (OSError, http.client.HTTPException) as error:
            raise _Dropped('the connection failed (%s)' % error)
        if not chunk:
            return
        yield chunk


def fetch_cvcl(folder, sha256_file, url=CVCL_URL, archive=None,
               progress=None):
    """Put the Open Country photos into a folder, each one checked.

    Photos that are there and right stay as they are; when all are, nothing
    is downloaded.

    Parameters
    ----------
    folder : str or Path
    sha256_file : str or Path
        The photos to have, as ``sha256sum`` lists them.
    url : str
        Of the published archive.
    archive : str or Path, optional
        A copy of the archive, to be used instead of the URL.
    progress : bool or None
        As for :func:`download`.

    Returns
    -------
    int
        The number of photos written.

    Raises
    ------
    ColornetError
        If the archive cannot be had or read, or its photos are not those of
        the list; those that are have been written then.
    """
    folder = os.fspath(folder)
    digests = _read_digests(sha256_file)
    wanted = _find_wrong(folder, digests)
    if not wanted:
        return 0
    downloaded = None
    if archive is None:
        archive = downloaded = os.path.join(folder, url.rpartition('/')[2])
        if not os.path.exists(archive):
            download(url, archive, progress)
    try:
        written = _unpack(archive, folder, wanted, digests)
    except OSError as error:
        raise ColornetError('cannot unpack %s to %s: %s'
                            % (archive, folder, error.strerror or error))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        if downloaded:
            os.remove(downloaded)
        raise ColornetError('%s is damaged, or no zip archive (%s); get it '
                            'again' % (archive, error))
    if downloaded:
        os.remove(downloaded)
    _check_none_wrong([name for name in wanted if name not in written],
                      digests, archive, sha256_file)
    return len(written)


def verify_folder(folder, sha256_file):
    """Check that a folder holds the photos of a list.

    Parameters
    ----------
    folder : str or Path
        The files may carry the category in front, as in the archive.
    sha256_file : str or Path

    Returns
    -------
    int
        The number of photos.

    Raises
    ------
    ColornetError
        If photos are missing or differ; it names some.
    """
    digests = _read_digests(sha256_file)
    _check_none_wrong(_find_wrong(folder, digests), digests, folder,
                      sha256_file)
    return len(digests)


def _unpack(archive, folder, wanted, digests):
    """Write the wanted photos with the right digest; return their names."""
    in_archive = {DATASETS['cvcl'].prefix + name: name for name in wanted}
    written = set()
    os.makedirs(folder, exist_ok=True)
    with zipfile.ZipFile(archive) as members:
        for member in members.namelist():
            name = in_archive.get(member.rpartition('/')[2])
            if name is None:
                continue
            content = members.read(member)
            if hashlib.sha256(content).hexdigest() == digests[name]:
                path = Path(folder, name)
                with replacing(path) as temporary, \
                        open(temporary, 'wb') as file:
                    file.write(content)
                written.add(name)
    return written


def _read_digests(sha256_file):
    """Read a list in the format of ``sha256sum``: a dict of name to digest."""
    try:
        with open(sha256_file) as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise ColornetError('cannot read %s: %s'
                            % (sha256_file, error.strerror))
    matches = [re.match('([0-9a-f]{64})  (.+)$', line) for line in lines]
    if not matches or None in matches:
        raise ColornetError('%s is no list of sha256 digests' % sha256_file)
    return {match.group(2): match.group(1) for match in matches}


def _find_wrong(folder, digests):
    """Names of the photos that are missing from a folder or differ."""
    wrong = []
    for name, digest in digests.items():
        path = find_photo(DATASETS['cvcl'], folder, name)
        if path is None or digest_file(path) != digest:
            wrong.append(name)
    return wrong


def _check_none_wrong(wrong, digests, source, sha256_file):
    if wrong:
        raise ColornetError(
            '%d of the %d photos of %s are missing from %s or differ: %s%s'
            % (len(wrong), len(digests), sha256_file, source,
               ', '.join(wrong[:3]), ', ...' if wrong[3:] else ''))


def _file_size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0
