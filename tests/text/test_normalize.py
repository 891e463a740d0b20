"""One spelling for what recognition writes in many, and the way back to the original."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.text.normalize import SENTENCE_BREAK, normalize_mandarin, read_number, to_simplified

MANDARIN = st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), max_size=30)
ANYTHING = st.text(
    alphabet=st.one_of(
        st.sampled_from("您好贷款额度嗯呃那个两，。！？ 0123456789.%abVXＡ１　"), st.characters(codec="utf-8")
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("您好，貸款額度提升到20萬。", "你好贷款额度提升到二十万。"),
        ("嗯，您那个车险下个月到期", "你车险下个月到期"),
        ("那个人是谁", "那个人是谁"),
        ("ＰＯＳ机　按１", "pos机按一"),
        ("年利率3.85%", "年利率百分之三点八五"),
        ("拨打96110", "拨打九六一一零"),
        ("拨打110", "拨打一一零"),
        ("110元", "一百一十元"),
        ("10001元", "一万零一元"),
        ("0首付", "零首付"),
        ("两百万", "二百万"),
        ("一会儿的事儿", "一会的事"),
        ("这儿子", "这儿子"),
        ("女儿和少儿编程", "女儿和少儿编程"),
        ("他说：好！", "他说好。"),
        ("", ""),
    ],
)
def test_one_spelling(written: str, expected: str) -> None:
    assert normalize_mandarin(written).text == expected


@pytest.mark.parametrize(
    ("digits", "counts", "words"),
    [
        ("0", True, "零"),
        ("10", False, "十"),
        ("15", True, "十五"),
        ("105", True, "一百零五"),
        ("1050", True, "一千零五十"),
        ("100000", True, "十万"),
        ("1010101", True, "一百零一万零一百零一"),
        ("400", False, "四零零"),
        ("007", True, "零零七"),
        ("123456789", True, "一二三四五六七八九"),
        ("0.5", True, "零点五"),
    ],
)
def test_numbers_are_read_as_they_are_said(digits: str, counts: bool, words: str) -> None:
    assert read_number(digits, counts=counts) == words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("29,890元", "二万九千八百九十元"),
        ("只要2600", "只要二千六百"),
        ("减300", "减三百"),
        ("2026年", "二零二六年"),
        ("2000年", "二零零零年"),
        ("拨打400", "拨打四零零"),
        ("10086", "一零零八六"),
        ("请按1,2", "请按一二"),
    ],
)
def test_round_numbers_are_amounts_and_codes_and_years_are_not(written: str, said: str) -> None:
    assert normalize_mandarin(written).text == said


def test_phrases_convert_with_their_context() -> None:
    assert to_simplified("後臺頭髮發財麵條") == "后台头发发财面条"


@settings(deadline=None)
@given(ANYTHING)
def test_every_character_knows_where_it_came_from(text: str) -> None:
    normalized = normalize_mandarin(text)
    assert len(normalized.text) == len(normalized.starts) == len(normalized.ends)
    assert all(
        0 <= start < end <= len(text) for start, end in zip(normalized.starts, normalized.ends, strict=True)
    )
    assert list(normalized.starts) == sorted(normalized.starts)
    assert list(normalized.ends) == sorted(normalized.ends)


@settings(deadline=None)
@given(ANYTHING)
def test_nothing_that_recognition_writes_at_will_is_left(text: str) -> None:
    left = set(normalize_mandarin(text).text)
    assert not left & set("0123456789您两嗯呃，,%、！？　")


@settings(deadline=None)
@given(MANDARIN, MANDARIN)
def test_a_sentence_end_stays_between_sentences(first: str, second: str) -> None:
    normalized = normalize_mandarin(f"{first}。{second}")
    at = normalized.text.index(SENTENCE_BREAK)
    assert normalized.original_span(at, at + 1) == (len(first), len(first) + 1)


@settings(deadline=None)
@given(MANDARIN)
def test_conversion_keeps_the_length(text: str) -> None:
    assert len(to_simplified(text)) == len(text)
