"""The words as a whole, as evidence: it adds up to the present reading, and a broken model is only silent."""

from typing import Any

import pytest

from detector.signals.meaning import CAP, UNASKED_CAP, MeaningExtractor
from detector.text.intent import IntentModel

LOAN = "您好，我们是做贷款的，无抵押当天放款，您需要了解一下吗？"
PARCEL = "喂，你的快递到了，我放门口了啊，记得下来拿。"


@pytest.fixture(scope="module")
def model() -> IntentModel:
    return IntentModel.load()


def observe(
    extractor: MeaningExtractor,
    text: str,
    act: str | None = None,
    *,
    reliable: bool = True,
    trust: float = 1.0,
) -> list[Any]:
    """What the words say of who is unwanted; whether they are an announcement is another question."""
    found = extractor.observe(text, "zh", act, reliable=reliable, media_time=1.0, arrived=2.0, trust=trust)
    return [item for item in found if item.source != "notice.meaning"]


def test_patter_is_positive_and_readable(model: IntentModel) -> None:
    (evidence,) = observe(MeaningExtractor(model), LOAN)
    assert evidence.source == "patter.meaning"
    assert evidence.llr > 1.0
    assert "the words so far: loan (" in evidence.detail
    assert evidence.detail.endswith(", opening")


def test_a_wanted_call_is_negative(model: IntentModel) -> None:
    (evidence,) = observe(MeaningExtractor(model), PARCEL)
    assert evidence.source == "wanted.meaning"
    assert evidence.llr < -1.0


def test_evidence_adds_up_to_the_present_reading_and_never_beyond_the_caps(model: IntentModel) -> None:
    extractor, total = MeaningExtractor(model), 0.0
    for text, act in [(LOAN, None), (PARCEL, "ask_name"), *[(LOAN, "ask_purpose")] * 6]:
        total += sum(item.llr for item in observe(extractor, text, act))
        assert total == pytest.approx(extractor.log_odds)
        assert abs(total) <= UNASKED_CAP + CAP


def test_an_opening_is_believed_less_far_than_what_answers_add(model: IntentModel) -> None:
    extractor = MeaningExtractor(model)
    (opening,) = observe(extractor, LOAN)
    assert opening.llr == UNASKED_CAP
    (answer,) = observe(extractor, "我们利息很低的，您加我微信，我发您方案。", "ask_purpose")
    assert answer.source == "answers.sell"
    assert UNASKED_CAP < extractor.log_odds <= UNASKED_CAP + CAP


def test_what_still_sounds_like_a_sale_after_an_answer_is_cleared_up_to_nothing(model: IntentModel) -> None:
    extractor = MeaningExtractor(model)
    observe(extractor, LOAN)
    (answer,) = observe(extractor, PARCEL, "ask_purpose")
    assert answer.source == "answers.clear"
    assert extractor.log_odds >= 0.0
    observe(extractor, PARCEL, "ask_callee")
    assert extractor.log_odds < 0.0


def test_what_recognition_doubts_moves_nothing(model: IntentModel) -> None:
    extractor = MeaningExtractor(model)
    assert observe(extractor, LOAN, reliable=False) == []
    assert extractor.log_odds == 0.0
    assert extractor.category is None
    assert extractor.notice == 0.0


def test_half_heard_words_prove_less_against_a_caller_and_as_much_for_him(model: IntentModel) -> None:
    (sure,), (unsure,) = (observe(MeaningExtractor(model), LOAN, trust=trust) for trust in (1.0, 0.6))
    assert 0 < unsure.llr < sure.llr
    (sure,), (unsure,) = (observe(MeaningExtractor(model), PARCEL, trust=trust) for trust in (1.0, 0.6))
    assert unsure.llr == sure.llr < 0


def test_a_clear_answer_does_not_pay_out_what_was_held_back_of_a_half_heard_opening(
    model: IntentModel,
) -> None:
    sure, unsure = MeaningExtractor(model), MeaningExtractor(model)
    observe(sure, LOAN)
    observe(unsure, LOAN, trust=0.5)
    assert 0 < unsure.log_odds == pytest.approx(0.5 * sure.log_odds), "a sure misreading is held back as well"
    answers = [observe(one, "利息很低的，可以先加个微信看看", "ask_purpose") for one in (sure, unsure)]
    assert answers[0] == answers[1]


def test_what_clears_a_half_heard_caller_takes_back_what_was_held_against_him_and_no_more(
    model: IntentModel,
) -> None:
    sure, unsure = MeaningExtractor(model), MeaningExtractor(model)
    for extractor, trust in ((sure, 1.0), (unsure, 0.5)):
        observe(extractor, LOAN, trust=trust)
        for act in ("ask_purpose", "ask_callee", "ask_name", "refuse"):
            observe(extractor, PARCEL, act)
    assert sure.log_odds < 0
    assert unsure.log_odds == pytest.approx(sure.log_odds)


@pytest.mark.parametrize("text", ["", "喂？", "嗯。", "你好。"])
def test_a_syllable_or_two_move_nothing(model: IntentModel, text: str) -> None:
    assert observe(MeaningExtractor(model), text) == []


def test_the_category_is_told_only_of_what_sounds_unwanted(model: IntentModel) -> None:
    seller, courier = MeaningExtractor(model), MeaningExtractor(model)
    observe(seller, LOAN)
    observe(courier, PARCEL)
    assert seller.category == "loan"
    assert courier.category is None


def test_without_a_model_nothing_is_observed() -> None:
    assert observe(MeaningExtractor(None), LOAN) == []


def test_a_model_that_breaks_in_a_call_is_given_up_and_what_it_said_stands(model: IntentModel) -> None:
    class Breaking(IntentModel):
        def __init__(self) -> None:
            self.left = 1

        def read(self, *arguments: Any) -> Any:
            if not self.left:
                raise RuntimeError("out of memory")
            self.left -= 1
            return model.read(*arguments)

        def stage(self, turn: Any) -> tuple[str, float]:
            return model.stage(turn)

    extractor = MeaningExtractor(Breaking())
    before = sum(item.llr for item in observe(extractor, LOAN))
    assert observe(extractor, PARCEL) == []
    assert extractor.log_odds == pytest.approx(before)


def test_how_a_refusal_is_taken_is_evidence_of_its_own(model: IntentModel) -> None:
    refusal = MeaningExtractor(model, of_refusal=True)
    (pushes,) = observe(refusal, "别挂别挂，您先加个微信，我把优惠资料发给您看看。", "refuse")
    assert pushes.source == "refusal.pushes_on"
    assert pushes.llr > 0.5
    refusal = MeaningExtractor(model, of_refusal=True)
    (explains,) = observe(refusal, "我不是推销的，我是送快递的，你的包裹在门口。", "refuse")
    assert explains.source == "refusal.explains"
    assert explains.llr < -0.5


def test_an_announcement_is_told_from_a_person(model: IntentModel) -> None:
    def heard(text: str) -> float:
        found = MeaningExtractor(model).observe(text, "zh", None, reliable=True, media_time=1.0, arrived=2.0)
        return sum(item.llr for item in found if item.source == "notice.meaning")

    notice = "尊敬的家长您好，接学校通知，明天因台风停课一天，请各位家长看护好孩子，收到无需回复。"
    assert heard(notice) < -1.0
    assert heard(PARCEL) > heard(notice)


def test_what_an_answer_adds_is_told_from_what_was_said_unasked(model: IntentModel) -> None:
    extractor = MeaningExtractor(model)
    assert {item.source for item in observe(extractor, "喂，您好，请问是机主本人吗？")} <= {
        "patter.meaning",
        "wanted.meaning",
    }
    (evidence,) = observe(extractor, LOAN, "ask_purpose")
    assert evidence.source == "answers.sell"
