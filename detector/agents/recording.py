"""A recording of a call, taken apart: what the caller says, and when the person called speaks.

Stereo has one side on each channel. Mono has both on one, and so has a stereo file whose channels are the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from detector.agents.mono import MonoVoices, find_voices, without
from detector.audio.files import AudioFile
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.errors import AudioFileError
from detector.events import PromptState
from detector.speech.listening import Listener, TurnAudio
from detector.speech.turns import SpeechBegan

__all__ = ["CallerChannel", "Piece", "Recording"]

CallerChannel = Literal["left", "right"]
BLOCK = SAMPLE_RATE // 5
"""Samples read at once."""
SAME_WITHIN = 4
"""Sample units: two channels that differ by no more are one channel written twice."""
COMPARED_SECONDS = 30
"""Of sound: this much of two channels is compared; silence says nothing."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The next stretch of the caller's audio, and what the other side began or ended in it."""

    samples: Samples
    other: tuple[tuple[PromptState, float], ...]
    """"started" or "ended", and the second of the recording at which it did."""


class Recording:
    """One audio file as the engine needs it. `told_apart` seconds of a mono file are searched for two voices."""

    def __init__(self, audio: AudioFile, caller: CallerChannel | None, told_apart: float) -> None:
        self._audio = audio
        self._caller = 1 if caller == "right" else 0
        self.told_apart = told_apart
        self._voices: MonoVoices | None = None
        if audio.channels == 1 or self._is_one_channel_twice():
            if caller is not None:
                raise AudioFileError(
                    f"{audio.path}: has both sides on one channel, so --caller-channel {caller} cannot be chosen; "
                    "leave the option out"
                )
            self._voices = find_voices((block[:, 0] for block in audio.blocks(BLOCK)), told_apart)
        self.judged = self._describe(caller)

    @property
    def is_clear(self) -> bool:
        """Whether it can be said whose speech is the caller's."""
        return self._voices is None or self._voices.is_clear

    def is_mixed_at(self, heard: float) -> bool:
        """Whether two voices share a channel and are not told apart any more at `heard` seconds."""
        return self._voices is not None and self._voices.voices.count == 2 and heard > self.told_apart

    def pieces(self) -> Iterator[Piece]:
        """Yield the whole recording in order."""
        if self._voices is not None:
            yield from self._by_voice(self._voices)
        else:
            yield from self._by_channel()

    def _by_voice(self, found: MonoVoices) -> Iterator[Piece]:
        edges = sorted(
            [(begin, "started") for begin, _ in found.other] + [(end, "ended") for _, end in found.other]
        )
        heard = 0.0
        for block in self._audio.blocks(BLOCK):
            until = heard + len(block) / SAMPLE_RATE
            other = tuple((state, when) for when, state in edges if heard <= when < until)
            yield Piece(without(np.ascontiguousarray(block[:, 0]), heard, found), other)  # type: ignore[arg-type]
            heard = until

    def _by_channel(self) -> Iterator[Piece]:
        callee = Listener()
        for block in self._audio.blocks(BLOCK):
            other: list[tuple[PromptState, float]] = []
            for heard in callee.push(np.ascontiguousarray(block[:, 1 - self._caller])):
                if isinstance(heard, SpeechBegan):
                    other.append(("started", heard.media_time))
                elif isinstance(heard, TurnAudio) and not heard.boundary.is_cut:
                    other.append(("ended", heard.boundary.speech_end))
            yield Piece(np.ascontiguousarray(block[:, self._caller]), tuple(other))

    def _is_one_channel_twice(self) -> bool:
        compared = 0
        for block in self._audio.blocks(SAMPLE_RATE):
            if np.abs(block[:, 0].astype(np.int32) - block[:, 1]).max() > SAME_WITHIN:
                return False
            compared += bool(np.abs(block.astype(np.int32)).max() > SAME_WITHIN)
            if compared >= COMPARED_SECONDS:
                break
        return compared > 0

    def _describe(self, caller: CallerChannel | None) -> str:
        if self._voices is not None:
            return self._voices.describe()
        if caller is not None:
            return f"the {caller} channel"
        return "the left channel, taken as the caller's because --caller-channel was not given"
