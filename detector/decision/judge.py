"""The judge: the evidence of one call as it comes in, and the verdict that it has come to."""

from collections.abc import Sequence

from detector.decision.fusion import Fusion, FusionModel
from detector.decision.policy import Decision, Policy, PolicyOptions, Situation
from detector.decision.verdict import Verdict
from detector.signals.evidence import Evidence

__all__ = ["Judge"]


class Judge:
    """Keeps the evidence of one call and asks policy what follows from it."""

    def __init__(self, model: FusionModel, options: PolicyOptions) -> None:
        self._fusion = Fusion(model)
        self._policy = Policy(model.thresholds, options)
        self._verdict: Verdict | None = None
        self.has_news = True
        """Something was learned since the last judgement."""

    @property
    def log_odds(self) -> float:
        """Of an unwanted caller, in nats."""
        return self._fusion.log_odds

    def add(self, evidence: Sequence[Evidence]) -> None:
        self._fusion.add(evidence)
        self.has_news = True

    def judge(self, situation: Situation) -> Verdict | None:
        """Decide, if it is time to; return the verdict where it is a decision or there were news."""
        decision = self._policy.decide(self._fusion, situation)
        if decision is None and not self.has_news:
            return None
        self.has_news = False
        self._verdict = self._judged(situation, decision)
        return self._verdict

    def verdict(self, situation: Situation) -> Verdict:
        """Return the last judgement, or one of what is known so far where there was none."""
        return self._verdict or self._judged(situation, None)

    def _judged(self, situation: Situation, decision: Decision | None) -> Verdict:
        return Verdict(
            label=decision.label if decision else self._policy.label(self._fusion, situation),
            action=decision.action if decision else "none",
            unwanted=self._fusion.unwanted,
            axes=self._fusion.axes,
            media_time=situation.now,
            decided_at=situation.now if decision else None,
            reason=decision.reason if decision else "undecided",
            evidence=tuple(self._fusion.evidence),
        )
