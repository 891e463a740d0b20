"""The engine: one call, from the first frame to the action, without I/O, clock or thread.

Everything comes in through `receive_*`, everything goes out through `next_event()`. Inputs may carry any `now`: the
timeline works them off in the order of time together with the audio, and `next_event()` stops at each event, so that
the answer to it can be given before later audio is heard. That is why the size of the chunks makes no difference.

                       decision                     last prompt ended
    SCREENING ────────────────────────► CLOSING ───────────────────────► ENDED     (Forward, HangUp)
        │                                │   ▲                             │
        │ the caller hangs up            └───┘ TakeMessage: listen         │ the transfer failed
        └──────────────────────────────────────────────────────────────────┴─► CLOSING (take a message)
"""

from collections import deque
from collections.abc import Sequence
from enum import Enum, auto

from detector.audio.frames import BLOCK_SECONDS, Frame
from detector.audio.timeline import Block, Timeline
from detector.audio.tones import ToneHeard
from detector.call import CallInfo, Language
from detector.decision.judge import Judge
from detector.decision.policy import Situation
from detector.decision.verdict import Verdict
from detector.dialogue.acts import Act
from detector.dialogue.closing import Closing, ClosingStep
from detector.dialogue.planner import Floor, Planner
from detector.events import (
    Event,
    FailureKind,
    FingerprintReady,
    Forward,
    HangUp,
    PromptState,
    Say,
    SpeechStarted,
    StopSpeaking,
    TakeMessage,
    TurnEnded,
    TurnPaused,
    TurnTranscribed,
)
from detector.exchange import Exchange
from detector.screener_options import ScreenerOptions, ScreenerParts
from detector.signals.evidence import Evidence
from detector.signals.observers import Observers
from detector.signals.playback import KnownMatch
from detector.speech.listening import Activity, Heard, Listener, PauseAudio, TurnAudio
from detector.speech.transcript import Transcript
from detector.speech.turns import SpeechBegan

__all__ = ["CallScreener", "ScreenerOptions", "ScreenerParts"]


TICK_BLOCKS = 2
"""Blocks of audio after which the engine looks whether something is due, where nothing was noticed in them: 40 ms."""


class _Phase(Enum):
    SCREENING = auto()
    CLOSING = auto()
    ENDED = auto()


class CallScreener:
    """Screens one call. `detector.events` lists what comes out."""

    def __init__(self, call: CallInfo, options: ScreenerOptions, parts: ScreenerParts) -> None:
        self._call = call
        self._options = options
        self._timeline = Timeline()
        self._out: deque[Event] = deque()
        self._phase = _Phase.SCREENING
        self._listener = Listener(options.turns)
        self._echoes = parts.echoes
        self._observers = Observers(call, parts.matcher, options.known_names, parts.intent)
        fusion = parts.fusion if parts.intent else parts.fusion.without_text_model()
        self._judge = Judge(fusion, options.policy)
        self._planner = Planner(parts.prompts, options.languages[0], options.planner, options.seed)
        self._closing = Closing(self._planner, options.closing)
        self._exchange = Exchange()
        self._language: Language | None = options.languages[0] if len(options.languages) == 1 else None
        self._unlooked = 0
        self._failure: FailureKind | None = None
        self._hung_up = False
        if options.interactive:
            # A recording has no number; that is not the same as a withheld one.
            self._add(self._observers.before_the_call())

    # What comes in.

    def receive_frame(self, frame: Frame) -> None:
        """Take caller audio; frames come in order and without gaps."""
        self._timeline.push_audio(frame.samples)

    def receive_prompt_state(self, state: PromptState, prompt_id: str | None, now: float) -> None:
        """The agent's speech started, ended or was cut; `prompt_id` None where somebody else speaks for it."""
        self._timeline.push(now, lambda: self._prompt_state(state, prompt_id))

    def receive_transcript(self, turn: int, transcript: Transcript, now: float) -> None:
        """The answer to TurnEnded."""
        self._timeline.push(now, lambda: self._transcribed(turn, transcript))

    def receive_matches(self, matches: Sequence[KnownMatch], now: float) -> None:
        """The answer to FingerprintReady: the same audio in other calls."""
        self._timeline.push(now, lambda: self._add(self._observers.matches(matches, self.now)))

    def receive_dtmf(self, digit: str, now: float) -> None:
        """The caller's line says that he pressed a key; whatever is no single key is ignored."""
        self._timeline.push(now, lambda: self._add(self._observers.key(digit, self.now, self.now)))

    def receive_failure(self, kind: FailureKind, now: float, turn: int | None = None) -> None:
        """Something inside broke; `turn` where it concerns the transcript of one turn."""
        self._timeline.push(now, lambda: self._failed(kind, turn))

    def caller_hung_up(self, now: float) -> None:
        """The caller is gone, or the recording is over."""
        self._timeline.push(now, self._gone)

    # What goes out.

    def next_event(self) -> Event | None:
        """Return the next event, or None when nothing more can happen before more input."""
        while not self._out:
            step = self._timeline.next_step()
            if step is None:
                return None
            if isinstance(step, Block):
                self._hear(step)
                self._unlooked += 1
                if self._unlooked < TICK_BLOCKS and not self._out:
                    continue
            elif callable(step):
                step()
            self._unlooked = 0
            self._tick()
        return self._out.popleft()

    def get_timer(self) -> float | None:
        """When to call `handle_timer` if no audio comes (seconds after answer); None once the call has ended."""
        if self.has_ended:
            return None
        screening = self._phase is _Phase.SCREENING
        due = [self._options.policy.deadline if screening else self._closing.due]
        due += [turn.arrived + self._options.transcript_patience for turn in self._exchange.waiting.values()]
        if (waiting := self._timeline.next_input) is not None:
            due.append(waiting)
        return max(self.now + BLOCK_SECONDS, min(due))

    def handle_timer(self, now: float) -> None:
        """Let time pass to `now`, with or without audio."""
        self._timeline.pass_time(now)

    @property
    def now(self) -> float:
        """Seconds after answer up to which everything is heard."""
        return self._timeline.now

    @property
    def verdict(self) -> Verdict:
        """The judgement so far."""
        return self._judge.verdict(self._situation())

    @property
    def has_ended(self) -> bool:
        return self._phase is _Phase.ENDED

    @property
    def pending(self) -> int:
        """Turns whose transcript is still to come."""
        return len(self._exchange.waiting)

    # Hearing.

    def _hear(self, block: Block) -> None:
        if self.has_ended and not (self._options.listen_on or self._options.interactive):
            return  # a live caller is heard on: the transfer may fail, and he then leaves a message
        self._observers.audio(block.samples, block.media_time)
        for heard in self._listener.push(block.samples):
            self._take(heard)

    def _take(self, heard: Heard) -> None:
        match heard:
            case Activity():
                self._exchange.speech(heard.media_time, heard.seconds, is_speech=heard.is_speech)
                self._add(self._observers.activity(heard, self.now))
            case ToneHeard():
                self._add(self._observers.tone(heard, self.now))
            case SpeechBegan():
                self._out.append(SpeechStarted(heard.media_time))
            case PauseAudio(boundary=at, samples=samples):
                self._out.append(TurnPaused(at.start, at.end, samples, self._language, self.now))
            case TurnAudio():
                self._turn_ended(heard)

    def _turn_ended(self, heard: TurnAudio) -> None:
        at, number = heard.boundary, self._exchange.next_turn
        if self._observers.is_echo(at):
            return
        turn = TurnEnded(number, at.start, at.end, heard.samples, self._language, at.is_cut, self.now)
        self._exchange.turn_ended(turn, self._planner.act_before(at.start))
        self._out.append(turn)
        self._add(self._observers.turn_ended(at, self.now))
        self._fingerprint(at_end=False)

    def _fingerprint(self, *, at_end: bool) -> None:
        if (landmarks := self._observers.fingerprint(at_end=at_end)) is not None:
            self._out.append(FingerprintReady(landmarks, self.now))

    def _transcribed(self, turn: int, transcript: Transcript) -> None:
        ended = self._exchange.waiting.get(turn)
        if ended is None:
            return  # given up before it came
        act = self._exchange.transcribed(turn, transcript)
        if (
            transcript.is_reliable
            and transcript.is_language_certain
            and self._language is None
            and transcript.language in self._options.languages
        ):
            self._language = self._planner.language = transcript.language
        self._out.append(TurnTranscribed(turn, ended.start, ended.end, transcript.text, self.now))
        self._add(self._observers.transcript(act, transcript, ended.start, self.now))

    def _prompt_state(self, state: PromptState, prompt_id: str | None) -> None:
        prompt = self._planner.prompt_of(prompt_id)
        act = prompt.act if prompt else None
        if state == "started":
            sound = self._echoes.get(prompt_id) if prompt_id is not None else None
            self._add(self._observers.agent_started(act, self.now, sound, prompt.key if prompt else None))
            return
        self._add(self._observers.agent_ended(act, self.now))
        if prompt_id is not None:
            self._planner.ended(prompt_id, self.now)

    def _failed(self, kind: FailureKind, turn: int | None) -> None:
        if turn is not None and self._exchange.given_up(turn) <= self._options.failures_tolerated:
            return
        if kind == "store":
            return  # the call goes on without it
        self._failure, self._judge.has_news = kind, True
        if kind == "forward" and self.has_ended and not self._hung_up:
            self._phase = _Phase.CLOSING
            self._closing.begin("take_message", self.now)

    def _gone(self) -> None:
        for heard in self._listener.finish():
            self._take(heard)
        self._fingerprint(at_end=True)
        self._hung_up = True

    def _add(self, evidence: Sequence[Evidence]) -> None:
        if evidence:
            self._judge.add(evidence)
            self._out.extend(evidence)

    # Deciding.

    def _tick(self) -> None:
        for turn in self._exchange.late(self.now, self._options.transcript_patience):
            self._failed("recognition_timeout", turn)
        if self._phase is _Phase.SCREENING:
            self._decide()
        if self._phase is _Phase.SCREENING and self._options.interactive and not self._hung_up:
            self._say(self._planner.plan(self._floor()))
        if self._phase is _Phase.CLOSING:
            self._close()

    def _decide(self) -> None:
        is_late = self.now >= self._options.policy.deadline
        has_just_finished = self._exchange.pause(
            self.now, speaking=self._listener.is_speaking, silent_since=self._listener.last_speech_end
        )
        is_due = is_late or self._hung_up or self._planner.is_at_a_loss
        if not (self._judge.has_news or is_due or has_just_finished):
            return
        at_end = self._hung_up and not self._exchange.waiting
        verdict = self._judge.judge(self._situation())
        if verdict is not None:
            self._out.append(verdict)
        is_final = verdict is not None and verdict.is_final
        if verdict is not None and is_final and self._options.interactive and not self._hung_up:
            self._phase = _Phase.CLOSING
            self._closing.begin(verdict.action, self.now, verdict.label)
        elif is_final or at_end:
            self._phase = _Phase.ENDED

    def _situation(self) -> Situation:
        return Situation(
            now=self.now,
            questions_answered=len(self._exchange.answered),
            chances_taken=sum(act.lets_explain for act in self._exchange.answered),
            heard_intelligible_speech=self._exchange.is_intelligible,
            is_speaking=self._listener.is_speaking and not self._hung_up,
            has_finished=self._hung_up or self._exchange.has_finished,
            could_explain=self._could_explain,
            is_emergency=self._observers.is_emergency,
            is_assistant=self._observers.is_assistant,
            was_lost=self._call.history.lost_by_us,
            is_protected_number=self._observers.is_protected_number,
            notice=self._observers.notice,
            is_asked_out=self._planner.is_at_a_loss and self._exchange.next_turn > 0,
            hearing=self._exchange.hearing,
            unheard=self._exchange.unheard,
            unanswered=self._exchange.unanswered + self._exchange.leaves_unanswered(self._planner.last_act),
            failure=self._failure,
            category=self._observers.category,
        )

    @property
    def _could_explain(self) -> bool:
        """He was given a turn and has used it, or let it pass: nobody is judged in the middle of his explanation."""
        has_explained = self._exchange.has_explained(self._planner.last_to_explain)
        return not self._options.interactive or (self._planner.has_given_a_turn(self.now) and has_explained)

    # Speaking and acting.

    def _floor(self) -> Floor:
        return self._exchange.floor(
            self.now,
            speaking=self._listener.is_speaking,
            silent_since=self._listener.last_speech_end,
            log_odds=self._judge.log_odds,
            purpose_known=self._observers.purpose_known,
        )

    def _say(self, act: Act | None) -> None:
        last = self._planner.last_act
        if act is not None and (prompt := self._planner.say(act, self.now)) is not None:
            self._exchange.agent_spoke(last)
            self._out.append(Say(prompt, self.now))

    def _close(self) -> None:
        if self._hung_up:
            self._phase = _Phase.ENDED
        elif (step := self._closing.plan(self._floor())) is not None:
            self._act(step)

    def _act(self, step: ClosingStep) -> None:
        reason = self.verdict.reason
        if isinstance(step, Act):
            self._say(step)
        elif step == "stop_speaking":
            self._out.append(StopSpeaking(self.now))
        elif step == "take_message":
            self._out.append(TakeMessage(reason, self.now))
        else:
            self._phase = _Phase.ENDED
            self._out.append((Forward if step == "forward" else HangUp)(reason, self.now))
