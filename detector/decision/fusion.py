"""Fusion: calibrated log-odds from pieces of evidence, with a cap per source and per family of sources.

Log-likelihood ratios of independent observations add up. They are not quite independent, so each source has a
weight and a cap, and sources that look at the same thing (the words, say) share a family with a cap of its own: no
family decides alone. Weights and caps live in `models/fusion.json` beside how they were made, and with them the
thresholds of the sequential test that policy makes of the sum.

Who is wanted is a person or an announcement, and the two look different: that a caller plays a recording, talks on or
never answers speaks against a person, but not against an announcement, which does the same. So what tells machines
from people (the machine families, log-odds m) counts as far as no announcement explains it. With q the probability
that a wanted caller who says these words is an announcement,

    log-odds(unwanted) = words and the rest  -  log((1 - q) exp(-m) + q)

and q comes from the notice family: log-odds of an announcement against a person.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from detector.decision.axes import AxesModel
from detector.decision.odds import probability
from detector.decision.thresholds import Thresholds
from detector.decision.verdict import Axes
from detector.errors import ModelError
from detector.resources import models_dir
from detector.signals.evidence import Evidence, known_source

__all__ = ["WORDS_FAMILIES", "Fusion", "FusionModel", "SourceWeight", "unexplained"]

CALLER_AUDIO_FAMILIES = frozenset(
    {"answers", "known", "patter", "playback", "refusal", "responsiveness", "turn_taking"}
)
"""Families that observe the caller's own audio; number, history and dead air do not count towards hanging up."""
WORDS_FAMILIES = frozenset({"answers", "patter", "wanted"})
"""Families that read what the caller says, and nothing else of him."""


@dataclass(frozen=True, slots=True)
class SourceWeight:
    family: str
    weight: float
    cap: float
    """Largest absolute log-odds that this source may add, in nats."""


@dataclass(frozen=True, slots=True)
class FusionModel:
    """Weights of every source, and the thresholds that fit them, as read from a file."""

    prior: float
    """Log-odds of an unwanted caller before anything is known."""
    sources: Mapping[str, SourceWeight]
    family_caps: Mapping[str, float]
    axes: AxesModel
    thresholds: Thresholds
    machine_families: frozenset[str] = frozenset()
    """Families that tell machines from people."""
    lexicon_alone: Mapping[str, float] = field(default_factory=dict)
    """Weights of sources where the text model is missing, for beside it the lexicon adds little."""
    notice_prior: float = 0.0
    """Log-odds of an announcement against a person, of wanted callers, before anything is heard."""

    @classmethod
    def load(cls, path: Path | None = None) -> "FusionModel":
        """Read `path` (default: the weights that ship). Raises ModelError naming the file and the key."""
        path = path or models_dir() / "fusion.json"
        try:
            data = json.loads(path.read_text("utf-8"))
            return cls(
                prior=float(data["prior"]),
                sources={
                    name: SourceWeight(str(entry["family"]), float(entry["weight"]), float(entry["cap"]))
                    for name, entry in data["sources"].items()
                },
                family_caps={name: float(cap) for name, cap in data["family_caps"].items()},
                axes=AxesModel.read(data),
                lexicon_alone={name: float(value) for name, value in data["lexicon_alone"].items()},
                machine_families=frozenset(data["machine_families"]),
                notice_prior=float(data["notice_prior"]),
                thresholds=Thresholds.read(data),
            )
        except OSError as error:
            raise ModelError(f"{path}: fusion weights cannot be read ({error.strerror})") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"{path}: fusion weights are not valid: {error}") from error

    def without_text_model(self) -> "FusionModel":
        """Return the weights for calls that the text model does not read."""
        alone = {
            name: replace(entry, weight=self.lexicon_alone.get(name, entry.weight))
            for name, entry in self.sources.items()
        }
        return replace(self, sources=alone, axes=self.axes.with_words_weighed(self.lexicon_alone))

    def weight_of(self, source: str) -> SourceWeight:
        """Return the weight of `source`, or of the longest dotted prefix that has one."""
        name = known_source(source, self.sources)
        return SourceWeight(source.partition(".")[0], 0.5, 0.5) if name is None else self.sources[name]


def unexplained(machine: float, notice: float) -> float:
    """Return what log-odds `machine` (unwanted against a person) say where an announcement would do the same."""
    return -math.log((1 - notice) * math.exp(-machine) + notice)


class Fusion:
    """Adds up the evidence of one call."""

    def __init__(self, model: FusionModel) -> None:
        self._model = model
        self._by_source: dict[str, float] = defaultdict(float)
        self._families: dict[str, float] | None = None
        self._machine = 0.0
        self._machines: dict[str, float] = {}
        self.evidence: list[Evidence] = []

    def add(self, evidence: Iterable[Evidence]) -> None:
        for piece in evidence:
            self.evidence.append(piece)
            self._by_source[piece.source] += piece.llr
        self._families = None

    @property
    def families(self) -> Mapping[str, float]:
        """Log-odds that each family of sources adds, after weights and caps."""
        if self._families is None:
            self._families = self._added()
        return self._families

    def _added(self) -> dict[str, float]:
        sums: dict[str, float] = defaultdict(float)
        for source, llr in self._by_source.items():
            entry = self._model.weight_of(source)
            sums[entry.family] += _clip(entry.weight * llr, entry.cap)
        caps = self._model.family_caps
        values = {name: _clip(value, caps.get(name, 1.0)) for name, value in sums.items()}
        machines = self._model.machine_families & values.keys()
        self._machines = {name: values[name] for name in machines}
        self._machine = sum(self._machines.values())
        if self._machine:
            share = unexplained(self._machine, self.notice) / self._machine
            values |= {name: values[name] * share for name in machines}
        return values

    @property
    def machine(self) -> float:
        """Log-odds of a machine against a person, whatever is wanted of it."""
        return self._machine if self.families else 0.0

    @property
    def notice(self) -> float:
        """Probability that the caller, should he be wanted, is an announcement."""
        if not self._model.family_caps.get("notice", 1.0):
            return probability(self._model.notice_prior)  # the family is left out
        said = sum(
            -llr
            for source, llr in self._by_source.items()
            if self._model.weight_of(source).family == "notice"
        )
        return probability(self._model.notice_prior + said)

    @property
    def log_odds(self) -> float:
        return self._model.prior + sum(self.families.values())

    @property
    def words(self) -> float:
        """Log-odds of an unwanted caller by what he says alone, opening and answers."""
        return sum(self.families.get(name, 0.0) for name in WORDS_FAMILIES)

    @property
    def said(self) -> float:
        """The same, with how he takes a refusal."""
        return self.words + self.families.get("refusal", 0.0)

    @property
    def unwanted(self) -> float:
        return probability(self.log_odds)

    @property
    def axes(self) -> Axes:
        return self._model.axes.judge(self._by_source)

    def independent_sources(self, thresholds: Thresholds) -> tuple[int, bool]:
        """How many families speak for an unwanted caller, and whether one of them is from his own audio.

        What machines do counts as it stands: an announcement would do it too, but it is an observation apart from the
        words all the same.
        """
        values = {**self.families, **self._machines}
        least = {"refusal": thresholds.refusal_counts_at}
        names = [
            name for name, value in values.items() if value >= least.get(name, thresholds.kind_counts_at)
        ]
        return len(names), any(name in CALLER_AUDIO_FAMILIES for name in names)


def _clip(value: float, cap: float) -> float:
    return max(-cap, min(cap, value))
