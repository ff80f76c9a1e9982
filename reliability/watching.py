"""Looks at a folder again and again while others write into it."""

import threading

__all__ = ['Watching']


class Watching:
    """For a ``with`` statement; looks once more in the end.

    Attributes
    ----------
    found : list of str
        Faults; also if looking failed, after which it goes on.
    """

    #: Seconds between looks.
    interval = 0.1

    def __init__(self):
        self.found = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self._try()

    def _watch(self):
        while not self._over.wait(self.interval):
            self._try()

    def _try(self):
        # Nobody would hear of a thread that has died.
        try:
            self.look()
        except Exception as error:
            line = 'not looked at: %s: %s' % (type(error).__name__, error)
            if line not in self.found:
                self.found.append(line)

    def look(self):
        """See what is new."""
        raise NotImplementedError
