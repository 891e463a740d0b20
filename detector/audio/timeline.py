"""The timeline of one call: audio and other inputs, worked off in the order of time.

Inputs may be pushed early or late and audio in pieces of any size; `next_step()` gives out one thing at a time, so
that whatever it causes can be answered before later audio is heard. An input whose time lies behind what has been
heard is due at once, one whose time lies ahead waits for the audio, or for time to pass without audio.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from detector.audio.frames import BLOCK_SECONDS, FrameBlocker, Samples

__all__ = ["Block", "Timeline"]


@dataclass(frozen=True, slots=True)
class Block:
    """20 ms of audio that starts at `media_time` (seconds after answer)."""

    samples: Samples
    media_time: float


class Timeline:
    """Merges blocks of audio, inputs with a time, and the passing of time."""

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds after answer up to which everything has been given out."""
        self._inputs: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._blocks: deque[Samples] = deque()
        self._blocker = FrameBlocker()
        self._heard = 0
        self._limit = 0.0

    def push_audio(self, samples: Samples) -> None:
        self._blocks.extend(self._blocker.push(samples))

    def push(self, now: float, apply: Callable[[], None]) -> None:
        """Have `apply` given out at `now`, after what was pushed for the same time before."""
        heapq.heappush(self._inputs, (now, self._count, apply))
        self._count += 1

    def pass_time(self, now: float) -> None:
        """Time has come to `now`, even if no audio has."""
        self._limit = max(self._limit, now)

    @property
    def next_input(self) -> float | None:
        """When the next waiting input is due."""
        return self._inputs[0][0] if self._inputs else None

    def next_step(self) -> Callable[[], None] | Block | float | None:
        """Return the next input that is due, the next block, the time that has come, or None."""
        due = self.next_input
        if due is not None and due <= self.now + 1e-9:
            return heapq.heappop(self._inputs)[2]
        if self._blocks:
            block = Block(self._blocks.popleft(), self._heard * BLOCK_SECONDS)
            self._heard += 1
            self.now = max(self.now, self._heard * BLOCK_SECONDS)
            return block
        upto = self._limit if due is None else min(self._limit, due)
        if upto > self.now + 1e-9:
            self.now = upto
            return upto
        return None
