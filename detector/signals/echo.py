"""Echo of the agent: its own words, coming back softer and late on the caller's channel.

Which prompt is played, and since when, is known, so the delay is all that is sought: the one at which most peaks
of the caller's channel fall on peaks of the prompt. Of an echo alone half to all of them do, even at -35 dB with
noise; of a voice that speaks over the prompt one in ten does, by chance, for an echo under a voice leaves no peaks
of its own. What a voice covers is the voice's.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.signals.landmarks import FRAMES_PER_SECOND, STEPS, Landmarks, Peaks

__all__ = ["ECHO_DEPTH_DB", "EchoFinder"]

Flags = NDArray[np.bool_]

_EARLIEST: Final = -0.1
"""Seconds: the start of a prompt is reported by another clock than that of the audio."""
_LATEST: Final = 1.5
"""Two ways through the network, with their buffers."""
ECHO_DEPTH_DB: Final = 20
"""Weaker peaks are noise as often as echo."""
_NEAR_BINS: Final = 6
"""Eighths of a bin: 12 Hz."""
_NEAR_STEPS: Final = STEPS + STEPS // 2
"""15 ms: the delay is counted in whole frames."""
_HIT, _MISS = 1.0, -0.6
"""What a peak says for an echo. A voice that is no echo loses 0.44 a peak."""
_LEAST_SCORE: Final = 6.0
_MOST_STRETCHES: Final = 4
_MARGIN: Final = 0.15
"""Seconds before the first peak and after the last one that a stretch of echo sounds."""


class EchoFinder:
    """Remembers what the agent plays, and finds it in what is heard. Times are seconds after answer."""

    def __init__(self) -> None:
        self._played: list[tuple[float, Landmarks]] = []

    def prompt_started(self, prompt: Landmarks, now: float) -> None:
        """The agent began at `now` to play what looks like `prompt`, whose times count from its own start."""
        self._played.append((now, prompt))

    def spans(self, heard: Landmarks) -> list[tuple[float, float]]:
        """Return the parts of `heard`, within its start and end, in which only an echo sounds."""
        peaks = heard.peaks[heard.peaks[:, 2] <= ECHO_DEPTH_DB]
        found: list[tuple[float, float]] = []
        for began, prompt in self._played:
            if heard.end < began + _EARLIEST or heard.start > began + prompt.end + _LATEST:
                continue
            found += _stretches(peaks[:, 0], _hits(peaks, prompt.peaks, began))
        return [(max(heard.start, start), min(heard.end, end)) for start, end in found]


def _hits(heard: Peaks, prompt: Peaks, began: float) -> Flags:
    """Return which of `heard` fall on a peak of the prompt, at the delay at which most do."""
    earliest, latest = ((began + delay) * FRAMES_PER_SECOND * STEPS for delay in (_EARLIEST, _LATEST))
    near = np.abs(heard[:, None, 1] - prompt[:, 1]) <= _NEAR_BINS
    late = heard[:, None, 0] - prompt[:, 0]
    near &= (late >= earliest) & (late <= latest)
    lags = late[near]
    if len(lags) == 0:
        return np.zeros(len(heard), np.bool_)
    frames = (lags - int(earliest)) // STEPS
    votes = np.convolve(np.bincount(frames), (1, 1, 1), "same")
    middle = (int(votes.argmax()) + 0.5) * STEPS + int(earliest)
    hits: Flags = (near & (np.abs(late - middle) <= _NEAR_STEPS)).any(axis=1)
    return hits


def _stretches(times: NDArray[np.int32], hits: Flags) -> list[tuple[float, float]]:
    """Return the stretches in which hits outweigh misses, from a first hit to a last one."""
    found: list[tuple[float, float]] = []
    gained = np.where(hits, _HIT, _MISS)
    while len(found) < _MOST_STRETCHES and len(gained):
        sums = np.concatenate([[0.0], np.cumsum(gained)])
        gains = sums - np.minimum.accumulate(sums)
        last = int(gains.argmax())
        if gains[last] < _LEAST_SCORE:
            break
        first = int(sums[: last + 1].argmin())
        start, end = (float(times[at]) / (STEPS * FRAMES_PER_SECOND) for at in (first, last - 1))
        found.append((start - _MARGIN, end + _MARGIN))
        gained[first:last] = _LEAST_SCORE * _MISS
    return found
