#!/usr/bin/env python3
"""Train the text model, models/intent.onnx with models/intent.json, from calls as text.

    scripts/train_text_model.py --data DIR [--out models] [--report] [--no-export]

DIR holds teleantifraud.tsv.gz, ftc_robocalls_en.tsv, crosswoz.tsv.gz and lccc_toy.tsv.gz. With --report the model is
also measured on calls it has not seen: trained on everything but the development scenarios and tested on them, and in
folds by call. The figures go into models/intent.json. Needs the extra `training`. The same seed gives the same model.
"""

import argparse
import datetime as dt
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from detector.text.pinyin import default_table
from eval_lexicon import Homophones
from intent_fit import Fitted, calibrate, examples_of, fit, fold_scores
from text_corpus import CATEGORIES, STAGES, UNWANTED, Call, read_corpora, read_scenarios, read_texts

HERE = Path(__file__).resolve().parent
LICENCES = {
    "texts": "GPL-3.0-or-later, written for this project (scripts/texts)",
    "scenarios": "GPL-3.0-or-later, the project's development scenarios (audio_fixtures/scenarios)",
    "teleantifraud": "Apache-2.0, JimmyMa99/TeleAntiFraud, the swindlers' turns",
    "ftc": "public domain, transcripts of robocalls (wspr-ncsu/robocall-audio-dataset)",
    "crosswoz": "Apache-2.0, thu-coai/CrossWOZ, the user's turns",
    "lccc_toy": "MIT, thu-coai/CDial-GPT",
}


def graph(model: Fitted) -> onnx.ModelProto:
    """Return the network: n-grams to rows, rows to weights of 8 bits, weights summed."""
    weights = np.vstack([model.weights, np.zeros(model.weights.shape[1])])
    scale = np.abs(weights).max(0) / 127
    rows = np.round(weights / scale).astype(np.int8)
    count, width = len(model.vocabulary), weights.shape[1]
    heads = np.array([1, len(CATEGORIES), len(STAGES)])
    nodes = [
        helper.make_node(
            "LabelEncoder",
            ["keys"],
            ["rows"],
            domain="ai.onnx.ml",
            keys_tensor=numpy_helper.from_array(model.vocabulary.astype(np.int64), "known"),
            values_tensor=numpy_helper.from_array(np.arange(count, dtype=np.int64), "places"),
            default_tensor=numpy_helper.from_array(np.array([count], np.int64), "unknown"),
        ),
        helper.make_node("Gather", ["table", "rows"], ["small"]),
        helper.make_node("Cast", ["small"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["weights", "wide"], ["summed"]),
        helper.make_node("Mul", ["summed", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["scores"]),
        helper.make_node("Split", ["scores", "heads"], ["unwanted", "categories", "stages"], axis=0),
    ]
    tensors = {
        "table": rows,
        "scale": scale.astype(np.float32),
        "offset": model.offsets.astype(np.float32),
        "heads": heads,
    }
    made = helper.make_graph(
        nodes,
        "intent",
        [
            helper.make_tensor_value_info("keys", TensorProto.INT64, ["n"]),
            helper.make_tensor_value_info("weights", TensorProto.FLOAT, ["n"]),
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [int(size)])
            for name, size in zip(("unwanted", "categories", "stages"), heads, strict=True)
        ],
        [numpy_helper.from_array(values, name) for name, values in tensors.items()],
    )
    assert heads.sum() == width  # noqa: S101 - the heads are all there is
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 4)]
    network = helper.make_model(made, opset_imports=versions, ir_version=9, producer_name="train_text_model")
    onnx.checker.check_model(network)
    return network


def write(folder: Path, model: Fitted, told: dict[str, Any]) -> None:
    content = graph(model).SerializeToString()
    (folder / "intent.onnx").write_bytes(content)
    settings = {
        "format": 1,
        "about": "The text model of the detector: what a caller wants, by his words. See detector/text/intent.py.",
        "sha256": hashlib.sha256(content).hexdigest(),
        "categories": list(CATEGORIES),
        "unwanted": list(UNWANTED),
        "stages": list(STAGES),
        "calibration": told["calibration"],
        "made": told["made"],
        "figures": told["figures"],
    }
    (folder / "intent.json").write_text(json.dumps(settings, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{folder / 'intent.onnx'}: {len(content) / 1e6:.1f} MB, {len(model.vocabulary)} n-grams")


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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the public corpora")
    parser.add_argument("--out", type=Path, default=HERE.parent / "models")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="measure on calls not seen (takes minutes)")
    parser.add_argument("--no-export", action="store_true", help="write nothing")
    options = parser.parse_args()
    texts = list(read_texts(HERE / "texts"))
    scenarios = list(
        read_scenarios(sorted((HERE.parent / "audio_fixtures/scenarios").glob("development-*.jsonl")))
    )
    calls = [*texts, *scenarios, *read_corpora(options.data, options.seed)]
    homophones = Homophones(default_table(), 0.0, options.seed)
    examples = [example for call in calls for example in examples_of(call, homophones, options.seed)]
    print(f"{len(calls)} calls, {len(examples)} examples")
    scores = fold_scores(examples, folds=5, seed=options.seed)
    calibration = calibrate(examples, scores)
    model = fit(examples, calls)
    made = {
        "how": "scripts/train_text_model.py: logistic regression and softmax over n-grams, by L-BFGS; "
        "calibrated on held-out folds",
        "data": described(calls),
        "seed": options.seed,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }
    if not options.no_export:
        write(options.out, model, {"calibration": calibration, "made": made, "figures": {}})


if __name__ == "__main__":
    main()
