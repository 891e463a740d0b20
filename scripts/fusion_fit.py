"""Fitting the weights of fusion: calls as paths of growing evidence, weights by L-BFGS, folds that share no voice.

A call is judged again and again while it lasts, so every moment at which evidence arrived is a sample: what had been
known by then, against what the call turned out to be. The samples of a call share its weight, and so do the two
classes, so the log-odds are those of a world in which wanted and unwanted callers are as frequent.

The caps are as the file has them: they are a matter of how far one source may be trusted, which no sample of
simulated calls can tell. Weights are never negative, and are drawn to `TOWARDS` as far as the calls say nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.decision.fusion import FusionModel
from detector.signals.evidence import known_source

__all__ = ["TIED", "Path", "Samples", "calibration_error", "fit", "log_odds", "samples_of"]

Floats = NDArray[np.float64]
TOWARDS = 0.6
"""Weight of a source of which the calls tell nothing: extractors rather overrate what they see."""
RIDGE = 0.02
"""Loss for a weight that is 1 away from TOWARDS, in nats a call."""
MOST = 1.0
"""No source is believed further than it was calibrated: the text model's caution is not to be unlearned here."""
TIED: Mapping[str, str] = {
    "wanted.meaning": "patter.meaning",
    "answers.clear": "answers.sell",
    "refusal.explains": "refusal.pushes_on",
}
"""Sources that hold the rises and the falls of one reading, and so have one weight."""
FIXED = frozenset({"responsive.key"})
"""Sources that no simulated call shows: their weights stay as they were set by hand."""


@dataclass(frozen=True, slots=True)
class Path:
    """One call: what was known, and when."""

    name: str
    caller: str
    """Kind of caller."""
    fold: int
    unwanted: bool
    evidence: tuple[tuple[float, str, float], ...]
    """Arrival in seconds after answer, source, log-likelihood ratio; in order."""
    heard_from: float
    """When the first words were understood: before, nothing is decided."""

    @classmethod
    def of_row(cls, row: Mapping[str, Any], fold: int) -> "Path":
        evidence = tuple((item["arrived"], item["source"], item["llr"]) for item in row["evidence"])
        words = [at for at, source, _ in evidence if not source.startswith(("number", "history", "dialer"))]
        return cls(row["id"], row["caller"], fold, not row["wanted"], evidence, min(words, default=0.0))

    def moments(self, column: Mapping[str, int]) -> list[Floats]:
        """Return the sums of evidence by source, shape (sources,), at every moment at which some of it arrived.

        `column` is the place of each source; evidence of others is passed over.
        """
        now = np.zeros(len(column))
        known: dict[float, Floats] = {}
        for at, source, llr in self.evidence:
            if (name := known_source(source, column)) is not None:
                now = now.copy()
                now[column[name]] += llr
            known[max(at, self.heard_from)] = now
        return list(known.values())


@dataclass(frozen=True, slots=True)
class Samples:
    """Sums of evidence by source. `sums`: shape (n, sources); the other arrays: shape (n,)."""

    sources: tuple[str, ...]
    sums: Floats
    unwanted: Floats
    weights: Floats
    calls: NDArray[np.int64]
    last: NDArray[np.bool_]
    """The sample at which everything of its call was known."""


def samples_of(paths: Sequence[Path], model: FusionModel) -> Samples:
    """Return every moment of every call; `model` tells which sources there are."""
    sources = tuple(model.sources)
    column = {name: number for number, name in enumerate(sources)}
    sums, unwanted, weights, calls, last = [], [], [], [], []
    shares = {True: 0, False: 0}
    for path in paths:
        shares[path.unwanted] += 1
    for number, path in enumerate(paths):
        moments = path.moments(column)
        for index, row in enumerate(moments):
            sums.append(row)
            unwanted.append(float(path.unwanted))
            weights.append(1.0 / len(moments) / shares[path.unwanted] / 2)
            calls.append(number)
            last.append(index == len(moments) - 1)
    return Samples(
        sources, np.array(sums), np.array(unwanted), np.array(weights), np.array(calls), np.array(last)
    )


def log_odds(samples: Samples, model: FusionModel) -> Floats:
    """Return what fusion says at each sample, shape (n,)."""
    weights = np.array([model.sources[name].weight for name in samples.sources])
    return _log_odds(samples, model, weights, model.prior)[0]


def _log_odds(samples: Samples, model: FusionModel, weights: Floats, prior: float) -> tuple[Floats, Floats]:
    """Return the log-odds and their slopes by weight, shape (n, sources): zero where a cap holds."""
    caps = np.array([model.sources[name].cap for name in samples.sources])
    raw = samples.sums * weights
    clipped = np.clip(raw, -caps, caps)
    slopes = np.where(np.abs(raw) < caps, samples.sums, 0.0)
    families: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(samples.sources):
        families[model.sources[name].family].append(number)
    total, machine = np.full(len(raw), prior), np.zeros(len(raw))
    for family, columns in families.items():
        cap = model.family_caps.get(family, 1.0)
        value = clipped[:, columns].sum(axis=1)
        (machine if family in model.machine_families else total)[:] += np.clip(value, -cap, cap)
        slopes[:, columns] *= (np.abs(value) < cap)[:, None]
    person = (1 - _notice(samples, model)) * np.exp(-machine)
    mixed = person + _notice(samples, model)
    of_machines = [
        number for name, numbers in families.items() if name in model.machine_families for number in numbers
    ]
    slopes[:, of_machines] *= (person / mixed)[:, None]
    return total - np.log(mixed), slopes


def _notice(samples: Samples, model: FusionModel) -> Floats:
    """Probability at each sample that a wanted caller is an announcement, as `Fusion.notice` has it."""
    columns = [
        number for number, name in enumerate(samples.sources) if model.sources[name].family == "notice"
    ]
    odds: Floats = model.notice_prior - samples.sums[:, columns].sum(axis=1)
    return 1 / (1 + np.exp(-odds))


def fit(samples: Samples, model: FusionModel) -> FusionModel:
    """Return `model` with the weights that suit the samples best; caps, families, thresholds and fixed zeros stay."""
    from scipy.optimize import minimize  # noqa: PLC0415 - of the extra `training`; only fitting needs it

    names = samples.sources
    free = [
        name for name in names if name not in TIED and name not in FIXED and model.sources[name].weight > 0
    ]
    fixed = np.array([model.sources[name].weight if name in FIXED else 0.0 for name in names])
    place = np.array(
        [free.index(TIED.get(name, name)) if TIED.get(name, name) in free else -1 for name in names]
    )

    def spread(values: Floats) -> Floats:
        return np.where(place >= 0, values[place], fixed)

    def loss(values: Floats) -> tuple[float, Floats]:
        total, slopes = _log_odds(samples, model, spread(values), 0.0)
        sign = np.where(samples.unwanted > 0, 1.0, -1.0)
        margin = sign * total
        away = values - TOWARDS
        value = float(samples.weights @ np.logaddexp(0.0, -margin)) + RIDGE * float(away @ away)
        slope = (-sign * samples.weights / (1.0 + np.exp(np.clip(margin, -50, 50)))) @ slopes
        gradient = 2 * RIDGE * away
        np.add.at(gradient, place[place >= 0], slope[place >= 0])
        return value, gradient

    found = minimize(
        loss,
        np.full(len(free), TOWARDS),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, MOST)] * len(free),
        options={"maxiter": 2000, "ftol": 1e-14, "gtol": 1e-9},
    )
    weights = spread(found.x)
    sources = {
        name: replace(model.sources[name], weight=float(np.round(weight, 4)))
        for name, weight in zip(names, weights, strict=True)
    }
    return replace(model, sources=sources, prior=0.0)


def calibration_error(values: Floats, unwanted: Floats, weights: Floats, bins: int = 10) -> float:
    """Expected calibration error of log-odds `values`: bins of equal width in probability, weighted gaps."""
    said = 1 / (1 + np.exp(-values))
    place = np.minimum((said * bins).astype(int), bins - 1)
    gap = 0.0
    for number in range(bins):
        here = place == number
        gap += abs(float(weights[here] @ (said[here] - unwanted[here])))
    return gap / float(weights.sum())
