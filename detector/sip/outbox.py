"""The worker's way out: events are queued by any thread and written to the socket by one."""

import logging
import queue
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from detector.sip.protocol import Event, encode, encode_audio

__all__ = ["Outbox"]

_log = logging.getLogger(__name__)

MAX_WAITING: Final = 1000
"""Messages; with four calls, five seconds of audio. Beyond it audio is dropped, other events are not."""
BATCH: Final = 64
ROUND_SECONDS: Final = 0.01
"""A frame captured so long after the first of a round belongs to the next: a call has given none in this one."""

Frame = tuple[int, int, float, bytes]
"""Call, position, captured, samples: the fields of Audio."""


class Outbox:
    """Never blocks whoever puts something in, least of all the thread that moves the audio.

    The library hands over a frame of each call every 20 ms, one after the other. The writing thread is woken when all
    have come: woken for each, it and the library's thread would wait for each other, and the service read more often.
    Whatever is put in leaves in the order in which it came.

    `closed` is called once, on the writing thread, when the other end has gone.
    """

    def __init__(self, connection: socket.socket, closed: Callable[[], None]) -> None:
        self._connection = connection
        self._closed = closed
        self._waiting: deque[bytes | Frame] = deque()
        self._wakes: queue.SimpleQueue[bool] = queue.SimpleQueue()
        """At most a few: True to write what waits, False to stop after it."""
        self._thread = threading.Thread(target=self._write, name="outbox", daemon=True)
        self._speaking = 0
        self._in_round = 0
        self._round_began = 0.0
        self.dropped = 0
        """Frames of audio that were not sent because the service did not read."""

    def start(self) -> None:
        self._thread.start()

    def put(self, event: Event) -> None:
        self._waiting.append(encode(event))
        self._wake()

    def audio_began(self) -> None:
        """Expect a frame of one call more in each round."""
        self._speaking += 1

    def audio_ended(self) -> None:
        """Expect a frame of one call less."""
        self._speaking -= 1

    def put_audio(self, call: int, position: int, captured: float, samples: bytes) -> None:
        """Queue a frame, the fields of Audio, or drop it where the service is far behind; one thread only."""
        waiting = self._waiting
        if len(waiting) >= MAX_WAITING:
            self.dropped += 1
            return
        waiting.append((call, position, captured, samples))
        if self._in_round and captured - self._round_began > ROUND_SECONDS:
            self._in_round = 0
            self._wake()
        if not self._in_round:
            self._round_began = captured
        self._in_round += 1
        if self._in_round >= self._speaking:
            self._in_round = 0
            self._wake()

    def close(self, timeout: float) -> None:
        """Write what is queued, at most for `timeout` seconds, and stop."""
        self._wakes.put(False)
        self._thread.join(timeout)
        if self.dropped:
            _log.warning("The service read too slowly: %d frames of audio were dropped.", self.dropped)

    def _wake(self) -> None:
        # The writer takes the wake first and what waits after it, so a wake that is still there suffices.
        if self._wakes.empty():
            self._wakes.put(True)

    def _write(self) -> None:
        try:
            going = True
            while going:
                going = self._wakes.get()
                while self._waiting:
                    self._connection.sendall(self._next_batch())
        except OSError:
            self._closed()

    def _next_batch(self) -> bytes:
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        return b"".join(each if isinstance(each, bytes) else encode_audio(*each) for each in batch)
