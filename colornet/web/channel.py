"""What waitress answers by itself, as the application does; who has gone."""

import socket

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask
from waitress.utilities import Error, RequestEntityTooLarge

from ..files import is_full
from .errors import error_body
from .films import tell_fault
from .guard import HEADERS

__all__ = ['Channel']

#: What is too large is still taken, up to that many times what may come, and
#: thrown away: who has not sent all would not read why it is refused.
_TAKEN = 8


class _Nowhere:
    """Keeps nothing."""

    def append(self, data):
        pass

    def close(self):
        pass

    def __len__(self):
        return 0


class _NoRoom(Error):

    code, reason = 507, 'Insufficient Storage'


class _Parser(HTTPRequestParser):
    """Lets requests that are too large end before they are refused.

    Those that the disk has no room for, too.
    """

    def received(self, data):
        try:
            taken = super().received(data)
        except OSError as error:
            if not is_full(error):
                raise
            self._forget()
            taken = super().received(data)
            self.error = _NoRoom(tell_fault(error))
        if isinstance(self.error, RequestEntityTooLarge):
            self._forget()
            body = self.body_rcv
            coming = max(self.content_length, self.body_bytes_received)
            self.completed = bool(
                self.expect_continue or body.completed or body.error or
                coming > _TAKEN * self.adj.max_request_body_size)
            # Otherwise it would be asked to go on.
            self.expect_continue = False
        return taken

    def _forget(self):
        """Keep nothing of what has come and what is to come."""
        self.body_rcv.buf.close()
        self.body_rcv.buf = _Nowhere()


class _Told:
    """An error of waitress in the words of the application."""

    def __init__(self, error):
        self.error = error

    def to_response(self, ident=None):
        status = '%d %s' % (self.error.code, self.error.reason)
        text = '%s (%s)' % (self.error.reason.lower(), self.error.body)
        return status, [('Content-Type', 'application/json'), (
            'Cache-Control', 'no-store')] + list(
                HEADERS.items()), error_body(text).encode('ascii')


class _Task(ErrorTask):

    def execute(self):
        self.request.error = _Told(self.request.error)
        super().execute()


class Channel(HTTPChannel):
    """A connection."""

    parser_class = _Parser
    error_task_class = _Task

    def check_client_disconnected(self):
        """Whether the other side has closed the connection.

        waitress does not look while it works on a request, unless it reads
        ahead, which was not safe before 3.0.1, the last for Python 3.8.
        """
        if not self.connected:
            return True
        try:
            # Nothing is taken away, and what comes is another request.
            return not self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
