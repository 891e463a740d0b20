"""Readings, accent classes and their alignment with the text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from detector.errors import ModelError
from detector.text.normalize import normalize_mandarin
from detector.text.pinyin import PinyinTable, accent_class, default_table, latin_code


@pytest.mark.parametrize(
    ("text", "syllables"),
    [
        ("还款", "huan kuan"),
        ("还有", "hai you"),
        ("银行", "yin hang"),
        ("行不行", "xing bu xing"),
        ("重复", "chong fu"),
        ("重要", "zhong yao"),
        ("家长您好", "jia zhang nin hao"),
        ("长期", "chang qi"),
        ("音乐", "yin yue"),
        ("快乐", "kuai le"),
        ("会计", "kuai ji"),
        ("睡觉", "shui jiao"),
        ("女士", "nv shi"),
        ("利率", "li lv"),
        ("侵略", "qin lve"),
        ("调查", "diao cha"),
    ],
)
def test_words_read_as_they_are_said(text: str, syllables: str) -> None:
    assert " ".join(default_table().spell(text)) == syllables


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("zhai", "zai"),
        ("chang", "can"),
        ("sheng", "sen"),
        ("ning", "lin"),
        ("hua", "fa"),
        ("huang", "fan"),
        ("hui", "fei"),
        ("hu", "fu"),
        ("nv", "lv"),
        ("zhuang", "zuan"),
    ],
)
def test_confusable_syllables_share_a_class(one: str, other: str) -> None:
    assert accent_class(one) == accent_class(other)


@pytest.mark.parametrize(
    ("one", "other"), [("dai", "tai"), ("liang", "lian"), ("ji", "qi"), ("yi", "yu"), ("gong", "gou")]
)
def test_distinct_syllables_keep_apart(one: str, other: str) -> None:
    assert accent_class(one) != accent_class(other)


def test_an_accent_class_is_its_own_class() -> None:
    characters = map(chr, range(0x4E00, 0x9FA6))
    syllables = {syllable for character in characters for syllable in default_table().spell(character)}
    assert len(syllables) > 390
    assert all(accent_class(accent_class(syllable)) == accent_class(syllable) for syllable in syllables)


def test_common_text_reads_as_in_the_source_of_the_table() -> None:
    text = "您好我是银行的客服人员您的贷款额度已经提升了请问您需要办理吗我们公司专业做装修设计免费上门量房"
    assert list(default_table().spell(text)) == lazy_pinyin(text)


def test_latin_runs_are_one_unit_and_known_only_by_request() -> None:
    table, text = default_table(), "办pos机"
    read = table.read(text, {"pos": latin_code(0)})
    assert read.sounds[1] == latin_code(0)
    assert (read.starts, read.ends) == ((0, 1, 4), (1, 4, 5))
    assert table.read(text).sounds[1] != latin_code(0)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_units_cover_the_text_in_order(text: str) -> None:
    normalized = normalize_mandarin(text).text
    read = default_table().read(normalized)
    assert len(read) == len(read.classes) == len(read.starts) == len(read.ends)
    covered = "".join(normalized[start:end] for start, end in zip(read.starts, read.ends, strict=True))
    assert covered == normalized.replace(" ", "")


@pytest.mark.parametrize("content", ["no tab here\n", "hao\t\n", "words\n银行\tyin\n"])
def test_a_broken_table_is_refused_by_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "pinyin.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=r"pinyin\.tsv:\d+"):
        PinyinTable.load(path)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        PinyinTable.load(tmp_path / "none.tsv")
