"""Judged calls made by hand."""

from collections.abc import Callable
from typing import Any

import pytest

from detector.evaluation.calls import JudgedCall, call_from_row

MakeCall = Callable[..., JudgedCall]


def call_row(name: str, action: str, **more: Any) -> dict[str, Any]:
    """A row as `detector simulate --json` gives it, of a wanted person unless `more` says otherwise."""
    return {
        "id": name,
        "wanted": True,
        "caller": "person",
        "category": "delivery",
        "label": "person",
        "action": action,
        "unwanted": 0.1,
        "axes": {"playback": 0.1, "patter": 0.1, "unresponsive": 0.1},
        "decided_at": None if action == "none" else 6.0,
        "reason": "answered what was asked",
        "evidence": [],
        "turns": [],
        "agent_acts": [],
        **more,
    }


@pytest.fixture
def make_row() -> Callable[..., dict[str, Any]]:
    return call_row


@pytest.fixture
def make_call() -> MakeCall:
    return lambda name, action, **more: call_from_row(call_row(name, action, **more), name)


@pytest.fixture
def unwanted(make_call: MakeCall) -> MakeCall:
    """A recording that sells loans."""
    about = {"wanted": False, "caller": "recording", "category": "loan", "unwanted": 0.99}
    return lambda name, action, **more: make_call(name, action, **{**about, **more})
