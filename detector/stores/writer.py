"""The writer: puts writes into the store from a thread of its own, so that no call ever waits for it.

Writes go in order. One that fails is tried again for a while; one that still fails is given up and counted.
The first such failure is reported, and so is the moment when the store works again. A full queue refuses new
writes instead of growing.
"""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Final, ParamSpec

from detector.errors import RecordingError, StoreConflict, StoreError, where
from detector.stores.store import Store

__all__ = ["StoreReport", "StoreWriter"]

log = logging.getLogger(__name__)
P = ParamSpec("P")

_RETRY_SECONDS: Final = (0.1, 0.5, 2.0)


@dataclass(frozen=True, slots=True)
class StoreReport:
    """The store broke, or works again."""

    error: StoreError | None
    """None: it works again."""
    lost_writes: int
    """Writes given up since the start of the writer."""


class StoreWriter:
    """A queue in front of a store.

    `report` is called, mostly from the writer's thread, when the store breaks and when it works again.
    `retry_seconds` are the waits before each further try.
    """

    def __init__(
        self,
        store: Store,
        report: Callable[[StoreReport], None] | None = None,
        *,
        capacity: int = 10_000,
        retry_seconds: tuple[float, ...] = _RETRY_SECONDS,
    ) -> None:
        self._store = store
        self._report = report
        self._retry_seconds = retry_seconds
        self._queue: queue.Queue[Callable[[], object] | threading.Event | None] = queue.Queue(capacity)
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self.lost_writes = 0
        """Writes given up since the start."""
        self._error: StoreError | None = None
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def error(self) -> StoreError | None:
        """Why the last write failed; None while the store works."""
        return self._error

    def submit(
        self, write: Callable[Concatenate[Store, P], object], *args: P.args, **kwargs: P.kwargs
    ) -> bool:
        """Queue a write such as `submit(Store.add_turn, call_id, turn)`; returns at once.

        False: the queue is full or closed; that is counted and reported like a failure.
        """
        if not self._closing.is_set():
            try:
                self._queue.put_nowait(lambda: write(self._store, *args, **kwargs))
            except queue.Full:
                pass
            else:
                return True
        self._give_up(StoreError("the queue of the store is full or closed; the store is too slow or gone"))
        return False

    def flush(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds until everything queued before is written or given up."""
        done = threading.Event()
        try:
            self._queue.put(done, timeout=timeout)
        except queue.Full:
            return False
        return done.wait(timeout)

    def close(self, timeout: float = 5.0) -> bool:
        """Write what is queued, without retries, and end. False: it did not end in time."""
        self._closing.set()
        try:
            self._queue.put(None, timeout=timeout)
        except queue.Full:
            return False
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
                continue
            try:
                self._write(item)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next write gets its chance
                # Not its message, which may quote what was to be written.
                self._give_up(StoreError(f"failed inside ({where(error)})"))

    def _write(self, write: Callable[[], object]) -> None:
        # While the store is known to be broken, one try each: the queue must not stand still.
        waits = () if self._error is not None else self._retry_seconds
        for wait in (*waits, None):
            try:
                write()
            except StoreConflict as error:
                # What it misses was given up earlier: trying again mends nothing, and proves nothing of the store.
                log.warning("a write was refused: %s", error)
                self._lose()
                return
            except RecordingError as error:
                log.error("a recording is not kept: %s", error)  # noqa: TRY400 - no traceback: privacy
                self._lose()
                return
            except StoreError as error:
                if wait is None or self._closing.wait(wait):
                    self._give_up(error)
                    return
            else:
                self._works()
                return

    def _give_up(self, error: StoreError) -> None:
        with self._lock:
            self.lost_writes += 1
            is_news = self._error is None
            self._error = error
            lost = self.lost_writes
        if is_news:
            log.error("the store does not take writes: %s", error)
            self._tell(StoreReport(error, lost))

    def _lose(self) -> None:
        with self._lock:
            self.lost_writes += 1

    def _works(self) -> None:
        with self._lock:
            if self._error is None:
                return
            self._error = None
            lost = self.lost_writes
        log.warning("the store works again; writes lost in all: %d", lost)
        self._tell(StoreReport(None, lost))

    def _tell(self, report: StoreReport) -> None:
        if self._report is not None:
            self._report(report)
