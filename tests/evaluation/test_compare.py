"""Two runs on the same callers: paired by id, counted call by call."""

from collections.abc import Callable

import pytest

from detector.decision.fusion import Fusion, FusionModel
from detector.errors import ConfigurationError, InputError
from detector.evaluation.calls import JudgedCall
from detector.evaluation.compare import Shift, compare
from detector.evaluation.conditions import (
    Condition,
    families_in,
    fixed_subset,
    grid,
    leave_out,
    without_family,
)
from detector.signals.evidence import Evidence

MakeCall = Callable[..., JudgedCall]


def shift(found: tuple[Shift, ...], name: str) -> Shift:
    return next(one for one in found if one.name.startswith(name))


def test_shares_are_compared_on_the_calls_that_both_runs_have(
    make_call: MakeCall, unwanted: MakeCall
) -> None:
    before = [unwanted(f"u{at}", "take_message") for at in range(8)] + [make_call("only-before", "forward")]
    after = [unwanted(f"u{at}", "hang_up" if at < 6 else "take_message") for at in range(8)]
    found = compare(before, [*after, unwanted("only-after", "forward")], "there", resamples=0)
    assert (found.pairs, found.only_before, found.only_after) == (8, 1, 1)
    change = found.change("unwanted, hung up on")
    assert (change.before.count, change.after.count, change.difference) == (0, 6, 0.75)
    assert (change.gone, change.new) == ((), tuple(f"u{at}" for at in range(6)))
    assert change.chance == pytest.approx(0.03125)
    assert found.change("unwanted, put through").chance == 1.0
    assert found.change("persons put through").before.of == 0


def test_each_share_counts_its_own_outcome_in_both_directions(
    make_call: MakeCall, unwanted: MakeCall
) -> None:
    before = [make_call("a", "hang_up"), make_call("b", "forward"), make_call("c", "forward")]
    after = [make_call("a", "forward"), make_call("b", "hang_up"), make_call("c", "forward")]
    before += [
        make_call("n", "none", caller="notice"),
        unwanted("u", "forward"),
        unwanted("v", "take_message"),
    ]
    after += [
        make_call("n", "take_message", caller="notice"),
        unwanted("u", "hang_up"),
        unwanted("v", "forward"),
    ]
    found = compare(before, after, "there", resamples=0)
    assert {one.name: (one.before.count, one.after.count, one.gone, one.new) for one in found.changes} == {
        "wanted, hung up on": (1, 1, ("a",), ("b",)),
        "persons put through": (2, 2, ("b",), ("a",)),
        "announcements delivered": (0, 1, (), ("n",)),
        "persons asked more than twice": (0, 0, (), ()),
        "unwanted, hung up on": (0, 1, (), ("u",)),
        "unwanted, message taken": (1, 0, ("v",), ()),
        "unwanted, put through": (1, 1, ("u",), ("v",)),
    }


def test_differences_come_with_the_interval_of_redrawn_calls(make_call: MakeCall, unwanted: MakeCall) -> None:
    def run(faster: float) -> list[JudgedCall]:
        persons = [
            make_call(f"w{at}", "forward", decided_at=10.0 + at - faster, unwanted=0.3) for at in range(20)
        ]
        return persons + [unwanted(f"u{at}", "hang_up", unwanted=0.7 + faster / 10) for at in range(20)]

    found = compare(run(0.0), run(2.0), "there", resamples=200)
    seconds = shift(found.shifts, "seconds to decision, wanted")
    assert seconds.difference == pytest.approx(-2.0)
    assert seconds.low == pytest.approx(-2.0), "every call was as much faster"
    assert seconds.high == pytest.approx(-2.0)
    error = shift(found.shifts, "expected calibration error")
    assert error.before == pytest.approx(0.3)
    assert error.after == pytest.approx(0.2)
    assert error.low is not None
    assert error.high is not None
    assert error.low <= -0.1 <= error.high
    assert error.low < error.high, "it depends on which calls are drawn"
    again = compare(run(0.0), run(2.0), "there", resamples=200)
    assert found == again, "the same seed gives the same interval"


def test_runs_that_cannot_be_compared(make_call: MakeCall, unwanted: MakeCall) -> None:
    with pytest.raises(InputError, match="there: has no call in common"):
        compare([make_call("a", "forward")], [make_call("b", "forward")], "there")
    with pytest.raises(InputError, match="call a is unwanted there and not here"):
        compare([unwanted("a", "forward")], [make_call("a", "forward")], "there")


def test_the_grid_is_every_pairing_of_noise_and_loss() -> None:
    found = grid(Condition(snr=20.0, loss=0.01, seed=3))
    assert {(one.snr, one.loss) for one in found} == {(s, p) for s in (30, 15, 8) for p in (0, 0.02, 0.05)}
    assert {one.seed for one in found} == {3}
    assert len({one.name for one in found}) == 9


def test_the_subset_is_the_same_whatever_else_the_file_holds(make_call: MakeCall) -> None:
    calls = [make_call(f"call-{at}", "forward") for at in range(40)]
    few = [call.id for call in fixed_subset(calls, 10)]
    assert [call.id for call in fixed_subset(calls[::-1], 10)] == few[::-1]
    kept = {call.id for call in fixed_subset(calls[:25], 10)}
    assert {name for name in few if int(name.partition("-")[2]) < 25} <= kept
    assert len(fixed_subset(calls[:4], 10)) == 4


def test_a_family_that_is_left_out_adds_nothing() -> None:
    model = FusionModel.load()
    evidence = [
        Evidence("patter.lexicon", 3.0, 0.0, 0.0, "loans", axis="patter"),
        Evidence("number.plan", 0.7, 0.0, 0.0, "leased", axis="number"),
    ]
    for condition in leave_out(Condition(), model):
        assert condition.without is not None
        fusion = Fusion(without_family(model, condition.without))
        fusion.add(evidence)
        assert fusion.families.get(condition.without, 0.0) == 0.0
    left = [condition.without for condition in leave_out(Condition(), model)]
    assert {"patter", "number", "playback", "responsiveness"} <= set(left)
    assert len(left) == len(set(left))
    fusion = Fusion(without_family(model, "patter"))
    fusion.add(evidence)
    assert fusion.log_odds == pytest.approx(model.prior + fusion.families["number"])
    assert fusion.families["number"] != 0.0


def test_a_source_that_stands_in_no_file_has_a_family_too() -> None:
    model = FusionModel.load()
    found = families_in(model, ["patter.lexicon", "playback.repeat", "brand_new.source"])
    assert found == {"patter", "playback", "brand_new"}
    fusion = Fusion(without_family(model, "brand_new"))
    fusion.add([Evidence("brand_new.source", 5.0, 0.0, 0.0, "unheard of", axis="patter")])
    assert fusion.log_odds == model.prior


def test_noise_of_no_level_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="--snr nan"):
        Condition(snr=float("nan"))
