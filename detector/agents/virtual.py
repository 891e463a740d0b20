"""The virtual driver: runs the engine on media time, with recognition whose latency is a model, not a measurement.

Replay and simulation share it, so that the same audio with the same latency gives the same verdict in both.
"""

from collections.abc import Callable, Iterator, Sequence

from detector.audio.frames import SAMPLE_RATE, Frame, Samples
from detector.call import Language
from detector.errors import RecognitionError, RecognitionTimeout
from detector.events import Event, FingerprintReady, TurnEnded
from detector.screener import CallScreener
from detector.signals.landmarks import Landmarks
from detector.signals.playback import KnownMatch
from detector.speech.transcript import Transcript

__all__ = ["Latency", "LookUp", "Recognize", "VirtualDriver", "no_latency"]

Recognize = Callable[[Samples, Language | None], Transcript]
Latency = Callable[[float, Transcript], float]
"""Seconds of recognition for a turn of so many seconds with this transcript."""


LookUp = Callable[[Landmarks], Sequence[KnownMatch]]
"""What is known of this audio."""


def no_latency(_seconds: float, _transcript: Transcript) -> float:
    return 0.0


class VirtualDriver:
    """Feeds one engine and answers its requests for transcripts, and for the same audio in other calls.

    Recognition is one server: a turn waits until the one before it is done, as with one busy worker.
    """

    def __init__(
        self,
        screener: CallScreener,
        recognize: Recognize,
        latency: Latency = no_latency,
        look_up: LookUp | None = None,
    ) -> None:
        self._screener = screener
        self._recognize = recognize
        self._latency = latency
        self._look_up = look_up
        self._heard = 0
        self._busy_until = 0.0

    @property
    def now(self) -> float:
        """Seconds of audio fed so far."""
        return self._heard / SAMPLE_RATE

    def feed(self, samples: Samples) -> Iterator[Event]:
        """Let the engine hear `samples` (int16, 8 kHz); yields every event that it causes."""
        self._screener.receive_frame(Frame(samples, self.now))
        self._heard += len(samples)
        yield from self.events()

    def hang_up(self) -> Iterator[Event]:
        """The caller is gone: work off what was under way."""
        self._screener.caller_hung_up(self.now)
        self._screener.handle_timer(self.now)
        yield from self.events()
        if self._screener.pending:
            self._screener.handle_timer(self._busy_until)
            yield from self.events()

    def events(self) -> Iterator[Event]:
        """Yield what the engine has to say, answering TurnEnded on the way."""
        while (event := self._screener.next_event()) is not None:
            yield event
            if isinstance(event, TurnEnded):
                self._transcribe(event)
            elif isinstance(event, FingerprintReady) and self._look_up is not None:
                self._screener.receive_matches(self._look_up(event.landmarks), event.arrived)

    def _transcribe(self, turn: TurnEnded) -> None:
        begun = max(turn.arrived, self._busy_until)
        try:
            transcript = self._recognize(turn.samples, turn.language)
        except RecognitionError as error:
            kind = "recognition_timeout" if isinstance(error, RecognitionTimeout) else "recognition"
            self._screener.receive_failure(kind, begun, turn.turn)  # type: ignore[arg-type]
            return
        self.answer(turn, transcript)

    def answer(self, turn: TurnEnded, transcript: Transcript) -> None:
        """Hand the engine what a turn was taken for, as late as recognition would have been."""
        begun = max(turn.arrived, self._busy_until)
        self._busy_until = begun + self._latency(turn.end - turn.start, transcript)
        self._screener.receive_transcript(turn.turn, transcript, self._busy_until)
