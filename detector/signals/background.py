"""The background of a call: its level in equal cells of time, and the floor of it."""

import math
from collections import deque

import numpy as np

__all__ = ["CELL_SECONDS", "BackgroundFloor", "LevelCells"]

CELL_SECONDS = 0.2
_FLOOR_PERCENTILE = 20.0


class LevelCells:
    """Levels of equal cells of 0.2 s, whatever the lengths of what goes in; the last `longest` of them."""

    def __init__(self, longest: int) -> None:
        self.levels: deque[float] = deque(maxlen=longest)
        self._power = 0.0
        self._seconds = 0.0

    def push(self, seconds: float, level: float) -> bool:
        """Return whether a cell has become complete."""
        power = 10.0 ** (level / 10.0)
        complete = False
        while self._seconds + seconds >= CELL_SECONDS - 1e-9:
            part = CELL_SECONDS - self._seconds
            mean = (self._power + power * part) / CELL_SECONDS
            self.levels.append(10.0 * math.log10(max(mean, 1e-10)))
            complete = True
            seconds = max(0.0, seconds - part)
            self._power = self._seconds = 0.0
        self._power += power * seconds
        self._seconds += seconds
        return complete


class BackgroundFloor:
    """The level of a background: a low percentile of what was heard without speech, a few seconds of it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.level = 0.0
        """dBFS; 0 before anything was heard."""
        self._cells = LevelCells(longest=40)

    def push(self, seconds: float, level: float) -> None:
        self.seconds += seconds
        if self._cells.push(seconds, level):
            self.level = float(np.percentile(list(self._cells.levels), _FLOOR_PERCENTILE))
