"""Training texts: every call can be read, none stands twice, and mishearing leaves most of a sentence."""

import importlib
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detector.text.pinyin import default_table

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
HELD_OUT = tuple(
    SCRIPTS / "texts" / name for name in ("held_out", "held_out_2", "held_out_3", "held_out_4", "held_out_5")
)


@pytest.fixture(scope="module")
def corpus() -> Iterator[Any]:
    sys.path.insert(0, str(SCRIPTS))
    yield importlib.import_module("text_corpus")
    sys.path.remove(str(SCRIPTS))


@pytest.fixture(scope="module")
def held_out(corpus: Any) -> list[Any]:
    return [call for folder in HELD_OUT for call in corpus.read_texts(folder)]


@pytest.fixture(scope="module")
def calls(corpus: Any, held_out: list[Any]) -> list[Any]:
    return [*corpus.read_texts(SCRIPTS / "texts"), *held_out]


def test_every_line_is_a_call_of_a_known_category(corpus: Any, calls: list[Any]) -> None:
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in (SCRIPTS / "texts").rglob("*.jsonl"))
    assert len(calls) == lines > 1000
    assert {call.category for call in calls} <= set(corpus.CATEGORIES)
    assert all(call.wanted == (call.category not in corpus.UNWANTED) for call in calls)
    assert all(turn.text.strip() for call in calls for turn in call.turns)


def test_what_is_held_out_is_not_learned(corpus: Any, held_out: list[Any]) -> None:
    learned = {turn.text for call in corpus.read_texts(SCRIPTS / "texts") for turn in call.turns}
    sentences = [turn.text for call in held_out for turn in call.turns if len(turn.text) > 8]
    assert len(sentences) > 10_000
    assert sum(text in learned for text in sentences) < 0.0015 * len(sentences)


def test_stages_belong_to_unwanted_calls(corpus: Any, calls: list[Any]) -> None:
    for call in calls:
        stages = {turn.stage for turn in call.turns} - {None}
        assert stages <= (set() if call.wanted else set(corpus.STAGES))


def test_no_call_has_the_name_of_another(calls: list[Any]) -> None:
    assert [name for name, count in Counter(call.name for call in calls).items() if count > 1] == []


def test_a_wanted_and_an_unwanted_call_from_one_opening_are_split_together(calls: list[Any]) -> None:
    groups = {call.name: call.group for call in calls if call.group}
    twins = [
        (name, f"{name[:-2]}-u") for name in groups if name.endswith("-w") and f"{name[:-2]}-u" in groups
    ]
    assert len(twins) > 1000
    assert all(groups[one] == groups[other] for one, other in twins)


def test_a_line_that_is_no_call_is_left_out_and_named(
    corpus: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong.jsonl").write_text('{"id": "a"}\n', encoding="utf-8")
    assert list(corpus.read_texts(tmp_path)) == []
    assert "wrong.jsonl:1: not a call" in capsys.readouterr().out


def test_a_robocall_that_was_written_twice_counts_once(corpus: Any, tmp_path: Path) -> None:
    table = tmp_path / "ftc_robocalls_en.tsv"
    table.write_text(
        "id\tcampaign\ttranscript\n1\tA\tPress one now.\n2\tA\tpress one, now\n3\t\tAnother offer.\n",
        encoding="utf-8",
    )
    found = list(corpus.read_robocalls(tmp_path))
    assert [(call.group, call.turns[0].text) for call in found] == [
        ("ftc-A", "Press one now."),
        ("ftc-3", "Another offer."),
    ]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("您好，我这边是做银行贷款的，请问最近有没有资金周转的需求", "zh"),
        ("Hello, this is Mary with the warranty department about your vehicle", "en"),
    ],
)
def test_mishearing_changes_about_as_much_as_it_should(corpus: Any, text: str, language: Any) -> None:
    homophones = sys.modules["eval_lexicon"].Homophones(default_table(), 0.0, 1)
    random_, kept = random.Random(1), []
    for _ in range(200):
        turn = corpus.spoil(corpus.Turn("opening", text), language, 0.1, homophones, random_)
        units = turn.text if language == "zh" else turn.text.split()
        total = text if language == "zh" else text.split()
        kept.append(sum((Counter(units) & Counter(total)).values()) / len(total))
    assert 0.8 < sum(kept) / len(kept) < 0.97
