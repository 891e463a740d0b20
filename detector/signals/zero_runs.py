"""Stretches in which a line carries nothing at all: the same idle value, sample after sample."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE, Samples

__all__ = ["ZeroRuns"]

_IDLE: Final = 8
"""A-law has no zero: its silence decodes to a constant 8 or -8."""


class ZeroRuns:
    """Finds long runs of one idle value, whatever the size of the pieces.

    It looks at a second of audio at once and costs a hundredth of a millisecond for it.
    """

    def __init__(self, least_samples: int) -> None:
        self._least = least_samples
        self._pieces: list[Samples] = []
        self._pending = 0
        self._position = 0
        self._value = 0
        self._run = 0
        self._found: list[tuple[float, float]] = []

    def push(self, samples: Samples) -> None:
        """Take `samples` (int16, shape (n,)), which follow the last ones."""
        self._pieces.append(samples)
        self._pending += len(samples)
        if self._pending >= SAMPLE_RATE:
            self._scan()

    def take(self) -> list[tuple[float, float]]:
        """Return the runs that have ended since the last time: where each began, and its length, in seconds."""
        self._scan()
        found, self._found = self._found, []
        return found

    def _scan(self) -> None:
        if not self._pending:
            return
        samples = np.concatenate(self._pieces)
        same = samples[1:] == samples[:-1]
        if same.all() or self._may_hold_a_run(same):
            self._find_runs(samples, same)
        else:
            lead, trail = int(same.argmin()) + 1, int(same[::-1].argmin()) + 1
            goes_on = lead if int(samples[0]) == self._value else 0
            self._end(self._position + goes_on, self._run + goes_on)
            self._value, self._run = int(samples[-1]), trail
        self._position += len(samples)
        self._pieces, self._pending = [], 0

    def _may_hold_a_run(self, same: NDArray[np.bool_]) -> bool:
        """Whether one of the blocks is of equal samples throughout: a long run holds one, speech none."""
        block = self._least // 2
        whole = len(same) // block * block
        return bool(same[:whole].reshape(-1, block).all(axis=1).any())

    def _find_runs(self, samples: Samples, same: NDArray[np.bool_]) -> None:
        edges = np.flatnonzero(~same) + 1
        begins = np.concatenate([[0], edges])
        ends = np.concatenate([edges, [len(samples)]])
        if int(samples[0]) == self._value:
            begins[0] -= self._run
        else:
            self._end(self._position, self._run)
        for at in np.flatnonzero(ends[:-1] - begins[:-1] >= self._least):
            self._value = int(samples[max(0, begins[at])])
            self._end(self._position + int(ends[at]), int(ends[at] - begins[at]))
        self._value, self._run = int(samples[-1]), int(ends[-1] - begins[-1])

    def _end(self, end: int, length: int) -> None:
        if length >= self._least and abs(self._value) <= _IDLE:
            self._found.append(((end - length) / SAMPLE_RATE, length / SAMPLE_RATE))
