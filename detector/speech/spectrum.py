"""The log mel spectrum of speech in a window of silence, as whisper wants it."""

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE, Samples

__all__ = ["Extractor", "window_spectrum"]

_WHISPER_RATE = 16_000
"""Hz: what whisper was trained on."""
_FRAME = 160
"""Samples: 10 ms."""
_SILENT_FRAMES = 4
"""An analysis window spans two and a half, and the end is mirrored."""


class Extractor(Protocol):
    """faster_whisper.feature_extractor.FeatureExtractor."""

    def __call__(self, waveform: NDArray[np.float32], padding: int) -> NDArray[Any]: ...


def window_spectrum(
    extractor: Extractor, speech: Samples, seconds: float, lead: float
) -> NDArray[np.float32]:
    """Return the spectrum of `speech` (int16, shape (n,), 8 kHz) in a window: float32, shape (1, bands, frames).

    The window is `seconds` long in all, with `lead` seconds of silence before the speech; what of it does not fit is
    cut off. The frames behind the speech are all the same, so one of them is worked out.
    """
    import soxr  # noqa: PLC0415 - loaded with the model

    sound = soxr.resample(speech.astype(np.float32) / 32768, SAMPLE_RATE, _WHISPER_RATE)
    start = round(lead * _WHISPER_RATE)
    frames = round(seconds * _WHISPER_RATE / _FRAME)
    needed = min(frames, math.ceil((start + len(sound)) / _FRAME) + _SILENT_FRAMES)
    padded = np.zeros(needed * _FRAME, np.float32)
    room = padded[start : start + len(sound)]
    room[:] = sound[: len(room)]
    mel = extractor(padded, padding=0)[:, :needed]
    return np.pad(mel, ((0, 0), (0, frames - needed)), mode="edge")[None].astype(np.float32, copy=False)
