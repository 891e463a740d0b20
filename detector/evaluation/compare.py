"""Two runs on the same calls: what changed, and whether that could be chance.

Shares are compared call by call: only calls that came out differently count (Q. McNemar, "Note on the sampling error
of the difference between correlated proportions or percentages", Psychometrika 12, 1947; here the exact binomial
form). For everything else the calls are drawn again with replacement, the same ones for both runs, and the middle
95 % of the differences is the interval (B. Efron, "Bootstrap methods", Annals of Statistics 7, 1979).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from detector.errors import InputError
from detector.evaluation import curves
from detector.evaluation.calls import JudgedCall
from detector.evaluation.intervals import Share, binomial_tail, share
from detector.evaluation.metrics import MOST_QUESTIONS

__all__ = ["Change", "Comparison", "Shift", "compare", "mcnemar"]

RESAMPLES = 1000
Pair = tuple[JudgedCall, JudgedCall]


def mcnemar(only_before: int, only_after: int) -> float:
    """Chance of counts as uneven as these or more, if a change is as likely either way (two-sided, exact)."""
    differing = only_before + only_after
    return min(1.0, 2 * binomial_tail(max(only_before, only_after), differing, 0.5))


@dataclass(frozen=True, slots=True)
class Change:
    """A share before and after, over the same calls."""

    name: str
    more_is_better: bool
    before: Share
    after: Share
    gone: tuple[str, ...]
    """Calls that counted before and do not now."""
    new: tuple[str, ...]

    @property
    def difference(self) -> float:
        return (self.after.count - self.before.count) / self.before.of if self.before.of else 0.0

    @property
    def chance(self) -> float:
        """McNemar's exact p."""
        return mcnemar(len(self.gone), len(self.new))

    @property
    def chance_words(self) -> str:
        """The same to read."""
        return "< 0.001" if self.chance < 0.001 else f"{self.chance:.3f}"

    def as_json(self) -> dict[str, Any]:
        return {
            "before": self.before.as_json(),
            "after": self.after.as_json(),
            "difference": round(self.difference, 4),
            "gone": list(self.gone),
            "new": list(self.new),
            "mcnemar_p": round(self.chance, 5),
        }


@dataclass(frozen=True, slots=True)
class Shift:
    """A figure before and after, with the interval of the difference (paired bootstrap); None where there is none."""

    name: str
    more_is_better: bool
    unit: str
    before: float | None
    after: float | None
    low: float | None
    high: float | None

    @property
    def difference(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before

    def as_json(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in ("before", "after", "difference", "low", "high")}
        return {name: None if value is None else round(value, 4) for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed between two runs."""

    other: str
    """Where the earlier run lies."""
    pairs: int
    """Calls that both runs have."""
    only_before: int
    only_after: int
    changes: tuple[Change, ...]
    shifts: tuple[Shift, ...]

    def change(self, name: str) -> Change:
        return next(one for one in self.changes if one.name == name)

    def as_json(self) -> dict[str, Any]:
        return {
            "other": self.other,
            "calls": self.pairs,
            "only_before": self.only_before,
            "only_after": self.only_after,
            "shares": {one.name: one.as_json() for one in self.changes},
            "figures": {one.name: one.as_json() for one in self.shifts},
        }


def compare(
    before: Sequence[JudgedCall],
    after: Sequence[JudgedCall],
    other: str,
    *,
    resamples: int = RESAMPLES,
    seed: int = 1,
) -> Comparison:
    """Compare the calls that both runs have, by their ids; without resamples the shares alone.

    Raises InputError where there is none, or where the runs disagree on which of them are wanted.
    """
    old = {call.id: call for call in before}
    pairs = [(old[call.id], call) for call in after if call.id in old]
    if not pairs:
        raise InputError(f"{other}: has no call in common with this run; compare runs of the same scenarios")
    for one, two in pairs:
        if one.wanted != two.wanted:
            raise InputError(
                f"{other}: call {one.id} is {'' if one.wanted else 'un'}wanted there and not here"
            )
    return Comparison(
        other,
        len(pairs),
        len(before) - len(pairs),
        len(after) - len(pairs),
        tuple(_change(pairs, *each) for each in _SHARES),
        _shifts(pairs, resamples, seed) if resamples else (),
    )


def _is_person(call: JudgedCall) -> bool:
    return call.wanted and call.caller != "notice"


_SHARES: tuple[tuple[str, bool, Callable[[JudgedCall], bool], Callable[[JudgedCall], bool]], ...] = (
    ("wanted, hung up on", False, lambda c: c.wanted, lambda c: c.action == "hang_up"),
    ("persons put through", True, _is_person, lambda c: c.action == "forward"),
    (
        "announcements delivered",
        True,
        lambda c: c.wanted and c.caller == "notice",
        lambda c: c.action in ("forward", "take_message"),
    ),
    ("persons asked more than twice", False, _is_person, lambda c: c.questions > MOST_QUESTIONS),
    ("unwanted, hung up on", True, lambda c: not c.wanted, lambda c: c.action == "hang_up"),
    ("unwanted, message taken", False, lambda c: not c.wanted, lambda c: c.action == "take_message"),
    ("unwanted, put through", False, lambda c: not c.wanted, lambda c: c.action == "forward"),
)
"""Name, whether more is better, which calls it is a share of, which of them count."""


def _change(
    pairs: Sequence[Pair],
    name: str,
    more_is_better: bool,
    belongs: Callable[[JudgedCall], bool],
    counts: Callable[[JudgedCall], bool],
) -> Change:
    inside = [pair for pair in pairs if belongs(pair[1])]
    return Change(
        name,
        more_is_better,
        share(sum(counts(one) for one, _ in inside), len(inside)),
        share(sum(counts(two) for _, two in inside), len(inside)),
        tuple(one.id for one, two in inside if counts(one) and not counts(two)),
        tuple(two.id for one, two in inside if counts(two) and not counts(one)),
    )


Measure = Callable[[Sequence[JudgedCall]], float | None]


def _median_seconds(wanted: bool) -> Measure:
    def measure(calls: Sequence[JudgedCall]) -> float | None:
        times = [c.decided_at for c in calls if c.wanted == wanted and c.decided_at is not None]
        return float(np.median(times)) if times else None

    return measure


def _mean_questions(calls: Sequence[JudgedCall]) -> float | None:
    asked = [call.questions for call in calls if _is_person(call)]
    return float(np.mean(asked)) if asked else None


_FIGURES: tuple[tuple[str, bool, str, Measure], ...] = (
    ("seconds to decision, wanted (median)", False, " s", _median_seconds(wanted=True)),
    ("seconds to decision, unwanted (median)", False, " s", _median_seconds(wanted=False)),
    ("questions to persons (mean)", False, "", _mean_questions),
    ("area under the ROC curve", True, "", lambda calls: curves.area_under(curves.roc(calls))),
    (
        "expected calibration error",
        False,
        "",
        lambda calls: curves.calibration_error(curves.bins(calls)),
    ),
    ("Brier score", False, "", curves.brier),
)


def _shifts(pairs: Sequence[Pair], resamples: int, seed: int) -> tuple[Shift, ...]:
    """Every figure before and after, and the middle of its differences over calls drawn again."""
    before, after = [one for one, _ in pairs], [two for _, two in pairs]
    chance = np.random.default_rng(seed)
    differences: dict[str, list[float]] = {name: [] for name, *_ in _FIGURES}
    for _ in range(resamples):
        drawn = chance.integers(len(pairs), size=len(pairs)).tolist()
        old, new = [before[at] for at in drawn], [after[at] for at in drawn]
        for name, _better, _unit, measure in _FIGURES:
            one, two = measure(old), measure(new)
            if one is not None and two is not None:
                differences[name].append(two - one)
    return tuple(
        Shift(name, better, unit, measure(before), measure(after), *_middle(differences[name]))
        for name, better, unit, measure in _FIGURES
    )


def _middle(differences: Sequence[float]) -> tuple[float, float] | tuple[None, None]:
    """The bounds of 95 % of them."""
    if not differences:
        return None, None
    low, high = np.percentile(differences, [2.5, 97.5])
    return float(low), float(high)
