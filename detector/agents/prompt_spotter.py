"""Spotting the agent's prompts in its audio: what a test caller needs to know of the agent over a real telephone line.

The wordings ship as audio, so the first half second of what the agent says tells which one it is: it is compared with
the beginning of every prompt by normalized cross-correlation, which G.711 and a gain do not change.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.agents.scenario_caller import ActState
from detector.audio.files import read_clip
from detector.audio.frames import BLOCK_SECONDS, SAMPLE_RATE, FrameBlocker, Samples
from detector.audio.level import rms_dbfs
from detector.dialogue.prompts import Prompt, PromptLibrary

__all__ = ["PromptHeard", "PromptSpotter"]

SPEECH_DBFS = -45.0
"""Prompts are levelled about -20 dBFS; a line that plays none is silent."""
COMPARED = int(0.6 * SAMPLE_RATE)
SLACK = int(0.3 * SAMPLE_RATE)
"""The first samples of a prompt may be lost while media starts."""
ALIKE = 0.5
SILENCE = 0.6
"""Seconds without sound that end a prompt, whatever it was; no prompt pauses as long."""


@dataclass(frozen=True, slots=True)
class PromptHeard:
    """The agent began or ended to say something.

    That it speaks is known at once, what it says only after a while: a start never names the prompt, an end does,
    unless it is none of ours.
    """

    prompt: Prompt | None
    state: ActState
    media_time: float


class PromptSpotter:
    """Listens to the agent's audio (int16, 8 kHz) in pieces of any size."""

    def __init__(self, prompts: PromptLibrary) -> None:
        self._heads = [(prompt, _head(read_clip(prompt.path))) for prompt in prompts.prompts]
        self._blocker = FrameBlocker()
        self._heard = 0
        self._speech: list[Samples] = []
        self._since: float | None = None
        self._last_sound = 0.0
        self._prompt: Prompt | None = None
        self._is_named = False

    def push(self, samples: Samples) -> Iterator[PromptHeard]:
        for block in self._blocker.push(samples):
            start = self._heard / SAMPLE_RATE
            self._heard += len(block)
            yield from self._listen(block, start)

    def finish(self) -> Iterator[PromptHeard]:
        """The call is over: what the agent was saying ends here."""
        if self._since is not None:
            yield self._ended()

    def _listen(self, block: Samples, start: float) -> Iterator[PromptHeard]:
        if rms_dbfs(block) > SPEECH_DBFS:
            self._last_sound = start + BLOCK_SECONDS
            if self._since is None:
                self._since = start
                yield PromptHeard(None, "started", start)
        if self._since is None:
            return
        if not self._is_named:
            self._speech.append(block)
            if start - self._since >= COMPARED / SAMPLE_RATE:
                self._prompt, self._is_named = self._which(), True
        if start - self._last_sound >= SILENCE or self._is_over(start):
            yield self._ended()

    def _ended(self) -> PromptHeard:
        ended = PromptHeard(self._prompt or self._which(), "ended", self._last_sound)
        self._prompt, self._is_named, self._since = None, False, None
        self._speech.clear()
        return ended

    def _is_over(self, start: float) -> bool:
        """Whether a prompt that was recognized has come to its end."""
        return (
            self._prompt is not None
            and self._since is not None
            and start >= self._since + self._prompt.seconds
        )

    def _which(self) -> Prompt | None:
        heard = np.concatenate(self._speech)[:COMPARED].astype(np.float64)
        heard = np.pad(heard, (0, COMPARED - len(heard)))
        scores = [(_likeness(heard, head), index) for index, (_, head) in enumerate(self._heads)]
        best, index = max(scores, default=(0.0, 0))
        return self._heads[index][0] if best >= ALIKE else None


def _head(samples: Samples) -> NDArray[np.float64]:
    """The beginning of a prompt, around its first sound, padded to a fixed length."""
    loud = np.flatnonzero(np.abs(samples) > 200)
    first = SLACK + (int(loud[0]) if len(loud) else 0)
    padded = np.pad(samples.astype(np.float64), (SLACK, COMPARED + SLACK))
    return padded[first - SLACK : first + COMPARED + SLACK]


def _likeness(heard: NDArray[np.float64], head: NDArray[np.float64]) -> float:
    """Return the largest normalized cross-correlation (0 to 1) of `heard` within `head`."""
    size = 1 << (len(head) + len(heard) - 1).bit_length()
    spectrum = np.fft.rfft(head, size) * np.conj(np.fft.rfft(heard, size))
    products = np.fft.irfft(spectrum, size)[: len(head) - len(heard) + 1]
    energy = np.concatenate([[0.0], np.cumsum(head**2)])
    windows = energy[len(heard) :] - energy[: len(energy) - len(heard)]
    scale = np.sqrt(np.maximum(windows * float(heard @ heard), 1e-9))
    return float((np.abs(products) / scale).max())
