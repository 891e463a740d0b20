"""Writes lines from a thread of its own, so that no call ever waits for whoever reads them.

A pipe that nobody reads and a terminal stopped with Ctrl-S take no more after some kilobytes; a write then waits for
as long as they like. Lines are queued here instead. Where the queue is full, further ones are left out until it is
empty again, and one line says how many. A reader who went away ends the writing, with one line in the log.
"""

import errno
import logging
import os
import threading
import time
from collections import deque
from types import TracebackType
from typing import Self, TextIO

from detector.errors import where

__all__ = ["LineWriter"]

log = logging.getLogger(__name__)

CAPACITY = 1000
"""Pieces of text, mostly a line each."""
CLOSING_SECONDS = 1.0
PAUSE_SECONDS = 0.2
GONE = frozenset({errno.EPIPE, errno.EIO, errno.EBADF})
"""Errors of a reader who does not come back."""


class LineWriter:
    """As much of a text file as rich and logging need. Use as `with LineWriter(sys.stdout) as lines`.

    `stream` has a file descriptor, or is None where the program was started without; nothing is written then.
    """

    def __init__(self, stream: TextIO | None, *, capacity: int = CAPACITY) -> None:
        self.encoding = "utf-8" if stream is None else stream.encoding
        self._stream = stream
        self._capacity = capacity
        self._queue = deque[str]()
        self._left_out = 0
        self._is_closing = stream is None
        self._changed = threading.Condition()
        # A daemon: the program does not wait for it where a write never returns.
        self._thread = threading.Thread(target=self._run, name="line-writer", daemon=True)
        if stream is not None:
            stream.flush()
            self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()

    def write(self, text: str) -> int:
        """Queue `text`; returns at once, and never fails."""
        with self._changed:
            if self._is_closing:
                pass
            elif self._left_out or len(self._queue) >= self._capacity:
                self._left_out += max(1, text.count("\n"))
            else:
                self._queue.append(text)
                self._changed.notify()
        return len(text)

    def flush(self) -> None:
        """Nothing to do: what is queued is written as soon as it can be."""

    def close(self, timeout: float = CLOSING_SECONDS) -> bool:
        """Write what is queued and end. False: it did not end within `timeout` seconds, and is left alone."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while (text := self._next()) is not None:
                self._put_or_leave_out(text)
        except Exception as error:  # noqa: BLE001 - whatever ails the reader is no business of a call
            with self._changed:
                self._is_closing = True
                self._queue.clear()
            log.warning("nothing more is shown: %s", where(error))

    def _next(self) -> str | None:
        """Wait for what is to be written next; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._left_out or self._is_closing)
            if self._queue:
                return self._queue.popleft()
            if self._left_out:
                count, self._left_out = self._left_out, 0
                return f"({count} lines left out: nobody read them in time)\n"
            return None

    def _put_or_leave_out(self, text: str) -> None:
        """A reader that is gone ends it; a full disk, or a terminal that is busy, costs what is written meanwhile."""
        try:
            self._put(text)
        except OSError as error:
            if error.errno in GONE or self._is_closing:
                raise
            with self._changed:
                self._left_out += max(1, text.count("\n"))
            time.sleep(PAUSE_SECONDS)

    def _put(self, text: str) -> None:
        # Not by the stream: it keeps a lock while it waits, and the interpreter wants that lock when it ends.
        assert self._stream is not None  # noqa: S101 - the thread runs only with one
        rest = text.encode(self.encoding, "backslashreplace")
        while rest:
            rest = rest[os.write(self._stream.fileno(), rest) :]
