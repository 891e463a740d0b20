"""A mono recording with two voices: which of them is the caller's, and what he alone says.

Both sides of the call lie on one channel, so the turns are told apart by voice first. The voice that speaks clearly
more is judged: who calls in order to sell or to inform does most of the talking. Where neither does, it cannot be
known which one calls, and there is no verdict.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.silero import WINDOW_SAMPLES
from detector.audio.vad import VoiceActivityDetector
from detector.speech.listening import Listener, TurnAudio
from detector.speech.voices import Voices, tell_voices_apart

__all__ = ["MonoVoices", "find_voices", "without"]

CLEARLY_MORE = 1.4
"""How many times as long as the other the judged voice must speak."""


@dataclass(frozen=True, slots=True)
class MonoVoices:
    """What the first pass over a mono recording found."""

    voices: Voices
    other: tuple[tuple[float, float], ...]
    """Start and end (seconds) of the turns of the voice that is not judged."""
    floor: float
    """Root mean square of the quietest stretch, in sample units: what the other's turns are replaced by."""

    @property
    def is_clear(self) -> bool:
        """Whether it can be said whose speech to judge."""
        if self.voices.count < 2:
            return True
        most, least = self.voices.seconds
        return most >= CLEARLY_MORE * least

    def describe(self) -> str:
        if self.voices.count == 0:
            return "no voice"
        if self.voices.count == 1:
            return "the only voice"
        most, least = self.voices.seconds
        if self.is_clear:
            return f"of two voices the one that speaks more ({most:.0f} s against {least:.0f} s)"
        return f"neither of two voices, which speak about as long ({most:.0f} s and {least:.0f} s)"


def find_voices(blocks: Iterable[Samples], seconds: float) -> MonoVoices:
    """Listen to the first `seconds` of a recording (int16, shape (n,), 8 kHz) and tell its voices apart."""
    listener = Listener(voice=VoiceActivityDetector(judge=_GateAlone()), hears_tones=False)
    turns: list[TurnAudio] = []
    quietest = float("inf")
    heard = 0
    for block in blocks:
        turns += [item for item in listener.push(block) if isinstance(item, TurnAudio)]
        quietest = min(quietest, _quietest(block))
        heard += len(block)
        if heard >= seconds * SAMPLE_RATE:
            break
    turns += [item for item in listener.finish() if isinstance(item, TurnAudio)]
    voices = tell_voices_apart([turn.samples for turn in turns])
    other = tuple(
        (turn.boundary.start, turn.boundary.end)
        for turn, label in zip(turns, voices.labels, strict=True)
        if label == 1
    )
    return MonoVoices(voices, other, 0.0 if quietest == float("inf") else quietest)


class _GateAlone:
    """Takes the cheap gate's word for speech.

    Telling voices apart wants turns, not certainty, and nothing before the judgement should cost as much as it does.
    """

    def skip(self, windows: Samples) -> None:
        pass

    def probabilities(self, windows: Samples) -> list[float]:
        return [1.0] * (len(windows) // WINDOW_SAMPLES)


def without(block: Samples, start: float, found: MonoVoices, seed: int = 0) -> Samples:
    """Replace what the other voice says in `block`, which starts at `start` seconds, by noise of the line's floor."""
    spans = list(_overlaps(len(block), start, found.other))
    if not spans:
        return block
    quiet = block.copy()
    rng = np.random.default_rng((seed, round(start * SAMPLE_RATE)))
    for first, last in spans:
        noise = rng.normal(0.0, max(found.floor, 0.5), last - first)
        quiet[first:last] = np.rint(noise).astype(np.int16)
    return quiet


def _overlaps(length: int, start: float, spans: Iterable[tuple[float, float]]) -> Iterator[tuple[int, int]]:
    offset = round(start * SAMPLE_RATE)
    for begin, end in spans:
        first = max(0, round(begin * SAMPLE_RATE) - offset)
        last = min(length, round(end * SAMPLE_RATE) - offset)
        if first < last:
            yield first, last


def _quietest(block: Samples, cell: int = SAMPLE_RATE // 10) -> float:
    """Return the root mean square of the quietest 0.1 s that is not digital silence."""
    whole = block[: len(block) // cell * cell].astype(np.float64).reshape(-1, cell)
    levels = np.sqrt((whole**2).mean(axis=1))
    sounding = levels[levels > 0]
    return float(sounding.min()) if len(sounding) else float("inf")
