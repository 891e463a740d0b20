"""Fitting the text model: examples from calls, weights by L-BFGS, calibration on calls that were held out."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from detector.call import Language
from detector.text.features import Keys, call_features, turn_features, units
from eval_lexicon import Homophones
from text_corpus import CLASSES, STAGES, UNWANTED_CLASSES, Call, Turn, spoil

__all__ = [
    "Example",
    "Features",
    "Fitted",
    "balanced",
    "calibrate_classes",
    "calibrate_notice",
    "calibrate_unwanted",
    "examples_of",
    "fit",
    "fit_stages",
    "sides_of",
]

Floats = NDArray[np.float64]
_NOISE = (0.05, 0.1, 0.2)
N_UNWANTED = len(UNWANTED_CLASSES)
LEAST_CALLS = 3
VOCABULARY = 220_000
PENALTY = 6e-5


@dataclass(frozen=True, slots=True)
class Example:
    """Part of a call, as it may stand when the model is asked."""

    call: Call
    turns: tuple[Turn, ...]
    weight: float

    @property
    def units(self) -> int:
        return sum(units(turn.text, self.call.language) for turn in self.turns)


def examples_of(call: Call, homophones: Homophones, seed: int, views: int = 5) -> list[Example]:
    """Return views of a call: the opening alone, with one reply, with some, all of it; half of them misheard.

    A call of little weight has two views.
    """
    views = views if call.weight >= 1 else 2
    random_ = random.Random(f"{seed}|{call.name}")
    openings = [turn for turn in call.turns if turn.act in ("opening", "greeting")] or [call.turns[0]]
    replies = [turn for turn in call.turns if turn not in openings]
    chosen: list[tuple[Turn, ...]] = [tuple(openings), call.turns]
    if len(openings) > 1 and views > 2:
        chosen.append((openings[0],))
    while len(chosen) < views:
        begun = openings[: random_.randint(1, len(openings))]
        if not replies:
            chosen.append(tuple(begun))
            continue
        some = random_.sample(
            replies, random_.choice((1, 1, 2, min(3, len(replies)))) if len(replies) > 1 else 1
        )
        chosen.append((*(begun if random_.random() < 0.9 else ()), *some))
    weight = call.weight / len(chosen)
    found = []
    for index, turns in enumerate(chosen):
        if index % 2:
            share = random_.choice(_NOISE)
            misheard = tuple(spoil(turn, call.language, share, homophones, random_) for turn in turns)
            found.append(Example(call, misheard, weight))
        else:
            found.append(Example(call, turns, weight))
    return found


@lru_cache(maxsize=400_000)
def keys_of(text: str, language: Language, act: str) -> Keys:
    return turn_features(text, language, act)


class Features:
    """The n-grams of examples as rows; columns are the n-grams of a vocabulary, in its order."""

    def __init__(self, examples: Sequence[Example]) -> None:
        starts, keys, weights = [0], [], []
        for example in examples:
            found, values = call_features(
                [keys_of(turn.text, example.call.language, turn.act) for turn in example.turns]
            )
            keys.append(found)
            weights.append(values)
            starts.append(starts[-1] + len(found))
        self._starts = np.array(starts)
        self._keys = np.concatenate(keys)
        self._weights = np.concatenate(weights)

    def common(self, names: Sequence[str], least: int) -> Keys:
        """Return, sorted, the n-grams that occur in at least `least` different calls."""
        _, owner = np.unique(np.array(names), return_inverse=True)
        rows = np.repeat(owner.astype(np.int64), np.diff(self._starts))
        pairs = np.unique((rows << 32) + self._keys)
        keys, counts = np.unique(pairs & 0xFFFFFFFF, return_counts=True)
        common: Keys = keys[counts >= least]
        return common

    def matrix(self, vocabulary: Keys) -> csr_matrix:
        """Return shape (len(examples), len(vocabulary)); other n-grams count for the length alone."""
        places = np.searchsorted(vocabulary, self._keys)
        places[places == len(vocabulary)] = 0
        known = vocabulary[places] == self._keys
        starts = np.concatenate([[0], np.cumsum(known)])[self._starts]
        return csr_matrix(
            (self._weights[known], places[known].astype(np.int32), starts.astype(np.int64)),
            shape=(len(self._starts) - 1, len(vocabulary)),
        )


def balanced(examples: Sequence[Example]) -> Floats:
    """Return weights in which both sides of each language weigh the same: log-odds are then evidence."""
    weights = np.array([example.weight for example in examples])
    wanted = np.array([example.call.wanted for example in examples])
    languages = np.array([example.call.language for example in examples])
    for language in set(languages):
        for side in (True, False):
            chosen = (wanted == side) & (languages == language)
            if weights[chosen].sum() > 0:
                both = weights[languages == language].sum()
                weights[chosen] *= 0.5 * both / weights[chosen].sum()
    scaled: Floats = weights / weights.mean()
    return scaled


def fit_binary(
    x: Any, unwanted: Floats, weights: Floats, penalty: float, iterations: int = 150
) -> tuple[Floats, float]:
    """Fit a logistic regression with an L2 penalty; returns weights (shape (columns,)) and offset."""
    total = weights.sum()

    def loss(parameters: Floats) -> tuple[float, Floats]:
        w, b = parameters[:-1], parameters[-1]
        z = x @ w.astype(np.float32) + b
        p = 0.5 * (1 + np.tanh(0.5 * z))
        value = (weights * (np.logaddexp(0, z) - unwanted * z)).sum() / total + 0.5 * penalty * (w @ w)
        g = (weights * (p - unwanted) / total).astype(np.float32)
        return value, np.append(x.T @ g + penalty * w, g.sum())

    done = minimize(
        loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": iterations}
    )
    return done.x[:-1], float(done.x[-1])


def fit_classes(
    x: Any, classes: NDArray[np.int64], count: int, weights: Floats, penalty: float, iterations: int = 30
) -> tuple[Floats, Floats]:
    """Fit a softmax over `count` classes; returns weights (shape (columns, count)) and offsets.

    Few iterations: what is left to be gained by more does not transfer to other authors.
    """
    columns, rows = x.shape[1], np.arange(len(classes))
    total = weights.sum()

    def loss(parameters: Floats) -> tuple[float, Floats]:
        w = parameters[: columns * count].reshape(columns, count)
        z = x @ w.astype(np.float32) + parameters[columns * count :]
        z -= z.max(1, keepdims=True)
        p = np.exp(z)
        p /= p.sum(1, keepdims=True)
        value = -float((weights * np.log(p[rows, classes] + 1e-300)).sum()) / total
        p[rows, classes] -= 1
        p *= (weights / total)[:, None]
        gradient = x.T @ p.astype(np.float32) + penalty * w
        return value + 0.5 * penalty * float((w * w).sum()), np.concatenate([gradient.ravel(), p.sum(0)])

    start = np.zeros((columns + 1) * count)
    done = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations, "maxcor": 6})
    return done.x[: columns * count].reshape(columns, count), done.x[columns * count :]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Linear weights for the n-grams of a vocabulary."""

    vocabulary: Keys
    classes: Floats
    """Shape (n-grams, CLASSES)."""
    class_offsets: Floats
    rarity: Floats
    """What the n-grams were multiplied by for fitting, already in the weights: shape (n-grams,)."""

    notice: Floats
    """Shape (n-grams,)."""
    notice_offset: float

    def logits(self, features: Features) -> Floats:
        """Return the logits of the classes: shape (rows, CLASSES)."""
        logits: Floats = features.matrix(self.vocabulary) @ self.classes + self.class_offsets
        return logits

    def notices(self, features: Features) -> Floats:
        """Return the score of an announcement: shape (rows,)."""
        scores: Floats = features.matrix(self.vocabulary) @ self.notice + self.notice_offset
        return scores


def fit(examples: Sequence[Example], features: Features) -> Fitted:
    """Fit the classes, on the n-grams that tell the sides apart best; rare n-grams count for more."""
    names = [example.call.name for example in examples]
    vocabulary = features.common(names, LEAST_CALLS)
    x, weights = features.matrix(vocabulary), balanced(examples)
    found = np.bincount(x.indices, minlength=x.shape[1])
    rarity = (np.log(len(examples) / found) / 3) ** 1.5
    unwanted = np.array([float(not example.call.wanted) for example in examples])
    side, _ = fit_binary(_scaled(x, rarity), unwanted, weights, PENALTY, iterations=15)
    kept = np.sort(np.argsort(-np.abs(side * rarity), kind="stable")[:VOCABULARY])
    vocabulary, rarity, x = vocabulary[kept], rarity[kept], x[:, kept].tocsr()
    classes = np.array([CLASSES.index(example.call.category) for example in examples])
    w, offsets = fit_classes(_scaled(x, rarity), classes, len(CLASSES), weights, PENALTY)
    # What tells an announcement that is wanted from a person who is.
    of_wanted = np.array([float(example.call.wanted) * example.weight for example in examples])
    notice = np.array([float(example.call.caller == "notice") for example in examples])
    told, offset = fit_binary(_scaled(x, rarity), notice, of_wanted, 0.3 * PENALTY, iterations=40)
    return Fitted(vocabulary, w * rarity[:, None], offsets, rarity, told * rarity, offset)


def fit_stages(calls: Sequence[Call], model: Fitted) -> tuple[Floats, Floats]:
    """Fit the stage of single turns of unwanted calls; returns weights (shape (n-grams, stages)) and offsets."""
    turns = [
        (Example(call, (turn,), 1.0), STAGES.index(turn.stage))
        for call in calls
        for turn in call.turns
        if turn.stage in STAGES
    ]
    x = _scaled(Features([example for example, _ in turns]).matrix(model.vocabulary), model.rarity)
    stages = np.array([stage for _, stage in turns])
    w, offsets = fit_classes(x, stages, len(STAGES), np.ones(len(turns)), PENALTY)
    return w * model.rarity[:, None], offsets


def calibrate(
    examples: Sequence[Example], scores: Floats, weights: Floats, positive: Floats
) -> dict[str, float]:
    """Fit log-odds = score * (slope + slope_per_length * ln(1 + units / 20)) + offset on held-out scores."""
    x = np.stack([scores, scores * _lengths(examples)], 1).astype(np.float32)
    w, offset = fit_binary(x, positive, weights, 1e-6)
    return {"slope": float(w[0]), "slope_per_length": float(w[1]), "offset": offset}


def calibrate_unwanted(examples: Sequence[Example], logits: Floats) -> dict[str, float]:
    """Calibrate the side, both being as frequent. `logits`: of the classes, held out, a row an example."""
    unwanted = np.array([float(not example.call.wanted) for example in examples])
    return calibrate(examples, sides_of(logits), balanced(examples), unwanted)


def calibrate_notice(examples: Sequence[Example], scores: Floats) -> dict[str, float]:
    """Calibrate announcements among wanted callers, one of ten being an announcement."""
    chosen = [index for index, example in enumerate(examples) if example.call.wanted]
    wanted = [examples[index] for index in chosen]
    notice = np.array([float(example.call.caller == "notice") for example in wanted])
    weights = np.where(notice > 0, 0.1 / notice.mean(), 0.9 / (1 - notice.mean()))
    return calibrate(wanted, scores[chosen], weights, notice)


def calibrate_classes(examples: Sequence[Example], logits: Floats) -> dict[str, float]:
    """Fit how much the logits of the classes are to be stretched, as it grows with the length."""
    length = _lengths(examples)
    rows = np.arange(len(examples))
    classes = np.array([CLASSES.index(example.call.category) for example in examples])

    def loss(parameters: Floats) -> float:
        z = logits * (parameters[0] + parameters[1] * length)[:, None]
        return float(np.mean(np.logaddexp.reduce(z, 1) - z[rows, classes]))

    done = minimize(loss, np.array([1.0, 1.0]), method="Nelder-Mead")
    return {"slope": float(done.x[0]), "slope_per_length": float(done.x[1]), "offset": 0.0}


def sides_of(logits: Floats) -> Floats:
    """Return the log-odds of the unwanted classes together, not calibrated, from the logits of all."""
    unwanted, wanted = logits[:, :N_UNWANTED], logits[:, N_UNWANTED:]
    scores: Floats = np.logaddexp.reduce(unwanted, 1) - np.logaddexp.reduce(wanted, 1)
    return scores


def _lengths(examples: Sequence[Example]) -> Floats:
    lengths: Floats = np.log1p(np.array([example.units for example in examples]) / 20)
    return lengths


def _scaled(x: csr_matrix, by: Floats) -> csr_matrix:
    """Return `x` with each column multiplied."""
    scaled = x.copy()
    scaled.data *= by.astype(np.float32)[x.indices]
    return scaled
