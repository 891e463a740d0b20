"""The live session: one engine on one telephone line, in real time.

The session is driven by its line (audio, digits, prompt states) and by recognition results; it arms one timer. If the
engine itself breaks, the caller is put through; he is never dropped. When the call is over nothing more is done to the
line, but what the caller said last is still transcribed before the session counts as finished.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

import numpy as np

from detector.agents.early import EarlyRecognition, Recognition
from detector.audio.frames import SAMPLE_RATE, Frame, Samples
from detector.clock import Clock
from detector.dialogue.prompts import Prompt
from detector.errors import RecognitionError, RecognitionTimeout, where
from detector.events import (
    Event,
    FailureKind,
    Forward,
    HangUp,
    PromptState,
    Say,
    StopSpeaking,
    TakeMessage,
    TurnEnded,
    TurnPaused,
)
from detector.screener import CallScreener
from detector.signals.playback import KnownMatch
from detector.speech.transcript import Transcript

__all__ = ["Line", "LiveSession", "Recognition", "Scheduler", "TimerHandle"]

log = logging.getLogger(__name__)

SAFEGUARD = 0.5
"""Seconds between two looks at the engine when no audio comes."""
LONGEST_GAP = 5.0
"""Seconds of lost frames that are filled with silence; a longer gap is not believed."""


class Line(Protocol):
    """What a session may do with its call."""

    def play(self, prompt: Prompt) -> None: ...
    def stop_playing(self) -> None: ...
    def forward(self) -> None: ...
    def hang_up(self) -> None: ...


class TimerHandle(Protocol):
    def cancel(self) -> None: ...


class Scheduler(Protocol):
    """The part of an asyncio event loop that a session needs."""

    def call_later(self, delay: float, callback: Callable[[], None]) -> TimerHandle: ...
    def call_soon_threadsafe(self, callback: Callable[[], None]) -> object: ...


class LiveSession:
    """Runs one call. Every method is called from the scheduler's thread."""

    def __init__(
        self,
        screener: CallScreener,
        line: Line,
        recognition: Recognition,
        clock: Clock,
        scheduler: Scheduler,
        *,
        on_event: Callable[[Event], None] = lambda _event: None,
        on_prompt: Callable[[PromptState, str, float], None] = lambda _state, _prompt, _now: None,
        on_finished: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_finished` is told once: the call is over and no transcript is awaited any more."""
        self._screener = screener
        self._line = line
        self._recognition = EarlyRecognition(recognition)
        self._clock = clock
        self._scheduler = scheduler
        self._on_event = on_event
        self._on_prompt = on_prompt
        self._on_finished = on_finished
        self._answered_at = clock.now()
        self._heard = 0
        self._held = 0
        self._timer: TimerHandle | None = None
        self._is_gone = False
        self._is_finished = False
        self.is_broken = False
        """The engine failed and was left alone; the line was told to put the caller through."""

    @property
    def now(self) -> float:
        """Seconds after answer."""
        return self._clock.now() - self._answered_at

    def start(self) -> None:
        """The call has been answered, media runs."""
        self._guard(self._pump)

    def audio(self, samples: Samples, position: int) -> None:
        """Take caller audio that starts `position` samples after the answer; lost frames become silence."""
        if self._is_over:
            return
        gap = position + self._held - self._heard
        if 0 < gap <= LONGEST_GAP * SAMPLE_RATE:
            samples = np.concatenate([np.zeros(gap, np.int16), samples])
        frame = Frame(samples, self._heard / SAMPLE_RATE)
        self._heard += len(samples)
        self._screener.receive_frame(frame)
        self._guard(self._pump)

    def prompt_state(self, state: PromptState, prompt_id: str) -> None:
        """The line reports what became of a prompt that it was told to play."""
        self._on_prompt(state, prompt_id, self.now)
        if not self._is_over:
            self._screener.receive_prompt_state(state, prompt_id, self.now)
            self._guard(self._pump)

    def digit(self, digit: str) -> None:
        if not self._is_over:
            self._screener.receive_dtmf(digit, self.now)
            self._guard(self._pump)

    def matches(self, matches: Sequence[KnownMatch]) -> None:
        """Take what is known of the caller's audio from other calls."""
        if not self._is_over:
            self._screener.receive_matches(matches, self.now)
            self._screener.handle_timer(self.now)
            self._guard(self._pump)

    def failed(self, kind: FailureKind) -> None:
        """Something around the call broke."""
        if not self._is_over:
            if kind == "forward":
                self._catch_up()
            self._screener.receive_failure(kind, self.now)
            self._screener.handle_timer(self.now)
            self._guard(self._pump)

    def _catch_up(self) -> None:
        """Let the audio be where the clock is: while a transfer was tried, the line was held and none came."""
        held = round(self.now * SAMPLE_RATE) - self._heard
        if held > 0:
            self._screener.receive_frame(Frame(np.zeros(held, np.int16), self._heard / SAMPLE_RATE))
            self._heard += held
            self._held += held

    def ended(self) -> None:
        """The call is over, whoever ended it."""
        if self._is_gone:
            return
        self._is_gone = True
        if not self.is_broken:
            self._screener.caller_hung_up(self.now)
            self._screener.handle_timer(self.now)
            self._guard(self._pump)
        self._finish()

    @property
    def _is_over(self) -> bool:
        """The line can bring nothing more that matters."""
        return self._is_gone or self.is_broken

    def _finish(self) -> None:
        """Tell, once, that nothing is awaited any more."""
        if self._is_finished or not self._is_gone or (self._screener.pending and not self.is_broken):
            return
        self._is_finished = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._on_finished()

    def _pump(self) -> None:
        while not self.is_broken and (event := self._screener.next_event()) is not None:
            self._on_event(event)
            if isinstance(event, TurnEnded):
                self._transcribe(event)
            elif isinstance(event, TurnPaused):
                self._recognition.paused(event)
            elif not self._is_gone:
                self._act(event)
        self._arm()

    def _act(self, event: Event) -> None:
        match event:
            case Say():
                self._line.play(event.prompt)
            case StopSpeaking():
                self._line.stop_playing()
            case Forward():
                self._line.forward()
            case HangUp():
                self._line.hang_up()
            case TakeMessage():
                pass  # the line stays up; HangUp follows
            case _:
                pass

    def _transcribe(self, turn: TurnEnded) -> None:
        def done(future: Future[Transcript]) -> None:
            self._scheduler.call_soon_threadsafe(lambda: self._transcribed(turn.turn, future))

        try:
            self._recognition.submit(turn).add_done_callback(done)
        except RecognitionError as error:
            self._recognition_failed(turn.turn, error)

    def _transcribed(self, turn: int, future: Future[Transcript]) -> None:
        if self.is_broken or self._is_finished:
            return
        try:
            self._screener.receive_transcript(turn, future.result(), self.now)
        except Exception as error:  # noqa: BLE001 - whatever broke in recognition must not reach the caller
            self._recognition_failed(turn, error)
        self._screener.handle_timer(self.now)
        self._guard(self._pump)
        self._finish()

    def _recognition_failed(self, turn: int, error: Exception) -> None:
        kind: FailureKind = "recognition_timeout" if isinstance(error, RecognitionTimeout) else "recognition"
        log.warning("recognition of a turn failed: %s", type(error).__name__)
        self._screener.receive_failure(kind, self.now, turn)

    def _arm(self) -> None:
        """Have the engine looked at again soon, should no audio come to move it on.

        While audio comes the timer is only a safeguard, so one that is armed is left alone: it looks at the clock
        when it goes off.
        """
        is_awaited = self._screener.get_timer() is not None or self._screener.pending
        if self._timer is None and is_awaited and not self._is_finished:
            self._timer = self._scheduler.call_later(SAFEGUARD, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        if self.is_broken:
            return
        self._screener.handle_timer(self.now)
        self._guard(self._pump)
        self._finish()

    def _guard(self, step: Callable[[], None]) -> None:
        """Run `step`; if the engine itself breaks, the caller is put through and the engine left alone."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - nothing that breaks in the engine may drop the caller
            # No traceback: what it quotes could hold the caller's words.
            log.error("the engine failed (%s); the call is put through", where(error))  # noqa: TRY400
            was_broken, self.is_broken = self.is_broken, True
            if not self._is_gone and not was_broken:
                self._line.stop_playing()
                self._line.forward()
