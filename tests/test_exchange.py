"""What the engine remembers of the talk: nobody counts as heard in the middle of his explanation."""

import numpy as np
import pytest

from detector.dialogue.acts import Act
from detector.events import TurnEnded
from detector.exchange import FINISHED, Exchange
from detector.speech.transcript import Transcript

EXPLAINS = "我是人事部的，不是推销的"


def turn(number: int, start: float, end: float) -> TurnEnded:
    return TurnEnded(number, start, end, np.zeros(8, np.int16), "zh", False, end)


def said(exchange: Exchange, number: int, text: str, act: Act | None) -> None:
    exchange.turn_ended(turn(number, 5.0 + 3 * number, 7.0 + 3 * number), act)
    exchange.transcribed(number, Transcript(text, "zh", -0.3))


@pytest.mark.parametrize(
    ("act", "explains"),
    [(Act.REFUSE, True), (Act.ASK_PURPOSE, True), (Act.INTERRUPT, False), (Act.HOLD, False), (None, False)],
)
def test_a_sentence_to_a_question_or_a_refusal_explains(act: Act | None, explains: bool) -> None:
    exchange = Exchange()
    exchange.turn_ended(turn(0, 5.0, 7.0), act)
    assert not exchange.has_explained(act)
    exchange.transcribed(0, Transcript(EXPLAINS, "zh", -0.3))
    assert exchange.has_explained(act) == explains


@pytest.mark.parametrize("text", ["啊？", "什么意思？我没听懂", "sorry, what"])
def test_a_word_of_surprise_is_no_explanation(text: str) -> None:
    exchange = Exchange()
    said(exchange, 0, text, Act.REFUSE)
    assert not exchange.has_explained(Act.REFUSE)
    said(exchange, 1, EXPLAINS, Act.REFUSE)
    assert exchange.has_explained(Act.REFUSE)


def test_what_he_said_to_an_earlier_question_does_not_explain_the_later_one() -> None:
    exchange = Exchange()
    said(exchange, 0, EXPLAINS, Act.ASK_CALLEE)
    exchange.pause(9.0, speaking=True, silent_since=8.9)
    assert not exchange.has_explained(Act.REFUSE)


def test_who_is_silent_has_had_his_say_and_who_speaks_has_not() -> None:
    exchange = Exchange()
    exchange.pause(9.0, speaking=True, silent_since=7.0)
    assert not exchange.has_explained(Act.REFUSE)
    exchange.pause(9.0, speaking=False, silent_since=9.0 - FINISHED)
    assert exchange.has_explained(Act.REFUSE)


def test_what_is_still_being_recognized_has_not_been_said_yet() -> None:
    exchange = Exchange()
    exchange.turn_ended(turn(0, 5.0, 7.0), Act.REFUSE)
    exchange.pause(9.5, speaking=False, silent_since=7.0)
    assert not exchange.has_explained(Act.REFUSE)


def test_only_silence_leaves_a_question_unanswered() -> None:
    exchange = Exchange()
    exchange.agent_spoke(Act.GREETING)
    exchange.turn_ended(turn(0, 8.0, 9.0), Act.ASK_NAME)
    exchange.transcribed(0, Transcript("呃嗯", "zh", -1.4))
    exchange.agent_spoke(Act.ASK_NAME)
    exchange.turn_ended(turn(1, 12.0, 13.0), Act.ASK_CALLEE)
    exchange.given_up(1)
    exchange.agent_spoke(Act.ASK_CALLEE)
    assert exchange.unanswered == 0, "he spoke, though he was not understood"
    assert exchange.leaves_unanswered(Act.ASK_PURPOSE), "nothing yet"
    exchange.agent_spoke(Act.ASK_PURPOSE)
    exchange.agent_spoke(Act.HOLD)
    exchange.agent_spoke(Act.REFUSE)
    assert exchange.unanswered == 2


def test_how_well_he_was_heard_is_told_by_all_that_he_said() -> None:
    exchange = Exchange()
    assert exchange.hearing == 1.0
    said(exchange, 0, "我是你二姨啊，你妈呢", None)
    assert exchange.hearing == 1.0
    exchange.turn_ended(turn(1, 12.0, 14.0), Act.ASK_PURPOSE)
    exchange.transcribed(1, Transcript("猪爸爸身体的家长岁呢", "zh", -1.4))
    assert exchange.hearing == pytest.approx(0.75, abs=0.03)
    exchange.turn_ended(turn(2, 15.0, 16.0), Act.ASK_PURPOSE)
    exchange.transcribed(2, Transcript("", "zh", -1.6))
    assert exchange.hearing == pytest.approx(0.75, abs=0.03), "silence is not heard badly"
