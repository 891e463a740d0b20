#!/usr/bin/env python3
"""Train the text model, models/intent.onnx with models/intent.json, from calls as text.

    scripts/train_text_model.py --data DIR [--out models] [--report | --without-scenarios | --without-robocalls]
                                 [--no-export]

DIR holds teleantifraud.tsv.gz, ftc_robocalls_en.tsv, crosswoz.tsv.gz and lccc_toy.tsv.gz. With --report the model is
also measured on calls it has not seen: trained on everything but the development scenarios and tested on them, and in
folds by call. The figures go into models/intent.json. Needs the extra `training`. The same seed gives the same model.
"""

import argparse
import datetime as dt
import hashlib
import json
import multiprocessing
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from casting import FOLDS
from detector.text.features import Keys
from detector.text.intent import Calibration
from detector.text.pinyin import default_table
from eval_lexicon import Homophones
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
    CATEGORIES,
    CLASSES,
    STAGES,
    UNWANTED_CLASSES,
    Call,
    read_corpora,
    read_scenarios,
    read_texts,
)

Floats = NDArray[np.float64]
HERE = Path(__file__).resolve().parent
LICENCES = {
    "texts": "GPL-3.0-or-later, written for this project (scripts/texts)",
    "scenarios": "GPL-3.0-or-later, the project's development scenarios (audio_fixtures/scenarios)",
    "teleantifraud": "Apache-2.0, JimmyMa99/TeleAntiFraud, the swindlers' turns",
    "ftc": "public domain, transcripts of robocalls (wspr-ncsu/robocall-audio-dataset)",
    "crosswoz": "Apache-2.0, thu-coai/CrossWOZ, the user's turns",
    "lccc_toy": "MIT, thu-coai/CDial-GPT",
}


HEADS = {"classes": len(CLASSES), "stages": len(STAGES), "notice": 1}
NOISES = (0.0, 0.1)


def graph(vocabulary: Keys, values: Floats, offsets: Floats) -> onnx.ModelProto:
    """Return the network: n-grams to rows, rows to weights of 8 bits, weights summed.

    `values`: shape (n-grams, all HEADS).
    """
    table = np.vstack([values, np.zeros(values.shape[1])])
    scale = np.abs(table).max(0) / 127
    rows, count = np.round(table / scale).astype(np.int8), len(vocabulary)
    heads = np.array(list(HEADS.values()))
    nodes = [
        helper.make_node(
            "LabelEncoder",
            ["keys"],
            ["rows"],
            domain="ai.onnx.ml",
            keys_tensor=numpy_helper.from_array(vocabulary.astype(np.int64), "known"),
            values_tensor=numpy_helper.from_array(np.arange(count, dtype=np.int64), "places"),
            default_tensor=numpy_helper.from_array(np.array([count], np.int64), "unknown"),
        ),
        helper.make_node("Gather", ["table", "rows"], ["small"]),
        helper.make_node("Cast", ["small"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["weights", "wide"], ["summed"]),
        helper.make_node("Mul", ["summed", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["scores"]),
        helper.make_node("Split", ["scores", "heads"], list(HEADS), axis=0),
    ]
    tensors = {
        "table": rows,
        "scale": scale.astype(np.float32),
        "offset": offsets.astype(np.float32),
        "heads": heads,
    }
    made = helper.make_graph(
        nodes,
        "intent",
        [
            helper.make_tensor_value_info("keys", TensorProto.INT64, ["n"]),
            helper.make_tensor_value_info("weights", TensorProto.FLOAT, ["n"]),
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [int(size)]) for name, size in HEADS.items()],
        [numpy_helper.from_array(values, name) for name, values in tensors.items()],
    )
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 4)]
    network = helper.make_model(made, opset_imports=versions, ir_version=9, producer_name="train_text_model")
    onnx.checker.check_model(network)
    return network


def write(folder: Path, content: bytes, told: dict[str, Any]) -> None:
    settings = {
        "format": 1,
        "about": "The text model of the detector: what a caller wants, by his words. See detector/text/intent.py.",
        "sha256": hashlib.sha256(content).hexdigest(),
        "categories": list(CLASSES),
        "unwanted": list(UNWANTED_CLASSES),
        "unnamed": [name for name in CLASSES if name not in CATEGORIES],
        "stages": list(STAGES),
        **told,
    }
    (folder / "intent.onnx").write_bytes(content)
    (folder / "intent.json").write_text(json.dumps(settings, indent=1, ensure_ascii=False) + "\n", "utf-8")


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

    def fit_all(self) -> None:
        """Fit a model for each fold, without its calls, and one on everything, side by side."""
        with ProcessPoolExecutor(self.jobs, multiprocessing.get_context("fork"), _share, (self,)) as pool:
            fitted = list(pool.map(_fit_fold, (None, *range(FOLDS))))
        self.model, self.folds = fitted[0], fitted[1:]
        print(f"{len(fitted)} models fitted", flush=True)

    def fit_without(self, fold: int | None) -> Fitted:
        if fold is None:
            return fit(self.examples, self.features)
        folds = fold_numbers(self.examples)
        kept = [self.examples[index] for index in np.flatnonzero(folds != fold)]
        return fit(kept, Features(kept))

    def in_folds(self) -> tuple[list[Fitted], dict[str, dict[str, float]], dict[str, float]]:
        """Return the models of the folds and the calibrations by calls that they have not seen.

        The last one is of the side by the calls written as texts alone, for a test on the scenarios.
        """
        models = self.folds
        # The corpora are no calls to this line.
        calls = [example for example in self.examples if example.call.weight >= 1]
        features = Features(calls)
        logits = fold_logits(models, calls, features)
        notices = np.stack([model.notices(features) for model in models])[
            fold_numbers(calls), np.arange(len(calls))
        ]
        texts = [index for index, example in enumerate(calls) if example.call.source == "texts"]
        calibrations = {
            "unwanted": calibrate_unwanted(calls, logits),
            "classes": calibrate_classes(calls, logits),
            "notice": calibrate_notice(calls, notices),
        }
        return models, calibrations, calibrate_unwanted([calls[index] for index in texts], logits[texts])

    def network(self) -> tuple[bytes, int]:
        """Return the file of the model that has seen everything, and the number of its n-grams."""
        model = self.model
        stages, stage_offsets = fit_stages(self.calls, model)
        values = np.hstack([model.classes, stages, model.notice[:, None]])
        offsets = np.concatenate([model.class_offsets, stage_offsets, [model.notice_offset]])
        return graph(model.vocabulary, values, offsets).SerializeToString(), len(model.vocabulary)

    def report(
        self, folds: list[Fitted], calibration: dict[str, float], by_texts: dict[str, float]
    ) -> dict[str, Any]:
        elsewhere = [example for example in self.examples if example.call.source != "scenarios"]
        transfer = fit(elsewhere, Features(elsewhere))
        scenarios = [call for call in self.calls if call.source == "scenarios"]
        whole = [call for call in self.calls if call.weight >= 1]
        rows: list[dict[str, Any]] = []
        for view in VIEWS:
            for noise in NOISES:
                told = {"view": view, "noise": noise}
                tests = views_of(scenarios, view, noise, self.homophones, self.seed)
                every = views_of(whole, view, noise, self.homophones, self.seed)
                for measure, judge, examples, scores, how in (
                    (
                        "transfer",
                        "model",
                        tests,
                        sides_of(transfer.logits(Features(tests))),
                        Calibration(**by_texts),
                    ),
                    ("transfer", "lexicon", tests, lexicon_scores(tests), None),
                    (
                        "folds",
                        "model",
                        every,
                        sides_of(fold_logits(folds, every, Features(every))),
                        Calibration(**calibration),
                    ),
                ):
                    figures = figures_of(examples, scores, how)
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
        told["campaigns"] = len({call.group for call in calls if call.group})
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
    training.fit_all()
    folds, calibration, by_texts = training.in_folds()
    content, vocabulary = training.network()
    told: dict[str, Any] = {
        "calibration": calibration,
        "made": {
            "how": "scripts/train_text_model.py: a softmax over hashed n-grams; calibrated on held-out folds",
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
        told["figures"] = training.report(folds, calibration["unwanted"], by_texts)
        if not options.no_export:
            write(options.out, content, told)


if __name__ == "__main__":
    main()
