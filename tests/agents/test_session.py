"""The live session: the engine's wishes reach the line, and nothing that breaks drops the caller."""

from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
import pytest

from detector.agents.session import LiveSession
from detector.audio.files import read_clip
from detector.audio.frames import BLOCK_SAMPLES, SAMPLE_RATE, Samples
from detector.call import CallInfo, Language
from detector.clock import VirtualClock
from detector.decision.fusion import FusionModel
from detector.dialogue.acts import Act
from detector.dialogue.prompts import Prompt, PromptLibrary
from detector.errors import RecognitionError
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.speech.transcript import Transcript
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher


@pytest.fixture(scope="module")
def parts() -> ScreenerParts:
    return ScreenerParts(Matcher(Lexicon.load()), FusionModel.load(), PromptLibrary.load())


class Line:
    """A telephone line that notes what is done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.played: list[Prompt] = []

    def play(self, prompt: Prompt) -> None:
        self.played.append(prompt)

    def stop_playing(self) -> None:
        self.done.append("stop")

    def forward(self) -> None:
        self.done.append("forward")

    def hang_up(self) -> None:
        self.done.append("hang up")


class Timer:
    def cancel(self) -> None:
        pass


class Scheduler:
    """Runs at once what comes from another thread, and timers when the test says so."""

    def __init__(self) -> None:
        self.timers: list[Callable[[], None]] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        assert delay > 0
        self.timers.append(callback)
        return Timer()

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> object:
        callback()
        return None


class Recognition:
    """Answers at once, with a text or an error."""

    def __init__(self, outcome: str | Exception, *, refuses: bool = False) -> None:
        self._outcome = outcome
        self._refuses = refuses
        self.asked = 0

    @property
    def is_idle(self) -> bool:
        return False

    def submit(self, samples: Samples, language: Language | None) -> Future[Transcript]:
        self.asked += 1
        assert len(samples) > 0
        if self._refuses:
            raise RecognitionError("too many turns wait")
        future: Future[Transcript] = Future()
        if isinstance(self._outcome, Exception):
            future.set_exception(self._outcome)
        else:
            future.set_result(Transcript(self._outcome, language or "zh", -0.3))
        return future


class Rig:
    """A session on a virtual clock."""

    def __init__(self, parts: ScreenerParts, recognition: Recognition) -> None:
        self.line, self.clock, self.scheduler = Line(), VirtualClock(100.0), Scheduler()
        self.screener = CallScreener(CallInfo("call"), ScreenerOptions(), parts)
        self.session = LiveSession(self.screener, self.line, recognition, self.clock, self.scheduler)
        self.position = 0
        self._reported = 0
        self.session.start()

    def hear(self, samples: Samples) -> None:
        for start in range(0, len(samples), BLOCK_SAMPLES):
            block = samples[start : start + BLOCK_SAMPLES]
            self.session.audio(block, self.position)
            self.position += len(block)
            self.clock.advance_to(100.0 + self.position / SAMPLE_RATE)
            self._play_prompts()

    def _play_prompts(self) -> None:
        """Every prompt is over at once: these tests are not about timing."""
        while self._reported < len(self.line.played):
            prompt = self.line.played[self._reported]
            self._reported += 1
            self.session.prompt_state("started", prompt.id)
            self.session.prompt_state("ended", prompt.id)


def speech(parts: ScreenerParts) -> Samples:
    pieces = [read_clip(prompt.path) for prompt in parts.prompts.for_act(Act.GREETING, "zh")[:2]]
    quiet = np.zeros(SAMPLE_RATE, np.int16)
    return np.concatenate([quiet, pieces[0], quiet, pieces[1], quiet])


def test_the_caller_is_greeted_on_the_line(parts: ScreenerParts) -> None:
    rig = Rig(parts, Recognition("喂"))
    rig.hear(np.zeros(SAMPLE_RATE, np.int16))
    assert [prompt.act for prompt in rig.line.played] == [Act.GREETING]


def test_what_the_caller_says_is_recognized(parts: ScreenerParts) -> None:
    recognition = Recognition("喂")
    Rig(parts, recognition).hear(speech(parts))
    assert recognition.asked >= 2


@pytest.mark.parametrize(
    "recognition",
    [
        Recognition(RecognitionError("broken")),
        Recognition(RuntimeError("the library crashed")),
        Recognition("", refuses=True),
    ],
    ids=["raises", "crashes", "refuses"],
)
def test_a_dead_recognition_puts_the_caller_through(parts: ScreenerParts, recognition: Recognition) -> None:
    rig = Rig(parts, recognition)
    rig.hear(np.concatenate([speech(parts), speech(parts)]))
    rig.hear(np.zeros(4 * SAMPLE_RATE, np.int16))
    assert rig.line.done[-1] == "forward"
    assert "hang up" not in rig.line.done


def test_an_engine_that_breaks_puts_the_caller_through(
    parts: ScreenerParts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(parts, Recognition("喂"))

    def explode() -> None:
        raise ValueError("13800138000 said something")

    monkeypatch.setattr(rig.screener, "next_event", explode)
    rig.hear(np.zeros(BLOCK_SAMPLES * 3, np.int16))
    assert rig.line.done == ["stop", "forward"], "once, however much audio comes"
    assert rig.session.is_broken
    assert "13800138000" not in caplog.text


def test_lost_frames_do_not_shift_the_call(parts: ScreenerParts) -> None:
    rig = Rig(parts, Recognition("喂"))
    rig.hear(np.zeros(SAMPLE_RATE, np.int16))
    rig.position += SAMPLE_RATE  # a second of frames is lost
    rig.hear(np.zeros(BLOCK_SAMPLES, np.int16))
    assert rig.screener.now == pytest.approx(2.02)


def test_a_call_without_any_audio_is_still_decided(parts: ScreenerParts) -> None:
    rig = Rig(parts, Recognition("喂"))
    for second in range(80):
        rig.clock.advance_to(100.0 + second)
        timers, rig.scheduler.timers = rig.scheduler.timers, []
        for timer in timers:
            timer()
        rig._play_prompts()
    assert "forward" in rig.line.done


def test_after_the_caller_has_gone_nothing_more_is_done_to_the_line(parts: ScreenerParts) -> None:
    rig = Rig(parts, Recognition("喂"))
    rig.hear(np.zeros(SAMPLE_RATE, np.int16))
    rig.session.ended()
    before = (list(rig.line.done), len(rig.line.played))
    rig.hear(np.zeros(SAMPLE_RATE, np.int16))
    assert (rig.line.done, len(rig.line.played)) == before
