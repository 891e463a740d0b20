"""The axes of a verdict: each a probability of its own, from the sources that observe it."""

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.decision.axes import AXES, SOURCE_CAP, AxesModel, AxisWeights
from detector.decision.fusion import FusionModel

PLAYBACK = AxisWeights(-1.0, {"playback": 0.5, "playback.yielded": 2.0, "notice": -1.0})


@pytest.fixture(scope="module")
def shipped() -> AxesModel:
    return FusionModel.load().axes


def test_a_source_counts_by_its_longest_prefix_that_has_a_weight() -> None:
    assert PLAYBACK.log_odds({"playback.repeat": 2.0}) == pytest.approx(-1.0 + 0.5 * 2.0)
    assert PLAYBACK.log_odds({"playback.yielded": -1.0}) == pytest.approx(-1.0 - 2.0)
    assert PLAYBACK.log_odds({"patter.meaning": 5.0}) == -1.0


def test_no_source_counts_for_more_than_its_cap_however_it_is_spelt() -> None:
    one = PLAYBACK.log_odds({"playback.repeat": 100.0})
    several = PLAYBACK.log_odds({"playback.repeat": 3.0, "playback.digital_silence": 3.0})
    assert one == several == pytest.approx(-1.0 + 0.5 * SOURCE_CAP)


@given(
    st.dictionaries(st.sampled_from(("playback.repeat", "notice", "patter.meaning")), st.floats(-1e6, 1e6))
)
def test_an_axis_is_a_probability_whatever_is_observed(sums: dict[str, float]) -> None:
    for value in AxesModel(PLAYBACK, PLAYBACK, PLAYBACK).judge(sums).__class__.__slots__:
        assert 0.0 <= getattr(AxesModel(PLAYBACK, PLAYBACK, PLAYBACK).judge(sums), value) <= 1.0


def test_what_sounds_like_an_announcement_speaks_for_playback_and_not_for_patter(shipped: AxesModel) -> None:
    before, after = shipped.judge({}), shipped.judge({"notice.meaning": -3.0})
    assert after.playback > before.playback
    assert after.patter == before.patter


def test_the_words_of_a_seller_say_nothing_of_playback(shipped: AxesModel) -> None:
    before, after = shipped.judge({}), shipped.judge({"patter.meaning": 4.0})
    assert after.patter > 0.9 > before.patter
    assert (after.playback, after.unresponsive) == (before.playback, before.unresponsive)


def test_nothing_heard_is_no_verdict_on_any_axis(shipped: AxesModel) -> None:
    axes = shipped.judge({})
    assert max(axes.playback, axes.patter, axes.unresponsive) < 0.6


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ({"prior": None}, "axes.playback.prior: must be a number"),
        ({"prior": math.nan}, "axes.playback.prior: must be a finite number"),
        ({"sources": ["playback"]}, "axes.playback.sources: must be an object with keys"),
        ({"sources": {"playback": "much"}}, "axes.playback.sources.playback: must be a number"),
        ({"sources": {"playback": True}}, "axes.playback.sources.playback: must be a number"),
        ({"sources": {"playback": math.inf}}, "axes.playback.sources.playback: must be a finite number"),
        ({"wieghts": 1}, "axes.playback: unknown key 'wieghts'"),
    ],
)
def test_weights_that_cannot_be_are_named_with_their_place(damage: dict[str, Any], told: str) -> None:
    whole: dict[str, Any] = {"prior": 0.0, "sources": {"playback": 1.0}}
    axes = {"playback": {**whole, **damage}, "patter": whole, "unresponsive": whole}
    with pytest.raises((TypeError, ValueError), match=re.escape(told)):
        AxesModel.read({"axes": axes})


@pytest.mark.parametrize("missing", AXES)
def test_an_axis_that_is_missing_is_named(missing: str) -> None:
    axes = {name: {"prior": 0.0, "sources": {}} for name in AXES if name != missing}
    with pytest.raises(ValueError, match=f"axes.{missing} is missing"):
        AxesModel.read({"axes": axes})


def test_every_axis_has_weights(shipped: AxesModel) -> None:
    assert all(getattr(shipped, name).sources for name in AXES)
