import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.speech.checks import (
    Failure,
    Limits,
    collapse_loops,
    find_failures,
    has_loop,
    is_speech,
    strip_credits,
)

LIMITS = Limits()


@pytest.mark.parametrize(
    ("looped", "collapsed"),
    [
        ("喂喂喂喂喂", "喂"),
        ("我们我们我们我们", "我们"),
        ("别墅项目的别墅项目的别墅项", "别墅项目的"),
        ("您好,别墅项,别墅项,别墅项。", "您好,别墅项。"),
        ("thank you thank you thank you", "thank you"),
        ("no no no no no, not me", "no, not me"),
        ("喂喂喂喂，您好，我是快递", "喂，您好，我是快递"),
        ("今天天气很好今天天气很好", "今天天气很好"),
    ],
)
def test_loops_are_found_and_collapsed(looped: str, collapsed: str) -> None:
    assert has_loop(looped)
    assert collapse_loops(looped) == collapsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "喂喂喂",
        "你好你好",
        "好的好的，谢谢",
        "电话是一三八八八八八六六六六",
        "no, no, not me",
        "尾号八八八八",
        "138 8888 8888",
        "我想问一下我想了解一下",
        "the loan the bank the house",
    ],
)
def test_what_people_say_twice_is_no_loop(text: str) -> None:
    assert not has_loop(text)
    assert collapse_loops(text) == text


@given(st.text(alphabet="一二三四五六七八九您好我是abc ，。", max_size=60))
def test_collapsing_only_removes_and_ends(text: str) -> None:
    collapsed = collapse_loops(text)
    assert len(collapsed) <= len(text)
    assert has_loop(text) == (collapsed != text)
    remaining = iter(text)
    assert all(character in remaining for character in collapsed)


@given(st.text(alphabet="甲乙丙丁戊", min_size=5, max_size=24), st.integers(2, 5))
def test_any_long_unit_twice_is_a_loop(unit: str, times: int) -> None:
    assert has_loop(unit * times)


@pytest.mark.parametrize(
    "credit",
    [
        "字幕由Amara.org社区提供",
        "請不吝點贊訂閱轉發打賞支持明鏡與點點欄目".translate(
            str.maketrans("請點贊訂閱轉發賞鏡與欄", "请点赞订阅转发赏镜与栏")
        ),
        "中文字幕志愿者 李宗盛",
        "谢谢大家的观看",
        "感谢您的收看，我们下期再见",
        "优优独播剧场——YoYo Television Series Exclusive",
        "Thanks for watching!",
        "Thank you so much for watching.",
        "Please subscribe to my channel.",
        "Subtitles by the Amara.org community",
        "Transcription by CastingWords",
    ],
)
def test_credits_of_subtitles_go(credit: str) -> None:
    assert strip_credits(credit, -0.1, LIMITS) == ""


def test_what_was_said_before_a_credit_stays() -> None:
    assert strip_credits("您的快递到了，谢谢大家的观看", -0.3, LIMITS) == "您的快递到了"


@pytest.mark.parametrize(
    "said",
    [
        "您关注一下我们的公众号",
        "谢谢您的关注",
        "我帮您订阅了这个频道的会员",
        "thank you for waiting",
        "请您观看一下视频",
        "this call is transcribed by an assistant, who is calling",
    ],
)
def test_what_callers_say_stays(said: str) -> None:
    assert strip_credits(said, -0.3, LIMITS) == said


def test_a_polite_word_alone_is_believed_only_when_it_is_probable() -> None:
    assert strip_credits("谢谢。", -0.2, LIMITS) == "谢谢。"
    assert strip_credits("谢谢。", -0.9, LIMITS) == ""
    assert strip_credits("Thank you.", -0.9, LIMITS) == ""
    assert strip_credits("谢谢你打电话来", -0.9, LIMITS) == "谢谢你打电话来"


def test_failures_are_named() -> None:
    assert find_failures("您好", 3, 1.0, -0.3, LIMITS) == ()
    assert find_failures("喂喂喂喂", 4, 1.0, -0.3, LIMITS) == (Failure.LOOP,)
    assert find_failures("您好", LIMITS.new_tokens(1.0), 1.0, -0.3, LIMITS) == (Failure.TOO_MANY_TOKENS,)
    assert find_failures("您好", 3, 1.0, -1.2, LIMITS) == (Failure.IMPROBABLE,)


def test_new_tokens_grow_with_the_speech() -> None:
    assert LIMITS.new_tokens(0.0) == LIMITS.tokens_always
    assert LIMITS.new_tokens(6.0) == LIMITS.tokens_always + round(6 * LIMITS.tokens_per_second)


def test_improbable_or_wordless_text_is_no_speech() -> None:
    assert is_speech("您好", -0.5, 0.0, LIMITS)
    assert not is_speech("您好", LIMITS.speech_log_probability - 0.01, 0.0, LIMITS)
    assert not is_speech("……！", -0.1, 0.0, LIMITS)


def test_where_there_is_hardly_speech_text_must_be_probable_and_free_of_loops() -> None:
    doubtful = LIMITS.doubtful_no_speech
    assert is_speech("您好", -0.5, doubtful, LIMITS)
    assert is_speech("您好", -1.0, doubtful - 0.01, LIMITS)
    assert not is_speech("您好", -1.0, doubtful, LIMITS)
    assert not is_speech("语语语语语", -0.2, doubtful, LIMITS)
    assert is_speech("语语语语语", -0.2, doubtful - 0.01, LIMITS)
