"""N-grams of a call: the same for what sounds the same, stable, and bounded in length."""

import numpy as np
import pytest

from detector.text.features import act_class, call_features, turn_features, units

LOAN = "您好，您的贷款额度已经批下来了，需要了解一下吗？"


def shared(one: str, other: str) -> float:
    """Return the share of the n-grams of `one` that `other` has too."""
    first, second = (set(turn_features(text, "zh", None).tolist()) for text in (one, other))
    return len(first & second) / len(first)


def test_the_same_turn_gives_the_same_keys_in_every_run() -> None:
    keys = turn_features("贷款", "zh", "ask_name")
    assert keys.min() >= 0
    assert keys.max() < 2**32
    assert sorted(keys.tolist()) == sorted(turn_features("贷款", "zh", "ask_name").tolist())
    assert int(keys.sum()) == int(turn_features("貸款", "zh", "ask_name").sum()), "script makes no difference"
    assert int(np.bitwise_xor.reduce(keys)) == FINGERPRINT, "trained weights are lost when hashes change"


FINGERPRINT = 2106893051


def test_wrong_characters_with_the_right_sounds_keep_half_of_the_features() -> None:
    assert shared("我是做贷款的", "我是做待宽的") > 0.5
    assert shared("我是做贷款的", "他卖西瓜呢") < 0.2


def test_what_is_said_after_a_question_is_told_from_the_same_words_unasked() -> None:
    asked = set(turn_features("我是小王", "zh", "ask_name").tolist())
    opening = set(turn_features("我是小王", "zh", None).tolist())
    assert asked - opening
    assert asked & opening
    assert len(asked) == len(opening)


@pytest.mark.parametrize("act", [None, "greeting", "opening"])
def test_words_before_and_after_the_greeting_are_an_opening(act: str | None) -> None:
    assert act_class(act) == "opening"


def test_an_act_that_the_model_does_not_know_is_any_other() -> None:
    assert act_class("interrupt") == "other"


def test_a_long_call_weighs_as_much_as_a_short_one() -> None:
    for turns in ([LOAN], [LOAN, "利息很低的", "加个微信吧"] * 4):
        _, weights = call_features([turn_features(turn, "zh", None) for turn in turns])
        assert float(np.linalg.norm(weights)) == pytest.approx(1.0, abs=1e-5)


def test_said_twice_counts_more_but_not_double() -> None:
    turns = [turn_features("贷款", "zh", None), turn_features("快递", "zh", None)]
    loan = set(turns[0].tolist()) - set(turns[1].tolist())
    keys, weights = call_features([turns[0], *turns])
    values = {key: float(weight) for key, weight in zip(keys.tolist(), weights, strict=True)}
    parcel = set(turns[1].tolist()) - set(turns[0].tolist())
    ratio = values[min(loan)] / values[min(parcel)]
    assert 1.0 < ratio < 2.0


@pytest.mark.parametrize(("text", "language"), [("", "zh"), ("。。", "zh"), ("", "en"), ("…", "en")])
def test_nothing_said_has_no_length(text: str, language: str) -> None:
    assert units(text, "zh" if language == "zh" else "en") == 0


def test_an_english_word_counts_as_two_syllables() -> None:
    assert units("Hello, this is Mary", "en") == 8
    assert units("您好，我是小王", "zh") == 6


def test_english_is_read_by_words_and_by_letters() -> None:
    first = set(turn_features("lower your interest rates", "en", None).tolist())
    second = set(turn_features("lower your interest rate", "en", None).tolist())
    third = set(turn_features("dinner on sunday", "en", None).tolist())
    assert len(first & second) > 0.8 * len(first)
    assert len(first & third) < 0.2 * len(first)


def test_a_call_without_words_has_no_features() -> None:
    keys, weights = call_features([])
    assert keys.size == weights.size == 0
