"""Changing the sample rate, whole or in pieces, by soxr.

Samples are int16 in and out. soxr works on float32 in between: its own int16 output is dithered, and two
runs would differ.
"""

import numpy as np
import soxr
from numpy.typing import NDArray

from detector.audio.frames import Samples

__all__ = ["StreamResampler", "resample", "to_int16"]

_FULL_SCALE = 32768.0


def to_int16(samples: NDArray[np.float32]) -> Samples:
    """Round `samples` (float32, 1.0 is full scale, any shape) to int16; what is too loud is clipped.

    What is no number becomes silence.
    """
    scaled = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0) * np.float32(_FULL_SCALE)
    clipped: Samples = np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)
    return clipped


def _to_float(samples: Samples) -> NDArray[np.float32]:
    return samples.astype(np.float32) / np.float32(_FULL_SCALE)


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Return `samples` (int16, shape (n,) or (n, channels)) at `to_rate` Hz, the same shape but for n."""
    if from_rate == to_rate or not len(samples):
        return samples.copy()
    return to_int16(soxr.resample(_to_float(samples), from_rate, to_rate, quality=soxr.HQ))


class StreamResampler:
    """Changes the rate of audio that comes in pieces; how it was cut does not change a sample.

    The filter holds some audio back, so output comes late by a few milliseconds; `flush` gives the rest.
    """

    def __init__(self, from_rate: int, to_rate: int, channels: int = 1) -> None:
        self._channels = channels
        self._stream = (
            None
            if from_rate == to_rate
            else soxr.ResampleStream(from_rate, to_rate, channels, dtype="float32", quality=soxr.HQ)
        )

    def push(self, samples: Samples) -> Samples:
        """Take `samples` (int16, shape (n,), or (n, channels)); return what is ready, in the same form."""
        return samples.copy() if self._stream is None else self._run(_to_float(samples), last=False)

    def push_float(self, samples: NDArray[np.float32]) -> Samples:
        """Like `push`, for float32 samples where 1.0 is full scale."""
        return to_int16(samples) if self._stream is None else self._run(samples, last=False)

    def flush(self) -> Samples:
        """Return what the filter still held; nothing may be pushed after it."""
        shape = (0,) if self._channels == 1 else (0, self._channels)
        if self._stream is None:
            return np.zeros(shape, np.int16)
        return self._run(np.zeros(shape, np.float32), last=True)

    def _run(self, samples: NDArray[np.float32], *, last: bool) -> Samples:
        assert self._stream is not None  # noqa: S101 - tells the type checker what push and flush have seen to
        cleaned = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
        return to_int16(self._stream.resample_chunk(cleaned, last=last))
