"""Intervals and tests, against values that others published or that can be worked out by hand."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.evaluation import curves
from detector.evaluation.calls import JudgedCall
from detector.evaluation.compare import mcnemar
from detector.evaluation.intervals import binomial_tail, clopper_pearson, share

MakeCall = Callable[..., JudgedCall]


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    [
        # Without an event the upper bound is 1 - 0.025^(1/n).
        (0, 10, 0.0, 1 - 0.025**0.1),
        (0, 250, 0.0, 1 - 0.025 ** (1 / 250)),
        (10, 10, 0.025**0.1, 1.0),
        # R: binom.test(x, n)$conf.int
        (1, 10, 0.002528579, 0.445016117),
        (5, 10, 0.187086, 0.812914),
        (8, 10, 0.4439045, 0.9747893),
        # R's own example of binom.test: Mendel's peas, 682 of 925.
        (682, 925, 0.7076683, 0.7654066),
    ],
)
def test_exact_intervals_are_the_published_ones(events: int, trials: int, low: float, high: float) -> None:
    assert clopper_pearson(events, trials) == pytest.approx((low, high), abs=1e-6)


def test_nothing_seen_says_nothing() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    assert share(0, 0).value is None
    with pytest.raises(ValueError, match="4 events of 3"):
        clopper_pearson(4, 3)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_both_bounds_leave_a_fortieth_of_the_chance(counts: tuple[int, int]) -> None:
    events, trials = counts
    low, high = clopper_pearson(events, trials)
    assert low <= events / trials <= high
    if events:
        assert binomial_tail(events, trials, low) == pytest.approx(0.025, abs=1e-6)
    if events < trials:
        assert binomial_tail(events + 1, trials, high) == pytest.approx(0.975, abs=1e-6)


def test_the_tail_is_the_sum_of_the_binomial() -> None:
    by_hand = sum(math.comb(12, k) * 0.3**k * 0.7 ** (12 - k) for k in range(5, 13))
    assert binomial_tail(5, 12, 0.3) == pytest.approx(by_hand)
    assert [binomial_tail(0, 5, 0.0), binomial_tail(1, 5, 0.0), binomial_tail(5, 5, 1.0)] == [1.0, 0.0, 1.0]
    assert binomial_tail(6, 5, 0.9) == 0.0


@pytest.mark.parametrize(
    ("one", "two", "p"),
    [
        # R, package exact2x2: mcnemar.exact(matrix(c(21, 9, 2, 12), 2, 2)).
        (9, 2, 0.06542969),
        (2, 9, 0.06542969),
        (0, 0, 1.0),
        (5, 5, 1.0),
        (6, 0, 0.03125),
    ],
)
def test_mcnemar_is_the_published_one(one: int, two: int, p: float) -> None:
    assert mcnemar(one, two) == pytest.approx(p, abs=1e-8)


def calls_of(make: MakeCall, wanted: list[float], unwanted: list[float]) -> list[JudgedCall]:
    return [make(f"w{at}", "forward", unwanted=value) for at, value in enumerate(wanted)] + [
        make(f"u{at}", "hang_up", wanted=False, unwanted=value) for at, value in enumerate(unwanted)
    ]


def test_the_area_is_the_chance_that_an_unwanted_call_scores_higher(make_call: MakeCall) -> None:
    wanted, unwanted = [0.1, 0.4, 0.4, 0.7], [0.4, 0.8, 0.9]
    pairs = [(w < u) + (w == u) / 2 for w in wanted for u in unwanted]
    points = curves.roc(calls_of(make_call, wanted, unwanted))
    assert curves.area_under(points) == pytest.approx(sum(pairs) / len(pairs))
    assert (points[0].found, points[-1].found, points[-1].false_alarms) == (0, 1, 1)
    assert all(one.threshold > two.threshold for one, two in pairwise(points))


def test_perfect_reversed_and_blind_scores(make_call: MakeCall) -> None:
    perfect = curves.roc(calls_of(make_call, [0.1, 0.2], [0.8, 0.9]))
    assert (curves.area_under(perfect), curves.equal_error(perfect)) == (1.0, 0.0)
    reversed_ = curves.roc(calls_of(make_call, [0.8, 0.9], [0.1, 0.2]))
    assert (curves.area_under(reversed_), curves.equal_error(reversed_)) == (0.0, 1.0)
    blind = curves.roc(calls_of(make_call, [0.5] * 3, [0.5] * 2))
    assert (curves.area_under(blind), curves.equal_error(blind)) == (0.5, 0.5)
    one_class = curves.roc(calls_of(make_call, [0.5], []))
    assert (one_class, curves.area_under(one_class), curves.equal_error(one_class)) == ([], None, None)


def test_calibration_error_weighs_the_gaps_by_calls(make_call: MakeCall) -> None:
    # Three calls said 5 %, one of them unwanted; one said 95 % and was; one said exactly 1.
    found = curves.bins(calls_of(make_call, [0.05, 0.05], [0.05, 0.95, 1.0]))
    assert [(one.low, one.calls, one.unwanted) for one in found] == [(0.0, 3, 1), (0.9, 2, 2)]
    assert curves.calibration_error(found) == pytest.approx((3 * abs(1 / 3 - 0.05) + 2 * (1 - 0.975)) / 5)
    assert curves.calibration_error([]) is None


def test_brier_score(make_call: MakeCall) -> None:
    assert curves.brier(calls_of(make_call, [0.2], [0.9])) == pytest.approx((0.04 + 0.01) / 2)
    assert curves.brier([]) is None


def test_undecided_calls_never_count_as_decided(make_call: MakeCall) -> None:
    calls = [make_call("a", "forward", decided_at=7.0), make_call("b", "forward", decided_at=3.0)]
    assert curves.decided_by([*calls, make_call("c", "none"), make_call("d", "none")]) == [
        (3.0, 0.25),
        (7.0, 0.5),
    ]
