"""The three axes of a verdict: how likely playback, patter and unresponsiveness are, each a question of its own.

An axis is not what fusion asks. Whether a caller is wanted and whether he plays a recording are seen in the same pieces
of evidence, but one tells much of the first and little of the second, or the other way round: so every axis has its own
weights, a logistic regression over the sums of the log-likelihood ratios of each source.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detector.decision.checked import entries, number
from detector.decision.odds import probability
from detector.decision.verdict import Axes
from detector.signals.evidence import known_source

__all__ = ["AXES", "AxesModel", "AxisWeights"]

AXES = ("playback", "patter", "unresponsive")
"""In the order of the fields of `Axes`."""
SOURCE_CAP = 4.0
"""Nats: no source counts for more than so many of its own, before its weight."""


@dataclass(frozen=True, slots=True)
class AxisWeights:
    """Log-odds of one axis: `prior`, and for each of `sources` its weight times the sum of its evidence."""

    prior: float
    sources: Mapping[str, float]

    @classmethod
    def read(cls, where: str, value: object) -> "AxisWeights":
        """Read what `models/fusion.json` holds at `where`. Raises TypeError or ValueError that begin with the place."""
        found = entries(where, value, {"prior", "sources"})
        sources = found["sources"]
        weights = entries(f"{where}.sources", sources, set(sources) if isinstance(sources, dict) else ())
        return cls(
            number(f"{where}.prior", found["prior"]),
            {name: number(f"{where}.sources.{name}", weight) for name, weight in weights.items()},
        )

    def as_json(self) -> dict[str, object]:
        return {"prior": self.prior, "sources": dict(self.sources)}

    def weighed(self, weights: Mapping[str, float]) -> "AxisWeights":
        """Return the axis with other weights for those of its sources that `weights` names."""
        sources = {name: weights.get(name, weight) for name, weight in self.sources.items()}
        return AxisWeights(self.prior, sources)

    def log_odds(self, sums: Mapping[str, float]) -> float:
        """Return the log-odds for evidence of which `sums` holds the log-likelihood ratios, added up by source."""
        added: dict[str, float] = {}
        for source, llr in sums.items():
            if (name := known_source(source, self.sources)) is not None:
                added[name] = added.get(name, 0.0) + llr
        return self.prior + sum(
            self.sources[name] * max(-SOURCE_CAP, min(SOURCE_CAP, llr)) for name, llr in added.items()
        )


@dataclass(frozen=True, slots=True)
class AxesModel:
    playback: AxisWeights
    patter: AxisWeights
    unresponsive: AxisWeights

    @classmethod
    def read(cls, weights: Mapping[str, Any]) -> "AxesModel":
        """Return those of a file of fusion weights. Raises as `AxisWeights.read` does."""
        found = entries("axes", weights.get("axes"), set(AXES))
        return cls(*(AxisWeights.read(f"axes.{name}", found[name]) for name in AXES))

    def with_words_weighed(self, weights: Mapping[str, float]) -> "AxesModel":
        """Return the axes with other weights for sources that read words."""
        return AxesModel(self.playback, self.patter.weighed(weights), self.unresponsive)

    def judge(self, sums: Mapping[str, float]) -> Axes:
        """Return the three probabilities for evidence added up by source."""
        return Axes(*(probability(getattr(self, name).log_odds(sums)) for name in AXES))
