"""The exchange: what the engine remembers of the talk itself, turn by turn."""

from detector.dialogue.acts import Act
from detector.dialogue.planner import Floor
from detector.events import TurnEnded
from detector.signals.reply_moves import count_units, is_puzzled, normalize_reply
from detector.speech.transcript import Transcript

__all__ = ["Exchange"]

SENTENCE = 5
"""Characters or words from which on a turn is more than "啊？" or "sorry, what"."""

FINISHED = 1.2
"""Seconds of silence after which a caller has finished: recordings leave 0.6 between two sentences."""
BREATH = 0.8
"""Seconds: a pause shorter than this does not end a run of speech."""


class Exchange:
    """Turns that wait for their transcripts, the act each of them followed, and what was understood."""

    def __init__(self) -> None:
        self.waiting: dict[int, TurnEnded] = {}
        self.is_intelligible = False
        """At least one turn of the call was recognized reliably."""
        self.answered: set[Act] = set()
        """Questions after which the caller said something intelligible."""
        self.explained: set[Act] = set()
        """Questions and refusals after which he said more than a word of surprise."""
        self.has_finished = False
        """He has paused, and all that he said is transcribed."""
        self._count = 0
        self._acts: dict[int, Act | None] = {}
        self.unanswered = 0
        """Questions and refusals that no turn of his followed, before the agent spoke again."""
        self.unheard = 0
        """Turns whose transcript was waited for in vain."""
        self._said = 0
        self._trusted = 0.0
        self._turns_since_act = 0
        self._understood_since_act = False
        self._speaking_since: float | None = None
        self._last_speech = 0.0

    @property
    def next_turn(self) -> int:
        return self._count

    def speech(self, media_time: float, seconds: float, *, is_speech: bool | None) -> None:
        """Follow the caller's present run of speech."""
        if is_speech:
            self._speaking_since = media_time if self._speaking_since is None else self._speaking_since
            self._last_speech = media_time + seconds
        elif media_time - self._last_speech > BREATH:
            self._speaking_since = None

    def pause(self, now: float, *, speaking: bool, silent_since: float) -> bool:
        """Follow whether the caller has finished; return whether he has just now."""
        before = self.has_finished
        self.has_finished = not (speaking or self.waiting) and now - silent_since >= FINISHED
        return self.has_finished and not before

    def turn_ended(self, turn: TurnEnded, act: Act | None) -> None:
        """A turn waits for its transcript; `act` is what the agent had said, or begun to say, when it began."""
        self._count += 1
        self.waiting[turn.turn] = turn
        self._acts[turn.turn] = act
        self._turns_since_act += 1

    def transcribed(self, turn: int, transcript: Transcript) -> Act | None:
        """Close a waiting turn; return the act that it followed."""
        del self.waiting[turn]
        act = self._acts.pop(turn)
        said = count_units(normalize_reply(transcript.text))
        self._said += said
        self._trusted += said * transcript.trust
        if transcript.is_reliable:
            self.is_intelligible = self._understood_since_act = True
            if act is not None and (act.examines or act is Act.REFUSE):
                self.answered.add(act)
            if act is not None and act.lets_explain and _is_a_sentence(transcript.text):
                self.explained.add(act)
        return act

    @property
    def hearing(self) -> float:
        """How far recognition was sure of all that he said: 1 where it was, and 0.5 where it guessed."""
        return self._trusted / self._said if self._said else 1.0

    def has_explained(self, act: Act | None) -> bool:
        """Whether he has said what he has to say to `act`: a sentence of it was understood, or he has finished."""
        return self.has_finished or act in self.explained

    def given_up(self, turn: int) -> int:
        """The transcript of this turn will not come; returns how many did not by now."""
        self._acts.pop(turn, None)
        self.unheard += self.waiting.pop(turn, None) is not None
        return self.unheard

    def agent_spoke(self, last: Act | None = None) -> None:
        """The agent has begun to say something, after the act `last`: what comes next follows it."""
        self.unanswered += self.leaves_unanswered(last)
        self._turns_since_act, self._understood_since_act = 0, False

    def leaves_unanswered(self, act: Act | None) -> bool:
        """Whether `act`, the agent's last one, gave him a chance to speak and no turn has followed it."""
        return act is not None and act.lets_explain and not self._turns_since_act and not self.waiting

    def late(self, now: float, patience: float) -> list[int]:
        """Turns whose transcript has been waited for longer than `patience` seconds."""
        return [turn for turn, ended in self.waiting.items() if now - ended.arrived >= patience - 1e-9]

    def floor(
        self, now: float, *, speaking: bool, silent_since: float, log_odds: float, purpose_known: bool
    ) -> Floor:
        """What the planner needs to know at `now`."""
        return Floor(
            now=now,
            caller_speaking=speaking,
            caller_silent_since=silent_since,
            speaking_since=self._speaking_since,
            pending_transcripts=len(self.waiting),
            turns_since_act=self._turns_since_act,
            understood=self._understood_since_act,
            log_odds=log_odds,
            purpose_known=purpose_known,
        )


def _is_a_sentence(text: str) -> bool:
    return count_units(normalize_reply(text)) >= SENTENCE and not is_puzzled(text)
