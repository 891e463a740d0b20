"""Fitting the text model: examples from calls, weights by L-BFGS, calibration on calls that were held out."""

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from detector.call import Language
from detector.text.features import Keys, call_features, turn_features, units
from eval_lexicon import Homophones
from text_corpus import CATEGORIES, STAGES, UNWANTED, Call, Turn, spoil

__all__ = [
    "Example",
    "Features",
    "Fitted",
    "balanced",
    "calibrate",
    "examples_of",
    "fit",
    "fit_binary",
    "fit_categories",
    "fold_scores",
    "targets",
]

Floats = NDArray[np.float64]
_NOISE = (0.05, 0.1, 0.2)
N_UNWANTED = len(UNWANTED)
LEAST_CALLS = 3
VOCABULARY = 60_000
PENALTY = 1e-5
CATEGORY_PENALTY = 1e-5


@dataclass(frozen=True, slots=True)
class Example:
    """Part of a call, as it may stand when the model is asked."""

    call: Call
    turns: tuple[Turn, ...]
    weight: float

    @property
    def units(self) -> int:
        return sum(units(turn.text, self.call.language) for turn in self.turns)


def examples_of(call: Call, homophones: Homophones, seed: int, views: int = 6) -> list[Example]:
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


def targets(examples: Sequence[Example]) -> Floats:
    """Return which categories each example may be of: one, or all of its side where no more is known."""
    allowed = np.zeros((len(examples), len(CATEGORIES)))
    for row, example in enumerate(examples):
        if example.call.category is not None:
            allowed[row, CATEGORIES.index(example.call.category)] = 1
        elif example.call.wanted:
            allowed[row, N_UNWANTED:] = 1
        else:
            allowed[row, :N_UNWANTED] = 1
    return allowed


def fit_categories(
    x: Any, allowed: Floats, weights: Floats, penalty: float, side: float = 0.0, iterations: int = 60
) -> tuple[Floats, Floats]:
    """Fit a softmax over categories; returns weights (shape (columns, categories)) and offsets.

    `allowed` (shape (rows, categories)): the categories that a row may be of. `side`: the share of the loss that only
    asks for the right side, wanted or unwanted.
    """
    columns, classes = x.shape[1], allowed.shape[1]
    total = weights.sum()
    unwanted = allowed[:, :N_UNWANTED].any(1)[:, None]
    sides = unwanted == (np.arange(classes) < N_UNWANTED)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        w = parameters[: columns * classes].reshape(columns, classes)
        z = x @ w.astype(np.float32) + parameters[columns * classes :]
        z -= z.max(1, keepdims=True)
        e = np.exp(z)
        p = e / e.sum(1, keepdims=True)
        value, g = 0.0, p.copy()
        for share, mask in ((1 - side, allowed), (side, sides)):
            if share:
                q = p * mask
                s = q.sum(1, keepdims=True) + 1e-300
                value -= share * float((weights * np.log(s[:, 0])).sum()) / total
                g -= share * q / s
        g *= (weights / total)[:, None]
        gw = x.T @ g.astype(np.float32) + penalty * w
        return value + 0.5 * penalty * float((w * w).sum()), np.concatenate([gw.ravel(), g.sum(0)])

    start = np.zeros((columns + 1) * classes)
    done = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations, "maxcor": 6})
    return done.x[: columns * classes].reshape(columns, classes), done.x[columns * classes :]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model ready to be written: columns are the unwanted score, the categories, the stages."""

    vocabulary: Keys
    weights: Floats
    """Shape (n-grams, 1 + categories + stages)."""
    offsets: Floats


def fit(examples: Sequence[Example], calls: Sequence[Call]) -> Fitted:
    """Fit all heads on one vocabulary, and keep the n-grams that matter most."""
    features = Features(examples)
    names = [example.call.name for example in examples]
    vocabulary = features.common(names, LEAST_CALLS)
    x, weights = features.matrix(vocabulary), balanced(examples)
    unwanted = np.array([float(not example.call.wanted) for example in examples])
    side, side_offset = fit_binary(x, unwanted, weights, PENALTY)
    kept = np.sort(np.argsort(-np.abs(side), kind="stable")[:VOCABULARY])
    vocabulary, x = vocabulary[kept], x[:, kept].tocsr()
    side, side_offset = fit_binary(x, unwanted, weights, PENALTY)
    kinds, kind_offsets = fit_categories(x, targets(examples), weights, CATEGORY_PENALTY)
    turns = [
        Example(replace(call, category=turn.stage), (turn,), 1.0)
        for call in calls
        for turn in call.turns
        if turn.stage in STAGES
    ]
    allowed = np.array([[float(turn.call.category == stage) for stage in STAGES] for turn in turns])
    stages, stage_offsets = fit_categories(
        Features(turns).matrix(vocabulary), allowed, np.ones(len(turns)), CATEGORY_PENALTY
    )
    return Fitted(
        vocabulary,
        np.hstack([side[:, None], kinds, stages]),
        np.concatenate([[side_offset], kind_offsets, stage_offsets]),
    )


def fold_scores(examples: Sequence[Example], folds: int, seed: int) -> Floats:
    """Return the unwanted score of every example by a model that never saw its call."""
    fold = np.array([zlib.crc32(f"{seed}|{example.call.name}".encode()) % folds for example in examples])
    features = Features(examples)
    names = [example.call.name for example in examples]
    x = features.matrix(features.common(names, LEAST_CALLS))
    unwanted = np.array([float(not example.call.wanted) for example in examples])
    weights = balanced(examples)
    scores = np.zeros(len(examples))
    for number in range(folds):
        train = fold != number
        side, offset = fit_binary(x[train], unwanted[train], weights[train], PENALTY)
        scores[~train] = x[~train] @ side + offset
    return scores


def calibrate(examples: Sequence[Example], scores: Floats) -> dict[str, float]:
    """Fit log-odds = score * (slope + slope_per_length * ln(1 + units / 20)) + offset on held-out scores."""
    length = np.log1p(np.array([example.units for example in examples]) / 20)
    chosen = np.array([example.call.weight >= 1 for example in examples])
    unwanted = np.array([float(not example.call.wanted) for example in examples])
    weights = balanced([example for example, use in zip(examples, chosen, strict=True) if use])
    x = np.stack([scores, scores * length], 1)[chosen]
    w, offset = fit_binary(x, unwanted[chosen], weights, 1e-6)
    return {"slope": float(w[0]), "slope_per_length": float(w[1]), "offset": offset}
