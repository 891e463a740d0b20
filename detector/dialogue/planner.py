"""The planner: what the agent says next, if anything.

The rules, first as prose:

- It greets as soon as the line is quiet; a caller who talks without a pause is greeted all the same after a while.
- It answers when the caller has been silent for `reply_silence` and everything he said has been transcribed. A caller
  who spoke only while the agent did gets a moment longer, for he may answer yet.
- It asks first what it understands least: what he wants, then whom, then who he is. What could not be understood
  is asked again, once.
- An offer is refused, once, before anything is decided on it: who is wanted explains himself, a salesman pushes on
  or says goodbye, a machine goes on with its text. A caller who is still undecided after it and what is asked next is
  told to hold on, which a machine takes no notice of, and gets a trivial question,
  or with `press_key` is asked for a key of his telephone, one question sooner; which key, the seed says.
- A caller who talks on and on is interrupted once, on purpose, the sooner the more speaks against him: a person
  stops. Where much speaks against him, the refusal is what he is interrupted with.
- Silence after a question is answered by another question; a person who waits in silence says something then.
- The same wording never comes twice in a call, and an act whose wordings are used up is not said again. When it has
  nothing left to ask, it says so (`is_at_a_loss`): nobody waits in silence for the deadline.

         ┌──────────┐ greeting ended  ┌───────────┐ caller finished, all heard   ┌────────┐
    ───► │ GREETING │ ──────────────► │ LISTENING │ ───────────────────────────► │ ASKING │
         └──────────┘                 └───────────┘ ◄─────────────────────────── └────────┘
                                            │ a decision               prompt ended
                                            ▼
                                       ┌─────────┐
                                       │ CLOSING │  refuse, goodbye, connecting, take_message
                                       └─────────┘
"""

from dataclasses import dataclass, field

from detector.call import Language
from detector.dialogue.acts import Act
from detector.dialogue.prompts import Prompt, PromptLibrary

__all__ = ["Floor", "Planner", "PlannerOptions"]


@dataclass(frozen=True, slots=True)
class PlannerOptions:
    """Durations in seconds."""

    greet_after: float = 0.3
    greet_over_speech_after: float = 3.0
    reply_silence: float = 0.5
    afterthought: float = 1.4
    """Silence after the agent's words where the caller spoke only during them: he may answer yet."""
    patience: float = 3.2
    """Silence after the agent's words before it speaks again."""
    act_heard: float = 0.8
    """Speech of the agent from which on what follows may be an answer to it."""
    turn_given: float = 2.0
    """Time that a caller has had to answer before what he answers, or does not, counts."""
    monologue: float = 10.0
    """A caller who talks this long without a pause after the greeting is interrupted."""
    suspicious_monologue: float = 5.0
    """The same for a caller against whom something speaks."""
    offer_monologue: float = 2.5
    """The same for one who has plainly made an offer, from `plain_offer_at` on."""
    plain_offer_at: float = 2.0
    suspicious_at: float = 0.5
    """Log-odds (nats) from which on something speaks against a caller."""
    refuse_at: tuple[float, ...] = (1.0, 0.2, -0.5)
    """Log-odds from which on what a caller wants is refused, to hear how he takes it; by questions asked before. After
    two of them that cleared up nothing a refusal tells more than a third."""
    most_questions: int = 3
    most_of_suspects: int = 5
    """The same for a caller against whom something speaks: he is asked on rather than judged in doubt."""
    press_key: bool = False
    """Ask for a key of the telephone in place of the trivial question. Some lines carry no keys."""
    key_patience: float = 6.0
    """Silence after asking for a key before the agent speaks again: a telephone at the ear must be looked at first."""
    prompt_overdue: float = 2.0
    """A prompt whose end nobody reports counts as ended this long after it should have."""


@dataclass(frozen=True, slots=True)
class Floor:
    """Who has the floor, as the engine sees it. Times in seconds after answer."""

    now: float
    caller_speaking: bool
    caller_silent_since: float
    """End of the caller's last speech; 0.0 before any."""
    speaking_since: float | None
    """Start of the caller's present run of speech, pauses of a breath included."""
    pending_transcripts: int
    turns_since_act: int
    """Turns that ended after the agent's last act began."""
    understood: bool
    """At least one of these turns was intelligible."""
    log_odds: float
    purpose_known: bool


@dataclass(slots=True)
class _Spoken:
    act: Act
    prompt: Prompt
    started: float
    ended: float | None = None


@dataclass
class Planner:
    """Plans one call. Language may change once the caller's is known."""

    prompts: PromptLibrary
    language: Language
    options: PlannerOptions = field(default_factory=PlannerOptions)
    seed: int = 0
    """Chooses the key that is asked for."""
    is_at_a_loss: bool = field(default=False, init=False)
    """It is the agent's turn, and all its questions are asked."""
    _spoken: list[_Spoken] = field(default_factory=list, init=False)

    @property
    def is_speaking(self) -> bool:
        return bool(self._spoken) and self._spoken[-1].ended is None

    @property
    def last_act(self) -> Act | None:
        return self._spoken[-1].act if self._spoken else None

    @property
    def silent_since(self) -> float:
        """When the agent's last prompt ended (0.0 before any)."""
        return (self._spoken[-1].ended or 0.0) if self._spoken else 0.0

    @property
    def questions(self) -> int:
        return sum(item.act.examines for item in self._spoken)

    def has_said(self, act: Act) -> bool:
        return act in self._said()

    def say(self, act: Act, now: float) -> Prompt | None:
        """Take the next unused wording of `act`, or of a key the one that chance says; None where none is left."""
        used = {item.prompt.id for item in self._spoken}
        unused = [each for each in self.prompts.for_act(act, self.language) if each.id not in used]
        if not unused:
            return None
        prompt = unused[self.seed % len(unused) if act is Act.PRESS_KEY else 0]
        self._spoken.append(_Spoken(act, prompt, now))
        return prompt

    def ended(self, prompt_id: str, now: float) -> None:
        """The prompt was played to its end, or cut."""
        for item in self._spoken:
            if item.prompt.id == prompt_id and item.ended is None:
                item.ended = now

    def prompt_of(self, prompt_id: str | None) -> Prompt | None:
        """A prompt of this call; None where somebody else speaks for the agent."""
        return next((item.prompt for item in self._spoken if item.prompt.id == prompt_id), None)

    def act_before(self, time: float) -> Act | None:
        """The act that what the caller begins to say at `time` can answer: he has heard enough of it by then."""
        heard = time - self.options.act_heard
        return next((item.act for item in reversed(self._spoken) if item.started <= heard), None)

    @property
    def last_to_explain(self) -> Act | None:
        """The last question or refusal that was begun: what he says now may be his answer to it."""
        return next((item.act for item in reversed(self._spoken) if item.act.lets_explain), None)

    def has_given_a_turn(self, now: float) -> bool:
        """Whether a question or a refusal ended long enough ago for the caller to have begun to answer it."""
        return any(
            item.act.lets_explain and item.ended is not None and now - item.ended >= self.options.turn_given
            for item in self._spoken
        )

    def overdue(self, now: float, grace: float) -> bool:
        """Whether the prompt being played should have ended more than `grace` seconds ago."""
        return self.is_speaking and now > self._spoken[-1].started + self._spoken[-1].prompt.seconds + grace

    def assume_ended(self) -> None:
        """Nobody reported the end of the last prompt: take it as ended when it should have."""
        if self._spoken and self._spoken[-1].ended is None:
            self._spoken[-1].ended = self._spoken[-1].started + self._spoken[-1].prompt.seconds

    def plan(self, floor: Floor) -> Act | None:
        """Return what to say now, or None while there is nothing to say."""
        self.is_at_a_loss = False
        if self.overdue(floor.now, self.options.prompt_overdue):
            self.assume_ended()
        if self.is_speaking:
            return None
        if not self._spoken:
            return self._greet(floor)
        if floor.caller_speaking:
            return self._interrupt(floor)
        if floor.pending_transcripts:
            return None
        silent = floor.now - max(floor.caller_silent_since, self.silent_since)
        if silent < self._silence_before_asking(floor):
            return None
        question = self._ask(floor)
        self.is_at_a_loss = question is None
        return question

    def _silence_before_asking(self, floor: Floor) -> float:
        """How long both must have been silent: a caller who said something while the agent spoke may have more."""
        if not floor.turns_since_act:
            return self.options.key_patience if self.last_act is Act.PRESS_KEY else self.options.patience
        has_replied = floor.caller_silent_since > self.silent_since
        return self.options.reply_silence if has_replied else self.options.afterthought

    def _greet(self, floor: Floor) -> Act | None:
        quiet = not floor.caller_speaking and floor.now >= self.options.greet_after
        return Act.GREETING if quiet or floor.now >= self.options.greet_over_speech_after else None

    def _interrupt(self, floor: Floor) -> Act | None:
        said, options = self._said(), self.options
        if floor.speaking_since is None or said & {Act.INTERRUPT, Act.REFUSE}:
            return None
        patience = options.suspicious_monologue if self._is_suspicious(floor) else options.monologue
        if floor.purpose_known and floor.log_odds >= options.plain_offer_at:
            patience = min(patience, options.offer_monologue)
        if floor.now - max(floor.speaking_since, self.silent_since) < patience:
            return None
        return Act.REFUSE if floor.log_odds >= options.refuse_at[0] else Act.INTERRUPT

    def _is_suspicious(self, floor: Floor) -> bool:
        return floor.log_odds >= self.options.suspicious_at

    def _offers(self, floor: Floor) -> bool:
        limits = self.options.refuse_at
        is_clear = floor.purpose_known or self.questions > 0
        return is_clear and floor.log_odds >= limits[min(self.questions, len(limits) - 1)]

    def _ask(self, floor: Floor) -> Act | None:
        said = self._said()
        if self._offers(floor) and floor.turns_since_act and Act.REFUSE not in said:
            return Act.REFUSE
        options = self.options
        if self.questions >= (
            options.most_of_suspects if self._is_suspicious(floor) else options.most_questions
        ):
            return None
        if floor.turns_since_act and not floor.understood and Act.ASK_REPEAT not in said:
            return Act.ASK_REPEAT
        for act in self._order(floor):
            if act not in said:
                return act
        return None

    def _order(self, floor: Floor) -> tuple[Act, ...]:
        if not floor.turns_since_act:
            return (Act.ASK_CALLEE, Act.ASK_REPEAT, Act.ASK_NAME)
        if self._offers(floor):
            if self.options.press_key:
                # A key takes longer than a word: it must be asked for before the deadline comes near.
                return (Act.ASK_CALLEE, Act.PRESS_KEY, Act.ASK_PURPOSE, Act.ASK_NAME, Act.HOLD)
            return (Act.ASK_CALLEE, Act.ASK_PURPOSE, Act.HOLD, Act.CHALLENGE, Act.ASK_NAME)
        if floor.purpose_known:
            return (Act.ASK_CALLEE, Act.ASK_NAME, Act.ASK_PURPOSE)
        return (Act.ASK_PURPOSE, Act.ASK_CALLEE, Act.ASK_NAME)

    def _said(self) -> set[Act]:
        return {item.act for item in self._spoken}
