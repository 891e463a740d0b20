"""How well `unwanted` ranks calls, how honest it is as a probability, and how soon decisions come.

Calibration error after M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using
Bayesian binning" (AAAI 2015): bins of equal width, the gaps weighted by how many calls lie in each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from detector.evaluation.calls import JudgedCall
from detector.evaluation.intervals import Share, share

__all__ = [
    "Bin",
    "Point",
    "area_under",
    "bins",
    "brier",
    "calibration_error",
    "decided_by",
    "equal_error",
    "roc",
]

BINS = 10


@dataclass(frozen=True, slots=True)
class Point:
    """Calling everything unwanted that scores at least `threshold`."""

    threshold: float
    false_alarms: float
    """Share of the wanted calls."""
    found: float
    """Share of the unwanted calls."""


def roc(calls: Sequence[JudgedCall]) -> list[Point]:
    """Return the operating points from none to all, one for each score; empty where a class is missing."""
    wanted = sum(call.wanted for call in calls)
    unwanted = len(calls) - wanted
    if not wanted or not unwanted:
        return []
    points = [Point(float("inf"), 0.0, 0.0)]
    false = found = 0
    ranked = sorted(calls, key=lambda call: -call.unwanted)
    for at, call in enumerate(ranked):
        false += call.wanted
        found += not call.wanted
        if at + 1 == len(ranked) or ranked[at + 1].unwanted != call.unwanted:
            points.append(Point(call.unwanted, false / wanted, found / unwanted))
    return points


def area_under(points: Sequence[Point]) -> float | None:
    """Chance that an unwanted call scores higher than a wanted one, ties counted half."""
    if not points:
        return None
    return sum((b.false_alarms - a.false_alarms) * (a.found + b.found) / 2 for a, b in pairwise(points))


def equal_error(points: Sequence[Point]) -> float | None:
    """The rate at which as many wanted calls are flagged as unwanted ones are missed, between two points if need be."""
    for a, b in pairwise(points):
        before, after = 1 - a.found - a.false_alarms, 1 - b.found - b.false_alarms
        if after <= 0:
            part = before / (before - after)
            return a.false_alarms + part * (b.false_alarms - a.false_alarms)
    return None


@dataclass(frozen=True, slots=True)
class Bin:
    """Calls whose probability lies between `low` and `high`."""

    low: float
    high: float
    said: float
    """Their mean probability."""
    calls: int
    unwanted: int
    """How many of them were unwanted."""

    @property
    def was(self) -> Share:
        """The share of unwanted calls among them."""
        return share(self.unwanted, self.calls)


def bins(calls: Sequence[JudgedCall], count: int = BINS) -> list[Bin]:
    """Return the bins that hold a call, in order."""
    filled: dict[int, list[JudgedCall]] = {}
    for call in calls:
        filled.setdefault(min(int(call.unwanted * count), count - 1), []).append(call)
    return [
        Bin(
            at / count,
            (at + 1) / count,
            fmean(call.unwanted for call in inside),
            len(inside),
            sum(not call.wanted for call in inside),
        )
        for at, inside in sorted(filled.items())
    ]


def calibration_error(found: Sequence[Bin]) -> float | None:
    """Expected calibration error: by how much probability and share differ, on average over the calls."""
    total = sum(one.calls for one in found)
    return sum(abs(one.said * one.calls - one.unwanted) for one in found) / total if total else None


def brier(calls: Sequence[JudgedCall]) -> float | None:
    """Mean square of probability less truth."""
    return fmean((call.unwanted - (not call.wanted)) ** 2 for call in calls) if calls else None


def decided_by(calls: Sequence[JudgedCall]) -> list[tuple[float, float]]:
    """Return (seconds, share of all calls decided by then), a step for each decision."""
    times = sorted(call.decided_at for call in calls if call.decided_at is not None)
    return [(time, (at + 1) / len(calls)) for at, time in enumerate(times)]
