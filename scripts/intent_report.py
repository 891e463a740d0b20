"""Figures of the text model on calls that it has not seen, beside those of the lexicon alone."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from casting import fold_of
from detector.call import Language
from detector.signals.patter import PatterExtractor
from detector.text.intent import Calibration
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher
from eval_lexicon import Homophones
from intent_fit import Example, Features, Fitted
from text_corpus import Call, Turn, spoil

__all__ = [
    "VIEWS",
    "figures_of",
    "fold_logits",
    "fold_numbers",
    "lexicon_scores",
    "print_figures",
    "views_of",
]

Floats = NDArray[np.float64]


def _opening(call: Call) -> list[Turn]:
    return [turn for turn in call.turns if turn.act in ("opening", "greeting")]


VIEWS: Mapping[str, Callable[[Call], list[Turn]]] = {
    "opening": _opening,
    "opening and purpose": lambda call: (
        _opening(call) + [turn for turn in call.turns if turn.act == "ask_purpose"][:1]
    ),
    "whole call": lambda call: list(call.turns),
}


def views_of(
    calls: Sequence[Call], view: str, noise: float, homophones: Homophones, seed: int
) -> list[Example]:
    """Return one example of each call; with `noise` that share of its characters or words is misheard."""
    found = []
    for call in calls:
        random_ = random.Random(f"{seed}|{view}|{call.name}")
        turns = VIEWS[view](call) or list(call.turns[:1])
        if noise:
            turns = [spoil(turn, call.language, noise, homophones, random_) for turn in turns]
        found.append(Example(call, tuple(turns), 1.0))
    return found


def lexicon_scores(examples: Sequence[Example]) -> Floats:
    """Return the sum of the lexicon's evidence for each example."""
    matcher = Matcher(Lexicon.load())
    scores = []
    for example in examples:
        extractor = PatterExtractor(matcher)
        scores.append(
            sum(
                item.llr
                for turn in example.turns
                for item in extractor.observe(turn.text, example.call.language, 0.0, 0.0)
            )
        )
    return np.array(scores)


def fold_logits(models: Sequence[Fitted], examples: Sequence[Example], features: Features) -> Floats:
    """Return the logits of every row by the model of its fold, which has not seen the call."""
    every = np.stack([model.logits(features) for model in models])
    logits: Floats = every[fold_numbers(examples), np.arange(len(examples))]
    return logits


def fold_numbers(examples: Sequence[Example]) -> NDArray[np.int64]:
    """Return the fold of each example: that of its scenario, text or campaign."""
    return np.array([fold_of(example.call.group or example.call.name) for example in examples])


def figures_of(
    examples: Sequence[Example], scores: Floats, calibrations: Mapping[Language, Calibration] | None
) -> dict[str, dict[str, Any]]:
    """Return the figures of each language: areas, recall without a false alarm, calibration, by kind of caller."""
    figures = {}
    for language in get_args(Language):
        chosen = [index for index, example in enumerate(examples) if example.call.language == language]
        if chosen:
            calibration = None if calibrations is None else calibrations[language]
            figures[language] = _figures([examples[index] for index in chosen], scores[chosen], calibration)
    return figures


def _figures(examples: Sequence[Example], scores: Floats, calibration: Calibration | None) -> dict[str, Any]:
    unwanted = np.array([not example.call.wanted for example in examples])
    wanted = np.sort(scores[~unwanted])
    kinds = np.array([example.call.caller for example in examples])
    told: dict[str, Any] = {
        "calls": len(examples),
        "unwanted": int(unwanted.sum()),
        "auc": round(_area(scores, unwanted), 4),
        "recall_without_false_alarm": round(float((scores[unwanted] > wanted[-1]).mean()), 3),
        "recall_at_2_percent": round(float((scores[unwanted] > wanted[-1 - len(wanted) // 50]).mean()), 3),
        "recall_without_false_alarm_by_caller": {
            str(kind): round(float((scores[kinds == kind] > wanted[-1]).mean()), 3)
            for kind in sorted(set(kinds[unwanted]))
        },
    }
    if calibration is not None:
        odds = [calibration.log_odds(s, e.units) for s, e in zip(scores, examples, strict=True)]
        p = 0.5 * (1 + np.tanh(0.5 * np.clip(np.array(odds), -4, 4)))
        # Both sides weigh the same, as the calibration has it.
        weights = np.where(unwanted, 0.5 / unwanted.sum(), 0.5 / (~unwanted).sum())
        told["expected_calibration_error"] = round(_calibration_error(p, unwanted, weights), 3)
        told["wanted_above_0.9"] = {
            str(kind): round(float((p[kinds == kind] > 0.9).mean()), 3)
            for kind in sorted(set(kinds[~unwanted]))
        }
        told["unwanted_below_0.5"] = round(float((p[unwanted] < 0.5).mean()), 3)
    return told


def _area(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Area under the curve of true against false alarms: how often an unwanted call scores above a wanted one."""
    low, high = np.sort(scores[~positive]), scores[positive]
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(below.mean() / (2 * len(low)))


def _calibration_error(p: Floats, positive: NDArray[np.bool_], weights: Floats) -> float:
    """Mean distance of probability and frequency over ten bins of equal width."""
    bins = np.minimum((p * 10).astype(int), 9)
    return sum(
        abs(float((weights * (p - positive))[bins == each].sum()))
        for each in range(10)
        if (bins == each).any()
    )


def print_figures(rows: Sequence[dict[str, Any]]) -> None:
    """Print a table of the rows, one a language."""
    print(
        f"{'measure':10}{'judge':9}{'view':21}{'noise':>6} lang {'calls':>6}{'AUC':>8}{'at 0 FA':>9}"
        f"{'at 2 %':>8}{'ECE':>7}  at 0 FA by kind of caller; wanted callers above 0.9"
    )
    for row in rows:
        for language, told in row["figures"].items():
            error = told.get("expected_calibration_error")
            print(
                f"{row['measure']:10}{row['judge']:9}{row['view']:21}{row['noise']:>6} {language:4} "
                f"{told['calls']:>6}{told['auc']:>8.4f}{told['recall_without_false_alarm']:>9.3f}"
                f"{told['recall_at_2_percent']:>8.3f}{'-' if error is None else f'{error:.3f}':>7}"
                f"  {told['recall_without_false_alarm_by_caller']} {told.get('wanted_above_0.9', '')}"
            )
