"""Replay: the engine on a recording of a call, on the virtual clock.

A stereo recording has the caller on one channel and the person called on the other: what the latter says tells the
engine when the caller was being spoken to. A mono recording has both on one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from detector.agents.record import CallRecord
from detector.agents.virtual import Latency, Recognize, VirtualDriver, no_latency
from detector.audio.files import AudioFile
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.level import rms_dbfs
from detector.call import CallInfo
from detector.errors import AudioFileError
from detector.events import Event
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.speech.listening import Listener, TurnAudio
from detector.speech.turns import SpeechBegan

__all__ = ["CallerChannel", "Replay", "ReplayResult"]

CallerChannel = Literal["left", "right"]
SILENT_DBFS = -70.0


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What came of one recording."""

    path: Path
    record: CallRecord
    seconds: float
    """Of the recording."""
    heard: float
    """Seconds until the judgement stopped listening."""
    judged: str
    """Which speech was judged, in words."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Replay:
    """Judges recordings, one after the other."""

    parts: ScreenerParts
    options: ScreenerOptions
    recognize: Recognize
    latency: Latency = no_latency
    caller_channel: CallerChannel | None = None
    chunk: int = 1600
    """Samples fed at once; the result does not depend on it."""
    on_event: Callable[[Event], None] = field(default=lambda _event: None)
    on_progress: Callable[[float], None] = field(default=lambda _seconds: None)

    def screen(self, path: Path) -> ReplayResult:
        """Judge the recording at `path`. Raises AudioFileError where it cannot be read."""
        with AudioFile(path) as audio:
            notes = ["the file is shorter than its header promises"] if audio.is_truncated else []
            caller, judged = self._choose_channel(audio)
            call = CallInfo(call_id=path.name)
            screener = CallScreener(call, replace(self.options, interactive=False), self.parts)
            run = _Run(self, screener, VirtualDriver(screener, self.recognize, self.latency))
            run.play(audio.blocks(SAMPLE_RATE // 2), caller, audio.channels)
            if run.loudest < SILENT_DBFS:
                notes.append("nothing but silence")
            elif not run.record.turns:
                notes.append("no speech was found")
            return ReplayResult(path, run.record, audio.seconds, run.driver.now, judged, tuple(notes))

    def _choose_channel(self, audio: AudioFile) -> tuple[int, str]:
        if audio.channels == 1:
            if self.caller_channel is not None:
                raise AudioFileError(
                    f"{audio.path}: has one channel, so --caller-channel {self.caller_channel} cannot be chosen"
                )
            return 0, "the only channel"
        name = self.caller_channel or "left"
        how = "" if self.caller_channel else ", taken as the caller's because --caller-channel was not given"
        return (0 if name == "left" else 1), f"the {name} channel{how}"


class _Run:
    """One recording on its way through the engine."""

    def __init__(self, replay: Replay, screener: CallScreener, driver: VirtualDriver) -> None:
        self._replay = replay
        self._screener = screener
        self.driver = driver
        self.record = CallRecord()
        self.loudest = -120.0

    def play(self, blocks: Iterator[Samples], caller: int, channels: int) -> None:
        callee = Listener() if channels == 2 else None
        for block in blocks:
            for start in range(0, len(block), self._replay.chunk):
                piece = block[start : start + self._replay.chunk]
                if callee is not None:
                    self._listen_to_callee(callee, np.ascontiguousarray(piece[:, 1 - caller]))
                self._hear(np.ascontiguousarray(piece[:, caller]))
            self._replay.on_progress(self.driver.now)
            if self._screener.has_ended and not self._replay.options.listen_on:
                break
        self._take(self.driver.hang_up())

    def _hear(self, samples: Samples) -> None:
        self.loudest = max(self.loudest, rms_dbfs(samples))
        self._take(self.driver.feed(samples))

    def _listen_to_callee(self, listener: Listener, samples: Samples) -> None:
        """Report when the person called speaks, before the caller's audio of the same moment is heard."""
        for heard in listener.push(samples):
            if isinstance(heard, SpeechBegan):
                self._screener.receive_prompt_state("started", None, heard.media_time)
            elif isinstance(heard, TurnAudio):
                self._screener.receive_prompt_state("ended", None, heard.boundary.speech_end)

    def _take(self, events: Iterator[Event]) -> None:
        for event in events:
            self.record.receive(event)
            self._replay.on_event(event)
