"""One call of the running service: its SIP events in, commands out, the engine in between.

              Answer 200           CallAnswered
IncomingCall ───────────► RINGING ──────────────► TALKING ──► Forward: Refer or Bridge ──► CallEnded ──► finished
                            │ allow-listed,           │               │ refused by the other side
                            │ overload                │               ▼
                            └──► straight to Forward  └──────► an engine takes a message

A call is over when its line is, and finished when what was said last is transcribed and written down, too. Where the
engine breaks and nobody can be reached, a second one takes the message; where that breaks as well, the caller is asked
plainly and may speak for a while.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Literal

import numpy as np

from detector.agents.session import LiveSession, TimerHandle
from detector.dialogue.acts import Act
from detector.dialogue.prompts import Prompt
from detector.errors import where
from detector.events import Event, FailureKind, FingerprintReady
from detector.screener import CallScreener, ScreenerOptions
from detector.service.desk import CallDesk, Treatment
from detector.service.journal import Journal
from detector.signals.playback import KnownMatch
from detector.sip.protocol import (
    Audio,
    Bridge,
    Bridged,
    CallAnswered,
    CallEnded,
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
from detector.stores.records import EndReason

__all__ = ["LiveCall"]

log = logging.getLogger(__name__)

MOST_ENGINES: Final = 2
"""The one that screens, and one more that takes a message where the first broke."""
LAST_RESORT_SECONDS: Final = 60.0
"""With the engine broken and nobody to put through to: how long the caller may speak after "please leave a message"."""


_WHY: Final[dict[Treatment, str]] = {
    "allowed": "on the allow list",
    "overload": "too many calls are being screened",
    "unknown": "something broke as the call came in",
}
_ENDED: Final = {
    "remote": "the caller hung up",
    "command": "the agent hung up",
    "transferred": "put through",
    "bridge": "put through, and over",
    "rtp_dead": "no audio came any more",
    "time_limit": "it lasted too long",
    "failure": "something broke",
}
"""What the console says of the causes of `CallEnded`."""


class LiveCall:
    """One call. All methods run in the event loop's thread."""

    def __init__(
        self,
        call: int,
        name: str,
        journal: Journal,
        desk: CallDesk,
        *,
        treatment: Treatment = "screen",
        on_finished: Callable[[], None] = lambda: None,
    ) -> None:
        """`name` is what the console calls it; `on_finished` is told when everything is written down."""
        self._call = call
        self._name = name
        self._desk = desk
        self._journal = journal
        self._treatment = treatment
        self._on_finished = on_finished
        self._session: LiveSession | None = None
        self._engines = 0
        self._position = self._origin = 0
        self._prompts: dict[int, Prompt] = {}
        self._last_resort: TimerHandle | None = None
        self._forwarding = False
        self._was_forwarded = False
        self._is_stopping = False
        self._ending: EndReason | None = None
        self.is_over = False

    @property
    def is_screened(self) -> bool:
        """Whether it takes a place among the calls that are screened at once."""
        return self._treatment == "screen" and not (self.is_over or self._was_forwarded)

    # What the SIP worker reports.

    def receive(self, event: SipEvent) -> None:
        match event:
            case Audio():
                self._hear(event)
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
            case TransferProgress() if self._forwarding and event.final and event.code >= 300:
                self._forward_failed(f"the other side answered {event.code}")
            case CommandFailed(command="Refer" | "Bridge") if self._forwarding:
                self._forward_failed(event.reason)
            case Bridged():
                self._was_forwarded = True
            case CallEnded():
                self._ended(event)
            case _:
                pass

    def lost(self, why: str) -> None:
        """The line is gone through us; `why` in the words for the user. A conversation was not cut off from us."""
        if self.is_over:
            return
        if self._was_forwarded:
            self._note(f"ended: {why}")
            self._end("forwarded")
            return
        self._note(f"lost: {why}; after a first loss the number is put straight through next time")
        self._end("lost")

    def give_up(self) -> None:
        """Do not wait for what was said last: the service ends."""
        if self.is_over:
            self._write_down()

    def failed(self, kind: Literal["store", "overload", "media", "stopping"]) -> None:
        """Something around the call broke, or ends."""
        if kind == "stopping":
            self._is_stopping = True
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
        policy = self._desk.options().policy
        puts_through = policy.unsure == "forward" and policy.put_through
        if self._treatment == "screen":
            self._start_engine(self._desk.options())
        elif self._treatment == "allowed" or puts_through:
            self._note(f"{_WHY[self._treatment]}: put through untouched")
            # Who was put through because nobody had time for him has not been wanted by anybody yet.
            self._journal.unheard(
                "forward" if self._treatment == "allowed" else "none", _WHY[self._treatment]
            )
            self.forward()
        else:
            self._note(f"{_WHY[self._treatment]}: a message is taken")
            self._take_message("overload" if self._treatment == "overload" else "internal")

    def _hear(self, event: Audio) -> None:
        self._position = event.position + len(event.samples) // 2
        if self._session is None and self._last_resort is None:
            return
        samples = np.frombuffer(event.samples, "<i2").astype(np.int16)
        self._journal.audio(samples, event.position)
        if self._session is not None:
            self._session.audio(samples, event.position - self._origin)

    def _start_engine(self, options: ScreenerOptions) -> None:
        """Have an engine hear the caller from now on; without one he is put through."""
        self._engines += 1
        self._origin = self._position
        try:
            options = replace(options, seed=self._desk.seed())
            screener = CallScreener(self._journal.call, options, self._desk.parts)
        except Exception as error:  # noqa: BLE001 - nothing that breaks in the engine may drop the caller
            log.error("the engine could not start (%s); the call is put through", where(error))  # noqa: TRY400
            self.forward()
            return
        session = self._session = LiveSession(
            screener,
            self,
            self._desk.recognition,
            self._desk.clock,
            self._desk.scheduler,
            on_event=self._on_event,
            on_prompt=self._journal.prompt,
            on_finished=lambda: self._finished(session),
        )
        session.start()
        if self._is_stopping:
            session.failed("stopping")

    def _on_event(self, event: Event) -> None:
        self._journal.event(event)
        self._desk.spectator.event(self._name, event)
        if isinstance(event, FingerprintReady):
            self._look_up(event)

    def _look_up(self, ready: FingerprintReady) -> None:
        """Ask whether other calls held the same audio; he is heard on meanwhile."""
        session, known_audio = self._session, self._desk.known_audio
        if known_audio is None or session is None or self.is_over:
            return

        def answer(matches: Sequence[KnownMatch] | None) -> None:
            if matches is None:
                session.failed("store")
            else:
                session.matches(matches)

        known_audio.look_up(ready.landmarks, self._journal.call.number, answer)

    def _prompt_state(self, state: Literal["started", "ended", "cut"], number: int) -> None:
        prompt = self._prompts.get(number)
        if prompt is not None and self._session is not None:
            self._session.prompt_state(state, prompt.id)

    def _forward_failed(self, why: str) -> None:
        """Nobody could be reached: the caller leaves a message."""
        log.warning("putting a caller through failed: %s", why)
        self._forwarding = False
        self._note("could not be put through; a message is taken")
        self._journal.unreached()
        if self._session is not None and not self._session.is_broken:
            self._session.failed("forward")
        else:
            self._take_message("forward")

    def _take_message(self, why: FailureKind) -> None:
        """Take a message from a caller whom no engine hears."""
        if self._engines >= MOST_ENGINES:
            self._take_message_plainly()
            return
        self._journal.start_over()
        options = self._desk.options()
        self._start_engine(replace(options, policy=replace(options.policy, unsure="take_message")))
        if self._session is not None and not self._session.is_broken:
            self._session.failed(why)

    def _take_message_plainly(self) -> None:
        self._journal.message_without_engine()
        language = self._desk.options().languages[0]
        for prompt in self._desk.parts.prompts.for_act(Act.TAKE_MESSAGE, language)[:1]:
            self.play(prompt)
        self._last_resort = self._desk.scheduler.call_later(LAST_RESORT_SECONDS, self.hang_up)

    def _ended(self, event: CallEnded) -> None:
        self._note(f"ended: {_ENDED[event.cause]}")
        if self._was_forwarded or event.cause in {"transferred", "bridge"}:
            self._end("forwarded")
        elif event.cause == "rtp_dead":
            self._end("no_media")
        elif event.cause == "time_limit":
            self._end("too_long")
        elif event.cause == "failure":
            self._end("lost")
        else:
            self._end(None)

    def _end(self, reason: EndReason | None) -> None:
        """The line is gone; `reason` None where the engine knows best how the call ended."""
        if self.is_over:
            return
        self.is_over, self._ending = True, reason
        if self._last_resort is not None:
            self._last_resort.cancel()
        if self._session is None:
            self._finished(None)
        else:
            self._session.ended()

    def _finished(self, session: LiveSession | None) -> None:
        if self.is_over and session is self._session:
            self._write_down()

    def _write_down(self) -> None:
        if self._ending == "lost":
            self._journal.lost()
        else:
            self._journal.ended(self._ending or self._journal.end_reason)
        self._on_finished()

    def _note(self, text: str) -> None:
        self._desk.spectator.note(self._name, text)
