"""What a caller said is transcribed while it is still being waited whether he goes on."""

from concurrent.futures import Future

import numpy as np

from detector.agents.early import EarlyRecognition
from detector.audio.frames import Samples
from detector.call import Language
from detector.events import TurnEnded, TurnPaused
from detector.speech.transcript import Transcript


class Recognition:
    def __init__(self, *, is_idle: bool = True) -> None:
        self.is_idle = is_idle
        self.begun: list[Future[Transcript]] = []

    def submit(self, samples: Samples, language: Language | None) -> Future[Transcript]:
        self.begun.append(Future())
        return self.begun[-1]


def pause(end: float, language: Language | None = None) -> TurnPaused:
    return TurnPaused(1.0, end, np.zeros(round(8000 * (end - 1.0)), np.int16), language, end + 0.05)


def turn(end: float, language: Language | None = None) -> TurnEnded:
    samples = np.zeros(round(8000 * (end - 1.0)), np.int16)
    return TurnEnded(0, 1.0, end, samples, language, is_cut=False, arrived=end + 0.2)


def test_the_turn_that_was_foreseen_is_recognized_once() -> None:
    recognition = Recognition()
    early = EarlyRecognition(recognition)
    early.paused(pause(2.0))
    assert early.submit(turn(2.0)) is recognition.begun[0]
    assert len(recognition.begun) == 1


def test_where_the_caller_goes_on_the_whole_turn_is_recognized() -> None:
    recognition = Recognition()
    early = EarlyRecognition(recognition)
    early.paused(pause(2.0))
    early.paused(pause(3.0))
    assert early.submit(turn(4.0)) is recognition.begun[2]
    assert [future.cancelled() for future in recognition.begun] == [True, True, False]


def test_a_language_learned_meanwhile_counts() -> None:
    recognition = Recognition()
    early = EarlyRecognition(recognition)
    early.paused(pause(2.0))
    assert early.submit(turn(2.0, "zh")) is recognition.begun[1]


def test_a_guess_is_for_one_turn() -> None:
    recognition = Recognition()
    early = EarlyRecognition(recognition)
    early.paused(pause(2.0))
    early.submit(turn(2.0))
    assert early.submit(turn(2.0)) is recognition.begun[1]


def test_other_calls_come_first() -> None:
    recognition = Recognition(is_idle=False)
    early = EarlyRecognition(recognition)
    early.paused(pause(2.0))
    assert not recognition.begun
