"""Foreground: whether speech is the caller's own, or somebody's in the room behind him.

A voice detector calls the murmur of a call centre, a television or people at the next table speech, too, and rightly.
The caller is the loudest: what stays clearly below the level of his own speech, as heard so far, is background. Where
the room is loud itself, so that his pauses are hardly quieter than his words, less of a distance is asked for.
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
    least_below: float = 7.5
    """The same in a loud room. Of the caller's speech 7 % of the windows are that quiet, of a murmur 8 dB down 96 %."""
    above_room: float = 4.5
    """How far above the level of the room such speech may be, and still be background."""
    room_below: float = 5.0
    """A "room" that comes nearer to the caller's level, with `above_room`, is his own voice without a pause."""
    room_memory: int = 250
    """Windows that the level of the room is taken from (8 s): few speak that long without a pause."""
    room_known: int = 100
    """Windows after which that level is taken for one."""
    room_share: float = 0.05
    """It is what all but this share of them exceed."""
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
        self._speech = _Levels(self._options.memory)
        self._room = _Levels(self._options.room_memory)
        self._level: float | None = None

    @property
    def level(self) -> float | None:
        """DBFS of the caller's speech so far; None before any."""
        return self._level

    def is_foreground(self, level: float) -> bool:
        """Take the level (dBFS) of a window that a voice detector calls speech."""
        loudest = self._loudest(level)
        if self._level is not None and loudest < self._limit(self._level):
            return False
        self._speech.add(loudest)
        ordered = self._speech.ordered
        self._level = ordered[-1 - int(self._options.share * len(ordered))]
        return True

    def pause(self, level: float) -> None:
        """Take the level of a window without speech."""
        self._loudest(level)

    def _loudest(self, level: float) -> float:
        self._recent.append(level)
        loudest = max(self._recent)
        self._room.add(loudest)
        return loudest

    def _limit(self, callers: float) -> float:
        """The level below which speech is background."""
        options, ordered = self._options, self._room.ordered
        limit = callers - options.below
        if len(ordered) < options.room_known:
            return limit
        in_room = ordered[int(options.room_share * len(ordered))] + options.above_room
        if in_room > callers - options.room_below:
            return limit
        return max(limit, min(in_room, callers - options.least_below))


class _Levels:
    """The last `size` levels, sorted."""

    def __init__(self, size: int) -> None:
        self.ordered: list[float] = []
        self._size = size
        self._levels: deque[float] = deque()

    def add(self, level: float) -> None:
        if len(self._levels) == self._size:
            del self.ordered[bisect_left(self.ordered, self._levels.popleft())]
        self._levels.append(level)
        insort(self.ordered, level)
