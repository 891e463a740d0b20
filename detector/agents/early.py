"""Early recognition: a turn is transcribed while it is still being waited whether the caller goes on.

A turn ends after a silence. Most pauses as long as half of it do end one, and what was said by then does not change
any more: so recognition begins there, if it has nothing else to do, and a reply comes that much sooner. Where the
caller does go on, the work is thrown away.
"""

from concurrent.futures import Future
from typing import Protocol

from detector.audio.frames import Samples
from detector.call import Language
from detector.events import TurnEnded, TurnPaused
from detector.speech.transcript import Transcript

__all__ = ["EarlyRecognition", "Recognition"]


class Recognition(Protocol):
    """Anything that takes turns and answers later, from any thread."""

    @property
    def is_idle(self) -> bool:
        """Whether a turn would be begun at once and take nothing from others."""
        ...

    def submit(self, samples: Samples, language: Language | None) -> Future[Transcript]: ...


class EarlyRecognition:
    """The recognition of one call. A turn has the same transcript as it would have without."""

    def __init__(self, recognition: Recognition) -> None:
        self._recognition = recognition
        self._begun: tuple[TurnPaused, Future[Transcript]] | None = None

    def paused(self, pause: TurnPaused) -> None:
        """Begin with what may turn out to be a turn. Never raises for what recognition would raise."""
        self._drop()
        if self._recognition.is_idle:
            self._begun = pause, self._recognition.submit(pause.samples, pause.language)

    def submit(self, turn: TurnEnded) -> Future[Transcript]:
        """Return the transcript to come of `turn`, begun already where it is what was foreseen."""
        if self._begun is not None:
            pause, future = self._begun
            if (pause.start, pause.end, pause.language) == (turn.start, turn.end, turn.language):
                self._begun = None
                return future
        self._drop()
        return self._recognition.submit(turn.samples, turn.language)

    def _drop(self) -> None:
        if self._begun is not None:
            self._begun[1].cancel()
            self._begun = None
