"""What is known of a caller's audio while he talks: other calls that held the same.

The store may be slow or gone. It is asked in a thread of its own and for a moment only; without an answer the call
goes on, and is told so.
"""

import contextlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from detector.agents.session import Scheduler
from detector.errors import where
from detector.signals.landmarks import Landmarks
from detector.signals.playback import KnownMatch
from detector.stores.fingerprints import FingerprintStore

__all__ = ["KnownAudio"]

log = logging.getLogger(__name__)

Answer = Callable[[Sequence[KnownMatch] | None], None]
"""Told once, in the scheduler's thread; None: the store gave no answer."""

_MOST_WAITING: Final = 32
"""Look-ups that may wait at once: a store that has stopped answering must not collect them without end."""


class KnownAudio:
    """Asks the store of fingerprints. `patience` is in seconds."""

    def __init__(self, fingerprints: FingerprintStore, scheduler: Scheduler, patience: float = 2.0) -> None:
        self._fingerprints = fingerprints
        self._scheduler = scheduler
        self._patience = patience
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, "fingerprints")

    def look_up(self, landmarks: Landmarks, number: str | None, answer: Answer) -> None:
        """Find calls with the same audio, for one from `number`; answers later, never at once, and never raises."""
        if self._waiting >= _MOST_WAITING:
            log.error("too many look-ups of fingerprints are waiting; one is left out")
            self._scheduler.call_soon_threadsafe(lambda: answer(None))
            return
        self._waiting += 1
        future = self._thread.submit(self._fingerprints.find, landmarks, number)
        timer = self._scheduler.call_later(self._patience, lambda: settle(None))
        is_open = True

        def settle(found: Future[list[KnownMatch]] | None) -> None:
            nonlocal is_open
            if found is not None:
                self._waiting -= 1
            if is_open:
                is_open = False
                timer.cancel()
                future.cancel()
                answer(_result(found))

        def done(found: Future[list[KnownMatch]]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop ended before the answer came
                self._scheduler.call_soon_threadsafe(lambda: settle(found))

        future.add_done_callback(done)

    def close(self) -> None:
        """Take no more look-ups, and wait for none."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _result(found: Future[list[KnownMatch]] | None) -> Sequence[KnownMatch] | None:
    if found is None:
        log.error("the store did not look up a fingerprint in time")
        return None
    try:
        return found.result()
    except Exception as error:  # noqa: BLE001 - a broken store must not end a call
        log.error("the store cannot look up fingerprints (%s)", where(error))  # noqa: TRY400 - no traceback: privacy
        return None
