"""Fitting the axes of a verdict (detector/decision/axes.py) on the same calls as the weights of fusion.

An axis is what a kind of caller is or is not: whose words are recordings, who sells or swindles, and who does not
respond as a person does, which is true of every machine. Each has the sources that observe it, a weight for each of
them of the sign that its observation has, and every moment of a call is a sample, as in fusion_fit.py. Kinds of callers
count as often as among the development scenarios, wanted and unwanted ones alike in all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from casting import FOLDS
from detector.decision.axes import AXES, SOURCE_CAP, AxesModel, AxisWeights
from detector.evaluation.naming import AXIS_KINDS
from fusion_fit import TOWARDS, Path, calibration_error

__all__ = ["KINDS", "fit_axes", "in_folds"]

Floats = NDArray[np.float64]
KINDS = {
    "recording": 0.09,
    "clip_bot": 0.127,
    "tts_bot": 0.123,
    "live_agent": 0.16,
    "person": 0.377,
    "notice": 0.123,
}
"""The share of each kind of caller; wanted and unwanted ones make a half each."""
_BEHAVIOUR = (
    "playback",
    "playback.known",
    "playback.known.wanted",
    "playback.monologue",
    "playback.through_interruption",
    "playback.yielded",
    "patter.press_key",
    "responsive.delay",
    "responsive.fits",
    "responsive.key",
    "responsive.no_reply",
    "responsive.off_question",
    "responsive.repeats_itself",
    "dialer",
    "dialer.late_start",
    "notice",
    "notice.meaning",
)
_WORDS = (
    "patter",
    "patter.meaning",
    "wanted",
    "wanted.meaning",
    "answers.sell",
    "answers.clear",
    "emergency",
)
_REFUSED = ("refusal.pushes_on", "refusal.explains")
SOURCES: Mapping[str, tuple[str, ...]] = {
    "playback": _BEHAVIOUR,
    "patter": (*_WORDS, *_REFUSED),
    "unresponsive": (*_BEHAVIOUR, *_REFUSED),
}
REVERSED = frozenset({"notice", "notice.meaning", "playback.known.wanted"})
"""Sources whose evidence speaks for a wanted caller, but for a machine: their weights are negative."""
RIDGE = 0.002
"""Loss for a weight that is 1 away from TOWARDS, in nats a call."""
MOST = 2.0


def _samples(paths: Sequence[Path], axis: str) -> tuple[Floats, Floats, Floats, list[int]]:
    """Return sums by source, shape (n, sources), truths, weights, and the last sample of each call."""
    column = {name: number for number, name in enumerate(SOURCES[axis])}
    counts = Counter(path.caller for path in paths)
    sums, truths, weights, last = [], [], [], []
    for path in paths:
        rows = path.moments(column) or [np.zeros(len(column))]
        sums += rows
        truths += [float(path.caller in AXIS_KINDS[axis])] * len(rows)
        weights += [KINDS[path.caller] / counts[path.caller] / len(rows)] * len(rows)
        last.append(len(sums) - 1)
    return np.clip(np.array(sums), -SOURCE_CAP, SOURCE_CAP), np.array(truths), np.array(weights), last


def _fit(paths: Sequence[Path], axis: str) -> AxisWeights:
    from scipy.optimize import minimize  # noqa: PLC0415 - only who fits needs it

    sums, truths, weights, _ = _samples(paths, axis)
    names = SOURCES[axis]
    toward = np.array([-TOWARDS if name in REVERSED else TOWARDS for name in names])
    sign = np.where(truths > 0, 1.0, -1.0)
    weights = weights / weights.sum()

    def loss(values: Floats) -> tuple[float, Floats]:
        margin = sign * (sums @ values[:-1] + values[-1])
        away = values[:-1] - toward
        pull = -sign * weights / (1.0 + np.exp(np.clip(margin, -50, 50)))
        slope = np.append(pull @ sums + 2 * RIDGE * away, pull.sum())
        return float(weights @ np.logaddexp(0.0, -margin)) + RIDGE * float(away @ away), slope

    bounds: list[tuple[float | None, float | None]] = [
        (-MOST, 0.0) if name in REVERSED else (0.0, MOST) for name in names
    ]
    found = minimize(
        loss,
        np.append(toward, 0.0),
        jac=True,
        method="L-BFGS-B",
        bounds=[*bounds, (None, None)],
        options={"maxiter": 2000, "ftol": 1e-14, "gtol": 1e-9},
    ).x
    rounded = [round(float(value), 4) + 0.0 for value in found]
    return AxisWeights(rounded[-1], dict(zip(names, rounded[:-1], strict=True)))


def fit_axes(paths: Sequence[Path]) -> AxesModel:
    """Return the axes that suit the calls best."""
    return AxesModel(*(_fit(paths, axis) for axis in AXES))


def in_folds(paths: Sequence[Path]) -> dict[str, dict[str, float]]:
    """Measure the axes at the end of calls of scenarios and voices they were not fitted on: the mean of the folds."""
    told: dict[str, dict[str, float]] = {}
    for axis in AXES:
        rows = []
        for fold in range(FOLDS):
            fitted = _fit([one for one in paths if one.fold != fold], axis)
            rows.append(_measured(fitted, [one for one in paths if one.fold == fold], axis))
        told[axis] = {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}
    return told


def _measured(axis: AxisWeights, paths: Sequence[Path], name: str) -> dict[str, float]:
    sums, truths, _, last = _samples(paths, name)
    values = sums[last] @ np.array([axis.sources[source] for source in SOURCES[name]]) + axis.prior
    truths = truths[last]
    counts = Counter(path.caller for path in paths)
    weights = np.array([KINDS[path.caller] / counts[path.caller] for path in paths])
    high, low = truths > 0, truths == 0
    pairs = np.outer(weights[high], weights[low])
    above = (values[high][:, None] > values[low]) + 0.5 * (values[high][:, None] == values[low])
    return {
        "area_under_roc": float((pairs * above).sum() / pairs.sum()),
        "expected_calibration_error": calibration_error(values, truths, weights),
    }
