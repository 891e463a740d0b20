import logging
import threading
from concurrent.futures import CancelledError, wait

import numpy as np
import pytest

from detector.audio.frames import Samples
from detector.call import Language
from detector.clock import VirtualClock
from detector.errors import RecognitionError, RecognitionTimeout
from detector.speech.pool import RecognitionPool
from detector.speech.transcript import Transcript

TURN: Samples = np.ones(800, np.int16)
HEARD = Transcript("您好", "zh", -0.2)


class Answering:
    def transcribe(self, samples: Samples, language: Language | None) -> Transcript:
        return Transcript(f"{len(samples)}", language or "zh", -0.2)


class Gated:
    """Answers only once the gate is open; tells that it has begun."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.gate = threading.Event()

    def transcribe(self, samples: Samples, language: Language | None) -> Transcript:
        self.begun.release()
        assert self.gate.wait(10)
        return HEARD


class Broken:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def transcribe(self, samples: Samples, language: Language | None) -> Transcript:
        raise self.error


def test_each_turn_gets_its_own_transcript() -> None:
    with RecognitionPool(Answering(), workers=4, longest_queue=50) as pool:
        futures = [pool.submit(TURN[: 10 + n], "en") for n in range(50)]
        assert [future.result(5).text for future in futures] == [str(10 + n) for n in range(50)]
        assert futures[0].result().language == "en"


def test_a_running_turn_times_out_and_its_late_result_is_thrown_away() -> None:
    clock, transcriber = VirtualClock(), Gated()
    with RecognitionPool(transcriber, workers=1, timeout=8.0, clock=clock) as pool:
        late = pool.submit(TURN)
        assert transcriber.begun.acquire(timeout=5)
        assert pool.expire(7.9) == 8.0
        assert not late.done()
        assert pool.expire(8.0) is None
        with pytest.raises(RecognitionTimeout):
            late.result(0)
        transcriber.gate.set()
        assert pool.submit(TURN).result(5) == HEARD
        assert isinstance(late.exception(), RecognitionTimeout)


def test_a_waiting_turn_times_out_and_is_never_worked_on() -> None:
    clock, transcriber = VirtualClock(), Gated()
    with RecognitionPool(transcriber, workers=1, timeout=8.0, clock=clock) as pool:
        pool.submit(TURN)
        assert transcriber.begun.acquire(timeout=5)
        waiting = pool.submit(TURN)
        pool.expire(9.0)
        with pytest.raises(RecognitionTimeout):
            waiting.result(0)
        transcriber.gate.set()
        assert pool.submit(TURN).result(5) == HEARD
        assert transcriber.begun.acquire(timeout=5)
        assert not transcriber.begun.acquire(blocking=False), "the turn that had timed out was worked on"


def test_the_deadline_passes_by_itself() -> None:
    transcriber = Gated()
    with RecognitionPool(transcriber, workers=1, timeout=0.05) as pool:
        with pytest.raises(RecognitionTimeout):
            pool.submit(TURN).result(5)
        transcriber.gate.set()


def test_too_many_waiting_turns_are_refused_at_once() -> None:
    transcriber = Gated()
    with RecognitionPool(transcriber, workers=1, longest_queue=2) as pool:
        taken = [pool.submit(TURN)]
        assert transcriber.begun.acquire(timeout=5)
        taken += [pool.submit(TURN), pool.submit(TURN)]
        with pytest.raises(RecognitionError, match="overloaded: 2 turns wait"):
            pool.submit(TURN).result(0)
        transcriber.gate.set()
        assert [future.result(5) for future in taken] == [HEARD] * 3
        assert pool.submit(TURN).result(5) == HEARD


def test_recognition_that_breaks_is_told_and_the_pool_goes_on() -> None:
    transcriber = Broken(RecognitionError("the encoder broke"))
    with RecognitionPool(transcriber, workers=1) as pool:
        for _ in range(3):
            with pytest.raises(RecognitionError, match="the encoder broke"):
                pool.submit(TURN).result(5)


def test_an_unexpected_error_keeps_what_was_said_to_itself(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), RecognitionPool(Broken(ValueError("张三 13800138000"))) as pool:
        with pytest.raises(RecognitionError, match="recognition broke: ValueError") as raised:
            pool.submit(TURN).result(5)
        assert isinstance(raised.value.__cause__, ValueError)
    assert "ValueError" in caplog.text
    assert "138" not in caplog.text


def test_closing_fails_the_waiting_and_lets_the_running_end() -> None:
    transcriber = Gated()
    pool = RecognitionPool(transcriber, workers=1)
    running = pool.submit(TURN)
    assert transcriber.begun.acquire(timeout=5)
    waiting = pool.submit(TURN)
    pool.close(wait=0.0)
    with pytest.raises(RecognitionError, match="closed"):
        waiting.result(0)
    with pytest.raises(RecognitionError, match="closed"):
        pool.submit(TURN).result(0)
    transcriber.gate.set()
    assert running.result(5) == HEARD
    pool.close()


def test_closing_ends_every_thread() -> None:
    before = set(threading.enumerate())
    pool = RecognitionPool(Answering(), workers=3)
    pool.submit(TURN).result(5)
    assert len(set(threading.enumerate()) - before) == 4
    pool.close()
    assert set(threading.enumerate()) - before == set()


def test_a_cancelled_turn_is_skipped() -> None:
    transcriber = Gated()
    with RecognitionPool(transcriber, workers=1) as pool:
        first = pool.submit(TURN)
        assert transcriber.begun.acquire(timeout=5)
        cancelled = pool.submit(TURN)
        assert cancelled.cancel()
        transcriber.gate.set()
        assert not wait([first, cancelled], timeout=5).not_done
        with pytest.raises(CancelledError):
            cancelled.result()
        assert pool.submit(TURN).result(5) == HEARD
        assert transcriber.begun.acquire(timeout=5)
        assert not transcriber.begun.acquire(blocking=False)


def test_a_turn_that_is_cancelled_while_it_is_recognized_wakes_who_waits_for_many() -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow:
        def transcribe(self, samples: Samples, language: Language | None) -> Transcript:
            begun.set()
            assert go_on.wait(10)
            return HEARD

    with RecognitionPool(Slow(), workers=1) as pool:
        future = pool.submit(TURN)
        assert begun.wait(10)
        assert future.cancel()
        go_on.set()
        assert not wait([future], timeout=10).not_done


def test_every_future_ends_when_deadlines_workers_and_cancelling_race() -> None:
    class Quick:
        def transcribe(self, samples: Samples, language: Language | None) -> Transcript:
            return HEARD

    with RecognitionPool(Quick(), workers=3, timeout=0.001, longest_queue=1000) as pool:
        futures = [pool.submit(TURN) for _ in range(600)]
        for future in futures[::7]:
            future.cancel()
        assert not wait(futures, timeout=10).not_done
    assert pool.is_idle
