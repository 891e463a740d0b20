"""What is known of a number before its call is answered: its entry in the lists, its tag, and its earlier calls.

The store may be slow or gone. It is asked in a thread, for a moment only; without an answer the lists as they were
read last still count, and the number has no history.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from detector.call import NumberHistory, NumberTag
from detector.clock import Clock
from detector.errors import where
from detector.stores.lists import ListEntry, Lists, ListVerdict
from detector.stores.store import Store

__all__ = ["Known", "KnownNumbers"]

log = logging.getLogger(__name__)

LISTS_SECONDS = 5.0
"""How long the lists in the store are believed before they are read again: the user may change them while we run."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one number."""

    verdict: ListVerdict | None
    """Of the lists; None where they have no entry for it."""
    history: NumberHistory
    tag: NumberTag | None = None


class KnownNumbers:
    """Asks lists and store. `entries` are those of the configuration's files; `patience` is in seconds."""

    def __init__(
        self,
        store: Store,
        entries: tuple[ListEntry, ...],
        clock: Clock,
        wall_clock: Callable[[], datetime],
        patience: float = 0.5,
    ) -> None:
        self._store = store
        self._entries = entries
        self._clock = clock
        self._wall_clock = wall_clock
        self._patience = patience
        self._lists = Lists(entries)
        self._read_at: float | None = None

    async def look_up(self, number: str | None) -> Known:
        """Return what is known of `number`, at the latest after `patience`; never raises."""
        history = NumberHistory()
        try:
            async with asyncio.timeout(self._patience):
                history = await asyncio.to_thread(self._ask, number)
        except Exception as error:  # noqa: BLE001 - a broken store must not keep a caller waiting
            log.error("the store does not tell what it knows of a number (%s)", where(error))  # noqa: TRY400
        entry, tagged = self._lists.find(number), self._lists.tagged(number)
        tag = None if tagged is None or tagged.tag is None else NumberTag(tagged.tag, tagged.owner == "own")
        return Known(None if entry is None else entry.verdict, history, tag)

    def _ask(self, number: str | None) -> NumberHistory:
        """Read what is in the store; runs in a thread."""
        now = self._clock.now()
        if self._read_at is None or now - self._read_at > LISTS_SECONDS:
            self._lists = self._store.lists(self._entries)
            self._read_at = now
        return self._store.history(number, self._wall_clock())
