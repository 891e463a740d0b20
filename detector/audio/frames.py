"""Frames: caller audio with the media time that it belongs to, and cutting it into equal blocks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK_SAMPLES", "BLOCK_SECONDS", "SAMPLE_RATE", "Frame", "FrameBlocker", "Samples"]

SAMPLE_RATE = 8000
"""Hz: the telephone's rate, and the engine's."""
BLOCK_SAMPLES = 160
BLOCK_SECONDS = BLOCK_SAMPLES / SAMPLE_RATE
"""20 ms: what a SIP worker delivers, and the step in which the engine moves on."""

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of caller audio of any length.

    `samples`: int16, shape (n,), mono, 8 kHz. `media_time`: seconds after answer of the first sample.
    """

    samples: Samples
    media_time: float

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


class FrameBlocker:
    """Cuts audio that comes in pieces of any size into blocks of 20 ms; a remainder waits for more."""

    def __init__(self, block_samples: int = BLOCK_SAMPLES) -> None:
        self._block_samples = block_samples
        self._pieces: list[Samples] = []
        self._waiting = 0

    @property
    def missing(self) -> int:
        """How many samples more complete the next block."""
        return self._block_samples - self._waiting

    def push(self, samples: Samples) -> Iterator[Samples]:
        """Take `samples` (int16, shape (n,)) and yield each block that is now complete."""
        waiting = self._waiting + len(samples)
        self._pieces.append(samples)
        self._waiting = waiting % self._block_samples
        if waiting < self._block_samples:
            return
        joined = np.concatenate(self._pieces) if len(self._pieces) > 1 else samples
        whole = waiting - self._waiting
        self._pieces = [joined[whole:]] if self._waiting else []
        for start in range(0, whole, self._block_samples):
            yield joined[start : start + self._block_samples]
