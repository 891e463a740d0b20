"""Foreground: whether speech is the caller's own, or somebody's in the room behind him.

A voice detector calls the murmur of a call centre, a television or people at the next table speech, too, and rightly.
The caller is the loudest: what stays clearly below the level of his own speech, as heard so far, is background.
"""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass

__all__ = ["Foreground", "ForegroundOptions"]


@dataclass(frozen=True, slots=True)
class ForegroundOptions:
    """Levels in dB, durations in windows of voice activity (32 ms)."""

    below: float = 11.0
    """Speech this far below the caller's level is background. Murmur 15 dB down has peaks 4 dB above its mean."""
    smoothing: int = 6
    """The loudest of so many windows counts: syllables have gaps."""
    memory: int = 160
    """Windows of speech that the caller's level is taken from (5 s)."""
    share: float = 0.2
    """His level is what this share of them exceeds."""


class Foreground:
    """Fed one window at a time, in order."""

    def __init__(self, options: ForegroundOptions | None = None) -> None:
        self._options = options or ForegroundOptions()
        self._recent: deque[float] = deque(maxlen=self._options.smoothing)
        self._speech: deque[float] = deque()
        self._ordered: list[float] = []
        self._level: float | None = None

    @property
    def level(self) -> float | None:
        """DBFS of the caller's speech so far; None before any."""
        return self._level

    def is_foreground(self, level: float) -> bool:
        """Take the level (dBFS) of a window that a voice detector calls speech."""
        self._recent.append(level)
        loudest = max(self._recent)
        if self._level is not None and loudest < self._level - self._options.below:
            return False
        if len(self._speech) == self._options.memory:
            del self._ordered[bisect_left(self._ordered, self._speech.popleft())]
        self._speech.append(loudest)
        insort(self._ordered, loudest)
        self._level = self._ordered[-1 - int(self._options.share * len(self._ordered))]
        return True

    def pause(self, level: float) -> None:
        """Take the level of a window without speech."""
        self._recent.append(level)
