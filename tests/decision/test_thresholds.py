"""How much proof each rule takes stands beside the weights; what makes no sense there is one clear error."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from detector.decision.fusion import FusionModel
from detector.decision.judge import Judge
from detector.decision.policy import Policy, PolicyOptions, Situation
from detector.decision.thresholds import SECTION, Thresholds
from detector.errors import ModelError
from detector.resources import models_dir
from detector.signals.evidence import Evidence

SHIPPED = FusionModel.load().thresholds
ANSWERED = Situation(
    now=12.0, questions_answered=3, heard_intelligible_speech=True, chances_taken=3, could_explain=True
)


def shipped() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((models_dir() / "fusion.json").read_text("utf-8"))
    return found


@pytest.fixture
def load(tmp_path: Path) -> Callable[[Any], FusionModel]:
    """Read weights from a file with this content."""

    def read(content: Any) -> FusionModel:
        path = tmp_path / "own.json"
        path.write_text(json.dumps(content), "utf-8")
        return FusionModel.load(path)

    return read


def test_the_shipped_file_holds_every_threshold_and_says_how_they_were_set() -> None:
    section = shipped()[SECTION]
    assert section["thresholds"].keys() == {each.name for each in fields(Thresholds)}
    assert section["made"]["how"].startswith("by hand")
    assert section["made"]["date"] == "2026-11-23"


def test_the_odds_that_are_told_in_words_are_those_of_the_thresholds() -> None:
    for name, words in shipped()[SECTION]["costs"].items():
        value: float | tuple[float, ...] = getattr(SHIPPED, name)
        limits = value if isinstance(value, tuple) else (value,)
        odds = [f"{math.exp(at):.0f}:1" if at > 0 else f"1:{math.exp(-at):.0f}" for at in limits]
        assert re.findall(r"\d+:\d+", words) == odds


def test_hanging_up_takes_the_surest_odds_and_putting_through_the_surest_the_other_way() -> None:
    assert SHIPPED.hang_up_at > SHIPPED.words_alone_at > SHIPPED.suspicious_at > 0 > max(SHIPPED.forward_at)


def test_a_file_without_the_section_says_so(load: Callable[[Any], FusionModel]) -> None:
    old = shipped()
    del old[SECTION]
    with pytest.raises(
        ModelError, match=r"own\.json: fusion weights are not valid: sequential_test is missing$"
    ):
        load(old)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("hang_up_at", None, ".hang_up_at: must be a number, not None"),
        ("hang_up_at", True, ".hang_up_at: must be a number, not True"),
        ("hang_up_at", "2.8", ".hang_up_at: must be a number, not '2.8'"),
        ("hang_up_at", math.nan, ".hang_up_at: must be a finite number, not nan"),
        ("hang_up_at", 10**400, ".hang_up_at: must be a finite number, not 1000000"),
        ("hang_up_at", 0, ".hang_up_at: must be above 0"),
        ("hang_up_at", -2.0, ".hang_up_at: must be above 0"),
        ("hang_up_at", 0.7, ".neutral_at: must lie below hang_up_at, 0.7"),
        ("plain_notice", 0.0, ".plain_notice: must be above 0"),
        ("persistent_after", 0, ".persistent_after: must be above 0"),
        (
            "share_after",
            [1.0, 0.1],
            ".share_after: 0.28, its least of hang_up_at, must lie above suspicious_at",
        ),
        ("settled_after", 2.5, ".settled_after: must be a whole number, not 2.5"),
        ("settled_after", -1, ".settled_after: must not be below 0"),
        ("questions", True, ".questions: must be a whole number, not True"),
        ("unasked_margin", -0.1, ".unasked_margin: must not be below 0"),
        ("kind_counts_at", 0, ".kind_counts_at: must be above 0"),
        ("forward_at", [], ".forward_at: must be a list of numbers, not []"),
        ("forward_at", -1.75, ".forward_at: must be a list of numbers, not -1.75"),
        ("forward_at", [-1.75, "-1.1"], ".forward_at[1]: must be a number, not '-1.1'"),
        ("forward_at", [-math.inf], ".forward_at[0]: must be a finite number, not -inf"),
        ("forward_at", [-1.1, -1.75], ".forward_at: must not fall"),
        ("forward_at", [-1.1, 2.8], ".forward_at: must lie below suspicious_at, 0.7"),
        ("share_after", [0.8, 1.0], ".share_after: must not rise"),
        ("share_after", [1.0, 0.0], ".share_after: must be above 0"),
        ("share_after", [1.2], ".share_after: must not be above 1"),
        ("well_heard", 90, ".well_heard: must not be above 1"),
        ("hardly_notice", 0.8, ".hardly_notice: must lie below likely_notice, 0.8"),
        ("words_alone_at", 0.5, ".suspicious_at: must lie below words_alone_at, 0.5"),
        ("hang_up", 2.8, ": unknown key 'hang_up'"),
    ],
)
def test_a_damaged_threshold_is_one_line_that_names_file_and_key(
    load: Callable[[Any], FusionModel], key: str, value: object, told: str
) -> None:
    weights = shipped()
    weights[SECTION]["thresholds"][key] = value
    with pytest.raises(ModelError) as found:
        load(weights)
    message = str(found.value)
    assert "own.json: fusion weights are not valid: sequential_test.thresholds" + told in message
    assert "\n" not in message
    assert len(message) < 300 + len("own.json")


def test_a_threshold_that_is_missing_is_named(load: Callable[[Any], FusionModel]) -> None:
    for each in fields(Thresholds):
        weights = shipped()
        del weights[SECTION]["thresholds"][each.name]
        with pytest.raises(
            ModelError, match=rf"own\.json: .*sequential_test\.thresholds\.{each.name} is missing$"
        ):
            load(weights)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        (None, "sequential_test: must be an object with keys, not None"),
        ([], "sequential_test: must be an object with keys, not []"),
        ({"about": "none"}, "sequential_test.thresholds is missing"),
        ({"thresholds": [2.8]}, "sequential_test.thresholds: must be an object with keys, not [2.8]"),
        ({"thresholds": {}, "cost": {}}, "sequential_test: unknown key 'cost'"),
    ],
)
def test_a_damaged_section_is_named(load: Callable[[Any], FusionModel], section: object, told: str) -> None:
    with pytest.raises(ModelError) as found:
        load({**shipped(), SECTION: section})
    assert str(found.value).endswith(f"own.json: fusion weights are not valid: {told}")


def test_whole_numbers_do_where_a_fraction_may_stand(load: Callable[[Any], FusionModel]) -> None:
    weights = shipped()
    weights[SECTION]["thresholds"]["hang_up_at"] = 3
    assert load(weights).thresholds == replace(SHIPPED, hang_up_at=3.0)


@pytest.mark.parametrize("leniency", [1.8, 0.0, -0.6])
def test_strictness_moves_the_threshold_of_hanging_up_and_no_other(leniency: float) -> None:
    moved = Policy(SHIPPED, PolicyOptions(leniency=leniency)).thresholds
    assert moved.hang_up_at == pytest.approx(SHIPPED.hang_up_at + leniency)
    assert replace(moved, hang_up_at=SHIPPED.hang_up_at) == SHIPPED


def test_strictness_that_would_hang_up_on_whom_nothing_speaks_against_is_refused() -> None:
    with pytest.raises(ModelError, match=r"do not allow -2\.2 nats to hang up: neutral_at"):
        Policy(SHIPPED, PolicyOptions(leniency=-2.2))


def test_thresholds_that_are_given_for_a_trial_go_before_those_of_the_weights() -> None:
    own = replace(SHIPPED, hang_up_at=9.0)
    assert Policy(SHIPPED, PolicyOptions(thresholds=own)).thresholds == own
    assert Policy(SHIPPED, PolicyOptions(thresholds=own, leniency=-1.0)).thresholds.hang_up_at == 8.0


@pytest.mark.parametrize(
    ("changed", "action"),
    [({}, "hang_up"), ({"hang_up_at": 9.0}, "none"), ({"hang_up_at": 9.0, "neutral_at": [5.9]}, "forward")],
)
def test_the_thresholds_of_another_file_decide_otherwise(
    load: Callable[[Any], FusionModel], changed: dict[str, Any], action: str
) -> None:
    weights = shipped()
    weights[SECTION]["thresholds"] |= changed
    judge = Judge(load(weights), PolicyOptions())
    judge.add(
        [
            Evidence(source, 3.5, 1.0, 1.0, "words", "patter")
            for source in ("patter.meaning", "refusal.pushes_on")
        ]
    )
    assert 5.0 < judge.log_odds < 5.9
    verdict = judge.judge(ANSWERED)
    assert verdict is not None
    assert verdict.action == action
