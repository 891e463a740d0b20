"""The figures do not slip: a fixed part of the development set is rehearsed, and judged as well as before.

Rehearsals have carrier speech and simulated recognition, and the text model has learned from these scenarios: this
guards against changes for the worse, it measures nothing else. docs/evaluation.md has the measurements.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

from detector.agents.scenario import load_scenarios
from detector.evaluation.conditions import fixed_subset
from detector.screener import ScreenerOptions

ROOT = Path(__file__).resolve().parents[1]
CALLS = 60
JOBS = 2


@pytest.fixture(scope="module")
def calls() -> list[dict[str, Any]]:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from rehearsal import rehearse  # noqa: PLC0415 - a script's neighbour
    finally:
        sys.path.pop(0)
    folder = ROOT / "audio_fixtures" / "scenarios"
    scenarios = [
        one for path in sorted(folder.glob("development-*.jsonl")) for one in load_scenarios(path).scenarios
    ]
    return list(rehearse(fixed_subset(scenarios, CALLS), ScreenerOptions(), None, seed=1, jobs=JOBS))


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
    assert share(calls, "hang_up", wanted=False) >= 0.6
