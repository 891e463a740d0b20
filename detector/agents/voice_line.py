"""The caller's end of the line: clips, the pauses between them, and a floor of line noise that never stops."""

from dataclasses import dataclass

import numpy as np

from detector.audio.frames import SAMPLE_RATE, Samples

__all__ = ["LINE_NOISE_DBFS", "Part", "VoiceLine"]

LINE_NOISE_DBFS = -60.0
"""The same for every caller: digital silence must not tell the kinds apart."""
FADE_SAMPLES = SAMPLE_RATE // 40
"""25 ms: a voice that breaks off does not click."""


@dataclass(frozen=True, slots=True)
class Part:
    """One utterance with the pause before it. `samples`: int16, shape (n,), 8 kHz."""

    text: str
    pause: int
    """Samples of silence before it."""
    samples: Samples


class VoiceLine:
    """Plays parts one after the other; everything is counted in samples since answer."""

    def __init__(self, seed: int) -> None:
        self._noise = np.random.default_rng(seed)
        self._scale = 32768 * 10 ** (LINE_NOISE_DBFS / 20)
        self._parts: list[tuple[int, Part]] = []
        self._end = 0

    @property
    def end(self) -> int:
        """Where the last part ends."""
        return self._end

    def play(self, parts: list[Part], start: int) -> int:
        """Play `parts` from `start` on, after whatever is playing has ended; return where they will end."""
        position = max(start, self._end)
        for part in parts:
            position += part.pause
            self._parts.append((position, part))
            position += len(part.samples)
        self._end = position
        return position

    def cut(self, at: int) -> None:
        """Fall silent at `at`, with a short fade before it; parts that would begin later are dropped."""
        if at >= self._end:
            return
        self._parts = [_shortened(start, part, at) for start, part in self._parts if start < at]
        self._end = at

    def samples(self, position: int, count: int) -> Samples:
        """Return `count` samples from `position` on (int16, shape (count,)).

        Calls follow one another without a gap: the noise goes on where it was.
        """
        mixed = self._noise.standard_normal(count) * self._scale
        for start, part in self._parts:
            first = max(start, position)
            last = min(start + len(part.samples), position + count)
            if first < last:
                mixed[first - position : last - position] += part.samples[first - start : last - start]
        self._parts = [
            item for item in self._parts if item[0] + len(item[1].samples) > position + count - FADE_SAMPLES
        ]
        out: Samples = np.clip(np.rint(mixed), -32768, 32767).astype(np.int16)
        return out


def _shortened(start: int, part: Part, at: int) -> tuple[int, Part]:
    keep = min(len(part.samples), at - start)
    if keep == len(part.samples):
        return start, part
    samples = part.samples[:keep].copy()
    fade = min(FADE_SAMPLES, keep)
    samples[keep - fade :] = np.rint(samples[keep - fade :] * np.linspace(1, 0, fade)).astype(np.int16)
    return start, Part(part.text, part.pause, samples)
