"""The files of the text model: the network for onnxruntime, and the settings beside it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from detector.text.features import Keys
from text_corpus import CATEGORIES, CLASSES, STAGES, UNWANTED_CLASSES

__all__ = ["graph", "write"]

Floats = NDArray[np.float64]
HEADS = {"classes": len(CLASSES), "stages": len(STAGES), "notice": 1}


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
        "format": 2,
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
