"""Written calls as scenarios: the words of the call in another caller's manner, and readable like any scenario."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detector.agents.scenario import load_scenarios

ROOT = Path(__file__).resolve().parents[2]
DEVELOPMENT = sorted((ROOT / "audio_fixtures/scenarios").glob("development-*.jsonl"))


@pytest.fixture(scope="module")
def scripts() -> Iterator[Any]:
    sys.path.insert(0, str(ROOT / "scripts"))
    yield importlib.import_module("text_scenarios")
    sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture(scope="module")
def calls(scripts: Any) -> list[Any]:
    return list(scripts.read_texts(ROOT / "scripts/texts/held_out", 2))[::40]


def test_every_written_call_becomes_a_scenario_that_can_be_played(
    scripts: Any, calls: list[Any], tmp_path: Path
) -> None:
    rows = list(scripts.scenarios(calls, scripts.read_manners(DEVELOPMENT), 1))
    path = tmp_path / "written.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    read = load_scenarios(path)
    assert read.errors == ()
    assert len(read.scenarios) == len(calls)
    for call, scenario in zip(calls, read.scenarios, strict=True):
        assert (scenario.wanted, scenario.caller) == (call.wanted, call.caller)
        assert scenario.opening[0] == next(turn.text for turn in call.turns if turn.act == "opening")


def test_the_same_seed_draws_the_same_manners(scripts: Any, calls: list[Any]) -> None:
    manners = scripts.read_manners(DEVELOPMENT)
    first, again, other = (list(scripts.scenarios(calls, manners, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_kind_of_caller_whom_nobody_is_like_is_left_out(scripts: Any, calls: list[Any]) -> None:
    manners = {("person", "zh"): scripts.read_manners(DEVELOPMENT)["person", "zh"]}
    rows = list(scripts.scenarios(calls, manners, 1))
    assert {(row["caller"], row["language"]) for row in rows} == {("person", "zh")}


def test_a_real_robocall_is_a_recording_that_answers_nothing(
    scripts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ftc_robocalls_en.tsv").write_text(
        "id\tcampaign\ttranscript\n1\t7\tPress one now to lower your rate.\n", encoding="utf-8"
    )
    out = tmp_path / "robocalls.jsonl"
    manners = ["--manner", *map(str, DEVELOPMENT)]
    monkeypatch.setattr(
        sys, "argv", ["text_scenarios", "--robocalls", str(tmp_path), *manners, "--out", str(out)]
    )
    scripts.main()
    (scenario,) = load_scenarios(out).scenarios
    assert (scenario.caller, scenario.wanted, scenario.language) == ("recording", False, "en")
    assert scenario.opening == ("Press one now to lower your rate.",)
    assert not scenario.replies


def test_no_file_is_in_both_halves(scripts: Any) -> None:
    folder = ROOT / "scripts/texts/held_out"
    halves = [[call.name for call in scripts.read_texts(folder, half)] for half in (1, 2)]
    assert not set(halves[0]) & set(halves[1])
    assert sorted(halves[0] + halves[1]) == sorted(call.name for call in scripts.read_texts(folder))
