"""What a caller wants, by his words: a small model over hashed n-grams, trained by scripts/train_text_model.py.

`models/intent.onnx` looks n-grams up in a vocabulary and adds their weights; `models/intent.json` beside it names
the categories, holds the calibration and tells how it was made. The two belong together: the file of settings
holds the SHA-256 of the weights.
"""

import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from detector.call import Language
from detector.errors import ModelError
from detector.resources import models_dir
from detector.text.features import Keys, call_features

__all__ = ["Calibration", "IntentModel", "Reading"]

FORMAT = 2
"""Of the settings file; 1 had no calibration for each language."""
_MEND = "install the detector again, or train it with scripts/train_text_model.py"
_UNITS_SCALE = 20.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What the words of a call so far say."""

    log_odds: float
    """Natural log of how much likelier an unwanted caller says them than a wanted one, calibrated."""
    category: str
    """The likeliest category, of wanted and unwanted ones together."""
    category_probability: float
    """Of that category."""
    unwanted_category: str
    """The likeliest unwanted category, should the caller be unwanted."""
    notice: float
    """Probability that the caller, should he be wanted, is an announcement; one in ten before anything is said."""

    @property
    def unwanted(self) -> float:
        """Probability of an unwanted caller where both are as frequent."""
        return _logistic(self.log_odds)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns a score of the model into log-odds; fitted on calls that the model had not seen."""

    slope: float
    slope_per_length: float
    offset: float

    def log_odds(self, score: float, units: int) -> float:
        """Return log-odds; `units`: how much was said (see `features.units`)."""
        length = math.log1p(units / _UNITS_SCALE)
        return score * (self.slope + self.slope_per_length * length) + self.offset


class IntentModel:
    """The text model: immutable once loaded, and safe to share between threads."""

    def __init__(
        self,
        session: Any,
        categories: Sequence[str],
        unwanted: Collection[str],
        unnamed: Collection[str],
        stages: Sequence[str],
        calibrations: Mapping[Language, Mapping[str, Calibration]],
    ) -> None:
        """`calibrations`: of each language, for "unwanted", "classes" and "notice"."""
        self._session = session
        self._categories = tuple(categories)
        self._is_unwanted = np.array([name in unwanted for name in categories])
        self._is_named = np.array([name not in unnamed for name in categories])
        self._stages = tuple(stages)
        self._unwanted = {language: found["unwanted"] for language, found in calibrations.items()}
        self._classes = {language: found["classes"] for language, found in calibrations.items()}
        self._notice = {language: found["notice"] for language, found in calibrations.items()}

    @classmethod
    def load(cls, path: Path | None = None) -> "IntentModel":
        """Read the model that ships, or another one by its file of settings.

        Raises ModelError naming the file that is missing, not valid, or not the one that belongs here.
        """
        path = path or models_dir() / "intent.json"
        weights_path = path.with_suffix(".onnx")
        try:
            settings = json.loads(path.read_text("utf-8"))
            _check_format(settings["format"], path)
            weights = weights_path.read_bytes()
            belongs = hashlib.sha256(weights).hexdigest() == settings["sha256"]
            model = cls._made(settings, weights) if belongs else None
        except ModelError:
            raise
        except OSError as error:
            raise ModelError(f"{error.filename}: cannot be read ({error.strerror}); {_MEND}") from error
        except Exception as error:
            # onnxruntime has no base class of its own for what it raises on a broken file.
            raise ModelError(
                f"{path}: the text model is not valid ({type(error).__name__}); {_MEND}"
            ) from error
        if model is None:
            raise ModelError(f"{weights_path}: not the weights that {path.name} names; {_MEND}")
        return model

    @classmethod
    def _made(cls, settings: Mapping[str, Any], weights: bytes) -> "IntentModel":
        return cls(
            _session(weights),
            [str(name) for name in settings["categories"]],
            frozenset(settings["unwanted"]),
            frozenset(settings["unnamed"]),
            [str(name) for name in settings["stages"]],
            {
                language: {
                    name: Calibration(**values) for name, values in settings["calibration"][language].items()
                }
                for language in get_args(Language)
            },
        )

    def read(self, turns: Sequence[Keys], units: int, language: Language) -> Reading:
        """Judge what was said so far: the features of each turn (see `features`), how much it was, in which language.

        Whatever onnxruntime raises passes through.
        """
        logits, _, notice = self._run(turns)
        score = _log_sum(logits[self._is_unwanted]) - _log_sum(logits[~self._is_unwanted])
        shares = _softmax(logits * np.float32(self._classes[language].log_odds(1.0, units)))
        best = int(np.argmax(np.where(self._is_named, shares, -1.0)))
        unwanted = int(np.argmax(np.where(self._is_named & self._is_unwanted, shares, -1.0)))
        return Reading(
            log_odds=self._unwanted[language].log_odds(score, units),
            category=self._categories[best],
            category_probability=float(shares[best]),
            unwanted_category=self._categories[unwanted],
            notice=_logistic(self._notice[language].log_odds(float(notice[0]), units)),
        )

    def stage(self, turn: Keys) -> tuple[str, float]:
        """Return the stage of the sales script that one turn is of, were it a sale, and its probability."""
        _, logits, _ = self._run([turn])
        shares = _softmax(logits)
        best = int(np.argmax(shares))
        return self._stages[best], float(shares[best])

    def _run(self, turns: Sequence[Keys]) -> list[NDArray[np.float32]]:
        """Return the scores of the categories, of the stages, and of an announcement."""
        keys, weights = call_features(turns)
        scores: list[NDArray[np.float32]] = self._session.run(
            ["classes", "stages", "notice"], {"keys": keys, "weights": weights}
        )
        return scores


def _check_format(found: object, path: Path) -> None:
    if found != FORMAT:
        raise ModelError(f"{path}: a text model of format {found!r}, where {FORMAT} is read; {_MEND}")


def _session(weights: bytes) -> Any:
    import onnxruntime  # noqa: PLC0415 - heavy, and on the way to `detector --help`

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(weights, sess_options=options, providers=["CPUExecutionProvider"])


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shares = np.exp(logits - logits.max())
    normalized: NDArray[np.float32] = shares / shares.sum()
    return normalized


def _log_sum(logits: NDArray[np.float32]) -> float:
    return float(np.logaddexp.reduce(logits))


def _logistic(log_odds: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * log_odds))
