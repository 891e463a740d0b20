"""Levels: how loud, how quiet the floor is and where it jumps, and silence that no microphone makes.

Levels are dBFS: 0 is the loudest square wave of int16, a full-scale sine has -3.0. Silence has FLOOR_DBFS.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detector.audio.frames import BLOCK_SECONDS, SAMPLE_RATE, FrameBlocker, Samples

__all__ = [
    "FLOOR_DBFS",
    "DigitalSilence",
    "DigitalSilenceMeter",
    "FloorStep",
    "NoiseFloor",
    "is_digital_silence",
    "levels_dbfs",
    "peak_dbfs",
    "rms_dbfs",
]

FLOOR_DBFS = -96.0
"""What silence is said to have: a little below one least bit of 16."""
_FULL_POWER = 32768.0**2
_IDLE = 8
"""A-law has no zero: its silence decodes to a constant 8 or -8."""


def _to_dbfs(power: float) -> float:
    return max(FLOOR_DBFS, 10 * math.log10(power / _FULL_POWER)) if power > 0 else FLOOR_DBFS


def _power(samples: Samples) -> float:
    """Return the mean square of `samples` (not empty), whose constant part is no sound and left out."""
    values = samples.astype(np.float32)
    values -= np.add.reduce(values) / np.float32(len(values))
    return float(np.vdot(values, values)) / len(values)


def rms_dbfs(samples: Samples) -> float:
    """Return the level in dBFS of `samples` (int16, shape (n,)) without its constant part."""
    return _to_dbfs(_power(samples)) if len(samples) else FLOOR_DBFS


def levels_dbfs(windows: Samples) -> list[float]:
    """Return `rms_dbfs` of each row of `windows` (int16, shape (rows, n)), in one go."""
    values = windows.astype(np.float32)
    values -= np.add.reduce(values, axis=1, keepdims=True) / np.float32(values.shape[1])
    powers = np.einsum("ij,ij->i", values, values) / np.float32(values.shape[1])
    return [_to_dbfs(power) for power in powers.tolist()]


def peak_dbfs(samples: Samples) -> float:
    """Return the level in dBFS of the sample in `samples` (int16, shape (n,)) that is farthest from zero."""
    return _to_dbfs(float(np.abs(samples.astype(np.int32)).max()) ** 2) if len(samples) else FLOOR_DBFS


def is_digital_silence(samples: Samples) -> bool:
    """Tell whether `samples` (int16, shape (n,)) are the very same idle value throughout.

    A muted or generated line, or a pause between two clips; a microphone always has a bit of noise.
    """
    return bool(len(samples)) and abs(int(samples[0])) <= _IDLE and bool(np.all(samples == samples[0]))


@dataclass(frozen=True, slots=True)
class DigitalSilence:
    """A stretch of digital silence that has ended. Seconds of media time, exact to a sample."""

    media_time: float
    seconds: float


class DigitalSilenceMeter:
    """Finds stretches of digital silence, whatever the size of the pieces."""

    def __init__(self, least_seconds: float = 0.1, start: float = 0.0) -> None:
        """`start`: media time of the first sample to come."""
        self._least = round(least_seconds * SAMPLE_RATE)
        self._start = start
        self._position = 0
        self._value = 0
        self._run = 0
        self._until = 0

    @property
    def seconds(self) -> float:
        """How long it has been silent up to now; 0 where the last sample was not."""
        return self._run / SAMPLE_RATE

    def push(self, samples: Samples) -> Iterator[DigitalSilence]:
        """Take `samples` (int16, shape (n,)) and yield every stretch that has ended in them."""
        if not len(samples):
            return
        is_short = len(samples) < self._least
        if is_short and not self._run and abs(int(samples[0])) > _IDLE and abs(int(samples[-1])) > _IDLE:
            # Nothing goes on and nothing begins, and what lies between is too short: most blocks of a call.
            self._position += len(samples)
            return
        bounds = np.concatenate([[0], np.flatnonzero(np.diff(samples)) + 1, [len(samples)]])
        lengths = np.diff(bounds)
        # Only the first, the last and the long stretches matter; in speech nearly every sample is one.
        matters = np.flatnonzero(lengths >= self._least).tolist()
        for part in sorted({0, len(lengths) - 1, *matters}):
            yield from self._take(int(samples[bounds[part]]), int(bounds[part]), int(lengths[part]))
        self._position += len(samples)

    def _take(self, value: int, begin: int, length: int) -> Iterator[DigitalSilence]:
        """Take a stretch of equal samples that begins `begin` samples after the last push."""
        start = self._position + begin
        if self._run and value == self._value and start == self._until:
            self._run += length
        else:
            yield from self._ended()
            self._value = value
            self._run = length if abs(value) <= _IDLE else 0
        self._until = start + length

    def flush(self) -> Iterator[DigitalSilence]:
        """Yield the stretch that the audio ends in, if there is one."""
        yield from self._ended()
        self._run = 0

    def _ended(self) -> Iterator[DigitalSilence]:
        if self._run >= self._least:
            begin = self._until - self._run
            yield DigitalSilence(self._start + begin / SAMPLE_RATE, self._run / SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class FloorStep:
    """The background changed from one steady level to another (dBFS).

    `media_time`: seconds, about where the new level began (to 0.4 s).
    """

    media_time: float
    from_dbfs: float
    to_dbfs: float


class NoiseFloor:
    """Follows the level of the background under the speech: minimum statistics.

    Every 0.4 s the quietest 60 ms in it count; the floor is the lowest of the last four such minima. It has
    settled when those four lie within 3 dB of each other and a fifth of the 1.6 s lies within 4 dB above it:
    background noise stays at its floor wherever nobody speaks, speech only touches its own. Two settled
    floors that differ by 6 dB or more make a step. After R. Martin, Noise Power Spectral Density Estimation
    Based on Optimal Smoothing and Minimum Statistics (IEEE TSAP 9/5, 2001), with fixed smoothing.
    """

    SEGMENT_BLOCKS = 20
    SEGMENTS = 4
    SMOOTHING_BLOCKS = 3
    SETTLED_DB = 3.0
    NEAR_DB = 4.0
    NEAR_SHARE = 0.2
    STEP_DB = 6.0

    def __init__(self, start: float = 0.0) -> None:
        """`start`: media time of the first sample to come."""
        self._blocker = FrameBlocker()
        self._powers: deque[float] = deque(maxlen=self.SMOOTHING_BLOCKS)
        self._smoothed: deque[float] = deque(maxlen=self.SEGMENTS * self.SEGMENT_BLOCKS)
        self._minima: deque[float] = deque(maxlen=self.SEGMENTS)
        self._start = start
        self._blocks = 0
        self._lowest = math.inf
        self._settled: float | None = None

    @property
    def dbfs(self) -> float | None:
        """The floor in dBFS; None until the first 0.4 s have been heard."""
        return min(self._minima) if self._minima else None

    @property
    def settled_dbfs(self) -> float | None:
        """The last floor that was steady for 1.6 s, in dBFS; None until there was one."""
        return self._settled

    def push(self, samples: Samples) -> Iterator[FloorStep]:
        """Take `samples` (int16, shape (n,)) and yield each step of the floor that they complete."""
        for block in self._blocker.push(samples):
            self._powers.append(_power(block))
            self._blocks += 1
            if len(self._powers) == self.SMOOTHING_BLOCKS:
                self._smoothed.append(sum(self._powers) / self.SMOOTHING_BLOCKS)
                self._lowest = min(self._lowest, self._smoothed[-1])
            if self._blocks % self.SEGMENT_BLOCKS == 0:
                yield from self._segment_ended()

    def _segment_ended(self) -> Iterator[FloorStep]:
        self._minima.append(_to_dbfs(self._lowest))
        self._lowest = math.inf
        if not self._has_settled():
            return
        floor = sum(self._minima) / self.SEGMENTS
        before = self._settled
        if before is None or abs(floor - before) >= self.STEP_DB:
            self._settled = floor
            if before is not None:
                began = self._blocks - self.SEGMENTS * self.SEGMENT_BLOCKS
                yield FloorStep(self._start + began * BLOCK_SECONDS, before, floor)
        else:
            # Follow slow drift, so that only a jump is a step.
            self._settled = before + 0.25 * (floor - before)

    def _has_settled(self) -> bool:
        if len(self._minima) < self.SEGMENTS or max(self._minima) - min(self._minima) > self.SETTLED_DB:
            return False
        near = min(self._smoothed) * 10 ** (self.NEAR_DB / 10)
        return sum(power <= near for power in self._smoothed) >= self.NEAR_SHARE * len(self._smoothed)
