"""Acoustic fingerprints of telephone audio: the peaks of its spectrogram.

The idea is that of music recognizers (A. Wang, "An industrial-strength audio search algorithm", ISMIR 2003):
the strongest points of a spectrogram survive codecs, noise and lost packets, and two of them with the time
between them name a place in a recording almost uniquely. Speech wants finer steps than music: a frame every
10 ms, lines of 15.6 Hz, and both interpolated, so that the same words said again do not look the same.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.signals.landmarks import (
    FRAMES_PER_SECOND,
    HOP_SAMPLES,
    STEPS,
    TURN,
    TURNS_PER_STEP,
    WINDOW_SAMPLES,
    Landmarks,
    Peaks,
)

__all__ = ["FingerprintExtractor", "Landmarks"]

_LOWEST, _HIGHEST = 16, 222
"""Bins of 15.6 Hz that a telephone passes: 250 to 3,470 Hz."""
_REACH_FRAMES, _REACH_BINS = 5, 4
"""A peak is the maximum of 110 ms by 140 Hz."""
_DEPTH_DB: Final = 35.0
"""Peaks this far below the loudest point around are noise as often as speech."""
_FLOOR_DBFS: Final = -75.0
"""Of a sine; below it lies what a codec leaves of silence."""
_BEFORE, _AFTER = 40, 10
"""Frames before and after a peak in which that loudest point is sought, kept from stride to stride."""
_STRIDE: Final = 100
"""Frames computed at once in streaming: numpy costs nearly as much for one as for a dozen."""
_BATCH: Final = 800
"""And at most, which bounds the memory."""
_KEPT_SECONDS: Final = 600.0

Grid = NDArray[np.float32]
Spectra = NDArray[np.complex64]
Steps = NDArray[np.int64]


class FingerprintExtractor:
    """Turns caller audio into peaks, whatever the size of the pieces that it comes in.

    Peaks of the last 600 s are kept, the audio is not.
    """

    def __init__(self) -> None:
        scale = 32768 * WINDOW_SAMPLES / 4
        self._window = (np.hanning(WINDOW_SAMPLES + 1)[:-1] / scale).astype(np.float32)
        self._pieces: list[Samples] = []
        self._pending = 0
        self._next_frame = 0
        # Rows of (frames, bins) before the next frame: the spectra, and the greatest power in nearby bins.
        self._spectra: Spectra = np.zeros((_BEFORE + _AFTER, _HIGHEST - _LOWEST + 3), np.complex64)
        self._tops: Grid = np.zeros((_BEFORE + _AFTER, _HIGHEST - _LOWEST + 1), np.float32)
        self._peaks: list[Peaks] = []

    @property
    def seconds(self) -> float:
        """Audio taken in so far."""
        return (self._next_frame * HOP_SAMPLES + self._pending) / SAMPLE_RATE

    def push(self, samples: Samples) -> None:
        """Take `samples` (int16, shape (n,), mono, 8 kHz), which follow the last ones without a gap."""
        if len(samples) == 0:
            return
        self._pieces.append(samples)
        self._pending += len(samples)
        if self._pending >= WINDOW_SAMPLES + (_STRIDE - 1) * HOP_SAMPLES:
            self._advance()

    def landmarks(self, start: float, end: float) -> Landmarks:
        """Return the landmarks from `start` to `end`, in seconds after the first sample.

        A peak is known 160 ms after it sounded; what is not known yet is left out.
        """
        self._advance()
        first, last = start * FRAMES_PER_SECOND * STEPS, end * FRAMES_PER_SECOND * STEPS
        near = [peaks for peaks in self._peaks if len(peaks) and peaks[-1, 0] >= first and peaks[0, 0] < last]
        peaks = np.concatenate(near) if near else np.zeros((0, 4), np.int32)
        inside = (peaks[:, 0] >= first) & (peaks[:, 0] < last)
        return Landmarks.of_peaks(start, end, peaks[inside])

    def _advance(self) -> None:
        """Compute every frame that is complete."""
        count = (self._pending - WINDOW_SAMPLES) // HOP_SAMPLES + 1
        if count <= 0:
            return
        samples = np.concatenate(self._pieces)
        for first in range(0, count, _BATCH):
            frames = min(_BATCH, count - first)
            begin = first * HOP_SAMPLES
            self._take_spectra(
                self._transform(samples[begin : begin + (frames - 1) * HOP_SAMPLES + WINDOW_SAMPLES])
            )
        # A copy, so that the caller's buffer is not held by a remainder.
        self._pieces = [samples[count * HOP_SAMPLES :].copy()]
        self._pending = len(self._pieces[0])

    def _transform(self, samples: Samples) -> Spectra:
        """Return spectra, 1 for a full-scale sine: shape (frames, bins), a bin to spare on either side."""
        frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW_SAMPLES)[::HOP_SAMPLES]
        spectra = np.fft.rfft(frames * self._window, axis=1)[:, _LOWEST - 1 : _HIGHEST + 2]
        return spectra.astype(np.complex64, copy=False)

    def _take_spectra(self, new: Spectra) -> None:
        rows = len(new)
        spectra = np.concatenate([self._spectra, new])
        power = spectra.real**2 + spectra.imag**2
        edges = np.pad(power[-rows:, 1:-1].T, ((_REACH_BINS, _REACH_BINS), (0, 0)))
        tops = np.concatenate([self._tops, _running_max(edges, 2 * _REACH_BINS + 1).T])
        self._peaks.append(self._peaks_of(spectra, power, tops))
        self._next_frame += rows
        self._spectra, self._tops = spectra[rows:], tops[rows:]
        self._forget()

    def _peaks_of(self, spectra: Spectra, power: Grid, tops: Grid) -> Peaks:
        """Return the peaks of the frames whose surroundings are now known."""
        rows = len(power) - _BEFORE - _AFTER
        here = power[_BEFORE : _BEFORE + rows, 1:-1]
        highest = _running_max(
            tops[_BEFORE - _REACH_FRAMES : _BEFORE + rows + _REACH_FRAMES], 2 * _REACH_FRAMES + 1
        )
        loudest = _running_max(tops.max(axis=1), _BEFORE + 1 + _AFTER)
        wanted = np.maximum(loudest * np.float32(_power(-_DEPTH_DB)), np.float32(_power(_FLOOR_DBFS)))
        # Rising towards the peak: a steady tone whose frames are all alike has none.
        rising = here > power[_BEFORE - 1 : _BEFORE - 1 + rows, 1:-1]
        frame, line = np.nonzero((here >= highest) & (here > wanted[:, None]) & rising)
        row, column = frame + _BEFORE, line + 1
        level = _decibels(power[row, column])
        late = _eighths(_vertex(_decibels(power[row - 1, column]), level, _decibels(power[row + 1, column])))
        high = _eighths(_vertex(_decibels(power[row, column - 1]), level, _decibels(power[row, column + 1])))
        times = (self._next_frame - _AFTER + frame) * STEPS + late
        bins = (line + _LOWEST) * STEPS + high
        depths = np.rint(_decibels(loudest[frame]) - level)
        middle = spectra[row, column] * (1 - 2 * ((line + _LOWEST) % 2))
        peaks = np.stack([times, bins, depths, _phases(middle, bins, late)], axis=1).astype(np.int32)
        return peaks[np.lexsort((bins, times))]

    def _forget(self) -> None:
        oldest = (self._next_frame - _KEPT_SECONDS * FRAMES_PER_SECOND) * STEPS
        while len(self._peaks) > 1 and (len(self._peaks[0]) == 0 or self._peaks[0][-1, 0] < oldest):
            del self._peaks[0]


def _power(decibels: float) -> float:
    return float(10 ** (decibels / 10))


def _decibels(power: Grid) -> Grid:
    levels: Grid = np.float32(10) * np.log10(power + np.float32(1e-12))
    return levels


def _eighths(values: Grid) -> Steps:
    steps: Steps = np.rint(values * STEPS).astype(np.int64)
    return steps


def _phases(spectra: Spectra, bins: Steps, late: Steps) -> Steps:
    """Return the phase at the time of each peak, in 256ths of a turn.

    The spectra are seen from the middle of their window; from there to the peak the sine goes on turning.
    """
    turns = np.angle(spectra) / (2 * np.pi) + bins * late * TURNS_PER_STEP
    phases: Steps = np.rint(turns * TURN).astype(np.int64) % TURN
    return phases


def _vertex(before: Grid, here: Grid, after: Grid) -> Grid:
    """Return where a parabola through three points has its top, at most half a step from the middle one."""
    bend = 2 * here - before - after
    top = (after - before) / np.maximum(2 * bend, np.float32(1e-6))
    vertex: Grid = np.clip(top, np.float32(-0.5), np.float32(0.5))
    return vertex


def _running_max(values: Grid, width: int) -> Grid:
    """Return the maximum of `width` successive rows, of which there are `width` - 1 fewer."""
    reach = 1
    while 2 * reach <= width:
        values = np.maximum(values[:-reach], values[reach:])
        reach *= 2
    rest = width - reach
    return np.maximum(values[:-rest], values[rest:]) if rest else values
