"""DTMF digits in the audio, by Goertzel's algorithm (the transform at eight frequencies only).

Rules, after ITU-T Q.23 and Q.24:

1. Windows of 20 ms every 10 ms. In two windows running the same row and the same column must hold at least
   94 % of the energy; so 40 ms are always heard and 23 ms never.
2. The phase moves from window to window as the frequency asks: each tone lies within 2.2 % of its nominal
   frequency (1.5 % must be accepted, 3.5 % refused). The energy is measured where the tones really lie.
3. Twist: the column may be 6 dB stronger than the row or 10 dB weaker (+4 to -8 dB must be accepted).
4. Level: at least -40 dBFS.
5. A digit has ended when nothing fits for 60 ms, or when another digit fits. An interruption of 10 ms does
   not split a digit, a pause of 40 ms does: two windows that touch it reach up to 30 ms to either side.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE, Samples

__all__ = ["BLOCK_SAMPLES", "COLUMNS", "ROWS", "Digit", "DtmfReceiver"]

ROWS: Final = (697.0, 770.0, 852.0, 941.0)
COLUMNS: Final = (1209.0, 1336.0, 1477.0, 1633.0)
_KEYS: Final = ("123A", "456B", "789C", "*0#D")

_WINDOW = 160
_HOP = 80
_HOP_SECONDS = _HOP / SAMPLE_RATE
BLOCK_SAMPLES = 8 * _HOP
"""80 ms: eight windows at once cost little more than one."""
_PURITY = 0.94
"""Noise 13 dB below a digit is allowed; Q.24 speaks of 15 dB."""
_LIKELY = 0.4
"""What two tones leave of the energy at the nominal frequencies, even if both are off by 1.5 %."""
_TOLERANCE = 0.022
_STRONGEST_COLUMN_DB, _WEAKEST_COLUMN_DB = 6.0, -10.0
_LEAST_ENERGY = _WINDOW * (32768 * 10 ** (-40 / 20)) ** 2
_GAP_HOPS = 6

_NOMINAL: Final = np.array(ROWS + COLUMNS)
_TIMES: Final = np.arange(_WINDOW) / SAMPLE_RATE
_TONES: Final = np.exp(-2j * np.pi * _TIMES[:, None] * _NOMINAL).astype(np.complex64)
_BASIS: Final = np.concatenate([_TONES.real, _TONES.imag], axis=1)
_ADVANCE: Final = np.exp(2j * np.pi * _NOMINAL * _HOP_SECONDS)


@dataclass(frozen=True, slots=True)
class Digit:
    """A digit that has ended. `start` counts seconds from the first sample."""

    key: str
    start: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Window:
    """20 ms (shape (160,)), transformed at the eight frequencies (shape (8,)), and the strongest two of them."""

    samples: NDArray[np.float32]
    amplitudes: NDArray[np.complex64]
    energy: float
    row: int
    column: int


class DtmfReceiver:
    """Hears digits in blocks of 80 ms."""

    def __init__(self) -> None:
        self._audio = np.zeros(_HOP + BLOCK_SAMPLES, np.float32)
        self._windows = np.lib.stride_tricks.sliding_window_view(self._audio, _WINDOW)[::_HOP]
        self._last: _Window | None = None
        self._hops = -1
        self._key: str | None = None
        self._begun = 0
        self._ended = 0

    @property
    def in_digit(self) -> bool:
        """A digit has begun and has not ended."""
        return self._key is not None

    def push(self, block: Samples) -> list[Digit]:
        """Take one block (int16, shape (640,)) and return the digits that it ends."""
        self._audio[:_HOP] = self._audio[-_HOP:]
        self._audio[_HOP:] = block
        digits: list[Digit] = []
        for current in self._look():
            digits += self._step(_key_of(self._last, current))
            self._last = current
        return digits

    def skip(self, block: Samples) -> list[Digit]:
        """Take a block that is known to hold a voice; returns the digits that end in it."""
        self._audio[:_HOP] = self._audio[-_HOP:]
        self._audio[_HOP:] = block
        self._last = None
        if self._key is None:
            self._hops += len(self._windows)
            return []
        return [digit for _ in self._windows for digit in self._step(None)]

    def _look(self) -> list[_Window | None]:
        """Transform the newest windows; None for each that cannot hold a digit, which are nearly all."""
        energies = np.einsum("ij,ij->i", self._windows, self._windows)
        if energies.max() < _LEAST_ENERGY:
            return [None] * len(self._windows)
        transforms = self._windows @ _BASIS
        squares = transforms * transforms
        powers = squares[:, :8] + squares[:, 8:]
        held = 2 / _WINDOW * (powers[:, :4].max(axis=1) + powers[:, 4:].max(axis=1))
        likely = (held >= _LIKELY * energies) & (energies >= _LEAST_ENERGY)
        if not likely.any():
            return [None] * len(self._windows)
        return [
            _Window(
                samples.copy(),
                transform[:8] + 1j * transform[8:],
                float(energy),
                int(power[:4].argmax()),
                4 + int(power[4:].argmax()),
            )
            if fits
            else None
            for samples, transform, power, energy, fits in zip(
                self._windows, transforms, powers, energies, likely, strict=True
            )
        ]

    def _step(self, key: str | None) -> list[Digit]:
        """Take what the newest two windows hold; hop n covers the samples from n - 1 to n + 2 hops."""
        ended: list[Digit] = []
        gap = self._hops - self._ended
        if self._key is not None and ((key is not None and key != self._key) or gap >= _GAP_HOPS):
            start = max(0, self._begun - 1) * _HOP_SECONDS
            ended.append(Digit(self._key, start, (self._ended + 2) * _HOP_SECONDS - start))
            self._key = None
        if key is not None:
            if self._key is None:
                self._key, self._begun = key, self._hops
            self._ended = self._hops
        self._hops += 1
        return ended


def _key_of(before: _Window | None, now: _Window | None) -> str | None:
    """Return the digit that both windows hold, if they do."""
    if before is None or now is None or (before.row, before.column) != (now.row, now.column):
        return None
    tones = []
    for tone in (now.row, now.column):
        turn = complex(now.amplitudes[tone]) * complex(before.amplitudes[tone]).conjugate()
        offset = float(np.angle(turn * complex(_ADVANCE[tone]).conjugate())) / (2 * math.pi * _HOP_SECONDS)
        if abs(offset) > _TOLERANCE * _NOMINAL[tone]:
            return None
        tones.append(float(_NOMINAL[tone]) + offset)
    fits = [_fit(window.samples, tones) for window in (before, now)]
    if any(row + column < _PURITY * w.energy for (row, column), w in zip(fits, (before, now), strict=True)):
        return None
    row, column = (sum(powers) for powers in zip(*fits, strict=True))
    if (
        not row
        or not column
        or not _WEAKEST_COLUMN_DB <= 10 * math.log10(column / row) <= _STRONGEST_COLUMN_DB
    ):
        return None
    return _KEYS[now.row][now.column - 4]


def _fit(samples: NDArray[np.float32], tones: list[float]) -> tuple[float, float]:
    """Return the energy of each of the two tones (Hz) that explain `samples` best, by least squares.

    Within 20 ms tones are not orthogonal; fitted together, each is measured without the other.
    """
    angles = 2 * np.pi * _TIMES[:, None] * np.array(tones)
    basis = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    weights = np.linalg.lstsq(basis, samples.astype(np.float64), rcond=None)[0]
    energies = (weights[:2] ** 2 + weights[2:] ** 2) * _WINDOW / 2
    return float(energies[0]), float(energies[1])
