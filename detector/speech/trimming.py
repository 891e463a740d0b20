"""Trimming and splitting a stretch of speech by its level."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE, Samples

__all__ = ["split_at_quiet", "trim_silence"]

_STEP = SAMPLE_RATE // 50
_LOUD_PERCENTILE = 95
_BELOW_SPEECH = 35.0
"""dB: what lies further below the loud parts is silence."""
_KEPT = 0.1
"""Seconds left at both ends: the first and last consonants are soft."""
_NEVER_SPEECH = -65.0
"""dBFS: below it not even a whisper is left of speech in A-law."""


def trim_silence(samples: Samples) -> Samples:
    """Return `samples` (int16, shape (n,), 8 kHz) without silence at both ends; all of it may go."""
    levels = _levels(samples)
    if not len(levels):
        return samples[:0]
    loud = float(np.percentile(levels, _LOUD_PERCENTILE))
    threshold = max(loud - _BELOW_SPEECH, _NEVER_SPEECH)
    speech = np.flatnonzero(levels > threshold)
    if not len(speech):
        return samples[:0]
    kept = round(_KEPT * SAMPLE_RATE)
    start = max(0, int(speech[0]) * _STEP - kept)
    return samples[start : (int(speech[-1]) + 1) * _STEP + kept]


def split_at_quiet(samples: Samples, longest: float) -> Iterator[Samples]:
    """Yield `samples` in pieces of at most `longest` seconds, each cut where its second half is quietest."""
    most = round(longest * SAMPLE_RATE)
    while len(samples) > most:
        window = _levels(samples[most // 2 : most])
        smooth = np.convolve(window, np.ones(10) / 10, mode="same")  # a pause, not a gap within a word
        cut = most // 2 + int(np.argmin(smooth)) * _STEP
        yield samples[:cut]
        samples = samples[cut:]
    yield samples


def _levels(samples: Samples) -> NDArray[np.float64]:
    """Return the level of each 20 ms in dBFS; a remainder counts as one more."""
    padded = np.pad(samples, (0, -len(samples) % _STEP)).astype(np.float64).reshape(-1, _STEP)
    return np.asarray(10 * np.log10((padded**2).mean(axis=1) / 32768**2 + 1e-12))
