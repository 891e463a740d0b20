"""Trimming a stretch of speech and splitting it at its pauses, by level.

Whisper ends its text at a pause and drops what follows, or says it twice: a stretch is split where it pauses.
A piece must hold enough speech to be recognized, for of a breath whisper makes a word.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE, Samples

__all__ = ["SplitOptions", "split_speech", "trim_silence"]

_STEPS_PER_SECOND = 50
_STEP = SAMPLE_RATE // _STEPS_PER_SECOND
_LOUD_PERCENTILE = 95
_BELOW_SPEECH = 35.0
"""dB: what lies further below the loud parts is silence."""
_KEPT = 0.1
"""Seconds left at both ends: the first and last consonants are soft."""
_IDLE_LINE = -71.0
"""dBFS: A-law has no quieter sound than one step around zero, -72 dBFS."""
_Span = tuple[int, int]
"""Steps of 20 ms, end excluded."""


@dataclass(frozen=True, slots=True)
class SplitOptions:
    pause: float = 0.3
    """Seconds of silence that split."""
    pause_below: float = 30.0
    """dB below the loud parts: what lies between counts as a pause."""
    shortest: float = 0.8
    """Seconds of a piece, at least."""
    longest: float = 25.0
    """Seconds of a piece, at most; longer ones are cut where their second half is quietest."""


def trim_silence(samples: Samples) -> Samples:
    """Return `samples` (int16, shape (n,), 8 kHz) without silence at both ends; all of it may go."""
    speech = np.flatnonzero(_is_loud(_levels(samples), _BELOW_SPEECH))
    if not len(speech):
        return samples[:0]
    kept = round(_KEPT * SAMPLE_RATE)
    start = max(0, int(speech[0]) * _STEP - kept)
    return samples[start : (int(speech[-1]) + 1) * _STEP + kept]


def split_speech(samples: Samples, options: SplitOptions) -> Iterator[Samples]:
    """Yield the pieces between the pauses of `samples` (int16, shape (n,), 8 kHz), each trimmed."""
    levels = _levels(samples)
    loud = _is_loud(levels, options.pause_below)
    # Of speech this soft the line carries no soft sounds: they look like pauses.
    faint = not len(levels) or _loudness(levels) - options.pause_below < _IDLE_LINE
    spans = [(0, len(levels))] if faint else _between_pauses(loud, options.pause)
    for start, end in _long_enough(spans, options.shortest):
        for first, last in _cut_long(levels, start, end, round(options.longest * _STEPS_PER_SECOND)):
            piece = trim_silence(samples[first * _STEP : last * _STEP])
            if len(piece):
                yield piece


def _between_pauses(loud: NDArray[np.bool_], pause: float) -> list[_Span]:
    """Return the spans between the middles of pauses of at least `pause` seconds."""
    heard = np.flatnonzero(loud)
    gaps = np.flatnonzero(np.diff(heard) > pause * _STEPS_PER_SECOND)
    middles = [(int(heard[gap]) + 1 + int(heard[gap + 1])) // 2 for gap in gaps]
    return list(zip([0, *middles], [*middles, len(loud)], strict=True))


def _long_enough(spans: Sequence[_Span], shortest: float) -> Iterator[_Span]:
    """Yield the spans, those too short joined with what follows, at the end with what came before."""
    least = shortest * _STEPS_PER_SECOND
    start = spans[0][0]
    pending: _Span | None = None
    for _, end in spans:
        if end - start < least:
            continue
        if pending is not None:
            yield pending
        pending, start = (start, end), end
    begun = start if pending is None else pending[0]
    yield begun, spans[-1][1]


def _cut_long(levels: NDArray[np.float64], start: int, end: int, longest: int) -> Iterator[_Span]:
    while end - start > longest:
        searched = levels[start + longest // 2 : start + longest]
        smooth = np.convolve(searched, np.ones(10) / 10, mode="same")  # a pause, not a gap within a word
        cut = start + longest // 2 + int(np.argmin(smooth))
        yield start, cut
        start = cut
    yield start, end


def _is_loud(levels: NDArray[np.float64], below: float) -> NDArray[np.bool_]:
    """Tell which steps lie at most `below` dB under the loud ones."""
    if not len(levels):
        return np.zeros(0, np.bool_)
    return np.asarray(levels > max(_loudness(levels) - below, _IDLE_LINE))


def _loudness(levels: NDArray[np.float64]) -> float:
    """Return the level of the loud parts in dBFS."""
    return float(np.percentile(levels, _LOUD_PERCENTILE))


def _levels(samples: Samples) -> NDArray[np.float64]:
    """Return the level of each 20 ms in dBFS; a remainder counts as one more."""
    padded = np.pad(samples, (0, -len(samples) % _STEP)).astype(np.float64).reshape(-1, _STEP)
    return np.asarray(10 * np.log10((padded**2).mean(axis=1) / 32768**2 + 1e-12))
