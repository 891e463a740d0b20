"""Listening: caller audio in, turns with their samples out.

Tones never count as speech, nor do voices behind the caller. Only the stretch that a turn can still need is kept, so a
call of any length takes the same memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.tones import ToneDetector, ToneHeard
from detector.audio.vad import VoiceActivityDetector
from detector.speech.foreground import Foreground
from detector.speech.turns import SpeechBegan, SpeechEnded, SpeechPaused, TurnOptions, TurnSegmenter

__all__ = ["Activity", "Heard", "Listener", "PauseAudio", "TurnAudio"]


@dataclass(frozen=True, slots=True)
class Activity:
    """Voice activity over the next `seconds` of the call, for the extractors that watch timing and level."""

    media_time: float
    seconds: float
    is_speech: bool | None
    level: float
    """dBFS."""


@dataclass(frozen=True, slots=True)
class TurnAudio:
    """A turn that has ended, with what was said in it (int16, 8 kHz)."""

    boundary: SpeechEnded
    samples: Samples


@dataclass(frozen=True, slots=True)
class PauseAudio:
    """What would be the turn if it ended here, with what was said in it."""

    boundary: SpeechPaused
    samples: Samples


CERTAIN_PROBABILITY = 0.7
CERTAIN_SECONDS = 0.16
"""Speech as certain as this for as long as this is no tone: digits and call-progress tones get 0.11 at most from the
judge of voice activity. Searching it for tones would cost half as much as judging it."""

Heard = Activity | ToneHeard | SpeechBegan | PauseAudio | TurnAudio


class Listener:
    """Feeds voice activity and tones from one stream of audio into the turn segmenter."""

    def __init__(
        self,
        options: TurnOptions | None = None,
        voice: VoiceActivityDetector | None = None,
        *,
        hears_tones: bool = True,
    ) -> None:
        self._voice = voice or VoiceActivityDetector()
        self._tones = ToneDetector() if hears_tones else None
        self._foreground = Foreground()
        self._certain = 0.0
        self._segmenter = TurnSegmenter(options)
        longest = (options or TurnOptions()).longest
        self._buffer = _Ring(seconds=longest + 4.0)
        self._waiting: list[Samples] = []
        self._missing = 0

    @property
    def is_speaking(self) -> bool:
        return self._segmenter.is_speaking

    @property
    def last_speech_end(self) -> float:
        return self._segmenter.last_speech_end

    def push(self, samples: Samples) -> Iterator[Heard]:
        """Take the next samples (int16, shape (n,), 8 kHz)."""
        # They wait until voice activity or tones have a group of windows complete: each look costs.
        self._waiting.append(samples)
        self._missing -= len(samples)
        if self._missing > 0:
            return
        samples = np.concatenate(self._waiting)
        self._waiting = []
        self._buffer.append(samples)
        if self._tones is not None:
            yield from self._tones.push(samples, is_voice=self._certain >= CERTAIN_SECONDS)
        for decision in self._voice.push(samples):
            level = decision.level
            is_speech = self._is_callers(decision.is_speech, level)
            is_certain = (decision.probability or 0.0) >= CERTAIN_PROBABILITY
            self._certain = self._certain + decision.seconds if is_certain else 0.0
            yield Activity(decision.media_time, decision.seconds, is_speech, level)
            yield from self._with_audio(
                self._segmenter.process(decision.seconds, is_speech=is_speech, level=level)
            )
        self._missing = self._voice.missing
        if self._tones is not None:
            self._missing = min(self._missing, self._tones.missing)

    def _is_callers(self, is_speech: bool | None, level: float) -> bool | None:
        """Tones are no speech, and neither is what is spoken in the room behind the caller."""
        in_tone = self._tones is not None and self._tones.in_tone
        if in_tone or is_speech is False:
            self._foreground.pause(level)
            return False
        return is_speech if self._foreground.is_foreground(level) else False

    def finish(self) -> Iterator[Heard]:
        """Close the turn that is still open at the end of the call."""
        yield from self._with_audio(self._segmenter.finish())

    def _with_audio(self, boundaries: Iterator[SpeechBegan | SpeechPaused | SpeechEnded]) -> Iterator[Heard]:
        for boundary in boundaries:
            if isinstance(boundary, SpeechEnded):
                yield TurnAudio(boundary, self._buffer.cut(boundary.start, boundary.end))
            elif isinstance(boundary, SpeechPaused):
                yield PauseAudio(boundary, self._buffer.cut(boundary.start, boundary.end))
            else:
                yield boundary


class _Ring:
    """The last `seconds` of audio, addressed by media time."""

    def __init__(self, seconds: float) -> None:
        self._keep = int(seconds * SAMPLE_RATE)
        self._samples: Samples = np.zeros(2 * self._keep, np.int16)
        self._first = 0
        self._filled = 0

    def append(self, samples: Samples) -> None:
        for start in range(0, len(samples), self._keep):
            piece = samples[start : start + self._keep]
            if self._filled + len(piece) > len(self._samples):
                kept = self._samples[self._filled - self._keep : self._filled].copy()
                self._first += self._filled - self._keep
                self._samples[: self._keep] = kept
                self._filled = self._keep
            self._samples[self._filled : self._filled + len(piece)] = piece
            self._filled += len(piece)

    def cut(self, start: float, end: float) -> Samples:
        """Return a copy of the samples between two media times, as far as they are still kept."""
        first = max(0, round(start * SAMPLE_RATE) - self._first)
        last = min(self._filled, round(end * SAMPLE_RATE) - self._first)
        return self._samples[first : max(first, last)].copy()
