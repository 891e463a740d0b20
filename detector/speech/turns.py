"""Turns: where the caller's speech starts and ends, and where a long turn is cut.

The rules, first as prose:

- Speech counts as started once `onset` seconds of it lie within a short stretch; the turn then begins a little
  before, so that no first consonant is lost.
- A turn ends after `end_silence` seconds without speech. After half of them it is told once that it may end: what
  would be its end is known then.
- A turn that goes on beyond `longest` seconds is cut at its quietest point within the last `search` seconds, and
  the rest is the next turn: a recording never stops to be judged.
- A turn with less than `shortest` seconds of speech in it is a click or a breath and is dropped.
- Unknown voice activity (None) neither starts nor ends anything: it counts as whatever is going on.

                 speech ≥ onset                      silence ≥ end_silence
    SILENT ───────────────────────► SPEAKING ───────────────────────────────► SILENT   (SpeechEnded)
                                        │  ▲
                                        └──┘ longer than `longest`                     (SpeechEnded, is_cut)

Only durations, flags and levels go in: no audio, no clock.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["SpeechBegan", "SpeechEnded", "SpeechPaused", "TurnOptions", "TurnSegmenter"]


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """Durations in seconds."""

    onset: float = 0.12
    onset_window: float = 0.3
    end_silence: float = 0.3
    pause: float = 0.15
    """Silence after which a turn is likely to end; not shorter than the lead-out."""
    lead_in: float = 0.2
    """Kept before the first speech of a turn."""
    lead_out: float = 0.1
    """Kept after the last speech of a turn."""
    shortest: float = 0.2
    longest: float = 6.0
    search: float = 2.0


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    media_time: float
    """Seconds after answer at which the speech itself starts."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """A stretch of speech that is ready to be transcribed; times in seconds after answer."""

    start: float
    end: float
    speech_start: float
    speech_end: float
    """`start` and `end` include the lead-in and lead-out, these two do not."""
    is_cut: bool
    """The caller still talks: the turn was only too long to wait for."""


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """If the caller does not go on, the turn that ends is this one."""

    start: float
    end: float


@dataclass(slots=True)
class _Step:
    start: float
    seconds: float
    level: float


class TurnSegmenter:
    """Turns voice-activity decisions, in order and without gaps, into turns."""

    def __init__(self, options: TurnOptions | None = None) -> None:
        self._options = options or TurnOptions()
        self._now = 0.0
        self._recent: deque[tuple[float, float, bool]] = deque()
        self._steps: deque[_Step] = deque()
        self._start: float | None = None
        self._speech_start = 0.0
        self._last_speech_end = 0.0
        self._previous_end = 0.0
        self._voiced = 0.0
        self._paused_at = 0.0

    @property
    def is_speaking(self) -> bool:
        return self._start is not None

    @property
    def last_speech_end(self) -> float:
        """Seconds after answer at which the last speech ended (0.0 before any)."""
        return self._last_speech_end

    def process(
        self, seconds: float, *, is_speech: bool | None, level: float
    ) -> Iterator[SpeechBegan | SpeechPaused | SpeechEnded]:
        """Take the next `seconds` of the call: whether it is speech, and its `level` in dBFS."""
        step_start, self._now = self._now, self._now + seconds
        speech = self.is_speaking and self._in_speech_now() if is_speech is None else is_speech
        if self._start is None:
            yield from self._wait(step_start, seconds, speech=speech)
        else:
            yield from self._speak(_Step(step_start, seconds, level), speech=speech)

    def finish(self) -> Iterator[SpeechEnded]:
        """Close the turn that is still open at the end of the call."""
        if self._start is not None:
            yield from self._close(min(self._now, self._last_speech_end + self._options.lead_out))

    def _in_speech_now(self) -> bool:
        return self._now - self._last_speech_end < self._options.end_silence

    def _wait(self, start: float, seconds: float, *, speech: bool) -> Iterator[SpeechBegan]:
        self._recent.append((start, seconds, speech))
        while self._recent and self._recent[0][0] < self._now - self._options.onset_window - 1e-9:
            self._recent.popleft()
        voiced = sum(length for _, length, flag in self._recent if flag)
        if speech and voiced >= self._options.onset - 1e-9:
            first = next(begin for begin, _, flag in self._recent if flag)
            self._open(max(self._previous_end, first - self._options.lead_in, 0.0), first, voiced)
            yield SpeechBegan(first)

    def _open(self, start: float, speech_start: float, voiced: float) -> None:
        self._start, self._speech_start, self._voiced = start, speech_start, voiced
        self._last_speech_end = self._now
        self._recent.clear()
        self._steps.clear()

    def _speak(self, step: _Step, *, speech: bool) -> Iterator[SpeechPaused | SpeechEnded]:
        self._steps.append(step)
        if speech:
            self._last_speech_end = self._now
            self._voiced += step.seconds
        if self._now - self._last_speech_end >= self._options.end_silence - 1e-9:
            yield from self._close(self._last_speech_end + self._options.lead_out)
            return
        if self._now - self._last_speech_end >= self._options.pause - 1e-9:
            yield from self._pause()
        if self._start is not None and self._now - self._start >= self._options.longest - 1e-9:
            yield self._cut()

    def _pause(self) -> Iterator[SpeechPaused]:
        is_told = self._paused_at == self._last_speech_end
        if self._start is not None and not is_told and self._voiced >= self._options.shortest - 1e-9:
            self._paused_at = self._last_speech_end
            yield SpeechPaused(self._start, self._last_speech_end + self._options.lead_out)

    def _close(self, end: float) -> Iterator[SpeechEnded]:
        start, self._start = self._start, None
        assert start is not None  # noqa: S101 - holds by the state machine; narrows the type
        if self._voiced >= self._options.shortest - 1e-9:
            self._previous_end = end
            yield SpeechEnded(start, end, self._speech_start, self._last_speech_end, is_cut=False)

    def _cut(self) -> SpeechEnded:
        """End the turn at its quietest point and open the next one there."""
        assert self._start is not None  # noqa: S101 - holds by the state machine; narrows the type
        earliest = self._now - self._options.search
        candidates = [step for step in self._steps if step.start >= earliest - 1e-9]
        # Smoothed over three steps: a single quiet step is the closure of a plosive, not a pause.
        levels = [step.level for step in candidates]
        padded = [levels[0], *levels, levels[-1]]
        smooth = [sum(padded[i : i + 3]) for i in range(len(levels))]
        quietest = min(range(len(smooth)), key=lambda i: (smooth[i], -i))
        at = candidates[quietest].start + candidates[quietest].seconds / 2
        ended = SpeechEnded(self._start, at, self._speech_start, min(at, self._last_speech_end), is_cut=True)
        self._start = self._speech_start = self._previous_end = at
        self._voiced = max(0.0, self._last_speech_end - at)
        return ended
