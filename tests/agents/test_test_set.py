"""The test scenarios that ship: written apart from everything that the detector learned or was tuned on."""

import re
from collections import Counter
from collections.abc import Iterable

import pytest

from detector.agents.scenario import Scenario, load_scenarios
from detector.resources import fixtures_dir

FOLDER = fixtures_dir() / "scenarios"
SHORT = {"zh": 8, "en": 30}
"""Characters up to which anybody says the same: "您好，请问您找谁"."""


def read(pattern: str) -> list[Scenario]:
    return [one for path in sorted(FOLDER.glob(pattern)) for one in load_scenarios(path).scenarios]


def sentences(scenarios: Iterable[Scenario]) -> set[str]:
    return {
        part
        for one in scenarios
        for texts in (one.opening, *one.replies.values())
        for text in texts
        for part in re.split(r"[。！？.!?]", text)
        if len(part) > SHORT[one.language]
    }


@pytest.fixture(scope="module")
def tests() -> list[Scenario]:
    return read("test-*.jsonl")


def test_half_of_the_callers_are_wanted_and_every_kind_is_there(tests: list[Scenario]) -> None:
    kinds = Counter(one.caller for one in tests)
    assert sum(one.wanted for one in tests) == len(tests) // 2 == 240
    assert set(kinds) == {"recording", "clip_bot", "tts_bot", "live_agent", "person", "notice"}
    assert min(kinds.values()) >= 30


def test_hardly_a_sentence_is_one_of_the_development_set(tests: list[Scenario]) -> None:
    said = sentences(tests)
    assert len(said & sentences(read("development-*.jsonl"))) < 0.001 * len(said)
