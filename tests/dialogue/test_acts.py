"""Floors below the dialogue name its acts as plain words: a new act must not be forgotten there."""

from detector.agents.scenario_fields import REPLY_ACTS
from detector.dialogue.acts import Act
from detector.signals import responsiveness, turn_taking
from detector.text import features

CLOSING = {Act.GOODBYE, Act.CONNECTING, Act.MESSAGE_TAKEN, Act.NO_MESSAGE}
NOT_REPLIED_TO = CLOSING | {Act.INTERRUPT, Act.TAKE_MESSAGE}
"""After these nobody is measured by how soon, or how fittingly, he replies."""


def test_every_act_is_known_wherever_acts_are_named() -> None:
    assert {act for act in Act if not act.expects_reply} == CLOSING
    replied_to = set(Act) - NOT_REPLIED_TO
    # The greeting needs no reply: who takes it for an announcement says nothing.
    assert {act for act in Act if act.is_question} - {Act.GREETING} == turn_taking._QUESTIONS
    assert turn_taking._NO_REPLY_EXPECTED == NOT_REPLIED_TO
    assert {Act.HOLD, Act.PRESS_KEY} == turn_taking._OTHER_PACE
    assert set(responsiveness._FITS) == replied_to
    assert set(responsiveness._OFF) == replied_to - {Act.GREETING, Act.ASK_PURPOSE}
    # Of a request for a key neither the text model nor a scenario knows more than of any other act.
    assert set(features.ACTS) == (replied_to - {Act.GREETING, Act.PRESS_KEY}) | {"opening", "other"}
    assert set(REPLY_ACTS) == (replied_to - {Act.PRESS_KEY}) | {"other"}
