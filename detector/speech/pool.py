"""A pool of recognition threads between calls and model: a queue, deadlines, and no failure that hangs.

A call submits a turn and gets a future. The future ends in a transcript or in an exception, always: in
RecognitionTimeout once the deadline has passed, whether the turn still waits or is being worked on, and in
RecognitionError where recognition broke, where too many turns wait, or where the pool was closed.
A worker that overran its deadline goes on in the background; what it brings is thrown away.
"""

import contextlib
import heapq
import itertools
import logging
import queue
import threading
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from detector.audio.frames import Samples
from detector.call import Language
from detector.clock import Clock, SystemClock
from detector.errors import RecognitionError, RecognitionTimeout
from detector.speech.transcript import Transcriber, Transcript

__all__ = ["RecognitionPool"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Job:
    samples: Samples
    language: Language | None
    future: Future[Transcript]


class RecognitionPool:
    """Runs a Transcriber in threads of its own."""

    def __init__(
        self,
        transcriber: Transcriber,
        workers: int = 2,
        timeout: float = 8.0,
        *,
        longest_queue: int = 32,
        clock: Clock | None = None,
    ) -> None:
        """`timeout`: seconds from submission to RecognitionTimeout. `longest_queue`: turns that may wait."""
        self._transcriber = transcriber
        self._timeout = timeout
        self._clock = clock or SystemClock()
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._longest_queue = longest_queue
        self._change = threading.Condition()
        self._deadlines: list[tuple[float, int, Future[Transcript]]] = []
        self._order = itertools.count()
        self._waiting = self._running = 0
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"recognition-{number}", daemon=True)
            for number in range(workers)
        ]
        self._watcher = threading.Thread(target=self._watch, name="recognition-deadlines", daemon=True)
        for thread in (*self._threads, self._watcher):
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_idle(self) -> bool:
        """Whether a turn submitted now would be begun at once."""
        with self._change:
            return self._waiting == 0 and self._running < len(self._threads)

    def submit(self, samples: Samples, language: Language | None = None) -> Future[Transcript]:
        """Queue `samples` (int16, shape (n,), mono, 8 kHz); never blocks and never raises.

        A future cancelled while it waits costs nothing.
        """
        future: Future[Transcript] = Future()
        with self._change:
            refusal = self._refusal()
            if refusal is None:
                self._waiting += 1
                deadline = self._clock.now() + self._timeout
                heapq.heappush(self._deadlines, (deadline, next(self._order), future))
                self._jobs.put(_Job(samples, language, future))
                self._change.notify_all()
        if refusal is not None:
            future.set_exception(refusal)
        return future

    def expire(self, now: float) -> float | None:
        """End every turn whose deadline lies at or before `now`; return the next deadline, None without one.

        The pool's own thread calls this; it is public for whoever drives a virtual clock.
        """
        late = []
        with self._change:
            while self._deadlines and (self._deadlines[0][2].done() or self._deadlines[0][0] <= now):
                late.append(heapq.heappop(self._deadlines)[2])
            following = self._deadlines[0][0] if self._deadlines else None
        for future in late:
            if not future.done():
                _fail(future, RecognitionTimeout("recognition took longer than its deadline"))
        return following

    def close(self, wait: float = 5.0) -> None:
        """Refuse new turns, fail those that wait, and give the running ones `wait` seconds to end."""
        with self._change:
            if self._closed:
                return
            self._closed = True
            self._change.notify_all()
        with contextlib.suppress(queue.Empty):
            while (job := self._jobs.get_nowait()) is not None:
                self._took_one()
                _fail(job.future, RecognitionError("recognition was closed"))
                _wake(job.future)
        for _ in self._threads:
            self._jobs.put(None)
        until = self._clock.now() + wait
        for thread in (*self._threads, self._watcher):
            thread.join(max(0.0, until - self._clock.now()))

    def _refusal(self) -> RecognitionError | None:
        if self._closed:
            return RecognitionError("recognition was closed")
        if self._waiting >= self._longest_queue:
            return RecognitionError(f"recognition is overloaded: {self._waiting} turns wait")
        return None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._took_one()
            if not job.future.done():
                with self._change:
                    self._running += 1
                try:
                    self._answer(job)
                finally:
                    with self._change:
                        self._running -= 1
            _wake(job.future)

    def _answer(self, job: _Job) -> None:
        try:
            transcript = self._transcriber.transcribe(job.samples, job.language)
        except RecognitionError as error:
            _fail(job.future, error)
        except Exception as error:  # noqa: BLE001 - whatever a transcriber raises ends in the future
            # Only the kind of error is told: its message could hold what the caller said.
            _log.exception("recognition broke: %s", type(error).__name__, exc_info=False)
            failure = RecognitionError(f"recognition broke: {type(error).__name__}")
            failure.__cause__ = error
            _fail(job.future, failure)
        else:
            with contextlib.suppress(InvalidStateError):
                job.future.set_result(transcript)

    def _took_one(self) -> None:
        with self._change:
            self._waiting -= 1

    def _watch(self) -> None:
        while True:
            following = self.expire(self._clock.now())
            with self._change:
                if self._closed and not self._deadlines:
                    return
                pause = None if following is None else max(0.0, following - self._clock.now())
                self._change.wait(0.5 if self._closed else pause)


def _fail(future: Future[Transcript], error: RecognitionError) -> None:
    """End a future, unless its deadline, its worker or its caller was quicker."""
    with contextlib.suppress(InvalidStateError):
        future.set_exception(error)


def _wake(future: Future[Transcript]) -> None:
    """Wake whoever waits for several futures at once, should this one have been cancelled at any moment.

    Whoever took the job from the queue calls this once, when he is done with it.
    """
    if future.cancelled():
        future.set_running_or_notify_cancel()
