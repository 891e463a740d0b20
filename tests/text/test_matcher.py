"""Terms are found by sound, aligned to syllables and words, and graded by how sure the match is."""

import random
from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opencc import OpenCC

from detector.call import Language
from detector.text.lexicon import Lexicon, Role, Term
from detector.text.matcher import Exactness, Hit, Matcher

LEXICON = Lexicon.load()
MATCHER = Matcher(LEXICON)
TERMS = sorted(LEXICON.terms, key=lambda term: (term.group, term.text))
MANDARIN = [term for term in TERMS if term.language == "zh"]
ENGLISH = [term for term in TERMS if term.language == "en"]
TO_TRADITIONAL = OpenCC("s2t")

SMALL = """
format = 1
extends = false
[groups.loan]
role = "category"
title = "loans"
weight = 2.0
zh = ["无抵押", "备用金", "征信修复", "贷款额度", "当天放款", { term = "放款", exact = true }, "免息", "招工", "pos机"]
zh_exact = ["提现", "利息"]
en = ["car loan", "pre-approved", "press one", "credit repair service", { term = "irs", exact = true }]
[groups.delivery]
role = "wanted"
title = "a delivery"
zh = ["快递"]
[groups.refund]
role = "category"
title = "refunds"
zh = ["快递丢失"]
[groups.emergency]
role = "emergency"
title = "emergency"
zh = ["出车祸"]
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    path = tmp_path_factory.mktemp("lexicon") / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return Matcher(Lexicon.load(path))


def found(hits: tuple[Hit, ...]) -> list[str]:
    return [hit.term.text for hit in hits]


def covers(hits: tuple[Hit, ...], term: Term, start: int, end: int) -> bool:
    """Whether the term itself, or a longer one around it, was found."""
    return any(hit.term == term or (hit.start <= start and end <= hit.end) for hit in hits)


@settings(deadline=None)
@given(
    st.sampled_from(MANDARIN),
    st.sampled_from(["", "您好，", "喂，那个", "我跟您说。"]),
    st.sampled_from(["", "啊", "。再见"]),
)
def test_every_mandarin_term_is_found_in_a_text_that_holds_it(term: Term, before: str, after: str) -> None:
    text = f"{before}{term.text}{after}"
    hits = MATCHER.find(text, "zh")
    assert covers(hits, term, len(before), len(before) + len(term.text)), found(hits)


@settings(deadline=None)
@given(st.sampled_from(MANDARIN))
def test_every_mandarin_term_is_found_in_traditional_script(term: Term) -> None:
    text = TO_TRADITIONAL.convert(term.text)
    hits = MATCHER.candidates(text, "zh")
    assert covers(hits, term, 0, len(text)), (text, found(hits))


@settings(deadline=None)
@given(st.sampled_from(ENGLISH), st.sampled_from(["", "Hello. ", "this is about the "]), st.booleans())
def test_every_english_term_is_found_in_any_case(term: Term, before: str, upper: bool) -> None:
    words = term.text.upper() if upper else term.text
    hits = MATCHER.find(f"{before}{words}, okay", "en")
    assert covers(hits, term, len(before), len(before) + len(words)), found(hits)


@settings(deadline=None)
@given(st.text(max_size=80), st.sampled_from(["zh", "en"]))
def test_hits_lie_in_the_text_and_in_order(text: str, language: Language) -> None:
    hits = MATCHER.candidates(text, language)
    assert all(0 <= hit.start < hit.end <= len(text) for hit in hits)
    assert [hit.start for hit in hits] == sorted(hit.start for hit in hits)
    assert all(0 < hit.weight <= hit.term.weight for hit in hits)
    assert set(MATCHER.find(text, language)) <= set(hits)


@settings(deadline=None)
@given(st.lists(st.sampled_from(MANDARIN), min_size=1, max_size=5))
def test_hits_of_one_group_never_overlap(terms: list[Term]) -> None:
    hits = MATCHER.candidates("".join(term.text for term in terms), "zh")
    for index, one in enumerate(hits):
        for other in hits[index + 1 :]:
            assert one.term.group != other.term.group or one.end <= other.start


def test_spans_point_into_the_text_as_given(small: Matcher) -> None:
    text = "嗯，您的，無抵押 貸款額度到20萬了"
    spans = [(text[hit.start : hit.end], hit.exactness) for hit in small.find(text, "zh")]
    assert spans == [("無抵押", Exactness.CHARACTERS), ("貸款額度", Exactness.CHARACTERS)]


@pytest.mark.parametrize(
    ("text", "term", "exactness"),
    [
        ("我们无抵压的", "无抵押", Exactness.SOUND),
        ("有笔备用筋", "备用金", Exactness.SOUND),
        ("做政信修复", "征信修复", Exactness.SOUND),
        ("做真心修护", "征信修复", Exactness.ACCENT),
        ("当天换款", "当天放款", Exactness.ACCENT),
        ("办一台ＰＯＳ基", "pos机", Exactness.SOUND),
        ("办一台BOS机", None, None),
    ],
)
def test_misheard_characters(
    small: Matcher, text: str, term: str | None, exactness: Exactness | None
) -> None:
    hits = small.find(text, "zh")
    assert [(hit.term.text, hit.exactness) for hit in hits] == ([(term, exactness)] if term else [])


def test_a_match_by_sound_weighs_less(small: Matcher) -> None:
    exact, sound, accent = (small.find(text, "zh")[0].weight for text in ("征信修复", "政信修复", "真心修护"))
    assert exact > sound > accent > 0


@pytest.mark.parametrize("text", ["他五，抵押房子", "要那个贝。用金子", "我说备用，今天"])
def test_sound_does_not_cross_a_pause(small: Matcher, text: str) -> None:
    assert small.find(text, "zh") == ()


def test_characters_may_cross_a_comma_but_no_sentence(small: Matcher) -> None:
    assert found(small.find("无，抵押", "zh")) == ["无抵押"]
    assert small.find("无。抵押", "zh") == ()


def test_a_colliding_term_needs_its_characters_or_a_second_hit(small: Matcher) -> None:
    assert small.find("这体现了关心", "zh") == ()
    assert found(small.find("可以提现", "zh")) == ["提现"]
    assert found(small.find("可以体现，不用抵押，是无抵押的", "zh")) == ["提现", "无抵押"]
    assert found(small.find("体现体现体现", "zh")) == []
    (waiting,) = small.candidates("这体现了关心", "zh")
    assert not waiting.supported


def test_two_syllables_by_accent_alone_wait_for_support(small: Matcher) -> None:
    assert found(small.find("这边昭公", "zh")) == ["招工"]
    assert small.find("这边早工", "zh") == ()
    assert [(hit.exactness, hit.supported) for hit in small.candidates("这边早工", "zh")] == [
        (Exactness.ACCENT, False)
    ]
    assert found(small.find("这边早工，无抵押", "zh")) == ["招工", "无抵押"]


def test_a_longer_term_hides_what_it_holds(small: Matcher) -> None:
    assert found(small.find("当天放款", "zh")) == ["当天放款"]
    assert found(small.find("您的快递丢失了", "zh")) == ["快递丢失"]
    assert found(small.find("您的快递到了", "zh")) == ["快递"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Get a CAR LOAN today", ["car loan"]),
        ("car loans", ["car loan"]),
        ("your car's loan", ["car loan"]),
        ("you're pre-approved", ["pre-approved"]),
        ("you are preapproved", ["pre-approved"]),
        ("you are pre approved", ["pre-approved"]),
        ("press 1 now", ["press one"]),
        ("press ten", []),
        ("press 10", []),
        ("a scar loan", []),
        ("car loaner", []),
        ("credit um repair uh services", ["credit repair service"]),
        ("buy a car. Loan it", []),
        ("the IRS called", ["irs"]),
        ("virsa", []),
    ],
)
def test_english_words(small: Matcher, text: str, expected: list[str]) -> None:
    assert found(small.find(text, "en")) == expected


@pytest.mark.parametrize(
    ("text", "language", "offer"),
    [
        ("给您办无抵押的", "zh", True),
        ("我们不办无抵押", "zh", False),
        ("您不需要无抵押吗", "zh", True),
        ("有没有无抵押的需求", "zh", True),
        ("你上次问我无抵押那事儿", "zh", False),
        ("您之前咨询过无抵押", "zh", True),
        ("老有人打电话说无抵押", "zh", False),
        ("不是您说的。无抵押的", "zh", True),
        ("we offer a car loan", "en", True),
        ("I'm not selling a car loan", "en", False),
        ("you asked me about the car loan", "en", False),
        ("Do not wait. A car loan is ready", "en", True),
    ],
)
def test_talk_about_an_offer_is_no_offer(small: Matcher, text: str, language: Language, offer: bool) -> None:
    (hit,) = small.find(text, language)
    assert hit.offer is offer
    assert (hit.weight < hit.term.weight) is not offer


def test_a_near_miss_is_no_emergency(small: Matcher) -> None:
    (real,), (near,) = small.find("他出车祸了", "zh"), small.find("昨天险些出车祸", "zh")
    assert near.weight < real.weight / 2


def test_english_in_a_mandarin_call_is_read_too(small: Matcher) -> None:
    assert found(small.find("sorry I am calling about a car loan", "zh")) == ["car loan"]
    assert found(small.find("press 1 备用金", "en")) == ["press one", "备用金"]


def test_no_terms_no_hits() -> None:
    empty = Lexicon({name: replace(group, terms=()) for name, group in LEXICON.groups.items()})
    assert Matcher(empty).find("无抵押 car loan", "en") == ()


def test_roles_come_with_the_hits() -> None:
    roles = {hit.role for hit in MATCHER.find("哥您好，加个微信，家长您好，出车祸了，按一转人工", "zh")}
    assert {Role.OPENER, Role.ADD_WECHAT, Role.NOTICE, Role.EMERGENCY, Role.PRESS_KEY} <= roles


def test_a_turn_takes_a_fraction_of_the_time_it_may() -> None:
    choice = random.Random(0)
    turns = ["".join(choice.choices([term.text for term in MANDARIN], k=12))[:40] for _ in range(100)]
    MATCHER.find(turns[0], "zh")
    begun = process_time()
    for turn in turns:
        MATCHER.find(turn, "zh")
    # Measured at 0.4 ms on such crowded turns; the bound leaves room for slow and busy machines.
    assert (process_time() - begun) / len(turns) < 0.005


def test_a_term_is_found_though_its_reading_is_misjudged() -> None:
    # 好恶 is a word, and reads hao wu; here 恶 begins the next one.
    assert found(MATCHER.find("您好恶意拖欠", "zh")) == ["恶意拖欠"]
