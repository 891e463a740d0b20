"""The worker's way out: events are queued by any thread and written to the socket by one."""

import logging
import queue
import socket
import threading
from collections.abc import Callable
from typing import Final

from detector.sip.protocol import Audio, Event, encode

__all__ = ["Outbox"]

_log = logging.getLogger(__name__)

MAX_WAITING: Final = 1000
"""Messages; with four calls, five seconds of audio. Beyond it audio is dropped, other events are not."""
BATCH: Final = 64


class Outbox:
    """Never blocks whoever puts something in, least of all the thread that moves the audio.

    `closed` is called once, on the writing thread, when the other end has gone.
    """

    def __init__(self, connection: socket.socket, closed: Callable[[], None]) -> None:
        self._connection = connection
        self._closed = closed
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="outbox", daemon=True)
        self.dropped = 0
        """Frames of audio that were not sent because the service did not read."""

    def start(self) -> None:
        self._thread.start()

    def put(self, event: Event) -> None:
        self._waiting.put(encode(event))

    def put_audio(self, event: Audio) -> None:
        """Queue audio, or drop it where the service is far behind."""
        if self._waiting.qsize() < MAX_WAITING:
            self._waiting.put(encode(event))
        else:
            self.dropped += 1

    def close(self, timeout: float) -> None:
        """Write what is queued, at most for `timeout` seconds, and stop."""
        self._waiting.put(None)
        self._thread.join(timeout)
        if self.dropped:
            _log.warning("The service read too slowly: %d frames of audio were dropped.", self.dropped)

    def _write(self) -> None:
        try:
            while (data := self._next_batch()) is not None:
                self._connection.sendall(data)
        except OSError:
            self._closed()

    def _next_batch(self) -> bytes | None:
        """Wait for a message and return it with those behind it; None when there is nothing more to come."""
        first = self._waiting.get()
        if first is None:
            return None
        parts = [first]
        while len(parts) < BATCH and not self._waiting.empty():
            part = self._waiting.get()
            if part is None:
                self._waiting.put(None)
                break
            parts.append(part)
        return b"".join(parts)
