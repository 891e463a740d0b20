"""The figures do not slip: a fixed part of the development set is rehearsed, and judged as well as before.

Rehearsals have carrier speech and simulated recognition, and the text model has learned from these scenarios: this
guards against changes for the worse, it measures nothing else. docs/evaluation.md has the measurements.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

from detector.agents.scenario import Scenario, load_scenarios
from detector.evaluation.conditions import fixed_subset
from detector.screener import ScreenerOptions

ROOT = Path(__file__).resolve().parents[1]
CALLS = 120
JOBS = 2


def rehearsed(scenarios: list[Scenario], jobs: int) -> list[dict[str, Any]]:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from rehearsal import rehearse  # noqa: PLC0415 - a script's neighbour
    finally:
        sys.path.pop(0)
    return list(rehearse(scenarios, ScreenerOptions(), None, seed=1, jobs=jobs))


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    folder = ROOT / "audio_fixtures" / "scenarios"
    paths = sorted(folder.glob("development-*.jsonl"))
    return fixed_subset([one for path in paths for one in load_scenarios(path).scenarios], CALLS)


@pytest.fixture(scope="module")
def calls(scenarios: list[Scenario]) -> list[dict[str, Any]]:
    return rehearsed(scenarios, JOBS)


def share(calls: list[dict[str, Any]], action: str, **about: Any) -> float:
    chosen = [call for call in calls if all(call[key] == value for key, value in about.items())]
    assert len(chosen) >= 5
    return len([call for call in chosen if call["action"] == action]) / len(chosen)


@pytest.mark.end_to_end
@pytest.mark.timeout(600)
def test_no_wanted_caller_is_hung_up_on(calls: list[dict[str, Any]]) -> None:
    assert [call["id"] for call in calls if call["wanted"] and call["action"] == "hang_up"] == []


@pytest.mark.end_to_end
@pytest.mark.timeout(600)
def test_persons_are_put_through(calls: list[dict[str, Any]]) -> None:
    assert share(calls, "forward", caller="person") >= 0.9


@pytest.mark.end_to_end
@pytest.mark.timeout(600)
def test_unwanted_callers_are_hung_up_on(calls: list[dict[str, Any]]) -> None:
    assert share(calls, "hang_up", wanted=False) >= 0.72


@pytest.mark.end_to_end
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("caller", "least"), [("recording", 0.75), ("clip_bot", 0.9), ("tts_bot", 0.75), ("live_agent", 0.35)]
)
def test_no_kind_of_unwanted_caller_gets_through_more_than_before(
    calls: list[dict[str, Any]], caller: str, least: float
) -> None:
    assert share(calls, "hang_up", caller=caller) >= least


@pytest.mark.end_to_end
@pytest.mark.timeout(600)
def test_announcements_are_delivered(calls: list[dict[str, Any]]) -> None:
    delivered = [share(calls, action, caller="notice") for action in ("forward", "take_message")]
    assert sum(delivered) >= 0.95


@pytest.mark.end_to_end
@pytest.mark.timeout(600)
def test_a_rehearsal_is_the_same_whatever_was_played_before(
    scenarios: list[Scenario], calls: list[dict[str, Any]]
) -> None:
    assert rehearsed([scenarios[7], scenarios[3]], 1) == [calls[7], calls[3]]
