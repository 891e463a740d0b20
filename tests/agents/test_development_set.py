"""The development scenarios that ship, and the script that checks them."""

import importlib.util
import json
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from detector.agents.scenario import Scenario, load_scenarios
from detector.resources import fixtures_dir

ROOT = Path(__file__).resolve().parents[2]
FOLDER = fixtures_dir() / "scenarios"
FILES = sorted(FOLDER.glob("development-*.jsonl"))
ROW: dict[str, Any] = {
    "id": "one-caller",
    "language": "zh",
    "wanted": True,
    "caller": "person",
    "category": "friend",
    "number": "13800000000",
    "display_name": None,
    "connect_silence": 0.5,
    "barge_in": "stops",
    "reply_delay": [0.5, 0.2],
    "opening": ["喂，晚上来不来我家吃烤鱼？"],
    "waits_for_greeting": False,
    "replies": {
        "greeting": ["是我呀。"],
        "ask_name": ["老何。"],
        "ask_callee": ["找阿明。"],
        "ask_purpose": ["吃饭。"],
        "ask_repeat": ["吃烤鱼！"],
        "hold": ["行。"],
        "challenge": ["周日？"],
        "refuse": ["我是他朋友。"],
        "other": ["啊？"],
    },
    "repeats_take": False,
    "hangs_up_after": 4,
    "noise": "street",
    "why": "a test",
}
OTHER = {**ROW, "id": "other-caller", "opening": ["周末陪我去看看车，帮我砍砍价。"]}
MUTE: dict[str, list[str]] = {act: [] for act in ROW["replies"]}


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_scenarios", ROOT / "scripts" / "check_scenarios.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    return [scenario for path in FILES for scenario in load_scenarios(path).scenarios]


def write(folder: Path, *rows: dict[str, Any], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def problems_of(checker: ModuleType, *paths: Path, against: tuple[Path, ...] = ()) -> list[str]:
    found: list[str] = checker.find_problems(paths, against)[1]
    return found


def test_every_file_keeps_the_rules(checker: ModuleType) -> None:
    assert FILES
    demo = fixtures_dir() / "demo" / "scenarios.jsonl"
    assert problems_of(checker, *FILES, against=(demo,)) == []


def test_the_set_holds_every_kind_of_caller_and_category(
    checker: ModuleType, scenarios: list[Scenario]
) -> None:
    assert {scenario.caller for scenario in scenarios} == {
        "recording", "clip_bot", "tts_bot", "live_agent", "person", "notice",
    }  # fmt: skip
    assert {scenario.category for scenario in scenarios} == {*checker.UNWANTED, *checker.WANTED}
    languages = Counter(scenario.language for scenario in scenarios)
    assert languages["zh"] > languages["en"] >= len(scenarios) // 10


def test_no_field_but_speech_tells_the_wanted_apart(scenarios: list[Scenario]) -> None:
    """A habit of the author that goes with the answer would be learnt in place of what callers say."""
    wanted = [scenario for scenario in scenarios if scenario.wanted]
    unwanted = [scenario for scenario in scenarios if not scenario.wanted]
    for side in (wanted, unwanted):
        assert {scenario.noise for scenario in side} >= {"none", "office", "street", "car"}
        assert {scenario.barge_in for scenario in side} == {"continues", "stops", "slows"}
        assert {scenario.waits_for_greeting for scenario in side} == {True, False}
        mobiles = sum(scenario.number.startswith("1") and len(scenario.number) == 11 for scenario in side)
        assert mobiles >= len(side) // 10


def test_rows_that_keep_the_rules_pass(checker: ModuleType, tmp_path: Path) -> None:
    assert problems_of(checker, write(tmp_path, ROW, OTHER)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"wanted": False, "category": "loan"}, "wanted is False"),
        ({"category": "loan"}, "none of wanted"),
        ({"category": "friends"}, "none of wanted"),
        ({"replies": {"other": ["啊？"]}}, "replies lack greeting"),
        ({"replies": MUTE}, "never replies"),
        ({"caller": "notice", "category": "notice", "repeats_take": True}, "a notice replies"),
        ({"caller": "notice", "category": "notice", "replies": MUTE}, "repeats_take must be true"),
        ({"repeats_take": True}, "repeats_take must be false"),
        ({"why": " "}, "why is empty"),
        ({"opening": ["首付18万。"]}, "holds '1'"),
        ({"opening": ["（咳嗽）喂？"]}, "holds '（'"),
        ({"opening": ["Hello?"]}, "not in the language"),
        ({"opening": ["喂" * 60]}, "in one breath"),
        ({"noise": "rain"}, "'rain' is unknown"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named(
    checker: ModuleType, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    found = problems_of(checker, write(tmp_path, {**ROW, **change}))
    assert any(words in problem and "one-caller" in problem for problem in found), found


@pytest.mark.parametrize(
    ("opening", "is_refused"),
    [
        ("喂，晚上来不来我家吃烤鱼？", True),
        ("对了。晚上，来不来我家吃烤鱼！喂？", True),
        ("喂，晚上来不来我家吃烤肉？", True),
        ("我家今晚烤了两条大鲈鱼，就等你了。", False),
    ],
)
def test_two_callers_may_not_say_the_same(
    checker: ModuleType, tmp_path: Path, opening: str, is_refused: bool
) -> None:
    first = write(tmp_path, ROW)
    second = write(tmp_path, {**OTHER, "opening": [opening]}, name="second.jsonl")
    assert bool(problems_of(checker, first, second)) == is_refused
    assert bool(problems_of(checker, second, against=(first,))) == is_refused


def test_files_only_compared_with_are_not_blamed(checker: ModuleType, tmp_path: Path) -> None:
    known = write(tmp_path, ROW, {**OTHER, "opening": ROW["opening"]}, name="known.jsonl")
    own = write(tmp_path, {**OTHER, "id": "third-caller"})
    assert problems_of(checker, own, against=(known,)) == []


def test_short_sentences_and_repeats_within_one_call_are_free(checker: ModuleType, tmp_path: Path) -> None:
    again = {**ROW["replies"], "other": ROW["opening"]}
    assert problems_of(checker, write(tmp_path, {**ROW, "replies": again}, OTHER)) == []


def test_english_is_compared_by_words(checker: ModuleType, tmp_path: Path) -> None:
    replies = {act: [f"Well, {act.replace('_', ' ')}."] for act in ROW["replies"]}
    said = "Tell Dr. Moss I'm going to be late for lunch today."
    english = {**ROW, "language": "en", "replies": replies, "opening": [said]}
    rows = [english, {**english, "id": "other-caller", "opening": ["I am late."]}]
    assert problems_of(checker, write(tmp_path, *rows)) == []
    rows[1]["opening"] = ["Hello? tell dr moss i’m going to be late for lunch today"]
    (problem,) = problems_of(checker, write(tmp_path, *rows))
    assert "the same as" in problem


def test_an_id_may_not_stand_in_two_files(checker: ModuleType, tmp_path: Path) -> None:
    first = write(tmp_path, ROW)
    second = write(tmp_path, {**OTHER, "id": ROW["id"]}, name="second.jsonl")
    assert problems_of(checker, first, second)[0] == "id one-caller stands in 2 scenarios"


def test_the_exit_code_says_whether_all_is_well(
    checker: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checker.main([str(write(tmp_path, ROW, OTHER))]) == 0
    assert "2 scenarios: 0 unwanted, 2 wanted" in capsys.readouterr().out
    assert checker.main([str(write(tmp_path, {**ROW, "why": ""}))]) == 1
    assert "why is empty" in capsys.readouterr().err
