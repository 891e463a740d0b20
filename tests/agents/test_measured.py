"""Recognition on a virtual clock that takes as long as it really took."""

import numpy as np

from detector.agents.measured import MeasuredRecognition
from detector.speech.transcript import Transcript


def test_the_latency_is_that_of_the_transcript_that_came_last() -> None:
    times = iter([10.0, 10.4, 20.0, 21.5])
    heard = Transcript("喂", "zh", -0.3)
    measured = MeasuredRecognition(lambda *_: heard, clock=lambda: next(times))
    for seconds in (0.4, 1.5):
        transcript = measured.recognize(np.zeros(800, np.int16), None)
        assert transcript is heard
        assert abs(measured.latency(3.0, transcript) - seconds) < 1e-9
