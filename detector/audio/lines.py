"""Steady tones: one or two spectral lines that hold nearly all of the energy and do not move.

Call-progress tones differ by as little as 10 Hz and pairs lie 40 Hz apart, so they need a long window: 100 ms
every 40 ms, a Hann window, one transform. A voice has many lines and they move; that keeps speech out.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.level import FLOOR_DBFS

__all__ = ["BLOCK_SAMPLES", "HOP_SAMPLES", "HOP_SECONDS", "Burst", "BurstFinder", "Spectrum", "look"]

_WINDOW = 800
HOP_SAMPLES = 320
HOP_SECONDS = HOP_SAMPLES / SAMPLE_RATE
BLOCK_SAMPLES = 2 * HOP_SAMPLES
_WINDOW_SECONDS = _WINDOW / SAMPLE_RATE
_BIN_HZ = SAMPLE_RATE / _WINDOW
_LOWEST_BIN = 25
"""250 Hz: what lies below, hum above all, counts neither as line nor against one."""
_LOBE = 2
"""Half the width of a line in bins, under a Hann window."""
_QUIET_DBFS = -45.0
_PURITY = 0.95
"""Share of the energy that the lines hold: noise 13 dB below a tone is allowed."""
_LOWEST_LINE_HZ = 380.0
"""No single tone of the network lies lower; the high voices of level syllables do."""
PAIRS: Final = ((350.0, 440.0), (440.0, 480.0), (480.0, 620.0))
"""Hz: the pairs of tones that networks send; two lines of a voice are mostly another pair."""
PAIR_HZ = 12.0
_WEAKEST_SHARE = 0.1
"""A second line weaker than this against the first (10 dB) is no pair."""
_DRIFT_HZ = 2.5
_FALL_DB = 4.0
"""A window whose middle lies at the end of a tone has lost 6 dB."""
_BRIDGED_WINDOWS = 2
"""Phase reversals in the answer tone of modems (ITU-T V.25) blur up to two windows; the level stays."""

_Power = NDArray[np.float32]
_HANN: Final = np.hanning(_WINDOW + 1)[:_WINDOW].astype(np.float32)
_HANN_POWER: Final = float(np.sum(_HANN**2))


@dataclass(frozen=True, slots=True)
class Spectrum:
    """What 100 ms hold: the level (dBFS) and the frequencies (Hz, ascending) of one line, two or none."""

    level: float
    lines: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Burst:
    """A steady tone, as long as it has lasted up to now.

    `start`, `seconds`: seconds from the first sample, to about 40 ms. `level`: dBFS, its loudest window.
    """

    start: float
    seconds: float
    lines: tuple[float, ...]
    level: float

    @property
    def end(self) -> float:
        return self.start + self.seconds


def look(window: Samples) -> Spectrum:
    """Return the lines of one window (int16, shape (800,))."""
    values = window.astype(np.float32)
    values *= _HANN
    parts = np.fft.rfft(values)[_LOWEST_BIN:-1].view(np.float32).reshape(-1, 2)
    power = np.einsum("ij,ij->i", parts, parts)
    total = float(power.sum())
    # Parseval for one side of the spectrum, divided by what the window leaves of the energy.
    level = 10 * math.log10(2 * total / (_WINDOW * _HANN_POWER) / 32768.0**2) if total > 0 else FLOOR_DBFS
    if level < _QUIET_DBFS:
        return Spectrum(max(level, FLOOR_DBFS), ())
    first = int(power.argmax())
    line = _frequency(power, first)
    held = _take(power, first)
    if held >= _PURITY * total:
        return Spectrum(level, (line,) if line >= _LOWEST_LINE_HZ else ())
    if held < _PURITY / 2 * total:
        return Spectrum(level, ())
    second = int(power.argmax())
    other = _frequency(power, second)
    more = _take(power, second)
    low, high = min(line, other), max(line, other)
    is_known = any(abs(low - a) < PAIR_HZ and abs(high - b) < PAIR_HZ for a, b in PAIRS)
    if not is_known or held + more < _PURITY * total or more < _WEAKEST_SHARE * held:
        return Spectrum(level, ())
    return Spectrum(level, (low, high))


def _take(power: _Power, peak: int) -> float:
    """Return the power of the line around `peak` and remove it."""
    lobe = power[max(0, peak - _LOBE) : peak + _LOBE + 1]
    held = float(lobe.sum())
    lobe[:] = 0.0
    return held


def _frequency(power: _Power, peak: int) -> float:
    """Interpolate between the two strongest bins of a line; exact for one sine under a Hann window."""
    if not 0 < peak < len(power) - 1:
        return (_LOWEST_BIN + peak) * _BIN_HZ
    side = 1 if power[peak + 1] >= power[peak - 1] else -1
    ratio = math.sqrt(float(power[peak + side]) / float(power[peak]))
    return (_LOWEST_BIN + peak + side * (2 * ratio - 1) / (ratio + 1)) * _BIN_HZ


class BurstFinder:
    """Joins windows that hold the same lines into bursts. Fed in blocks of 80 ms: two windows."""

    def __init__(self) -> None:
        self._audio: Samples = np.zeros(_WINDOW + HOP_SAMPLES, np.int16)
        self._hops = 0
        self._last = Spectrum(FLOOR_DBFS, ())
        self._burst: Burst | None = None
        self._missing = 0

    @property
    def burst(self) -> Burst | None:
        """The tone that sounds now, if one does."""
        return self._burst

    @property
    def level(self) -> float:
        """The level of the last 100 ms in dBFS."""
        return self._last.level

    @property
    def now(self) -> float:
        """Seconds from the first sample to the middle of the newest window."""
        return self._hops * HOP_SECONDS - _WINDOW_SECONDS / 2

    def push(self, block: Samples, *, every: bool = True) -> Iterator[Burst | None]:
        """Take a block (int16, shape (640,)); yields for each of its two windows the burst that it ended, if any.

        Two windows that hold the same lines begin a burst. So where nothing sounds, one without lines is enough to
        know that none began before it, and the other is not looked at, unless `every` window's level is wanted.
        """
        self._append(block)
        second = look(self._audio[HOP_SAMPLES:])
        is_quiet = not (every or second.lines or self._last.lines or self._burst)
        first = Spectrum(second.level, ()) if is_quiet else look(self._audio[:-HOP_SAMPLES])
        for spectrum in (first, second):
            yield self._next(spectrum)

    def skip(self, block: Samples) -> Iterator[Burst | None]:
        """Take a block that is known to hold a voice: it costs next to nothing and has no lines."""
        self._append(block)
        for _ in range(BLOCK_SAMPLES // HOP_SAMPLES):
            yield self._next(Spectrum(self._last.level, ()))

    def _append(self, block: Samples) -> None:
        self._audio[:-BLOCK_SAMPLES] = self._audio[BLOCK_SAMPLES:]
        self._audio[-BLOCK_SAMPLES:] = block

    def _next(self, now: Spectrum) -> Burst | None:
        self._hops += 1
        before, self._last = self._last, now
        return self._joined(before, now)

    def _joined(self, before: Spectrum, now: Spectrum) -> Burst | None:
        burst = self._burst
        if burst is None:
            self._begin(before, now)
            return None
        if _same(burst.lines, now.lines) and now.level > burst.level - _FALL_DB:
            seconds = self.now + HOP_SECONDS / 2 - burst.start
            self._burst = replace(burst, seconds=seconds, level=max(burst.level, now.level))
            self._missing = 0
            return None
        self._missing += 1
        is_blurred = abs(now.level - burst.level) < _FALL_DB and not now.lines
        if is_blurred and self._missing <= _BRIDGED_WINDOWS:
            return None
        self._burst = None
        self._begin(before, now)
        return burst

    def _begin(self, before: Spectrum, now: Spectrum) -> None:
        if now.lines and _same(before.lines, now.lines):
            # Its edge lies where the level was half; a first window well below is one half outside.
            windows = 2 if before.level > now.level - _FALL_DB else 1
            start = self.now + HOP_SECONDS / 2 - windows * HOP_SECONDS
            self._burst = Burst(max(0.0, start), windows * HOP_SECONDS, now.lines, now.level)
            self._missing = 0


def _same(lines: tuple[float, ...], others: tuple[float, ...]) -> bool:
    return len(lines) == len(others) and all(
        abs(a - b) <= _DRIFT_HZ for a, b in zip(lines, others, strict=True)
    )
