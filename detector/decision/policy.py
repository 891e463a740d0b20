"""Policy: a sequential test that acts as soon as the evidence suffices.

The rules, in the order in which they are asked; the first that holds decides:

 1. An emergency, or a caller whose last call we lost: put through. Words of an emergency in what reads like a sale all
    the same, such as a fall that the telephone on offer would report, only save him from being hung up on.
 2. Something inside broke: what `unsure` does (put through, or take a message).
 3. Another answering assistant is on the line: its message is taken at once, whatever else speaks for or against it.
 4. An announcement that the callee wants: its message is taken. Plain words of one suffice; words that are only like
    one do where the caller also behaves like a recording.
 5. The odds for an unwanted caller reach the upper threshold, and at least two independent families of evidence say
    so, one of them from the caller's own audio: hang up. One who could still explain himself, because nothing was
    refused or asked yet, needs more proof; so does one in the middle of saying something, and one who has had a chance
    or two to clear it up; one who has answered several times, and whose words alone are as much, needs less; so does
    one who has spoken, and then let several questions pass in silence until none is left. With the odds but without
    the second family he is asked on; who has then answered several times, and still stands no better, is hung up on
    for that, at somewhat higher odds. Whose words were heard badly needs more proof throughout. Where recognition
    failed on a turn of his, his message is taken instead: that turn may have been his explanation.
 6. The odds fall to the lower threshold and he has said something intelligible: put through.
 7. He answered as many questions as a person is asked, refusals counted, and nothing speaks against him; or two more,
    and little does: put through.
 8. The deadline has passed, or there is nothing left to ask one who has spoken: a message where the odds speak against
    him, else what `unsure` does. So it is with one who said nothing that could be understood: silence proves nothing.

Hanging up is the error that cannot be forgiven, so rule 5 is the only way to it.
"""

from dataclasses import dataclass, replace
from typing import Literal

from detector.decision.fusion import Fusion
from detector.decision.thresholds import Thresholds
from detector.decision.verdict import Action, Label

__all__ = ["Decision", "Policy", "PolicyOptions", "Situation"]

OUTER_FAILURES = {"forward": "nobody could be reached", "stopping": "the service is being stopped"}
"""Failures that are none of the engine's, in the words for the user."""
SCAM_CATEGORIES = frozenset({"police_impersonation", "ecommerce_refund", "prize", "investment"})
LIKELY_MACHINE = 0.6
"""Probability of an axis from which on a caller is called what it says."""


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """What is chosen for a call or a household, not learned."""

    deadline: float = 40.0
    """Seconds after answer at which an undecided call is decided."""
    unsure: Literal["forward", "take_message"] = "forward"
    can_ask: bool = True
    """False for a recording: nothing more can be found out by asking, so strong words are a verdict by themselves."""
    put_through: bool = True
    """False in quiet hours: who would be put through leaves a message, emergencies apart."""
    leniency: float = 0.0
    """Nats of proof that hanging up takes beyond `Thresholds.hang_up_at`; negative where it takes less."""
    thresholds: Thresholds | None = None
    """Others than those of the fusion weights, for trials; None: those."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What policy needs to know beside the fused evidence."""

    now: float
    questions_answered: int
    """Acts that examine a caller, and refusals, after which he has finished at least one intelligible turn."""
    heard_intelligible_speech: bool
    chances_taken: int = 0
    """Those of them that let him explain himself: questions and refusals, but no interruption and no "one moment"."""
    could_explain: bool = False
    """He was refused or asked something, and it was his turn since."""
    is_speaking: bool = False
    """He is in the middle of something: nobody is put through in mid-sentence, and announcements go on."""
    has_finished: bool = True
    """He has paused, and all that he said is transcribed: a false notice asks for its key, or card, at its end."""
    is_emergency: bool = False
    is_assistant: bool = False
    """The caller's words are those of another answering assistant, or of the network."""
    was_lost: bool = False
    is_protected_number: bool = False
    """Never to be hung up on by its number: the anti-fraud centre's, a bank's own, an authority's."""
    notice: float = 0.0
    """Log-likelihood ratio of a wanted announcement."""
    is_asked_out: bool = False
    """He has said something, and there is nothing left to ask him."""
    hearing: float = 1.0
    """How sure recognition was of all that he said, 0.5 to 1."""
    unheard: int = 0
    """Turns of his whose transcript never came: what he explained may have been in one of them."""
    unanswered: int = 0
    """Questions and refusals after which he said nothing at all; what was not understood is no silence."""
    failure: str | None = None
    category: str | None = None
    """The best category of patter so far."""


@dataclass(frozen=True, slots=True)
class Decision:
    action: Action
    label: Label
    reason: str


class Policy:
    """Decides on one call from the fused evidence; keeps no state of its own."""

    def __init__(self, thresholds: Thresholds, options: PolicyOptions | None = None) -> None:
        self.options = options or PolicyOptions()
        self.thresholds = (self.options.thresholds or thresholds).shifted(self.options.leniency)

    def decide(self, fusion: Fusion, situation: Situation) -> Decision | None:
        """Return the decision that is due now, or None while more must be heard."""
        decision = (
            self._protect(fusion, situation)
            or self._end_with_assistant(situation)
            or self._deliver_notice(fusion, situation)
            or self._hang_up(fusion, situation)
            or self._words_alone(fusion, situation)
            or self._put_through(fusion, situation)
            or self._end_undecided(fusion, situation)
        )
        is_kept_out = not self.options.put_through and not situation.is_emergency
        if decision is not None and decision.action == "forward" and is_kept_out:
            # Who is only like an announcement is asked for his message, as everybody is.
            label: Label = "unsure" if decision.label == "notice" else decision.label
            reason = f"{decision.reason}; quiet hours"
            return replace(decision, action="take_message", label=label, reason=reason)
        return decision

    def label(self, fusion: Fusion, situation: Situation) -> Label:
        """The one word that fits the evidence so far."""
        if situation.notice >= self.thresholds.plain_notice:
            return "notice"
        if fusion.log_odds < self.thresholds.suspicious_at:
            is_person = (
                situation.heard_intelligible_speech and fusion.log_odds <= self.thresholds.forward_at[-1]
            )
            return self._wanted(fusion) if is_person else "unsure"
        axes = fusion.axes
        if situation.category in SCAM_CATEGORIES and axes.patter > 0.5:
            return "scam"
        if axes.playback > LIKELY_MACHINE:
            return "recording"
        if axes.unresponsive > LIKELY_MACHINE:
            return "ai_dialer"
        return "telemarketer" if situation.heard_intelligible_speech and axes.patter > 0.5 else "unsure"

    def _wanted(self, fusion: Fusion) -> Label:
        """The word for a caller against whom nothing speaks.

        One with the words of an announcement is one, unless he answers like a person: what he does weighs in the axis,
        and most announcements are put through before they have done anything. A name for the user, no more: whose
        audio is known for an announcement's took more than this (`fingerprints.label_of`).
        """
        is_played = fusion.notice >= self.thresholds.likely_notice and fusion.axes.playback > LIKELY_MACHINE
        return "notice" if is_played else "person"

    def _protect(self, fusion: Fusion, situation: Situation) -> Decision | None:
        if situation.is_emergency and fusion.log_odds < self.thresholds.doubt_emergency_at:
            return Decision("forward", "person", "words of an emergency")
        if situation.was_lost:
            return Decision("forward", "unsure", "the last call of this number was lost by us")
        if situation.failure is not None:
            why = OUTER_FAILURES.get(situation.failure, f"an internal failure ({situation.failure})")
            return Decision(self.options.unsure, "unsure", why)
        return None

    def _end_with_assistant(self, situation: Situation) -> Decision | None:
        if not situation.is_assistant:
            return None
        return Decision("take_message", "unsure", "another answering assistant is on the line")

    def _deliver_notice(self, fusion: Fusion, situation: Situation) -> Decision | None:
        limits = self.thresholds
        is_plain = situation.notice >= limits.plain_notice and fusion.log_odds < limits.suspicious_at
        is_played = fusion.notice >= limits.likely_notice and fusion.machine >= limits.least_machine
        if is_plain or (is_played and situation.has_finished and fusion.log_odds < 0.0):
            return Decision("take_message", "notice", "an announcement that the person called wants")
        return None

    def _hang_up(self, fusion: Fusion, situation: Situation) -> Decision | None:
        limit = self._proof_needed(fusion, situation)
        if fusion.log_odds < limit or situation.is_protected_number or situation.is_emergency:
            return None
        families, from_audio = fusion.independent_sources(self.thresholds)
        if not from_audio or not situation.heard_intelligible_speech:
            return None
        label = self.label(fusion, situation)
        limits, answered = self.thresholds, situation.chances_taken
        reason = f"{families} independent kinds of evidence agree"
        if families < 2:
            insists = answered >= limits.persistent_after and fusion.words >= limits.hang_up_at
            alone = max(limit, limits.hang_up_at) + limits.persistence_margin
            if not insists or fusion.log_odds < alone:
                return None
            reason = f"goes on selling after {answered} questions and refusals"
        if situation.unheard:
            return Decision(
                "take_message", label, f"{reason}, but recognition has lost a part of what was said"
            )
        return Decision("hang_up", label, reason)

    def _proof_needed(self, fusion: Fusion, situation: Situation) -> float:
        limits = self.thresholds
        limit = limits.hang_up_at + limits.doubt_margin * (1.0 - situation.hearing)
        if not situation.could_explain:
            limit += limits.unasked_margin
        elif situation.hearing >= limits.well_heard:
            shares = limits.share_after
            enough = limit * shares[min(self._chances(situation), len(shares) - 1)]
            limit = enough if fusion.said >= enough else limit
        if self._let_all_pass(situation):
            return limit
        is_early = situation.could_explain and situation.chances_taken < limits.settled_after
        if self.options.can_ask and is_early:
            limit += limits.early_margin
        if situation.is_speaking:
            limit += limits.unfinished_margin
        if like := limits.like_a_notice(fusion.notice):
            limit = max(limit, limits.hang_up_at + limits.notice_margin * like)
        return limit

    def _chances(self, situation: Situation) -> int:
        """How often he could have cleared up a mistake; who let all chances pass had as many as `persistent_after`."""
        least = self.thresholds.persistent_after if self._let_all_pass(situation) else 0
        return max(situation.chances_taken, least)

    def _let_all_pass(self, situation: Situation) -> bool:
        """There is nothing left to ask, and he has left several questions without a word."""
        return situation.is_asked_out and situation.unanswered >= self.thresholds.persistent_after

    def _words_alone(self, fusion: Fusion, situation: Situation) -> Decision | None:
        if (
            self.options.can_ask
            or fusion.log_odds < self.thresholds.words_alone_at
            or situation.is_protected_number
        ):
            return None
        return Decision(
            "take_message", self.label(fusion, situation), "the words are those of an unwanted call"
        )

    def _put_through(self, fusion: Fusion, situation: Situation) -> Decision | None:
        if situation.is_speaking or not situation.heard_intelligible_speech:
            return None
        answered = situation.questions_answered
        if fusion.log_odds <= self.thresholds.forward_at[min(answered, len(self.thresholds.forward_at) - 1)]:
            return self._forward(fusion, "speaks and answers like a person who is wanted")
        beyond = answered - self.thresholds.questions
        neutral_at = self.thresholds.neutral_at
        if beyond >= 0 and fusion.log_odds < neutral_at[min(beyond, len(neutral_at) - 1)]:
            return self._forward(fusion, "answered what was asked, and nothing speaks against him")
        return None

    def _forward(self, fusion: Fusion, reason: str) -> Decision:
        label = self._wanted(fusion)
        if label == "notice":
            reason = "an announcement, and nothing speaks against it"
        return Decision("forward", label, reason)

    def _end_undecided(self, fusion: Fusion, situation: Situation) -> Decision | None:
        if situation.now < self.options.deadline and not situation.is_asked_out:
            return None
        if fusion.log_odds >= self.thresholds.suspicious_at and situation.heard_intelligible_speech:
            return Decision(
                "take_message", self.label(fusion, situation), "suspicious, but not proved in time"
            )
        return Decision(self.options.unsure, "unsure", "nothing decided in time")
