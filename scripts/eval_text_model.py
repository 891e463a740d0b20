#!/usr/bin/env python3
"""Measure the text model on written calls that it has not learned: scripts/texts/held_out, unless told otherwise.

    scripts/eval_text_model.py [--texts DIR] [--intent FILE]

A row for each view of a call (its opening, with the purpose, the whole of it), clean and with 10 % of the syllables or
words misheard (a simulation): area under the ROC curve, recall of unwanted calls at no and at 2 % false alarms.
Then the share of wanted callers whose words alone stand above 16:1 (what hanging up takes) and above 55:1. Without
--intent it is the model that ships.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError
from detector.resources import models_dir
from detector.text.features import turn_features
from detector.text.intent import IntentModel
from detector.text.pinyin import default_table
from eval_lexicon import Homophones
from intent_fit import Example
from intent_report import VIEWS, figures_of, lexicon_scores, print_figures, views_of
from text_corpus import read_texts

HERE = Path(__file__).resolve().parent
NOISES = (0.0, 0.1)
SEED = 1
HIGH = (2.8, 4.0)
"""Log-odds of 16:1 and of 55:1."""


def model_scores(model: IntentModel, examples: Sequence[Example]) -> NDArray[np.float64]:
    """Return the calibrated log-odds of each example, shape (n,)."""
    return np.array(
        [
            model.read(
                [turn_features(turn.text, one.call.language, turn.act) for turn in one.turns],
                one.units,
                one.call.language,
            ).log_odds
            for one in examples
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=Path, default=HERE / "texts" / "held_out")
    parser.add_argument("--intent", type=Path, default=models_dir() / "intent.json")
    options = parser.parse_args()
    calls = list(read_texts(options.texts))
    if not calls:
        parser.error(f"{options.texts}: no calls there (*.jsonl)")
    try:
        model = IntentModel.load(options.intent)
    except ModelError as error:
        parser.error(str(error))
    homophones = Homophones(default_table(), 0.0, SEED)
    wanted = np.array([call.wanted for call in calls])
    rows: list[dict[str, Any]] = []
    alarms: list[str] = []
    for view in VIEWS:
        for noise in NOISES:
            examples = views_of(calls, view, noise, homophones, SEED)
            told = {"measure": "held out", "view": view, "noise": noise}
            scores = model_scores(model, examples)
            rows.append({**told, "judge": "model", "figures": figures_of(examples, scores, None)})
            if noise == 0.0:
                lexicon = figures_of(examples, lexicon_scores(examples), None)
                rows.append({**told, "judge": "lexicon", "figures": lexicon})
                shares = [f"{(scores[wanted] > high).mean():.2%}" for high in HIGH]
                alarms.append(f"{view}: above 16:1 {shares[0]}, above 55:1 {shares[1]}")
    print_figures(rows)
    print(f"{wanted.sum()} wanted callers, by their words alone")
    print(*alarms, sep="\n")


if __name__ == "__main__":
    main()
