"""One call of the running service: its SIP events in, commands out, the engine in between.

              Answer 200           CallAnswered
IncomingCall ───────────► RINGING ──────────────► TALKING ──► Forward: Refer or Bridge ──► CallEnded
                            │ allow-listed            │               │ refused by the other side
                            └────────► straight to Forward            ▼
                                                               the engine takes a message
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from detector.agents.session import LiveSession, Recognition, Scheduler
from detector.clock import Clock
from detector.console.terminal import TerminalConsole
from detector.dialogue.acts import Act
from detector.dialogue.prompts import Prompt
from detector.errors import where
from detector.events import Event
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.service.journal import Journal
from detector.sip.protocol import (
    Audio,
    Bridge,
    Bridged,
    CallAnswered,
    CallEnded,
    Command,
    CommandFailed,
    Dtmf,
    HangUp,
    Play,
    PromptEnded,
    PromptFailed,
    PromptStarted,
    Refer,
    StopPlaying,
    TransferProgress,
)
from detector.sip.protocol import Event as SipEvent

__all__ = ["CallDesk", "ForwardOptions", "LiveCall"]

log = logging.getLogger(__name__)

LAST_RESORT_SECONDS = 60.0
"""With the engine broken and nobody to put through to: how long the caller may speak after "please leave a message"."""


@dataclass(frozen=True, slots=True)
class ForwardOptions:
    """How and where callers are put through."""

    method: Literal["refer", "bridge"] = "refer"
    target: str | None = None
    """SIP address of the person called; without one a message is taken instead."""


@dataclass(frozen=True, slots=True)
class CallDesk:
    """What every call of the service works with."""

    send: Callable[[Command], None]
    parts: ScreenerParts
    options: Callable[[], ScreenerOptions]
    """Asked for each call: quiet hours come and go."""
    forward: ForwardOptions
    recognition: Recognition
    clock: Clock
    scheduler: Scheduler
    console: TerminalConsole | None = None


class LiveCall:
    """One call. All methods run in the event loop's thread."""

    def __init__(
        self, call: int, name: str, journal: Journal, desk: CallDesk, *, screened: bool = True
    ) -> None:
        """`name` is what the console calls it; `screened` False puts the caller through untouched."""
        self._call = call
        self._name = name
        self._desk = desk
        self._journal = journal
        self._screened = screened
        self._session: LiveSession | None = None
        self._prompts: dict[int, Prompt] = {}
        self._forwarding = False
        self._was_forwarded = False
        self.is_over = False

    # What the SIP worker reports.

    def receive(self, event: SipEvent) -> None:
        match event:
            case Audio() if self._session is not None:
                samples = np.frombuffer(event.samples, "<i2").astype(np.int16)
                self._journal.audio(samples)
                self._session.audio(samples, event.position)
            case CallAnswered():
                self._answered()
            case PromptStarted(prompt=number):
                self._prompt_state("started", number)
            case PromptEnded(prompt=number):
                self._prompt_state("cut" if event.cut else "ended", number)
            case PromptFailed(prompt=number):
                log.error("a prompt could not be played: %s", event.reason)
                self._prompt_state("cut", number)
            case Dtmf() if self._session is not None:
                self._session.digit(event.digit)
            case TransferProgress() if event.final and event.code >= 300:
                self._forward_failed(f"the other side answered {event.code}")
            case CommandFailed() if self._forwarding:
                self._forward_failed(event.reason)
            case Bridged():
                self._was_forwarded = True
            case CallEnded():
                self._ended(event)
            case _:
                pass

    def lost(self) -> None:
        """The worker that held this call died."""
        self.is_over = True
        if self._session is not None:
            self._session.ended()
        self._journal.lost()
        self._note("lost: the SIP worker died; this number is put straight through next time")

    def failed(self, kind: Literal["store", "overload", "media"]) -> None:
        """Something around the call broke."""
        if self._session is not None:
            self._session.failed(kind)

    # What the engine wants (the Line of its session).

    def play(self, prompt: Prompt) -> None:
        number = len(self._prompts) + 1
        self._prompts[number] = prompt
        self._desk.send(Play(self._call, number, str(prompt.path)))

    def stop_playing(self) -> None:
        self._desk.send(StopPlaying(self._call))

    def forward(self) -> None:
        target = self._desk.forward.target
        if target is None:
            self._forward_failed("no target to put through to is configured")
            return
        self._forwarding = True
        command = Refer if self._desk.forward.method == "refer" else Bridge
        self._desk.send(command(self._call, target))

    def hang_up(self) -> None:
        self._desk.send(HangUp(self._call))

    def _answered(self) -> None:
        self._journal.answered()
        if not self._screened:
            self._note("on the allow list: put through untouched")
            self.forward()
            return
        try:
            screener = CallScreener(self._journal.call, self._desk.options(), self._desk.parts)
        except Exception as error:  # noqa: BLE001 - nothing that breaks in the engine may drop the caller
            log.error("the engine could not start (%s); the call is put through", where(error))  # noqa: TRY400
            self.forward()
            return
        self._session = LiveSession(
            screener,
            self,
            self._desk.recognition,
            self._desk.clock,
            self._desk.scheduler,
            on_event=self._on_event,
            on_prompt=self._journal.prompt,
        )
        self._session.start()

    def _on_event(self, event: Event) -> None:
        self._journal.event(event)
        if self._desk.console is not None:
            self._desk.console.event(self._name, event)

    def _prompt_state(self, state: Literal["started", "ended", "cut"], number: int) -> None:
        prompt = self._prompts.get(number)
        if prompt is not None and self._session is not None:
            self._session.prompt_state(state, prompt.id)

    def _forward_failed(self, why: str) -> None:
        """Nobody could be reached: the caller leaves a message."""
        log.warning("putting a caller through failed: %s", why)
        self._forwarding = False
        self._note("could not be put through; a message is taken")
        if self._session is not None and not self._session.is_broken:
            self._session.failed("forward")
        else:
            self._take_message_without_engine()

    def _take_message_without_engine(self) -> None:
        self._journal.message_without_engine()
        for prompt in self._desk.parts.prompts.for_act(Act.TAKE_MESSAGE, self._desk.options().languages[0])[
            :1
        ]:
            self.play(prompt)
        self._desk.scheduler.call_later(LAST_RESORT_SECONDS, self._hang_up_if_up)

    def _hang_up_if_up(self) -> None:
        if not self.is_over:
            self.hang_up()

    def _ended(self, event: CallEnded) -> None:
        self.is_over = True
        if self._session is not None:
            self._session.ended()
        if self._was_forwarded or event.cause in {"transferred", "bridge"}:
            self._journal.ended("forwarded")
        elif event.cause in {"rtp_dead", "time_limit"}:
            self._journal.ended("no_media" if event.cause == "rtp_dead" else "too_long")
        elif event.cause == "failure":
            self._journal.lost()
        else:
            self._journal.ended(self._journal.end_reason)
        self._note(f"ended ({event.cause})")

    def _note(self, text: str) -> None:
        if self._desk.console is not None:
            self._desk.console.note(self._name, text)
