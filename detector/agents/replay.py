"""Replay: the engine on a recording of a call, on the virtual clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from detector.agents.record import CallRecord
from detector.agents.recording import CallerChannel, Recording
from detector.agents.virtual import Latency, LookUp, Recognize, VirtualDriver, no_latency
from detector.audio.files import AudioFile
from detector.audio.frames import Samples
from detector.audio.level import rms_dbfs
from detector.call import CallInfo
from detector.events import Event
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts

__all__ = ["Replay", "ReplayResult"]

MOST_TOLD_APART = 300.0
"""Seconds of a mono recording that are searched for two voices; memory must not grow with its length."""
SILENT_DBFS = -65.0
"""A recording that never gets louder holds no voice."""


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
    look_up: LookUp | None = None
    """Where the same audio in other recordings is asked for; None: nowhere."""

    def screen(self, path: Path) -> ReplayResult:
        """Judge the recording at `path`. Raises AudioFileError where it cannot be read."""
        with AudioFile(path) as audio:
            told_apart = MOST_TOLD_APART if self.options.listen_on else self.options.policy.deadline
            recording = Recording(audio, self.caller_channel, told_apart)
            call = CallInfo(call_id=path.name)
            policy = replace(self.options.policy, can_ask=False)
            screener = CallScreener(call, replace(self.options, interactive=False, policy=policy), self.parts)
            run = _Run(self, screener)
            if recording.is_clear:
                run.play(recording)
            else:
                run.record.verdict = replace(
                    screener.verdict, reason="which of the two voices calls cannot be told"
                )
            notes = self._notes(audio, recording, run)
            return ReplayResult(path, run.record, audio.seconds, run.driver.now, recording.judged, notes)

    def _notes(self, audio: AudioFile, recording: Recording, run: "_Run") -> tuple[str, ...]:
        notes = ["the file is shorter than its header promises"] if audio.is_truncated else []
        if not recording.is_clear:
            notes.append("no verdict: record the two sides on separate channels")
        elif recording.is_mixed_at(run.driver.now):
            notes.append(f"the two voices are told apart in the first {recording.told_apart:.0f} s only")
        elif run.loudest < SILENT_DBFS:
            notes.append("nothing but silence")
        elif not run.record.turns:
            notes.append("no speech was found")
        return tuple(notes)


class _Run:
    """One recording on its way through the engine."""

    def __init__(self, replay: Replay, screener: CallScreener) -> None:
        self._replay = replay
        self._screener = screener
        self.driver = VirtualDriver(screener, replay.recognize, replay.latency, replay.look_up)
        self.record = CallRecord()
        self.loudest = -120.0

    def play(self, recording: Recording) -> None:
        for piece in recording.pieces():
            for state, when in piece.other:
                self._screener.receive_prompt_state(state, None, when)
            self._hear(piece.samples)
            if self._screener.has_ended and not self._replay.options.listen_on:
                break
        self._take(self.driver.hang_up())

    def _hear(self, samples: Samples) -> None:
        self.loudest = max(self.loudest, rms_dbfs(samples))
        for start in range(0, len(samples), self._replay.chunk):
            self._take(self.driver.feed(samples[start : start + self._replay.chunk]))

    def _take(self, events: Iterator[Event]) -> None:
        for event in events:
            self.record.receive(event)
            self._replay.on_event(event)
