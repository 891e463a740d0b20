"""Recognition whose latency is what it really takes on this machine, for a virtual clock."""

import time
from collections.abc import Callable

from detector.agents.virtual import Recognize
from detector.audio.frames import Samples
from detector.call import Language
from detector.speech.transcript import Transcript

__all__ = ["MeasuredRecognition"]


class MeasuredRecognition:
    """Wraps recognition and remembers how long it took, as `Latency` for the transcript that came last."""

    def __init__(self, recognize: Recognize, clock: Callable[[], float] = time.perf_counter) -> None:
        self._recognize = recognize
        self._clock = clock
        self._took = 0.0

    def recognize(self, samples: Samples, language: Language | None) -> Transcript:
        begun = self._clock()
        transcript = self._recognize(samples, language)
        self._took = self._clock() - begun
        return transcript

    def latency(self, _seconds: float, _transcript: Transcript) -> float:
        return self._took
