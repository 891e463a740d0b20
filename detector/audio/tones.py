"""Tones in a call: digits, call progress, fax, answering machines. Fed in pieces of any size."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from detector.audio.cadence import CadenceReader, Meaning, ProgressKind
from detector.audio.dtmf import Digit, DtmfReceiver
from detector.audio.frames import FrameBlocker, Samples
from detector.audio.lines import BLOCK_SAMPLES, HOP_SECONDS, BurstFinder

__all__ = ["ToneDetector", "ToneHeard", "ToneKind"]

_CERTAIN_SECONDS = 2.5 * HOP_SECONDS
"""Three windows: two may look alike in a long vowel."""

ToneKind = ProgressKind | Literal["dtmf"]


@dataclass(frozen=True, slots=True)
class ToneHeard:
    """A tone that has been understood. It has ended, but a dial tone and a fax's answer tone still sound."""

    kind: ToneKind
    media_time: float
    """Seconds of media time at which it began, to about 40 ms."""
    seconds: float
    """How long it sounded; for busy and congestion two beats, for the rest one."""
    digit: str | None = None
    """0 to 9, A to D, * or #, where `kind` is dtmf."""


class ToneDetector:
    """Hears tones, and says whether one sounds right now, so that it is not taken for speech."""

    def __init__(self, start: float = 0.0) -> None:
        """`start`: media time of the first sample to come."""
        self._start = start
        self._blocker = FrameBlocker(BLOCK_SAMPLES)
        self._dtmf = DtmfReceiver()
        self._bursts = BurstFinder()
        self._cadence = CadenceReader()
        self._digits_until = -1.0

    @property
    def in_tone(self) -> bool:
        """The newest audio is part of a tone: known 30 to 110 ms into a digit, 180 to 300 ms into others."""
        burst = self._bursts.burst
        return self._dtmf.in_digit or (burst is not None and burst.seconds > _CERTAIN_SECONDS)

    @property
    def missing(self) -> int:
        """How many samples more are looked at at once."""
        return self._blocker.missing

    def push(self, samples: Samples, *, is_voice: bool = False) -> Iterator[ToneHeard]:
        """Take `samples` (int16, shape (n,), mono, 8 kHz) and yield what has been heard.

        `is_voice`: somebody certainly speaks in them, so they are not searched for tones.
        """
        for block in self._blocker.push(samples):
            for digit in (self._dtmf.skip if is_voice else self._dtmf.push)(block):
                self._digits_until = digit.start + digit.seconds
                yield self._digit(digit)
            every = self._cadence.is_waiting
            windows = self._bursts.skip(block) if is_voice else self._bursts.push(block, every=every)
            for ended in windows:
                if ended is not None:
                    yield from self._heard(self._cadence.ended(ended))
                yield from self._heard(self._waited())

    def _waited(self) -> Iterator[Meaning]:
        burst = self._bursts.burst
        if burst is not None:
            yield from self._cadence.sounding(burst)
        else:
            yield from self._cadence.passed(self._bursts.now, self._bursts.level)

    def _heard(self, meanings: Iterator[Meaning]) -> Iterator[ToneHeard]:
        for meaning in meanings:
            # A digit with much twist is nearly one line.
            if meaning.kind != "beep" or meaning.start >= self._digits_until:
                yield ToneHeard(meaning.kind, self._start + meaning.start, meaning.seconds)

    def _digit(self, digit: Digit) -> ToneHeard:
        return ToneHeard("dtmf", self._start + digit.start, digit.seconds, digit.key)
