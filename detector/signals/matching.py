"""Finding the same audio again: exact offsets that hold over seconds, and waves that agree.

Pairs of peaks propose offsets; the single peaks decide. At a proposed offset each peak of the query is looked
for in the reference, within 10 ms and 12 Hz. Then the phases are asked: in a recording played again every
sine is late by the same delay, to a fraction of its period. A synthetic voice that says the words again keeps
the durations of whole words, the pitch and the formants, but not the wave. Found again in phase counts for
"the same recording", anything else against it, and the stretch with the largest sum is what both share.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from detector.signals.landmarks import (
    FRAMES_PER_SECOND,
    STEPS,
    TURN,
    TURNS_PER_STEP,
    Hashes,
    Landmarks,
    Peaks,
)

__all__ = ["HashIndex", "Stretch", "best_match", "same_recording"]

Flags = NDArray[np.bool_]
Steps = NDArray[np.int32]

_MIN_PAIRS: Final = 8
"""Pairs that agree on an offset before it is looked at: chance agrees on 2 or 3."""
_CANDIDATES: Final = 4
_CROWDED: Final = 64
"""A hash that occurs more often than this in a call is a tone or a hum."""
_VERIFIED_DEPTH_DB: Final = 30
_NEAR_STEPS: Final = STEPS
"""10 ms."""
_NEAR_LINES: Final = 6
"""Eighths of a bin: 12 Hz."""
_NEAR_TURNS: Final = 0.125
_DELAYS: Final = 16384
"""Points of the transform that seeks the delay: 31 microseconds each."""
_FARTHEST_DELAY: Final = 640
"""20 ms of them."""
_MIN_SECONDS: Final = 1.9
_SECONDS_FOR_DOUBT: Final = 4.0
"""More, the more strong peaks are out of phase: with 7 % of them it takes 2.2 s. Retakes reach 1.8 s."""
_MIN_SCORE: Final = 25.0
_MIN_COHERENCE: Final = 0.9
_MIN_STRONG_SHARE: Final = 0.6
_MAX_TONALITY: Final = 0.5
"""What makes a stretch the same recording: scripts/eval_playback.py shows what each leaves out."""
_IN_PHASE, _OUT_OF_PHASE, _MISSED = (1.4, 1.2), (-3.0, -0.8), (-0.4, -0.1)
"""What a peak, strong or weak, says for the same recording and against other speech, retakes included. Weak
peaks may be noise, which is missed or found by chance whatever was said."""
_STRONG_DEPTH_DB: Final = 12
_SAME_LINES, _NEIGHBOUR_LINES = 2, 16
_LATER_STEPS: Final = 30 * STEPS
_MIN_BINS: Final = 12
"""Lines among the peaks found again: tones and their harmonics have fewer."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of audio heard twice. Times are seconds of media time."""

    start: float
    end: float
    """The stretch in the query."""
    earlier: float
    """Where it begins in the reference."""
    share: float
    """Of the query's peaks there, found again in phase."""
    strong_share: float
    """The same of the peaks within 12 dB of the loudest: low where only a background is the same."""
    coherence: float
    """Of the strong peaks found again in time and frequency, how many are in phase: 0.25 by chance, up to 0.93 in
    a synthetic retake of 1.8 s, 0.96 and more in a recording, however noisy."""
    tonality: float
    """How sharply the peaks keep to the same lines: 0.15 to 0.35 in speech, 0.8 in a tune, 1 in a hum."""
    score: float
    """Sum of log-likelihoods, natural."""

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def is_same_recording(self) -> bool:
        """Tell whether this is speech played again: not said again, no tune, no background that repeats."""
        return (
            self.seconds >= _MIN_SECONDS + _SECONDS_FOR_DOUBT * (1 - self.coherence)
            and self.score >= _MIN_SCORE
            and self.coherence >= _MIN_COHERENCE
            and self.strong_share >= _MIN_STRONG_SHARE
            and self.tonality <= _MAX_TONALITY
        )


@dataclass(frozen=True, slots=True)
class HashIndex:
    """Hashes in rising order, and the frame at which each occurred."""

    hashes: Hashes
    times: NDArray[np.int32]

    @classmethod
    def of(cls, landmarks: Landmarks) -> Self:
        order = np.argsort(landmarks.hashes, kind="stable")
        return cls(landmarks.hashes[order], landmarks.times[order])

    def merged(self, other: Self) -> Self:
        at = np.searchsorted(self.hashes, other.hashes, side="right")
        return type(self)(np.insert(self.hashes, at, other.hashes), np.insert(self.times, at, other.times))

    def since(self, frame: int) -> Self:
        """Return the index without what occurred before `frame`."""
        kept = self.times >= frame
        return type(self)(self.hashes[kept], self.times[kept])

    def offsets(self, query: Landmarks) -> NDArray[np.int64]:
        """Return, for each hash of the query that is here, how many frames later it occurs here."""
        first = np.searchsorted(self.hashes, query.hashes, side="left")
        count = np.searchsorted(self.hashes, query.hashes, side="right") - first
        count = np.where(count > _CROWDED, 0, count)
        anchor = np.repeat(np.arange(len(count)), count)
        within = np.arange(len(anchor)) - np.repeat(np.cumsum(count) - count, count)
        offsets: NDArray[np.int64] = self.times[first[anchor] + within].astype(np.int64) - query.times[anchor]
        return offsets


def best_match(
    query: Landmarks, reference: Peaks, index: HashIndex, latest: float | None = None
) -> Stretch | None:
    """Return the stretch of `query` that scores highest in `reference`, whose hashes are in `index`.

    With `latest`, in seconds, only offsets up to it count: a negative one keeps audio from matching itself.
    """
    offsets = index.offsets(query)
    if latest is not None:
        offsets = offsets[offsets <= latest * FRAMES_PER_SECOND]
    found = (_aligned_stretch(query, reference, offset) for offset in _proposed(offsets))
    return max((match for match in found if match), key=lambda match: match.score, default=None)


def _proposed(offsets: NDArray[np.int64]) -> Iterator[int]:
    """Yield the offsets (frames) on which most pairs agree, the best first."""
    values, counts = np.unique(offsets, return_counts=True)
    if len(values) == 0:
        return
    low = values[0]
    votes = np.zeros(values[-1] - low + 3, np.int64)
    votes[values - low + 1] = counts
    votes = votes + np.concatenate([votes[1:], [0]]) + np.concatenate([[0], votes[:-1]])
    for _ in range(_CANDIDATES):
        best = int(votes.argmax())
        if votes[best] < _MIN_PAIRS:
            return
        yield int(best - 1 + low)
        votes[max(0, best - 3) : best + 4] = 0


def same_recording(query: Landmarks, reference: Peaks, offset: int) -> Stretch | None:
    """Return the stretch in which both are one recording, the reference `offset` frames later; None where none is.

    Ruling it out is cheap: phases, the dearest part, are asked only where they could still confirm it.
    """
    stretch = _aligned_stretch(query, reference, offset, sure_of_less=True)
    return stretch if stretch is not None and stretch.is_same_recording else None


def _aligned_stretch(
    query: Landmarks, reference: Peaks, offset: int, *, sure_of_less: bool = False
) -> Stretch | None:
    """Return what both share where the reference is `offset` frames later, None where there is nothing.

    `sure_of_less`: nothing as well where it cannot be the same recording, whatever the phases.
    """
    wanted = query.peaks[query.peaks[:, 2] <= _VERIFIED_DEPTH_DB]
    if len(wanted) == 0:
        return None
    moved = wanted[:, 0] + offset * STEPS
    ends = [moved[0] - 2 * _NEAR_STEPS, moved[-1] + 2 * _NEAR_STEPS + 1]
    first, last = np.searchsorted(reference[:, 0], ends)
    there = reference[first:last]
    at = _nearest(there, moved, wanted[:, 1])
    found = at >= 0
    if not found.any():
        return None
    late = np.where(found, there[at, 0] - moved, 0)
    turned = (there[at, 3] - wanted[:, 3]) / TURN - wanted[:, 1] * late * TURNS_PER_STEP
    found &= np.abs(late - np.median(late[found])) <= _NEAR_STEPS
    if sure_of_less and not _is_long_enough(wanted, found):
        return None
    return _best_stretch(wanted, found, found & _in_phase(wanted[:, 1], turned, found), offset)


def _is_long_enough(wanted: Peaks, found: Flags) -> bool:
    """Whether some stretch of the least length holds the least share of strong peaks, were all found in phase."""
    times = wanted[:, 0]
    strong = wanted[:, 2] <= _STRONG_DEPTH_DB
    sums = np.concatenate([[0.0], np.cumsum(np.where(strong, found - _MIN_STRONG_SHARE, 0.0))])
    # Of the stretches that end with a peak, the one that begins where the sum was least, long enough before.
    starts = np.searchsorted(times, times - _MIN_SECONDS * FRAMES_PER_SECOND * STEPS, side="right")
    ends = np.flatnonzero(starts > 0)
    least = np.minimum.accumulate(sums)[starts[ends] - 1]
    return bool((sums[ends + 1] - least >= -1e-9).any())


def _nearest(there: Peaks, times: Steps, bins: Steps) -> NDArray[np.int64]:
    """Return which peak of `there` is nearest in time and near in frequency, -1 where none is."""
    first = np.searchsorted(there[:, 0], times - 2 * _NEAR_STEPS)
    count = np.searchsorted(there[:, 0], times + 2 * _NEAR_STEPS, side="right") - first
    width = int(count.max(initial=0))
    if width == 0:
        return np.full(len(times), -1)
    at = first[:, None] + np.arange(width)
    inside = np.arange(width) < count[:, None]
    at = np.minimum(at, len(there) - 1)
    inside &= np.abs(there[at, 1] - bins[:, None]) <= _NEAR_LINES
    late = np.where(inside, np.abs(there[at, 0] - times[:, None]), np.iinfo(np.int32).max)
    closest = late.argmin(axis=1)[:, None]
    nearest: NDArray[np.int64] = np.where(
        inside.any(axis=1), np.take_along_axis(at, closest, axis=1)[:, 0], -1
    )
    return nearest


def _in_phase(bins: Steps, turned: NDArray[np.float64], found: Flags) -> Flags:
    """Return which peaks agree with the one delay that explains the phases of the `found` ones best.

    The sum over peaks of exp(2 pi i (turned + frequency * delay)) is the inverse transform of their phases
    laid out by frequency.
    """
    lines = np.zeros(_DELAYS, np.complex128)
    np.add.at(lines, bins[found], np.exp(2j * np.pi * turned[found]))
    sums = np.fft.ifft(lines)
    near = np.concatenate([sums[: _FARTHEST_DELAY + 1], sums[-_FARTHEST_DELAY:]])
    best = int(np.abs(near).argmax())
    delay = best if best <= _FARTHEST_DELAY else best - len(near)
    off = turned + bins * delay / _DELAYS - np.angle(near[best]) / (2 * np.pi)
    agree: Flags = np.abs(off - np.rint(off)) <= _NEAR_TURNS
    return agree


def _best_stretch(wanted: Peaks, found: Flags, agree: Flags, offset: int) -> Stretch | None:
    weak = (wanted[:, 2] > _STRONG_DEPTH_DB).astype(int)
    gained = np.where(
        agree, np.take(_IN_PHASE, weak), np.where(found, np.take(_OUT_OF_PHASE, weak), np.take(_MISSED, weak))
    )
    sums = np.concatenate([[0.0], np.cumsum(gained)])
    gains = sums - np.minimum.accumulate(sums)
    last = int(gains.argmax())
    first = int(sums[: last + 1].argmin())
    hits = agree[first:last]
    if len(np.unique(wanted[first:last, 1][hits] // STEPS)) < _MIN_BINS:
        return None
    heard = wanted[first:last]
    strong = heard[:, 2] <= _STRONG_DEPTH_DB
    start, end = (float(time) / (STEPS * FRAMES_PER_SECOND) for time in heard[[0, -1], 0])
    return Stretch(
        start=start,
        end=end,
        earlier=start + offset / FRAMES_PER_SECOND,
        share=float(hits.mean()),
        strong_share=float(hits[strong].mean()) if strong.any() else 0.0,
        coherence=float(hits[strong].sum() / max(1, found[first:last][strong].sum())),
        tonality=_tonality(heard),
        score=float(gains[last]),
    )


def _tonality(peaks: Peaks) -> float:
    """Return which part of the peaks within 31 Hz of each other is within 4 Hz: 0.15 by chance.

    Peaks less than 0.3 s apart do not count, so that a long vowel is no tone.
    """
    times, bins = peaks[:, 0], peaks[:, 1]
    apart = np.abs(bins[:, None] - bins)
    later = times[:, None] - times >= _LATER_STEPS
    near = int(np.count_nonzero(later & (apart <= _NEIGHBOUR_LINES)))
    same = int(np.count_nonzero(later & (apart <= _SAME_LINES)))
    return same / near if near else 0.0
