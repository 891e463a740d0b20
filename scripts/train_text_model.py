#!/usr/bin/env python3
"""Train the text model, models/intent.onnx with models/intent.json, from calls as text.

    scripts/train_text_model.py --data DIR [--out models] [--report | --without-scenarios | --without-robocalls]
                                 [--no-export]

DIR holds teleantifraud.tsv.gz, ftc_robocalls_en.tsv, crosswoz.tsv.gz and lccc_toy.tsv.gz. With --report the model is
also measured on calls it has not seen: trained on everything but the development scenarios and tested on them, and in
folds by call. The figures go into models/intent.json. Needs the extra `training`. The same seed gives the same model,
but for rounding in the eighth digit, which depends on the threads of the linear algebra.
"""

import argparse
import datetime as dt
import multiprocessing
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from casting import FOLDS
from detector.call import Language
from detector.text.intent import Calibration
from detector.text.pinyin import default_table
from eval_lexicon import Homophones
from intent_file import graph, write
from intent_fit import (
    Features,
    Fitted,
    calibrate_classes,
    calibrate_notice,
    calibrate_unwanted,
    examples_of,
    fit,
    fit_stages,
    sides_of,
)
from intent_report import (
    VIEWS,
    figures_of,
    fold_logits,
    fold_numbers,
    lexicon_scores,
    print_figures,
    views_of,
)
from text_corpus import (
    Call,
    read_corpora,
    read_scenarios,
    read_texts,
)

Floats = NDArray[np.float64]
HERE = Path(__file__).resolve().parent
HELD_OUT = HERE / "texts" / "held_out"
LICENCES = {
    "texts": "GPL-3.0-or-later, written for this project (scripts/texts)",
    "scenarios": "GPL-3.0-or-later, the project's development scenarios (audio_fixtures/scenarios)",
    "teleantifraud": "Apache-2.0, JimmyMa99/TeleAntiFraud, the swindlers' turns",
    "ftc": "public domain, transcripts of robocalls (wspr-ncsu/robocall-audio-dataset)",
    "crosswoz": "Apache-2.0, thu-coai/CrossWOZ, the user's turns",
    "lccc_toy": "MIT, thu-coai/CDial-GPT",
}


NOISES = (0.0, 0.1)
CAUTION = 0.8
"""Share of the calibrated slope that is believed. It is right on average, but whoever is wanted and reads like a seller
stands in the tail, where adding up n-grams that go together is surer than it should be."""
LENIENCE = 0.35
"""Nats by which the side is moved towards a wanted caller."""


def described(calls: list[Call]) -> list[dict[str, Any]]:
    counts: Counter[tuple[str, str, bool]] = Counter(
        (call.source, call.language, call.wanted) for call in calls
    )
    return [
        {
            "source": source,
            "language": language,
            "side": "wanted" if wanted else "unwanted",
            "calls": count,
            "licence": LICENCES[source],
        }
        for (source, language, wanted), count in sorted(counts.items())
    ]


def cautious(calibration: dict[str, float]) -> dict[str, float]:
    shrunk = {name: CAUTION * value for name, value in calibration.items()}
    return {**shrunk, "offset": shrunk["offset"] - LENIENCE}


class Training:
    """Everything that is learned and measured, from the same calls."""

    model: Fitted
    folds: list[Fitted]

    def __init__(self, data: Path, seed: int, *, without: Collection[str] = (), jobs: int = 2) -> None:
        """`without`: "scenarios", "robocalls" or both."""
        folder = HERE.parent / "audio_fixtures/scenarios"
        scenarios = [] if "scenarios" in without else sorted(folder.glob("development-*.jsonl"))
        self.seed, self.jobs = seed, jobs
        self.homophones = Homophones(default_table(), 0.0, seed)
        corpora = read_corpora(data, seed, with_robocalls="robocalls" not in without)
        self.calls = [*read_texts(HERE / "texts"), *read_scenarios(scenarios), *corpora]
        self.examples = [
            example for call in self.calls for example in examples_of(call, self.homophones, seed)
        ]
        self.features = Features(self.examples)
        print(f"{len(self.calls)} calls, {len(self.examples)} examples", flush=True)

    def fit_all(self, *, folds: bool) -> None:
        """Fit a model on everything and, where asked, one for each fold without its calls, side by side."""
        wanted = (None, *range(FOLDS)) if folds else (None,)
        with ProcessPoolExecutor(self.jobs, multiprocessing.get_context("fork"), _share, (self,)) as pool:
            fitted = list(pool.map(_fit_fold, wanted))
        self.model, self.folds = fitted[0], fitted[1:]
        print(f"{len(fitted)} models fitted", flush=True)

    def fit_without(self, fold: int | None) -> Fitted:
        if fold is None:
            return fit(self.examples, self.features)
        folds = fold_numbers(self.examples)
        kept = [self.examples[index] for index in np.flatnonzero(folds != fold)]
        return fit(kept, Features(kept))

    def calibrated(self, model: Fitted) -> dict[str, dict[str, dict[str, float]]]:
        """Return the calibrations of `model` for each language, by calls of other writers, of which no model learns.

        By models of folds it would be that of other models: fitting ends early, so two models differ in how large
        their scores are, and in where they call it even, in English by half a nat and more.
        """
        examples = [
            example
            for call in read_texts(HELD_OUT, half=1)
            for example in examples_of(call, self.homophones, self.seed)
        ]
        told: dict[str, dict[str, dict[str, float]]] = {}
        for language in get_args(Language):
            chosen = [example for example in examples if example.call.language == language]
            features = Features(chosen)
            logits = model.logits(features)
            told[language] = {
                "unwanted": cautious(calibrate_unwanted(chosen, logits)),
                "classes": calibrate_classes(chosen, logits),
                "notice": calibrate_notice(chosen, model.notices(features)),
            }
        return told

    def calibrated_folds(self) -> dict[Language, Calibration]:
        """Return the calibrations of the side by calls that the models of the folds have not seen."""
        # The corpora are no calls to this line.
        every = [example for example in self.examples if example.call.weight >= 1]
        told: dict[Language, Calibration] = {}
        for language in get_args(Language):
            calls = [example for example in every if example.call.language == language]
            logits = fold_logits(self.folds, calls, Features(calls))
            told[language] = Calibration(**calibrate_unwanted(calls, logits))
        return told

    def network(self) -> tuple[bytes, int]:
        """Return the file of the model that has seen everything, and the number of its n-grams."""
        model = self.model
        stages, stage_offsets = fit_stages(self.calls, model)
        values = np.hstack([model.classes, stages, model.notice[:, None]])
        offsets = np.concatenate([model.class_offsets, stage_offsets, [model.notice_offset]])
        return graph(model.vocabulary, values, offsets).SerializeToString(), len(model.vocabulary)

    def report(self) -> dict[str, Any]:
        folds, calibration = self.folds, self.calibrated_folds()
        elsewhere = [example for example in self.examples if example.call.source != "scenarios"]
        transfer = fit(elsewhere, Features(elsewhere))
        told_by_others = self.calibrated(transfer)
        by_others: dict[Language, Calibration] = {
            language: Calibration(**told_by_others[language]["unwanted"]) for language in get_args(Language)
        }
        scenarios = [call for call in self.calls if call.source == "scenarios"]
        whole = [call for call in self.calls if call.weight >= 1]
        rows: list[dict[str, Any]] = []
        for view in VIEWS:
            for noise in NOISES:
                told = {"view": view, "noise": noise}
                tests = views_of(scenarios, view, noise, self.homophones, self.seed)
                every = views_of(whole, view, noise, self.homophones, self.seed)
                by_transfer = sides_of(transfer.logits(Features(tests)))
                by_folds = sides_of(fold_logits(folds, every, Features(every)))
                for measure, judge, figures in (
                    ("transfer", "model", figures_of(tests, by_transfer, by_others)),
                    ("transfer", "lexicon", figures_of(tests, lexicon_scores(tests), None)),
                    ("folds", "model", figures_of(every, by_folds, calibration)),
                ):
                    rows.append({"measure": measure, "judge": judge, **told, "figures": figures})
        print_figures(rows)
        ftc = self._robocalls(folds)
        print(f"FTC robocalls without a false alarm on wanted English texts: {ftc}")
        return {"rows": rows, "ftc_robocalls": ftc}

    def _robocalls(self, folds: list[Fitted]) -> dict[str, Any]:
        """Recall on real transcripts at the highest score of any wanted English call, opening or whole."""
        calls = [
            call for call in self.calls if call.language == "en" and (call.wanted or call.source == "ftc")
        ]
        told: dict[str, Any] = {}
        examples = [
            example
            for view in ("opening", "whole call")
            for example in views_of(calls, view, 0.0, self.homophones, self.seed)
        ]
        wanted = np.array([example.call.wanted for example in examples])
        told["transcripts"] = int((~wanted).sum()) // 2
        told["campaigns"] = len({call.group for call in calls if call.source == "ftc"})
        model = sides_of(fold_logits(folds, examples, Features(examples)))
        for judge, scores in (("model", model), ("lexicon", lexicon_scores(examples))):
            robocalls = scores[~wanted]
            told[judge] = round(float((robocalls > scores[wanted].max()).mean()), 3)
        return told


_shared: Training


def _share(training: Training) -> None:
    global _shared  # noqa: PLW0603 - a forked process has it without a copy
    _shared = training


def _fit_fold(fold: int | None) -> Fitted:
    return _shared.fit_without(fold)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the public corpora")
    parser.add_argument("--out", type=Path, default=HERE.parent / "models")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="models fitted at once, 1.5 GB each")
    parser.add_argument(
        "--without-scenarios", action="store_true", help="leave the development set out, to be tested on it"
    )
    parser.add_argument(
        "--without-robocalls",
        action="store_true",
        help="leave the transcripts of real robocalls out, likewise",
    )
    parser.add_argument("--report", action="store_true", help="measure on calls not seen (takes minutes)")
    parser.add_argument("--no-export", action="store_true", help="write nothing")
    options = parser.parse_args()
    without = [name for name in ("scenarios", "robocalls") if getattr(options, f"without_{name}")]
    if options.report and without:
        parser.error(f"--report measures on them itself: give it without --without-{without[0]}")
    options.out.mkdir(parents=True, exist_ok=True)
    training = Training(options.data, options.seed, without=without, jobs=options.jobs)
    training.fit_all(folds=options.report)
    content, vocabulary = training.network()
    told: dict[str, Any] = {
        "calibration": training.calibrated(training.model),
        "made": {
            "how": "scripts/train_text_model.py: a softmax over hashed n-grams; "
            "calibrated on calls of other writers (first half of scripts/texts/held_out)",
            "data": described(training.calls),
            "seed": options.seed,
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
        },
        "figures": None,
    }
    if not options.no_export:
        write(options.out, content, told)
        print(f"{options.out / 'intent.onnx'}: {len(content) / 1e6:.1f} MB, {vocabulary} n-grams", flush=True)
    if options.report:
        told["figures"] = training.report()
        if not options.no_export:
            write(options.out, content, told)


if __name__ == "__main__":
    main()
