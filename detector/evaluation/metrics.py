"""The figures of one run: what was done with whom, how soon, after how many questions, and how honest the odds are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from detector.evaluation import curves
from detector.evaluation.calls import JudgedCall
from detector.evaluation.intervals import Share, share
from detector.evaluation.naming import KINDS, Naming, naming_of

__all__ = ["Figures", "Group", "Headline", "Ranking", "Spread", "figures_of", "row_names"]

MOST_QUESTIONS = 2
"""A person is asked no more than this before he is put through."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the slow end of some seconds or counts."""

    of: int
    median: float
    ninth: float
    """Nine of ten lie at or below it."""
    most: float

    def as_json(self) -> dict[str, Any]:
        found = {"median": self.median, "p90": self.ninth, "max": self.most}
        return {"of": self.of, **{name: round(value, 3) for name, value in found.items()}}


def _spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    median, ninth = np.percentile(values, [50, 90])
    return Spread(len(values), float(median), float(ninth), float(max(values)))


@dataclass(frozen=True, slots=True)
class Group:
    """Calls of one sort, all of them wanted or none."""

    name: str
    wanted: bool
    calls: tuple[JudgedCall, ...]

    def share_of(self, *actions: str) -> Share:
        """Share of calls that ended by one of `actions`, with its interval."""
        return share(sum(call.action in actions for call in self.calls), len(self.calls))

    @property
    def hung_up(self) -> Share:
        return self.share_of("hang_up")

    @property
    def message(self) -> Share:
        return self.share_of("take_message")

    @property
    def put_through(self) -> Share:
        return self.share_of("forward")

    @property
    def undecided(self) -> Share:
        return self.share_of("none")

    @property
    def right(self) -> Share:
        """Share of calls that ended as they should."""
        return share(sum(not call.is_error for call in self.calls), len(self.calls))

    @property
    def seconds(self) -> Spread | None:
        """From answer to the decision."""
        return _spread([call.decided_at for call in self.calls if call.decided_at is not None])

    @property
    def after_turn(self) -> Spread | None:
        """From the end of the turn that sufficed to the decision."""
        return _spread([call.after_turn for call in self.calls if call.after_turn is not None])

    @property
    def questions(self) -> Spread | None:
        return _spread([call.questions for call in self.calls])

    @property
    def asked_too_much(self) -> Share:
        """Share of calls with more than two questions before the decision."""
        return share(sum(call.questions > MOST_QUESTIONS for call in self.calls), len(self.calls))

    def as_json(self) -> dict[str, Any]:
        spreads = {
            "seconds_to_decision": self.seconds,
            "seconds_after_turn": self.after_turn,
            "questions": self.questions,
        }
        return {
            "wanted": self.wanted,
            "calls": len(self.calls),
            "hung_up": self.hung_up.as_json(),
            "message": self.message.as_json(),
            "put_through": self.put_through.as_json(),
            "undecided": self.undecided.as_json(),
            "right": self.right.as_json(),
            **{name: found and found.as_json() for name, found in spreads.items()},
            "more_than_two_questions": self.asked_too_much.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Headline:
    """What matters most, over all calls."""

    unwanted: Group
    wanted: Group
    persons: Group
    """Wanted callers who are no announcement."""
    notices: Group

    @property
    def delivered(self) -> Share:
        """Announcements put through or taken as a message."""
        return self.notices.share_of("forward", "take_message")

    def as_json(self) -> dict[str, Any]:
        return {
            "unwanted_hung_up": self.unwanted.hung_up.as_json(),
            "unwanted_message": self.unwanted.message.as_json(),
            "unwanted_put_through": self.unwanted.put_through.as_json(),
            "unwanted_undecided": self.unwanted.undecided.as_json(),
            "wanted_hung_up": self.wanted.hung_up.as_json(),
            "persons_put_through": self.persons.put_through.as_json(),
            "notices_delivered": self.delivered.as_json(),
            "persons_more_than_two_questions": self.persons.asked_too_much.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well `unwanted` ranks, and whether it is as probable as it says."""

    points: tuple[curves.Point, ...]
    bins: tuple[curves.Bin, ...]
    brier: float | None

    @property
    def area(self) -> float | None:
        return curves.area_under(self.points)

    @property
    def equal_error(self) -> float | None:
        return curves.equal_error(self.points)

    @property
    def calibration_error(self) -> float | None:
        return curves.calibration_error(self.bins)

    @property
    def found_without_false_alarm(self) -> float | None:
        """Share of the unwanted calls that score higher than every wanted one."""
        return max((point.found for point in self.points if point.false_alarms == 0), default=None)

    def as_json(self) -> dict[str, Any]:
        def rounded(value: float | None) -> float | None:
            return None if value is None else round(value, 4)

        return {
            "area_under_roc": rounded(self.area),
            "equal_error_rate": rounded(self.equal_error),
            "found_without_false_alarm": rounded(self.found_without_false_alarm),
            "brier": rounded(self.brier),
            "expected_calibration_error": rounded(self.calibration_error),
            "bins": [
                {"low": one.low, "high": one.high, "said": round(one.said, 4), "was": one.was.as_json()}
                for one in self.bins
            ],
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it for one run."""

    calls: tuple[JudgedCall, ...]
    headline: Headline
    by_caller: tuple[Group, ...]
    by_category: tuple[Group, ...]
    by_language: tuple[Group, ...]
    ranking: Ranking
    naming: Naming

    @property
    def errors(self) -> list[JudgedCall]:
        """The worst first: wanted and hung up on, wanted and not put through, unwanted and not hung up on."""
        return sorted((call for call in self.calls if call.is_error), key=_gravity)

    def as_json(self) -> dict[str, Any]:
        def grouped(groups: Sequence[Group]) -> dict[str, Any]:
            return {name: group.as_json() for name, group in zip(row_names(groups), groups, strict=True)}

        return {
            "calls": len(self.calls),
            "headline": self.headline.as_json(),
            "all": {"unwanted": self.headline.unwanted.as_json(), "wanted": self.headline.wanted.as_json()},
            "by_caller": grouped(self.by_caller),
            "by_category": grouped(self.by_category),
            "by_language": grouped(self.by_language),
            "ranking": self.ranking.as_json(),
            "naming": self.naming.as_json(),
            "errors": [
                {"id": call.id, "wanted": call.wanted, "caller": call.caller, "action": call.action}
                for call in self.errors
            ],
        }


def row_names(groups: Sequence[Group]) -> list[str]:
    """Return the names of the groups, none twice: what is wanted as well as unwanted says which."""
    both = {group.name for group in groups if group.wanted} & {
        group.name for group in groups if not group.wanted
    }
    return [
        f"{group.name} ({'wanted' if group.wanted else 'unwanted'})" if group.name in both else group.name
        for group in groups
    ]


def figures_of(calls: Sequence[JudgedCall]) -> Figures:
    """Work out every figure of these calls."""
    every = tuple(calls)
    wanted = tuple(call for call in every if call.wanted)
    headline = Headline(
        Group("unwanted", False, tuple(call for call in every if not call.wanted)),
        Group("wanted", True, wanted),
        Group("persons", True, tuple(call for call in wanted if call.caller != "notice")),
        Group("notices", True, tuple(call for call in wanted if call.caller == "notice")),
    )
    return Figures(
        every,
        headline,
        _groups(every, lambda call: call.caller),
        _groups(every, lambda call: call.category),
        _groups(every, lambda call: call.language),
        Ranking(tuple(curves.roc(every)), tuple(curves.bins(every)), curves.brier(every)),
        naming_of(every),
    )


def _groups(calls: Sequence[JudgedCall], name: Callable[[JudgedCall], str]) -> tuple[Group, ...]:
    """Unwanted groups first; kinds of callers in their own order, everything else by its name."""
    inside: dict[tuple[bool, str], list[JudgedCall]] = {}
    for call in calls:
        inside.setdefault((call.wanted, name(call)), []).append(call)

    def order(key: tuple[bool, str]) -> tuple[bool, int, str]:
        return key[0], KINDS.index(key[1]) if key[1] in KINDS else len(KINDS), key[1]

    return tuple(Group(key[1], key[0], tuple(inside[key])) for key in sorted(inside, key=order))


def _gravity(call: JudgedCall) -> tuple[int, str]:
    if call.wanted:
        return (0 if call.action == "hang_up" else 1), call.id
    return {"forward": 2, "take_message": 3}.get(call.action, 4), call.id
