"""How well callers are named: the label that each kind of caller got, and what the axes of the verdict tell apart."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from detector.evaluation import curves
from detector.evaluation.calls import JudgedCall
from detector.evaluation.intervals import Share, share

__all__ = ["AXIS_KINDS", "KINDS", "AxisFigures", "NamedKind", "Naming", "naming_of"]

_LABELS: Mapping[str, tuple[str, ...]] = {
    "recording": ("recording", "scam"),
    "clip_bot": ("recording", "ai_dialer", "scam"),
    "tts_bot": ("ai_dialer", "scam"),
    "live_agent": ("telemarketer", "scam"),
    "person": ("person",),
    "notice": ("notice",),
}
"""Labels that fit each kind of caller: "scam" tells what is said, whoever says it."""
KINDS = tuple(_LABELS)
AXIS_KINDS: Mapping[str, frozenset[str]] = {
    "playback": frozenset({"recording", "clip_bot", "notice"}),
    "patter": frozenset({"recording", "clip_bot", "tts_bot", "live_agent"}),
    "unresponsive": frozenset({"recording", "clip_bot", "tts_bot", "notice"}),
}
"""Kinds of callers of whom each axis should be probable."""


@dataclass(frozen=True, slots=True)
class NamedKind:
    """One kind of caller and what its calls were labelled."""

    name: str
    labels: tuple[tuple[str, int], ...]
    """Label and calls, the most frequent first."""
    fitting: Share
    """Share of the calls with a label that fits."""

    def as_json(self) -> dict[str, Any]:
        return {"labels": dict(self.labels), "fitting": self.fitting.as_json()}


@dataclass(frozen=True, slots=True)
class AxisFigures:
    """How well one axis ranks the calls of which it should be probable, and whether it is as probable as it says."""

    name: str
    true: int
    """Calls of which it should be probable."""
    of: int
    area: float | None
    calibration_error: float | None

    def as_json(self) -> dict[str, Any]:
        figures = {"area_under_roc": self.area, "expected_calibration_error": self.calibration_error}
        rounded = {key: None if value is None else round(value, 4) for key, value in figures.items()}
        return {"true": self.true, "of": self.of, **rounded}


@dataclass(frozen=True, slots=True)
class Naming:
    kinds: tuple[NamedKind, ...]
    axes: tuple[AxisFigures, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "labels": {one.name: one.as_json() for one in self.kinds},
            "axes": {one.name: one.as_json() for one in self.axes},
        }


def naming_of(calls: Sequence[JudgedCall]) -> Naming:
    """Work out how the calls whose kind of caller is known were named."""
    known = [call for call in calls if call.caller in _LABELS]
    kinds = tuple(
        _named(kind, inside) for kind in KINDS if (inside := [c for c in known if c.caller == kind])
    )
    axes = (_axis(name, known) for name in AXIS_KINDS)
    return Naming(kinds, tuple(axis for axis in axes if axis.of))


def _named(kind: str, calls: Sequence[JudgedCall]) -> NamedKind:
    labels = Counter(call.label for call in calls)
    fitting = sum(labels[label] for label in _LABELS[kind])
    ranked = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
    return NamedKind(kind, tuple(ranked), share(fitting, len(calls)))


def _axis(name: str, calls: Sequence[JudgedCall]) -> AxisFigures:
    # The figures of `unwanted` are those of any probability: the axis takes its place, and its truth that of `wanted`.
    judged = [
        replace(call, unwanted=value, wanted=call.caller not in AXIS_KINDS[name])
        for call in calls
        if (value := _value(call, name)) is not None
    ]
    true = sum(not call.wanted for call in judged)
    area = curves.area_under(curves.roc(judged))
    return AxisFigures(name, true, len(judged), area, curves.calibration_error(curves.bins(judged)))


def _value(call: JudgedCall, axis: str) -> float | None:
    axes = call.row.get("axes")
    value = axes.get(axis) if isinstance(axes, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return None
    return float(value)
