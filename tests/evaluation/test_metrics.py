"""The figures of hand-made calls: who counts where, and what counts as an error."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detector.decision.fusion import Fusion, FusionModel
from detector.decision.policy import Policy, Situation
from detector.errors import InputError
from detector.evaluation.calls import DEADLINE_REASONS, UNKNOWN, JudgedCall, read_calls, write_rows
from detector.evaluation.metrics import figures_of, row_names
from detector.evaluation.tables import error_bound

MakeCall = Callable[..., JudgedCall]
MakeRow = Callable[..., dict[str, Any]]


@pytest.fixture
def calls(make_call: MakeCall, unwanted: MakeCall) -> list[JudgedCall]:
    return [
        make_call("courier", "forward"),
        make_call("friend", "take_message", category="friend"),
        make_call("surgeon", "hang_up", category="medical"),
        make_call("locker", "take_message", caller="notice", category="notice"),
        make_call("school", "none", caller="notice", category="school"),
        unwanted("loan", "hang_up"),
        unwanted("flats", "take_message", caller="live_agent", category="real_estate"),
        unwanted("shares", "forward", caller="live_agent", category="investment"),
        unwanted("survey", "none", caller="tts_bot", category="survey"),
    ]


def test_the_headline_counts_each_caller_once_and_in_his_place(calls: list[JudgedCall]) -> None:
    found = figures_of(calls).headline.as_json()
    counted = {name: (one["count"], one["of"]) for name, one in found.items()}
    assert counted == {
        "unwanted_hung_up": (1, 4),
        "unwanted_message": (1, 4),
        "unwanted_put_through": (1, 4),
        "unwanted_undecided": (1, 4),
        "wanted_hung_up": (1, 5),
        "persons_put_through": (1, 3),
        "notices_delivered": (1, 2),
        "persons_more_than_two_questions": (0, 3),
    }


def test_callers_of_no_known_kind_are_told_apart_by_whether_they_are_wanted(
    make_call: MakeCall, unwanted: MakeCall
) -> None:
    calls = [make_call("a", "forward", caller=UNKNOWN), unwanted("b", "hang_up", caller=UNKNOWN)]
    kinds = figures_of([*calls, unwanted("c", "hang_up", caller="recording")]).by_caller
    assert sorted(row_names(kinds)) == ["recording", "unknown (unwanted)", "unknown (wanted)"]


def test_errors_come_with_the_unforgivable_one_first(calls: list[JudgedCall]) -> None:
    ordered = [call.id for call in figures_of(calls).errors]
    assert ordered == ["surgeon", "friend", "school", "shares", "flats", "survey"]


def test_a_recording_was_asked_nothing_and_is_judged_by_that(make_row: MakeRow, tmp_path: Path) -> None:
    rows = []
    for wanted, action in ((True, "none"), (True, "take_message"), (False, "take_message"), (False, "none")):
        row = make_row(f"{wanted}-{action}", action, wanted=wanted)
        del row["agent_acts"]
        rows.append(row)
    write_rows(tmp_path / "screened.jsonl", rows)
    errors = [call.id for call in read_calls(tmp_path / "screened.jsonl") if call.is_error]
    assert errors == ["True-take_message", "False-none"]


def test_kinds_that_are_wanted_and_unwanted_stay_apart(make_call: MakeCall, unwanted: MakeCall) -> None:
    found = figures_of([make_call("a", "forward"), unwanted("b", "hang_up", caller="person")])
    assert [(group.name, group.wanted, len(group.calls)) for group in found.by_caller] == [
        ("person", False, 1),
        ("person", True, 1),
    ]
    assert set(found.as_json()["by_caller"]) == {"person (unwanted)", "person (wanted)"}


def test_questions_count_until_the_decision_and_the_greeting_is_none(make_call: MakeCall) -> None:
    acts = ["greeting", "ask_purpose", "hold", "challenge", "connecting", "ask_name"]
    starts = [0.3, 2.0, 4.0, 6.0, 8.0, 9.0]
    asked = [{"act": act, "start": start} for act, start in zip(acts, starts, strict=True)]
    call = make_call("a", "forward", decided_at=8.0, agent_acts=asked)
    assert call.questions == 3
    assert figures_of([call]).headline.persons.asked_too_much.count == 1
    assert make_call("b", "none", agent_acts=asked).questions == 4, "an undecided call was asked all of it"


def test_the_seconds_after_the_turn_that_sufficed(make_call: MakeCall) -> None:
    turns = [
        {"speaker": "caller", "start": 1.0, "end": 4.0, "text": "送快递的"},
        {"speaker": "agent", "start": 4.5, "end": 5.9, "text": "请稍等"},
        {"speaker": "caller", "start": 5.5, "end": 7.0, "text": "好"},
    ]
    call = make_call("a", "forward", decided_at=6.0, turns=turns)
    assert call.after_turn == 2.0
    for reason in DEADLINE_REASONS:
        assert make_call("b", "forward", decided_at=6.0, turns=turns, reason=reason).after_turn is None
    assert make_call("c", "forward", decided_at=0.5, turns=turns).after_turn is None


def test_the_reasons_of_the_deadline_are_those_of_the_policy() -> None:
    model = FusionModel.load()
    limits = model.thresholds
    policy = Policy(limits)
    situation = Situation(now=policy.options.deadline, questions_answered=0, heard_intelligible_speech=True)
    odds = (limits.neutral_at[0], limits.suspicious_at)
    decisions = [
        policy.decide(Fusion(FusionModel(prior, {}, {}, model.axes, limits)), situation) for prior in odds
    ]
    assert {decision.reason for decision in decisions if decision is not None} == DEADLINE_REASONS


def test_no_error_bounds_the_rate_and_one_is_too_many(make_call: MakeCall) -> None:
    def bound(*actions: str) -> str:
        calls = [make_call(str(at), action) for at, action in enumerate(actions)]
        return error_bound(figures_of(calls).headline.wanted.hung_up)

    none_of_two_hundred = bound(*["forward"] * 200)
    assert "None of 200 wanted callers was hung up on" in none_of_two_hundred
    assert "only below 1.8 % (95 % confidence), about one in 55" in none_of_two_hundred
    assert "1 of 2 wanted callers was hung up on: 1 too many" in bound("hang_up", "forward")
    assert "nothing is known" in bound()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wanted": None}, "key 'wanted' must be true or false"),
        ({"wanted": 1}, "key 'wanted' must be true or false"),
        ({"unwanted": True}, "key 'unwanted' must be a number"),
        ({"unwanted": 1.5}, "key 'unwanted' must lie between 0 and 1"),
        ({"action": "shout"}, "key 'action': 'shout' is unknown"),
        ({"decided_at": "late"}, "key 'decided_at' must be seconds or null"),
        ({"id": ""}, "neither 'id' nor 'file' names the call"),
        ({"turns": {}}, "key 'turns' must be a list of objects"),
        ({"turns": [{"speaker": "caller", "start": 0}]}, "key 'turns', entry 1: 'end' is missing or unfit"),
        ({"evidence": [{"source": "x"}]}, "key 'evidence', entry 1: 'llr' is missing"),
    ],
)
def test_a_row_that_cannot_be_is_named_with_file_line_and_key(
    make_row: MakeRow, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "calls.jsonl"
    write_rows(path, [make_row("good", "forward"), {**make_row("bad", "forward"), **change}])
    with pytest.raises(InputError) as error:
        read_calls(path)
    assert str(error.value).startswith(f"{path}:2: ")
    assert message in str(error.value)


def test_files_without_calls(make_row: MakeRow, tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    for content, message in (
        ("", "holds no judged call"),
        ("[1]\n", "calls.jsonl:1: is no JSON object"),
        ('{"id": \n', "calls.jsonl:1: is not JSON"),
        ('{"unwanted": NaN}\n', "calls.jsonl:1: is not JSON \\(NaN is no number"),
        (2 * (json.dumps(make_row("a", "forward")) + "\n"), "calls.jsonl:2: call a stands in line 1 already"),
    ):
        path.write_text(content, "utf-8")
        with pytest.raises(InputError, match=message):
            read_calls(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_calls(tmp_path / "gone.jsonl")
