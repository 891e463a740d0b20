"""The same audio twice in one call: what a recording does and a person cannot."""

from typing import Final

import numpy as np

from detector.signals.landmarks import FRAMES_PER_SECOND, STEPS, Landmarks, Peaks
from detector.signals.matching import HashIndex, Stretch, best_match

__all__ = ["SelfMatcher"]

_MIN_LAG: Final = 1.5
"""Seconds: a vowel, a tone or a hum resembles itself a moment ago."""
_MAX_STRETCHES: Final = 4
_KEPT_SECONDS: Final = 600.0


class SelfMatcher:
    """Compares each stretch of speech with the call before it."""

    def __init__(self) -> None:
        self._peaks: Peaks = np.zeros((0, 4), np.int32)
        self._index = HashIndex(np.zeros(0, np.uint32), np.zeros(0, np.int32))
        self._heard_until = 0.0

    def hear(self, landmarks: Landmarks) -> list[Stretch]:
        """Return the stretches of `landmarks` that the call has held before, and remember it.

        Successive calls may overlap: nothing is compared with itself.
        """
        self._remember(landmarks.between(self._heard_until, landmarks.end))
        return self._repeats(landmarks)

    def _remember(self, new: Landmarks) -> None:
        self._heard_until = max(self._heard_until, new.end)
        oldest = int((self._heard_until - _KEPT_SECONDS) * FRAMES_PER_SECOND)
        if len(self._peaks) and self._peaks[0, 0] < (oldest - 60 * FRAMES_PER_SECOND) * STEPS:
            self._index = self._index.since(oldest)
            self._peaks = self._peaks[self._peaks[:, 0] >= oldest * STEPS]
        self._index = self._index.merged(HashIndex.of(new))
        self._peaks = np.concatenate([self._peaks, new.peaks])

    def _repeats(self, landmarks: Landmarks) -> list[Stretch]:
        repeats: list[Stretch] = []
        while len(repeats) < _MAX_STRETCHES:
            match = best_match(landmarks, self._peaks, self._index, latest=-_MIN_LAG)
            if match is None or not match.is_same_recording:
                break
            repeats.append(match)
            landmarks = landmarks.without(match.start, match.end)
        return repeats
