"""Whose number alone keeps a caller from being hung up on, and how far his words are believed."""

import pytest

from detector.call import CallInfo
from detector.signals.observers import Observers
from detector.speech.transcript import Transcript
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher


@pytest.mark.parametrize(
    ("number", "asserted", "is_protected"),
    [
        ("96110", None, True),
        ("95588", None, True),
        ("95588", "95588", True),
        ("95588", "17012345678", False),
        ("95566", "95588", True),
        ("0095588", None, False),
        ("10001", None, False),
        ("13800138000", None, False),
        (None, None, False),
    ],
)
def test_a_banks_own_number_protects_its_caller_unless_the_network_knows_another(
    number: str | None, asserted: str | None, is_protected: bool
) -> None:
    call = CallInfo("call", number=number, asserted_number=asserted)
    observers = Observers(call, Matcher(Lexicon.load()))
    assert observers.is_protected_number is is_protected


def test_terms_that_recognition_was_unsure_of_prove_less() -> None:
    def offered(average_log_probability: float) -> float:
        observers = Observers(CallInfo("call"), Matcher(Lexicon.load()))
        heard = Transcript("我们这边可以办理无抵押贷款，加个微信", "zh", average_log_probability)
        found = observers.transcript(None, heard, 1.0, 2.0)
        return sum(item.llr for item in found if item.source.startswith("patter"))

    assert offered(-0.2) == offered(-0.35)
    assert 0 < offered(-0.8) < offered(-0.6) < offered(-0.3)
    assert offered(-1.3) == 0, "a guess"


@pytest.mark.parametrize("average", [-0.3, -0.9])
def test_an_emergency_that_turns_out_to_want_money_is_taken_back_in_full(average: float) -> None:
    observers = Observers(CallInfo("call"), Matcher(Lexicon.load()))
    first = observers.transcript(None, Transcript("你儿子出车祸了，正在急诊抢救", "zh", -0.3), 1.0, 2.0)
    assert sum(item.llr for item in first if item.source == "emergency") < -2
    second = observers.transcript(None, Transcript("请马上转账手术费", "zh", average), 3.0, 4.0)
    assert sum(item.llr for item in (*first, *second) if item.source == "emergency") == pytest.approx(0)
