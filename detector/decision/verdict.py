"""Verdicts: what the evidence comes to, in probabilities and in one word, with its reasons."""

from dataclasses import dataclass
from typing import Literal

from detector.signals.evidence import Evidence

__all__ = ["Action", "Axes", "Label", "Verdict"]

Label = Literal["recording", "ai_dialer", "telemarketer", "scam", "notice", "person", "unsure"]
Action = Literal["forward", "take_message", "hang_up", "none"]


@dataclass(frozen=True, slots=True)
class Axes:
    """Three questions about the caller, each a probability; whoever plays recordings mostly does not respond either."""

    playback: float
    """Recorded material is being played."""
    patter: float
    """He speaks like a seller or a swindler."""
    unresponsive: float
    """He does not respond to what is said to him as a person does."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of the judgement at one moment; final once `action` is not "none"."""

    label: Label
    action: Action
    unwanted: float
    """Probability that the person called does not want this call."""
    axes: Axes
    media_time: float
    """Seconds after answer."""
    decided_at: float | None
    """Seconds after answer when policy chose the action, before any closing phrase; None while undecided."""
    reason: str
    """One sentence for the user: which rule decided."""
    evidence: tuple[Evidence, ...] = ()

    @property
    def is_final(self) -> bool:
        return self.action != "none"
