"""What the words of a call add up to."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.call import Language
from detector.signals.evidence import Evidence
from detector.signals.patter import PatterExtractor
from detector.text.lexicon import Lexicon, Role
from detector.text.matcher import Matcher

MATCHER = Matcher(Lexicon.load())
TURNS = st.lists(
    st.sampled_from(
        [
            "您好，您的信用额度已经提升到二十万元。",
            "无抵押无担保，当天就能放款，月息低至三厘。",
            "哥，有个快递给您放门口了",
            "出车祸了，在医院抢救",
            "请转账到这个账户",
            "可以体现",
            "今天最后一天，名额有限，我加您微信",
            "家长您好，明天停课一天",
            "按1转人工",
            "嗯",
            "",
        ]
    ),
    max_size=8,
)


def listen(*turns: str, language: Language = "zh") -> tuple[PatterExtractor, list[Evidence]]:
    extractor = PatterExtractor(MATCHER)
    evidence: list[Evidence] = []
    for at, turn in enumerate(turns):
        evidence += extractor.observe(turn, language, float(at), at + 0.5)
    return extractor, evidence


def total(evidence: Sequence[Evidence], source: str) -> float:
    return sum(item.llr for item in evidence if item.source == source)


def test_a_loan_recording() -> None:
    extractor, evidence = listen("您的信用额度已经提升到二十万元", "无抵押，当天就能放款", "了解详情请按一")
    assert extractor.best_category == "loan"
    assert {item.source for item in evidence} == {"patter.lexicon", "patter.press_key"}
    assert all(item.llr > 0 for item in evidence)
    axes = {item.source: item.axis for item in evidence}
    assert axes == {"patter.lexicon": "patter", "patter.press_key": "playback"}, (
        "people ask nobody to press a key"
    )
    first = evidence[0]
    assert (first.media_time, first.arrived) == (0.0, 0.5)
    assert first.detail == "loans (贷款): 额度已经提升"


def test_a_term_said_again_adds_nothing() -> None:
    extractor, evidence = listen("无抵押，备用金", "无抵押，备用金", "我们是无抵押")
    assert {item.media_time for item in evidence} == {0.0}
    assert extractor.categories["loan"] == pytest.approx(total(evidence, "patter.lexicon"))


def test_further_terms_add_less_and_less() -> None:
    _, evidence = listen("无抵押", "当天放款", "随借随还", "先息后本")
    steps = [item.llr for item in evidence]
    assert len(steps) == 4
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] < steps[0] / 3


def test_a_heard_word_waits_for_company() -> None:
    extractor, alone = listen("可以体现")
    assert alone == []
    (now,) = extractor.observe("我们是无抵押的", "zh", 5.0, 6.0)
    assert now.detail == "loans (贷款): 无抵押, 提现 (by its sound)"
    assert extractor.categories["loan"] > 2.2


def test_company_that_came_first_counts_too() -> None:
    _, evidence = listen("我们是无抵押的", "可以体现")
    assert [item.detail for item in evidence][1] == "loans (贷款): 提现 (by its sound)"


def test_the_same_word_misheard_twice_stays_alone() -> None:
    _, evidence = listen("可以体现", "体现一下")
    assert evidence == []


def test_talk_of_a_loan_is_no_offer() -> None:
    talk, _ = listen("你上次问我那个信用贷款的事儿，我帮你打听了")
    offer, _ = listen("给您办一笔信用贷款")
    assert talk.categories["loan"] < offer.categories["loan"] / 2
    _, evidence = listen("你上次问我那个信用贷款的事儿")
    assert "信用贷款 (only mentioned)" in evidence[0].detail


def test_an_offer_after_mere_talk_counts_in_full() -> None:
    extractor, _ = listen("我们不办信用贷款", "给您办一笔信用贷款")
    assert extractor.categories["loan"] == pytest.approx(listen("给您办一笔信用贷款")[0].categories["loan"])


def test_a_courier_is_wanted_though_he_says_ge() -> None:
    extractor, evidence = listen("喂，哥，你有个快递在门卫，麻烦下来拿一下。")
    assert extractor.best_category is None
    assert [(item.source, item.axis) for item in evidence] == [("wanted.delivery", "wanted")]
    assert evidence[0].llr < -2.0


def test_lost_parcel_fraud_is_not_a_courier() -> None:
    _, evidence = listen("您好，我是平台客服，您的快递丢失了，给您做双倍赔偿，请您打开共享屏幕")
    assert total(evidence, "patter.lexicon") > 4.0
    assert total(evidence, "wanted.delivery") == 0.0


def test_a_school_notice() -> None:
    extractor, evidence = listen(
        "家长您好，这里是阳光小学。", "因台风影响，明天停课一天", "本通知为自动播放，无需回复。"
    )
    assert extractor.notice_score == pytest.approx(4.0)
    assert total(evidence, "notice") == pytest.approx(-4.0)
    assert extractor.best_category is None


@pytest.mark.parametrize(
    ("turns", "emergency"),
    [
        (["你爸晕倒了，叫了救护车"], True),
        (["你儿子出车祸了，在人民医院抢救，快来"], True),
        (["着火了着火了快跑"], True),
        (["我住院的时候买的"], False),
        (["发动机打不着火"], False),
        (["昨天险些出车祸"], False),
        (["你儿子出车祸了，要交手术费，把钱转到这个账户"], False),
        (["你儿子出车祸了", "先给我打钱"], False),
        (["万一出车祸了怎么办，车险续保，给您报个价，三者险也给您优惠"], False),
        (["出车祸了理赔，请按一"], False),
    ],
)
def test_emergencies_are_believed_unless_something_is_asked_for(turns: list[str], emergency: bool) -> None:
    extractor, _ = listen(*turns)
    assert extractor.is_emergency is emergency


def test_doubt_takes_an_emergency_back_and_no_more() -> None:
    extractor, evidence = listen("你儿子出车祸了在抢救", "马上把钱转到这个账户")
    assert evidence[0].source == "emergency"
    assert evidence[0].llr < -2.0
    assert total(evidence, "emergency") == pytest.approx(0.0)
    assert "doubt" in next(item.detail for item in evidence if item.source == "emergency" and item.llr > 0)
    assert extractor.score(Role.EMERGENCY) > 2.0


def test_english_emergency_and_robocall() -> None:
    assert listen("Dad had a heart attack, we are in the ambulance", language="en")[0].is_emergency
    extractor, evidence = listen(
        "We've been trying to reach you about your car's extended warranty. Press one to speak with a specialist.",
        language="en",
    )
    assert extractor.best_category == "insurance"
    assert {"patter.lexicon", "patter.opener", "patter.press_key"} <= {item.source for item in evidence}


def test_stages_in_order_weigh_more_than_the_same_in_disorder() -> None:
    script = (
        "耽误您一点时间",
        "您的预算大概多少",
        "后果自负",
        "给您规划",
        "我们的产品",
        "您不用担心",
        "今天最后一天",
    )
    forward = [listen(*script[:count])[0].score(Role.STAGE) for count in range(1, 4)]
    backward = [listen(*reversed(script[:count]))[0].score(Role.STAGE) for count in range(1, 4)]
    assert forward[0] == backward[0]
    assert all(one > other for one, other in zip(forward[1:], backward[1:], strict=True))
    assert listen(*script)[0].score(Role.STAGE) == 3.0


def test_an_assistant_on_the_line_is_reported_without_taking_sides() -> None:
    _, evidence = listen("您好，我是机主的语音助理，请留言")
    assert [(item.source, item.llr) for item in evidence if item.source == "assistant"] == [
        ("assistant", 0.0)
    ]


def test_annoyance_and_wrong_numbers_speak_for_a_person() -> None:
    _, evidence = listen("你是机器人吗，什么玩意", "打错了")
    assert {item.source for item in evidence} == {"wanted.annoyed", "wanted.wrong_number"}
    assert all(item.llr < 0 for item in evidence)


def test_the_transcript_itself_is_not_in_the_reasons() -> None:
    _, evidence = listen("喂您好，我是王小明，电话13800138000，给您办无抵押贷款")
    assert evidence
    assert all("王小明" not in item.detail and "138" not in item.detail for item in evidence)


@settings(deadline=None)
@given(TURNS)
def test_evidence_adds_up_to_the_scores(turns: list[str]) -> None:
    extractor, evidence = listen(*turns)
    for role, source in (
        (Role.CATEGORY, "patter.lexicon"),
        (Role.OPENER, "patter.opener"),
        (Role.ADD_WECHAT, "patter.wechat"),
        (Role.PRESS_KEY, "patter.press_key"),
        (Role.STAGE, "patter.stage"),
        (Role.MONEY_DEMAND, "patter.money"),
    ):
        assert total(evidence, source) == pytest.approx(extractor.score(role), abs=0.02)
    assert -total(evidence, "notice") == pytest.approx(extractor.notice_score, abs=0.02)


@settings(deadline=None)
@given(TURNS, st.randoms(use_true_random=False))
def test_the_order_of_turns_changes_no_category(turns: list[str], random: object) -> None:
    shuffled = list(turns)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert listen(*turns)[0].categories == pytest.approx(listen(*shuffled)[0].categories)
    assert listen(*turns)[0].is_emergency == listen(*shuffled)[0].is_emergency


@settings(deadline=None)
@given(TURNS)
def test_every_piece_of_evidence_can_be_read(turns: list[str]) -> None:
    for item in listen(*turns)[1]:
        assert item.detail
        assert item.axis in {"patter", "playback", "wanted"}
        assert item.arrived == item.media_time + 0.5
