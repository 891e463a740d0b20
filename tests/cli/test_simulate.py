"""`detector simulate` for people: which calls ended as they should, and mistakes told before a model is loaded."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from detector.agents.scenario import CallerKind
from detector.cli.simulate import _Rows
from detector.resources import fixtures_dir

Run = Callable[..., Any]
SCENARIOS = fixtures_dir() / "demo" / "scenarios.jsonl"


def shown(*calls: tuple[str, bool, CallerKind, str], of: int | None = None) -> list[str]:
    told = io.StringIO()
    rows = _Rows(Console(file=told, highlight=False))
    for name, wanted, caller, action in calls:
        truth = {"id": name, "wanted": wanted, "caller": caller, "category": "test"}
        verdict = {"label": "unsure", "action": action, "unwanted": 0.5, "decided_at": 4.25}
        rows.show({**truth, **verdict, "agent_acts": []})
    rows.sum_up(of=len(calls) if of is None else of)
    return told.getvalue().splitlines()


def test_rows_stand_under_a_header() -> None:
    header, row, _ = shown(("a-friend", True, "person", "forward"))
    assert header.split() == ["scenario", "caller", "judged", "action", "decided"]
    assert [header.index(word) for word in ("caller", "judged", "action")] == [
        row.index(word) for word in ("person, test", "unsure", "forward")
    ]


@pytest.mark.parametrize(
    ("wanted", "caller", "action", "mark"),
    [
        (True, "person", "forward", ""),
        (True, "person", "take_message", "wrong: wanted, message taken"),
        (True, "person", "hang_up", "UNFORGIVABLE: wanted, hung up on"),
        (True, "notice", "take_message", ""),
        (True, "notice", "hang_up", "UNFORGIVABLE: wanted, hung up on"),
        (False, "recording", "hang_up", ""),
        (False, "live_agent", "forward", "wrong: unwanted, put through"),
        (False, "live_agent", "none", "wrong: unwanted, left undecided"),
    ],
)
def test_a_call_that_should_have_ended_otherwise_is_marked(
    wanted: bool, caller: CallerKind, action: str, mark: str
) -> None:
    row = shown(("one", wanted, caller, action))[1]
    assert row.partition(" s")[2].strip().endswith(mark)
    assert ("wrong" in row or "UNFORGIVABLE" in row) == bool(mark)


def test_the_last_line_counts_what_went_wrong() -> None:
    calls: list[tuple[str, bool, CallerKind, str]] = [
        ("friend", True, "person", "forward"),
        ("uncle", True, "person", "hang_up"),
        ("neighbour", True, "person", "take_message"),
        ("loan", False, "recording", "forward"),
    ]
    assert shown(*calls)[-1] == (
        "4 calls: 1 ended as they should, 3 wrong (1 wanted hung up on, 1 unwanted put through, 1 other)"
    )
    assert shown(calls[0], of=3)[-1] == "1 call: 1 ended as they should, 0 wrong; 2 could not be played"
    assert shown(of=3) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--loss", "2"), "--loss 2: a share of the packets is meant here, 0.02 for 2 %, at most 0.5"),
        (("--loss", "-0.1"), "--loss -0.1: a share of the packets is meant here, 0.02 for 2 %, at most 0.5"),
        (("--clips", "nope"), "--clips nope: cannot be read (No such file or directory)"),
        (("--clips", "empty"), "--clips empty: holds no clips (.wav or .opus)"),
    ],
)
def test_a_mistake_of_usage_is_one_line(
    run: Run, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    outcome = run("simulate", SCENARIOS, *options)
    assert outcome.code == 2
    assert len(outcome.errors) == 1
    assert message in outcome.errors[0]


def test_the_clips_beside_the_scenarios_are_taken_where_none_are_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "callers.jsonl").write_bytes(SCENARIOS.read_bytes())
    outcome = run("simulate", "callers.jsonl")
    assert outcome.code == 2
    assert outcome.errors[0].startswith("detector: clips: cannot be read")


@pytest.mark.end_to_end
def test_calls_that_are_played_are_rows_between_a_header_and_a_count(run: Run) -> None:
    outcome = run("simulate", SCENARIOS, "--limit", "1", "--jobs", "1")
    assert (outcome.code, outcome.errors) == (0, [])
    header, row, last = outcome.output.splitlines()
    assert (header.split()[0], row.split()[0]) == ("scenario", "demo-loan-recording")
    assert last == "1 call: 1 ended as they should, 0 wrong"
