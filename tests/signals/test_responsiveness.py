"""Whether replies fit: dialers that play clips, and the many ways in which people answer a machine."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.signals.evidence import Evidence
from detector.signals.reply_moves import (
    Move,
    count_units,
    find_moves,
    is_puzzled,
    normalize_reply,
    speaks_dialect,
)
from detector.signals.responsiveness import ResponsivenessExtractor, same_sentence


class Caller:
    """Feeds one caller's replies to one extractor."""

    def __init__(self) -> None:
        self.extractor = ResponsivenessExtractor()
        self.now = 0.0

    def says(
        self, act: str | None, text: str, *, reliable: bool = True, language: str = "zh"
    ) -> list[Evidence]:
        self.now += 5.0
        return self.extractor.observe(
            act, text, language, reliable=reliable, media_time=self.now, arrived=self.now + 0.4
        )


def sources(evidence: list[Evidence]) -> list[str]:
    return [piece.source for piece in evidence]


def total(evidence: list[Evidence]) -> float:
    return sum(piece.llr for piece in evidence)


FITTING = [
    ("ask_name", "中通的，我姓钱。"),
    ("ask_name", "我是她妈妈"),
    ("ask_name", "我、我、我叫李李小明"),
    ("ask_name", "老孙啊，你连我都听不出来？"),
    ("ask_name", "我是市一院骨科的护士。"),
    ("ask_name", "送外卖的"),
    ("ask_name", "我是王奶奶家隔壁的"),
    ("ask_name", "This is Maria from the dentist's office."),
    ("ask_name", "我是區政府的，姓陳。"),
    ("ask_callee", "我找王芳"),
    ("ask_callee", "爸爸在家吗"),
    ("ask_callee", "收件人写的是刘先生。"),
    ("ask_callee", "这不是小李的电话吗？"),
    ("ask_callee", "I'm looking for Mr. Peters."),
    ("ask_purpose", "你孩子发烧了，来学校接一下。"),
    ("ask_purpose", "就是想跟你约个时间上门修空调。"),
    ("ask_purpose", "Your package is at the front door."),
    ("hold", "好的好的，我等着。"),
    ("hold", "快点儿啊，我还有好几家呢。"),
    ("hold", "Sure, I'll wait."),
    ("challenge", "今天周四啊，怎么啦？"),
    ("challenge", "星期天"),
    ("challenge", "五啊，三加二不是五嘛。"),
    ("challenge", "七月十二号吧"),
    ("challenge", "你有病吧，问这个干嘛？"),
    ("challenge", "考我呢？"),
    ("challenge", "Uh, Tuesday?"),
    ("press_key", "按了啊，按的四。"),
    ("press_key", "我这个座机没有键盘啊。"),
    ("press_key", "我在骑车，腾不出手。"),
    ("press_key", "I pressed it, did you get it?"),
    ("press_key", "Sorry, I don't have a keypad here."),
    ("challenge", "Are you a robot?"),
    ("refuse", "不是推销，我是送快递的。"),
    ("refuse", "Hey, I'm not selling anything, your food is here."),
    ("greeting", "你这什么呀，机器人啊？"),
]


@pytest.mark.parametrize(("act", "text"), FITTING)
def test_replies_that_fit(act: str, text: str) -> None:
    (piece,) = Caller().says(act, text, language="en" if text.isascii() else "zh")
    assert piece.source == "responsive.fits"
    assert piece.axis == "unresponsive"
    assert -1.0 <= piece.llr < 0


HUMAN_MISSES = [
    ("ask_name", "喂？喂？听得见吗？"),
    ("ask_name", "啊？你说什么？我听不清楚，大点声。"),
    ("ask_name", "哎呀我这边信号不太好，你再说一遍。"),
    ("ask_name", "你的外卖到楼下了，麻烦下来拿一下。"),
    ("ask_name", "我找一下王医生，昨天约好复查的。"),
    ("ask_callee", "这是不是那个什么，那个，我儿子的手机啊"),
    ("challenge", "嗯……这个……"),
    ("press_key", "啊？按什么？"),
    ("press_key", "我就是想问一下我那个水表的事。"),
    ("challenge", "什么？"),
    ("challenge", "你先让我把话说完，我说的是水表漏水的事。"),
    ("hold", "你别老让我等，孩子在学校发烧了，快让他接电话。"),
    ("refuse", "那我把包裹给你放门卫了。"),
    ("refuse", "哦。"),
    ("ask_purpose", "跟你说了你也不懂，你让他本人接电话就行了。"),
    ("ask_name", "Hello? Can you hear me? You're breaking up."),
    ("challenge", "Look, my daughter is waiting at the school gate for her father."),
]


@pytest.mark.parametrize(("act", "text"), HUMAN_MISSES)
def test_what_people_say_instead_never_counts_against_them(act: str, text: str) -> None:
    assert total(Caller().says(act, text, language="en" if text.isascii() else "zh")) <= 0


OFF = [
    ("ask_name", "咱们项目离地铁三百米，周末有免费看房车。"),
    ("ask_callee", "现在办理可以享受最低三厘的优惠利率。"),
    ("challenge", "这个您不用担心，我加您微信把户型图发给您。"),
    ("hold", "您这边有没有资金周转方面的需要，我们额度最高五十万。"),
    ("refuse", "没关系的哥，我加您微信，您有空再看。"),
    ("challenge", "Congratulations, you have been selected for a free upgrade, press one now."),
    ("ask_name", "We can lower your credit card interest rates starting today, no obligation."),
]


@pytest.mark.parametrize(("act", "text"), OFF)
def test_an_offer_instead_of_an_answer_is_off_the_question(act: str, text: str) -> None:
    (piece,) = Caller().says(act, text, language="en" if text.isascii() else "zh")
    assert piece.source == "responsive.off_question"
    assert 0.5 <= piece.llr <= 1.0


def test_other_talk_off_the_question_weighs_less() -> None:
    offer = total(Caller().says("ask_name", "咱们项目离地铁三百米，周末有免费看房车。"))
    other = total(Caller().says("ask_name", "明天的天气听说不太好要下大雨了。"))
    assert 0 < other < offer


def test_a_salesman_who_answers_is_hardly_cleared() -> None:
    plain = total(Caller().says("ask_name", "我姓刘。"))
    selling = total(Caller().says("ask_name", "我姓刘，跟您介绍一下我们的优惠活动。"))
    assert plain < selling < 0


def test_unreliable_text_weighs_nothing_against_and_half_for() -> None:
    assert Caller().says("challenge", "这个您不用担心，我加您微信把户型图发给您。", reliable=False) == []
    sure = total(Caller().says("ask_name", "我姓钱"))
    assert total(Caller().says("ask_name", "我姓钱", reliable=False)) == pytest.approx(0.5 * sure)


def test_a_mumble_is_not_off_the_question() -> None:
    assert Caller().says("challenge", "那个优惠嘛") == []


def test_a_dialect_weakens_what_misses_say() -> None:
    clear, dialect = Caller(), Caller()
    dialect.says("greeting", "俺寻思着问问恁咋整呢")
    text = "咱们项目离地铁三百米，周末有免费看房车。"
    assert 0 < total(dialect.says("ask_name", text)) < total(clear.says("ask_name", text))


def test_misses_stop_counting() -> None:
    caller = Caller()
    offers = ["贷款利息低", "理财收益高", "保险有优惠", "楼盘送装修", "课程免费听", "套餐有福利"]
    found = [caller.says("challenge", f"我们这里的{offer}，{offer[::-1]}您了解一下。") for offer in offers]
    assert 1.0 < sum(map(total, found)) <= 2.5


# The same sentence again.

CLIP = "咱们项目离地铁三百米，周末有免费看房车。"


def test_a_clip_again_after_another_question() -> None:
    caller = Caller()
    caller.says("ask_name", CLIP)
    (piece,) = caller.says("ask_callee", CLIP)
    assert (piece.source, piece.llr) == ("responsive.repeats_itself", 0.7)


def test_recognition_may_hear_a_clip_differently() -> None:
    caller = Caller()
    caller.says("ask_name", CLIP)
    found = caller.says("ask_callee", "咱們项目离地铁300米，周末有免费看放车")
    assert sources(found) == ["responsive.repeats_itself"]


def test_repetitions_stop_counting() -> None:
    caller = Caller()
    found = [
        caller.says(act, CLIP) for act in ("ask_name", "ask_callee", "hold", "refuse", "challenge", "hold")
    ]
    repeats = [piece for pieces in found for piece in pieces if piece.source == "responsive.repeats_itself"]
    assert total(repeats) == pytest.approx(1.6)


def test_a_person_asked_to_repeat_repeats() -> None:
    caller = Caller()
    caller.says("ask_purpose", "你有个快递在门卫，麻烦下来拿一下。")
    assert "responsive.repeats_itself" not in sources(
        caller.says("ask_repeat", "你有个快递在门卫，麻烦下来拿一下。")
    )


def test_a_person_who_was_not_heard_repeats() -> None:
    caller = Caller()
    caller.says("greeting", "你有个快递在门卫，麻烦下来拿一下。")
    caller.says("ask_name", "喂？听得见吗？")
    assert total(caller.says("ask_callee", "你有个快递在门卫，麻烦下来拿一下。")) <= 0


def test_old_people_say_short_things_again_and_again() -> None:
    caller = Caller()
    for act in ("greeting", "ask_purpose", "ask_name", "ask_callee"):
        assert total(caller.says(act, "我找我孙子小明")) <= 0


def test_a_hurried_person_who_repeats_himself_weighs_little() -> None:
    caller = Caller()
    caller.says("greeting", "你有个快递在门卫，麻烦下来拿一下。")
    assert 0 <= total(caller.says("ask_name", "你有个快递在门卫，麻烦下来拿一下。")) <= 0.3


def test_another_sentence_about_the_same_is_no_repetition() -> None:
    caller = Caller()
    caller.says("ask_purpose", "有个包裹要你签收，放门卫行不行？")
    assert "responsive.repeats_itself" not in sources(
        caller.says("hold", "我说你的包裹我先给你放到门卫那里啊。")
    )


# Words.


@pytest.mark.parametrize("text", ["", "   ", "。。。", "？！", "♪"])
def test_nothing_said_is_nothing_observed(text: str) -> None:
    assert Caller().says("ask_name", text) == []


def test_before_the_agent_spoke_there_was_no_question() -> None:
    assert Caller().says(None, "咱们项目离地铁三百米，周末有免费看房车。") == []


def test_courtesy_is_no_protest_and_a_keypress_menu_no_remark_on_machines() -> None:
    assert Move.IRRITATION not in find_moves(normalize_reply("麻烦您转人工客服请按二"))
    assert Move.IRRITATION in find_moves(normalize_reply("你烦不烦啊"))


def test_units() -> None:
    assert count_units(normalize_reply("您好，我姓王。")) == 5
    assert count_units(normalize_reply("It's me, Tom.")) == 3


def test_dialect_words() -> None:
    assert speaks_dialect("你系边个，我搵佢")
    assert not speaks_dialect("你好，我找王先生")


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("abcdefghij", "abcdefghij", 1.0),
        ("abcdefghijkl", "abcdefghij", 1.0),
        ("abcdefghij", "klmnopqrst", 0.0),
        ("abcdefghij", "abcdefghijklmnopqrstuvwxyz", 0.0),
        ("abcdefghij", "", 0.0),
    ],
)
def test_same_sentence(first: str, second: str, same: float) -> None:
    assert same_sentence(tuple(first), tuple(second)) == same


replies = st.one_of(st.text(max_size=60), st.sampled_from([text for _, text in FITTING + HUMAN_MISSES + OFF]))
acts = st.sampled_from(
    [
        None,
        "greeting",
        "ask_name",
        "ask_callee",
        "ask_purpose",
        "ask_repeat",
        "hold",
        "challenge",
        "press_key",
        "refuse",
        "interrupt",
    ]
)


@settings(deadline=None)
@given(st.lists(st.tuples(acts, replies, st.booleans()), max_size=8))
def test_any_replies_stay_within_bounds_and_out_of_the_detail(
    turns: list[tuple[str | None, str, bool]],
) -> None:
    caller, found = Caller(), []
    for act, text, reliable in turns:
        pieces = caller.says(act, text, reliable=reliable)
        assert len(pieces) <= 2
        assert len(text) < 5 or all(text not in piece.detail for piece in pieces)
        found += pieces
    for source, most in (("responsive.off_question", 1.6), ("responsive.repeats_itself", 1.6)):
        assert total([piece for piece in found if piece.source == source]) <= most + 1e-9


@pytest.mark.parametrize(
    "text",
    [
        "啊？你说什么，我听不清楚",
        "什么意思？我没听懂",
        "Don't understand what you're on about.",
        "Sorry, say that again?",
    ],
)
def test_who_did_not_understand_is_puzzled(text: str) -> None:
    assert is_puzzled(text)


@pytest.mark.parametrize(
    "text",
    [
        "没关系的，您先了解一下我们的活动",
        "我不是推销的，是你自己买的东西",
        "喂，我是你二叔啊",
        "没明白，我是人事部的小王",
        "你说什么推销，我是送快递的",
        "Can you hear me? This offer ends today.",
        "Hello? It's your neighbour, your car lights are on.",
        "Sorry, I don't understand, I'm the plumber you called.",
        "Fine, goodbye.",
    ],
)
def test_who_answers_or_goes_on_is_not_puzzled(text: str) -> None:
    assert not is_puzzled(text)
