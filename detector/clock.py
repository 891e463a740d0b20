"""Clocks: the only places that know what time it is.

The engine reads none. A driver passes `now`, in seconds since the call was answered, to everything it calls.
"""

import time
from typing import Protocol

__all__ = ["Clock", "SystemClock", "VirtualClock"]


class Clock(Protocol):
    def now(self) -> float:
        """Return seconds since an arbitrary start; never goes back."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        return time.monotonic()


class VirtualClock:
    """A clock that moves when it is told to, for tests of whatever takes a clock."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance_to(self, when: float) -> None:
        """Move to `when` (seconds); an earlier time is ignored, for a clock never goes back."""
        self._now = max(self._now, when)
