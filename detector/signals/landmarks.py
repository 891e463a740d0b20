"""Landmarks: the spectral peaks of a stretch of audio, and pairs of them hashed for look-up."""

import struct
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE

__all__ = [
    "FAN_OUT",
    "FRAMES_PER_SECOND",
    "HOP_SAMPLES",
    "STEPS",
    "TARGET_BITS",
    "TURN",
    "TURNS_PER_STEP",
    "WINDOW_SAMPLES",
    "Hashes",
    "Landmarks",
    "Peaks",
]

WINDOW_SAMPLES: Final = 512
HOP_SAMPLES: Final = 80
"""Frame k is the 64 ms that begin k hops of 10 ms after the first sample."""
FRAMES_PER_SECOND: Final = SAMPLE_RATE // HOP_SAMPLES
STEPS: Final = 8
"""Peaks are placed to an eighth of a frame (1.25 ms) and of a bin (1.95 Hz)."""
TURN: Final = 256
"""Phases are kept in 256ths of a turn."""
TURNS_PER_STEP: Final = HOP_SAMPLES / (STEPS * STEPS * WINDOW_SAMPLES)
"""What a sine of an eighth of a bin turns in an eighth of a frame."""

Peaks = NDArray[np.int32]
"""Shape (n, 4), by rising time: time in eighths of a frame after answer, frequency in eighths of a bin of
15.625 Hz, depth in dB below the loudest point around, phase in 256ths of a turn."""
Hashes = NDArray[np.uint32]

_PAIRED_DEPTH_DB: Final = 22
"""Weaker peaks come and go with the noise: they verify a match, they do not propose one."""
FAN_OUT: Final = 4
"""Pairs that begin with one peak, at most; they stand together."""
_NEAREST, _FARTHEST = 3, 50
"""Frames from a peak to those that it is paired with."""
_SPREAD_BINS: Final = 60
_BIN_BITS, _SPREAD_BITS, _GAP_BITS = 8, 7, 6
TARGET_BITS: Final = _SPREAD_BITS + _GAP_BITS
"""The low bits of a hash: the other peak. The bits above them are the bin of the first."""
_FORMAT: Final = "<BddI"
_VERSION: Final = 1
_RECORD: Final = np.dtype([("time", "<i4"), ("bin", "<u2"), ("depth", "u1"), ("phase", "u1")])
_COLUMNS: Final = ("time", "bin", "depth", "phase")


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """What a stretch of audio looks like. `start` and `end` are seconds of media time.

    `hashes` (uint32, shape (m,)) and `times` (int32, shape (m,), frames of 10 ms after answer) are the pairs:
    the bin of a peak, the distance in bins and in frames to another one, and when the first one sounded.
    """

    start: float
    end: float
    peaks: Peaks
    hashes: Hashes
    times: NDArray[np.int32]

    @classmethod
    def of_peaks(cls, start: float, end: float, peaks: Peaks) -> Self:
        """Sort `peaks`, pair and hash them."""
        ordered = peaks[np.lexsort((peaks[:, 1], peaks[:, 0]))]
        hashes, times = _pair(ordered)
        return cls(start, end, ordered, hashes, times)

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def between(self, start: float, end: float) -> Self:
        """Return the landmarks of a part of the stretch, paired anew."""
        start, end = max(start, self.start), max(start, min(end, self.end))
        first, last = start * FRAMES_PER_SECOND * STEPS, end * FRAMES_PER_SECOND * STEPS
        inside = (self.peaks[:, 0] >= first) & (self.peaks[:, 0] < last)
        return self.of_peaks(start, end, self.peaks[inside])

    def without(self, start: float, end: float) -> Self:
        """Return the landmarks as if nothing had been heard from `start` to `end`."""
        first, last = start * FRAMES_PER_SECOND * STEPS, end * FRAMES_PER_SECOND * STEPS
        outside = (self.peaks[:, 0] < first) | (self.peaks[:, 0] >= last)
        if outside.all():
            return self
        return self.of_peaks(self.start, self.end, self.peaks[outside])

    def moved(self, seconds: float) -> Self:
        """Return the same landmarks `seconds` later, rounded to a frame."""
        frames = round(seconds * FRAMES_PER_SECOND)
        shift = frames / FRAMES_PER_SECOND
        peaks = self.peaks + np.array([frames * STEPS, 0, 0, 0], np.int32)
        return type(self)(
            self.start + shift, self.end + shift, peaks, self.hashes, self.times + np.int32(frames)
        )

    def to_bytes(self) -> bytes:
        """Pack the peaks, 8 bytes each; the hashes follow from them."""
        records = np.empty(len(self.peaks), _RECORD)
        for column, name in enumerate(_COLUMNS):
            records[name] = self.peaks[:, column]
        return struct.pack(_FORMAT, _VERSION, self.start, self.end, len(records)) + records.tobytes()

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Undo `to_bytes`; raises ValueError where the bytes are not landmarks of this version."""
        start, end, peaks = _unpack(packed)
        return cls.of_peaks(start, end, peaks)

    @staticmethod
    def peaks_from_bytes(packed: bytes) -> Peaks:
        """Return only the peaks, without the work of pairing them; raises ValueError as `from_bytes` does."""
        return _unpack(packed)[2]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Landmarks):
            return NotImplemented
        return (self.start, self.end) == (other.start, other.end) and np.array_equal(self.peaks, other.peaks)

    def __hash__(self) -> int:
        return hash((self.start, self.end, self.peaks.tobytes()))


def _unpack(packed: bytes) -> tuple[float, float, Peaks]:
    head = struct.calcsize(_FORMAT)
    if len(packed) < head:
        raise ValueError(f"landmarks need at least {head} bytes, got {len(packed)}")
    version, start, end, count = struct.unpack_from(_FORMAT, packed)
    if version != _VERSION or len(packed) != head + count * _RECORD.itemsize:
        raise ValueError(f"not landmarks of version {_VERSION}: version {version}, {len(packed)} bytes")
    records = np.frombuffer(packed, _RECORD, offset=head)
    return start, end, np.stack([records[name].astype(np.int32) for name in _COLUMNS], axis=1)


def _pair(peaks: Peaks) -> tuple[Hashes, NDArray[np.int32]]:
    """Pair each strong peak with the `FAN_OUT` strongest that follow it within half a second."""
    strong = peaks[peaks[:, 2] <= _PAIRED_DEPTH_DB]
    times, bins, depths = strong[:, 0], strong[:, 1], strong[:, 2]
    first = np.searchsorted(times, times + _NEAREST * STEPS)
    last = np.searchsorted(times, times + _FARTHEST * STEPS)
    width = int((last - first).max(initial=0))
    if width == 0:
        return np.zeros(0, np.uint32), np.zeros(0, np.int32)
    targets = first[:, None] + np.arange(width)
    inside = targets < last[:, None]
    targets = np.minimum(targets, len(strong) - 1)
    inside &= np.abs(bins[targets] - bins[:, None]) < _SPREAD_BINS * STEPS
    rank = np.where(inside, depths[targets], np.iinfo(np.int32).max)
    best = np.argsort(rank, axis=1, kind="stable")[:, :FAN_OUT]
    anchors, column = np.nonzero(np.take_along_axis(inside, best, axis=1))
    paired = np.take_along_axis(targets, best, axis=1)[anchors, column]
    return _hash(bins[anchors], bins[paired], times[paired] - times[anchors]), _rounded(times[anchors])


def _rounded(steps: NDArray[np.int32]) -> NDArray[np.int32]:
    return (steps + STEPS // 2) // STEPS


def _hash(bins: NDArray[np.int32], others: NDArray[np.int32], gaps: NDArray[np.int32]) -> Hashes:
    spread = _rounded(others) - _rounded(bins) + (1 << (_SPREAD_BITS - 1))
    packed = _rounded(bins) << (_SPREAD_BITS + _GAP_BITS) | spread << _GAP_BITS | _rounded(gaps)
    return packed.astype(np.uint32)
