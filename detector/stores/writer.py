"""The writer: puts writes into the store from a thread of its own, so that no call ever waits for it.

Writes go in order. One that fails is tried again for a while; then it is kept, with all that come after it, until the
store works again: a message that was promised is not lost to a disk that was full. The first such failure is reported,
and so is the moment when the store works again. A full queue refuses new writes instead of growing.
"""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Final, ParamSpec

from detector.errors import RecordingError, StoreConflict, StoreError, where
from detector.stores.store import Store

__all__ = ["StoreReport", "StoreWriter"]

log = logging.getLogger(__name__)
P = ParamSpec("P")

_RETRY_SECONDS: Final = (0.1, 0.5, 2.0)
_AGAIN_SECONDS: Final = 5.0
"""How often what is kept is tried again, where nothing new comes."""


@dataclass(frozen=True, slots=True)
class StoreReport:
    """The store broke, or works again."""

    error: StoreError | None
    """None: it works again."""
    lost_writes: int
    """Writes lost since the start of the writer; those that are kept are not."""


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
        again_seconds: float = _AGAIN_SECONDS,
    ) -> None:
        self._store = store
        self._report = report
        self._retry_seconds = retry_seconds
        self._queue: queue.Queue[Callable[[], object] | threading.Event | None] = queue.Queue(capacity)
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._kept = deque[Callable[[], object]]()
        self._most_kept = capacity
        self._again_seconds = again_seconds
        self.lost_writes = 0
        """Writes lost since the start."""
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
        self._lose(1)
        self._broke(StoreError("the queue of the store is full or closed; the store is too slow or gone"))
        return False

    def flush(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds until everything queued before is written, kept or lost."""
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
        while (item := self._next()) is not None:
            if isinstance(item, threading.Event):
                item.set()
                continue
            if self._kept:
                self._keep(item)
                self._catch_up()
            else:
                self._write(item)
        self._catch_up()
        if self._kept:
            log.error("the store does not take writes; lost with the end of the service: %d", len(self._kept))
            self._lose(len(self._kept))

    def _next(self) -> Callable[[], object] | threading.Event | None:
        """Wait for the next write, and meanwhile try now and then what is kept."""
        while self._kept:
            try:
                return self._queue.get(timeout=self._again_seconds)
            except queue.Empty:
                self._catch_up()
        return self._queue.get()

    def _catch_up(self) -> None:
        """Write what was kept, in order, as far as the store works."""
        while self._kept:
            error = self._failure_of(self._kept[0])
            if error is not None:
                self._broke(error)
                if not self._another_works():
                    return
                if self._failure_of(self._kept[0]) is not None:
                    log.error("a write fails although the store works, and is lost: %s", error)
                    self._lose(1)
            self._kept.popleft()
            if not self._kept:
                self._works()

    def _failure_of(self, write: Callable[[], object]) -> StoreError | None:
        try:
            self._once(write)
        except StoreError as error:
            return error
        return None

    def _another_works(self) -> bool:
        """Whether the next of those that are kept can be written: then the first one stands in the way of all."""
        if len(self._kept) < 2 or self._closing.is_set():
            return False
        try:
            self._kept[1]()
        except Exception:  # noqa: BLE001 - it may need the first one; its own turn comes
            return False
        del self._kept[1]
        return True

    def _write(self, write: Callable[[], object]) -> None:
        for wait in (*self._retry_seconds, None):
            try:
                self._once(write)
            except StoreError as error:
                if wait is None or self._closing.wait(wait):
                    self._broke(error)
                    self._keep(write)
                    return
            else:
                self._works()
                return

    def _once(self, write: Callable[[], object]) -> None:
        """Try a write. Raises StoreError where the store is to blame."""
        try:
            write()
        except StoreConflict as error:
            # What it misses was lost or erased earlier: trying again mends nothing, and proves nothing of the store.
            log.warning("a write was refused: %s", error)
            self._lose(1)
        except RecordingError as error:
            log.error("a recording is not kept: %s", error)  # noqa: TRY400 - no traceback: privacy
            self._lose(1)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the next write gets its chance
            # Not its message, which may quote what was to be written.
            self._lose(1)
            self._broke(StoreError(f"failed inside ({where(error)})"))

    def _keep(self, write: Callable[[], object]) -> None:
        if len(self._kept) < self._most_kept:
            self._kept.append(write)
        else:
            self._lose(1)

    def _broke(self, error: StoreError) -> None:
        with self._lock:
            is_news = self._error is None
            self._error = error
            lost = self.lost_writes
        if is_news:
            log.error("the store does not take writes: %s", error)
            self._tell(StoreReport(error, lost))

    def _lose(self, count: int) -> None:
        with self._lock:
            self.lost_writes += count

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
