import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from detector.agents.scenario import load_scenarios
from detector.errors import ScenarioError
from detector.resources import fixtures_dir

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
    "opening": ["喂？"],
    "waits_for_greeting": False,
    "replies": {"greeting": ["是我。"], "ask_name": [], "other": ["啊？"]},
    "repeats_take": False,
    "hangs_up_after": 4,
    "noise": "street",
    "why": "a test",
}


def write(folder: Path, *rows: Any) -> Path:
    path = folder / "scenarios.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_every_key_arrives(tmp_path: Path) -> None:
    (scenario,) = load_scenarios(write(tmp_path, ROW)).scenarios
    for key, value in ROW.items():
        found = getattr(scenario, key)
        if key == "replies":
            assert {act: list(texts) for act, texts in found.items()} == value
        else:
            assert (list(found) if isinstance(found, tuple) else found) == value
    assert scenario.utterances == ("喂？", "是我。", "啊？")
    assert pickle.loads(pickle.dumps(scenario)) == scenario  # noqa: S301 - our own object


def test_the_call_shows_what_the_network_shows_and_nothing_else(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "id": "hidden-caller", "number": "anonymous", "display_name": "张"}]
    shown, hidden = (scenario.call for scenario in load_scenarios(write(tmp_path, *rows)).scenarios)
    assert (shown.number, shown.display_name) == ("13800000000", None)
    assert (hidden.number, hidden.display_name) == (None, "张")
    assert shown.call_id != hidden.call_id
    assert "caller" not in shown.call_id


def test_blank_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path, "", ROW, "  ", {**ROW, "id": "another"})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().lstrip())
    assert [row.id for row in load_scenarios(path).scenarios] == ["one-caller", "another"]


def test_a_text_may_hold_a_line_separator(tmp_path: Path) -> None:
    (scenario,) = load_scenarios(write(tmp_path, {**ROW, "opening": ["喂\u2028你好"]})).scenarios
    assert scenario.opening == ("喂\u2028你好",)


@pytest.mark.parametrize(
    ("changes", "key", "complaint"),
    [
        ({"id": "One Caller"}, "id", "kebab-case"),
        ({"id": 7}, "id", "must be a text, not a number"),
        ({"language": "fr"}, "language", "'fr' is unknown"),
        ({"language": None}, "language", "must be one of zh, en, not null"),
        ({"wanted": "yes"}, "wanted", "must be true or false, not a text"),
        ({"caller": "clipbot"}, "caller", "did you mean 'clip_bot'?"),
        ({"category": " "}, "category", "must not be empty"),
        ({"number": 13800000000}, "number", "must be a text, not a number"),
        ({"display_name": 1}, "display_name", "text or null"),
        ({"connect_silence": -1}, "connect_silence", "between 0 and 600"),
        ({"connect_silence": True}, "connect_silence", "not true or false"),
        ({"connect_silence": float("nan")}, "connect_silence", "between 0 and 600"),
        ({"barge_in": "stop"}, "barge_in", "did you mean 'stops'?"),
        ({"reply_delay": 0.5}, "reply_delay", "two numbers"),
        ({"reply_delay": [0.5, -0.1]}, "reply_delay", "between 0 and 600"),
        ({"opening": "喂"}, "opening", "must be a list of texts, not a text"),
        ({"opening": ["喂", ""]}, "opening", "entry 2"),
        ({"waits_for_greeting": 1}, "waits_for_greeting", "true or false"),
        ({"replies": []}, "replies", "an object of lists"),
        ({"replies": {"ask_nam": []}}, "replies", "did you mean 'ask_name'?"),
        ({"replies": {"hold": "嗯"}}, "replies", "act 'hold' must be a list"),
        ({"repeats_take": None}, "repeats_take", "true or false, not null"),
        ({"hangs_up_after": 0}, "hangs_up_after", "at least 1"),
        ({"hangs_up_after": 2.5}, "hangs_up_after", "whole number"),
        ({"noise": "cafe"}, "noise", "'cafe' is unknown; "),
        ({"why": 3}, "why", "must be a text"),
        ({"waits_for_greetings": True}, "waits_for_greetings", "did you mean 'waits_for_greeting'?"),
        ({"xyzzy": 1}, "xyzzy", "is unknown; known are id, language"),
        ({"opening": [], "replies": {"other": []}}, "opening", "would never speak"),
    ],
)
def test_each_problem_names_file_line_scenario_and_key(
    tmp_path: Path, changes: dict[str, Any], key: str, complaint: str
) -> None:
    good = {**ROW, "id": "good-caller"}
    path = write(tmp_path, good, {**ROW, **changes})
    content = load_scenarios(path)
    assert [row.id for row in content.scenarios] == ["good-caller"]
    (error,) = content.errors
    text = str(error)
    assert text.startswith(f"{path}:2: scenario ")
    assert f"key {key!r}: " in text
    assert complaint in text
    assert "\n" not in text


@pytest.mark.parametrize("key", [key for key in ROW if key != "why"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    content = load_scenarios(write(tmp_path, {k: v for k, v in ROW.items() if k != key}))
    assert [str(error).rsplit("key ", 1)[1] for error in content.errors] == [f"{key!r}: is missing"]


def test_every_problem_of_a_row_is_reported(tmp_path: Path) -> None:
    content = load_scenarios(write(tmp_path, {**ROW, "noise": "loud", "wanted": 1, "extra": 2}))
    found = {match[1] for error in content.errors if (match := re.search(r"key '(\w+)'", str(error)))}
    assert found == {"noise", "wanted", "extra"}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "is not JSON"),
        ("[1]", "is no JSON object"),
        ('{"id": "a", "id": "b"}', "key 'id' stands there twice"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_line_that_is_no_row_is_reported_and_the_others_go_on(
    tmp_path: Path, line: str, complaint: str
) -> None:
    content = load_scenarios(write(tmp_path, line, ROW))
    assert [row.id for row in content.scenarios] == ["one-caller"]
    assert [complaint in str(error) for error in content.errors] == [True]


def test_bytes_that_are_no_text_are_reported(tmp_path: Path) -> None:
    path = write(tmp_path, ROW)
    path.write_bytes(path.read_bytes() + b'{"id": "\xff"}\n')
    content = load_scenarios(path)
    assert len(content.scenarios) == 1
    assert "is not UTF-8 (byte 9 of the line)" in str(content.errors[0])


def test_an_id_that_stands_there_twice_is_refused_where_it_comes_again(tmp_path: Path) -> None:
    content = load_scenarios(write(tmp_path, ROW, ROW))
    assert len(content.scenarios) == 1
    assert "key 'id': stands in line 1 already" in str(content.errors[0])


def test_a_file_that_cannot_be_read_or_holds_nothing_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenarios(tmp_path / "none.jsonl")
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenarios(tmp_path)
    with pytest.raises(ScenarioError, match="holds no scenario"):
        load_scenarios(write(tmp_path, ""))


def test_the_demonstration_scenarios_are_right() -> None:
    content = load_scenarios(fixtures_dir() / "demo" / "scenarios.jsonl")
    assert content.errors == ()
    assert {row.caller for row in content.scenarios} == {
        "recording",
        "clip_bot",
        "tts_bot",
        "live_agent",
        "person",
        "notice",
    }
    assert {row.language for row in content.scenarios} == {"zh", "en"}
    assert {row.wanted for row in content.scenarios} == {True, False}


def test_a_file_of_something_else_is_one_error(tmp_path: Path) -> None:
    text = tmp_path / "README.md"
    text.write_text("# Title\n\nSome words.\nAnd more.\n", "utf-8")
    with pytest.raises(ScenarioError, match=r"README\.md: holds no scenario, not even JSON"):
        load_scenarios(text)
