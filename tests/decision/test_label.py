"""What a caller is called: the one word that tells a user who it was."""

from dataclasses import replace

import pytest

from detector.decision.fusion import Fusion, FusionModel
from detector.decision.policy import Policy, PolicyOptions, Situation
from detector.decision.verdict import Label
from detector.signals.evidence import Evidence

MODEL = FusionModel.load()
SITUATION = Situation(now=20.0, questions_answered=2, heard_intelligible_speech=True, chances_taken=2)

SELLS = [("patter.meaning", 4.0), ("answers.sell", 4.0)]
TALKS_ON = [("playback.through_interruption", 2.0), ("playback.monologue", 1.0), ("responsive.no_reply", 2.0)]
REPLIES_LIKE_A_CLOCK = [("responsive.delay", 1.2)]
REPLIES = [("responsive.delay", -1.0), ("responsive.fits", -1.5)]
CLEARS = [("wanted.meaning", -3.0), ("answers.clear", -3.0)]
ANNOUNCES = [("notice.meaning", -3.0)]


def heard(*groups: list[tuple[str, float]]) -> Fusion:
    fusion = Fusion(MODEL)
    fusion.add(
        Evidence(source, llr, 1.0, 1.0, "words", "patter") for group in groups for source, llr in group
    )
    return fusion


def label(fusion: Fusion, category: str | None = None) -> Label:
    return Policy(MODEL.thresholds, PolicyOptions()).label(fusion, replace(SITUATION, category=category))


@pytest.mark.parametrize(
    ("groups", "category", "expected"),
    [
        ((SELLS, TALKS_ON), "loan", "recording"),
        ((SELLS, REPLIES_LIKE_A_CLOCK), "loan", "ai_dialer"),
        ((SELLS, REPLIES), "loan", "telemarketer"),
        ((SELLS, TALKS_ON), "prize", "scam"),
        ((SELLS, REPLIES), "police_impersonation", "scam"),
        ((CLEARS, REPLIES), None, "person"),
        ((CLEARS, ANNOUNCES, TALKS_ON), None, "notice"),
    ],
)
def test_a_caller_is_called_what_the_evidence_says(
    groups: tuple[list[tuple[str, float]], ...], category: str | None, expected: Label
) -> None:
    assert label(heard(*groups), category) == expected


def test_a_person_who_reads_out_like_an_announcement_but_answers_is_a_person() -> None:
    assert label(heard(CLEARS, ANNOUNCES, REPLIES)) == "person"


def test_words_of_no_announcement_make_no_notice_of_a_wanted_caller_who_talks_on() -> None:
    assert label(heard(CLEARS, [("notice.meaning", 3.0)], TALKS_ON)) == "person"


def test_an_announcement_is_put_through_under_its_name() -> None:
    decision = Policy(MODEL.thresholds, PolicyOptions()).decide(heard(CLEARS, CLEARS, ANNOUNCES), SITUATION)
    assert decision is not None
    assert (decision.action, decision.label) == ("forward", "notice")
    assert "announcement" in decision.reason


def test_who_never_spoke_is_no_telemarketer_whatever_is_known_of_his_number() -> None:
    silent = replace(SITUATION, heard_intelligible_speech=False)
    fusion = heard([("history.refused", 3.0)])
    assert fusion.log_odds > MODEL.thresholds.suspicious_at
    assert Policy(MODEL.thresholds, PolicyOptions()).label(fusion, silent) == "unsure"


def test_in_quiet_hours_who_is_only_like_an_announcement_is_asked_for_his_message() -> None:
    # A notice is listened to without a word; a person taken for one would not learn that he may leave a message.
    quiet = Policy(MODEL.thresholds, PolicyOptions(put_through=False))
    decision = quiet.decide(heard(CLEARS, CLEARS, ANNOUNCES), SITUATION)
    assert decision is not None
    assert (decision.action, decision.label) == ("take_message", "unsure")
