"""A wanted caller is never hung up on: hanging up needs strong odds and two independent kinds of evidence."""

from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detector.decision.fusion import WORDS_FAMILIES, Fusion, FusionModel
from detector.decision.policy import Policy, PolicyOptions, Situation
from detector.signals.evidence import Axis, Evidence

SHIPPED = FusionModel.load()
MODEL = replace(
    SHIPPED,
    sources={name: replace(entry, weight=float(entry.weight > 0)) for name, entry in SHIPPED.sources.items()},
)
"""Evidence at its face value: the rules are tested, not the weights of the day."""
LIMITS = SHIPPED.thresholds
TALKING = Situation(now=8.0, questions_answered=0, heard_intelligible_speech=True)


def fused(*pieces: tuple[str, float, Axis]) -> Fusion:
    fusion = Fusion(MODEL)
    fusion.add([Evidence(source, llr, 1.0, 1.0, "words", axis) for source, llr, axis in pieces])
    return fusion


PATTER: tuple[str, float, Axis] = ("patter.lexicon", 4.0, "patter")
TALKS_ON: tuple[str, float, Axis] = ("playback.through_interruption", 2.0, "playback")
NUMBER: tuple[str, float, Axis] = ("number.plan", 3.0, "number")
HISTORY: tuple[str, float, Axis] = ("history.refused", 3.0, "number")
PERSON: tuple[str, float, Axis] = ("responsive.fits", -2.4, "wanted")


def policy(**options: Any) -> Policy:
    return Policy(LIMITS, PolicyOptions(**options))


def hangs_up(fusion: Fusion, situation: Situation) -> bool:
    decision = policy().decide(fusion, situation)
    return decision is not None and decision.action == "hang_up"


def test_patter_and_talking_through_an_interruption_are_hung_up_on() -> None:
    decision = policy().decide(fused(PATTER, TALKS_ON), TALKING)
    assert decision is not None
    assert decision.action == "hang_up"


def test_a_caller_who_could_not_explain_himself_yet_needs_more_proof() -> None:
    fusion = fused((PATTER[0], 2.6, PATTER[2]), ("playback.through_interruption", 1.2, "playback"))
    assert (
        LIMITS.hang_up_at + LIMITS.early_margin <= fusion.log_odds < LIMITS.hang_up_at + LIMITS.unasked_margin
    )
    assert policy().decide(fusion, TALKING) is None
    assert hangs_up(fusion, replace(TALKING, could_explain=True))


def test_one_or_two_chances_to_explain_himself_take_more_proof_than_three() -> None:
    fusion = fused((PATTER[0], 2.2, PATTER[2]), ("playback.through_interruption", 0.9, "playback"))
    assert LIMITS.hang_up_at <= fusion.log_odds < LIMITS.hang_up_at + LIMITS.early_margin
    asked = replace(TALKING, could_explain=True)
    for answered in range(LIMITS.settled_after):
        assert (
            policy().decide(fusion, replace(asked, questions_answered=answered, chances_taken=answered))
            is None
        )
    assert hangs_up(
        fusion, replace(asked, questions_answered=LIMITS.settled_after, chances_taken=LIMITS.settled_after)
    )


def test_a_recording_that_cannot_be_asked_has_no_chances_to_wait_for() -> None:
    fusion = fused((PATTER[0], 2.2, PATTER[2]), ("playback.through_interruption", 0.9, "playback"))
    decision = policy(can_ask=False).decide(fusion, replace(TALKING, could_explain=True))
    assert decision is not None
    assert decision.action == "hang_up"


def test_while_he_is_speaking_is_no_moment_to_hang_up() -> None:
    firm = fused((PATTER[0], 2.6, PATTER[2]), ("playback.through_interruption", 1.2, "playback"))
    weak = fused((PATTER[0], 2.2, PATTER[2]), ("playback.through_interruption", 0.9, "playback"))
    for fusion, answered in ((firm, 1), (firm, 2), (weak, 3)):
        explaining = replace(
            TALKING, could_explain=True, questions_answered=answered, chances_taken=answered, is_speaking=True
        )
        assert policy().decide(fusion, explaining) is None
        assert hangs_up(fusion, replace(explaining, is_speaking=False))


def test_words_alone_do_not_hang_up_on_one_who_was_asked_little() -> None:
    assert policy().decide(fused(PATTER, ("patter.wechat", 9.0, "patter")), TALKING) is None


def test_words_alone_hang_up_on_one_who_had_every_chance_to_clear_himself() -> None:
    chances = LIMITS.persistent_after
    patter = fused(("patter.meaning", 4.0, "patter"))
    asked = replace(TALKING, questions_answered=chances - 1, chances_taken=chances - 1, could_explain=True)
    assert policy().decide(patter, asked) is None
    decision = policy().decide(patter, replace(asked, questions_answered=chances, chances_taken=chances))
    assert decision is not None
    assert decision.action == "hang_up"
    history = fused(NUMBER, HISTORY, ("dialer.dead_air", 9.0, "dialer"))
    assert policy().decide(history, replace(asked, questions_answered=chances, chances_taken=chances)) is None


def test_words_alone_never_need_less_proof_than_two_kinds_of_evidence() -> None:
    answered = replace(
        TALKING,
        could_explain=True,
        questions_answered=len(LIMITS.share_after) + 2,
        chances_taken=len(LIMITS.share_after) + 2,
    )
    for odds in (LIMITS.hang_up_at, LIMITS.hang_up_at + LIMITS.persistence_margin - 0.05):
        assert not hangs_up(fused((PATTER[0], odds, PATTER[2])), answered)


def test_what_recognition_lost_may_have_been_his_explanation_so_a_message_is_taken() -> None:
    decision = policy().decide(fused(PATTER, TALKS_ON), replace(TALKING, unheard=1))
    assert decision is not None
    assert decision.action == "take_message"
    assert "recognition" in decision.reason


def test_the_words_of_a_recording_are_a_verdict_though_not_to_hang_up() -> None:
    decision = policy(can_ask=False).decide(fused(PATTER), TALKING)
    assert decision is not None
    assert (decision.action, decision.label) == ("take_message", "telemarketer")


def test_words_alone_end_in_a_message_at_the_deadline() -> None:
    decision = policy().decide(fused(PATTER), replace(TALKING, now=60.0))
    assert decision is not None
    assert decision.action == "take_message"


def test_number_and_history_without_the_callers_audio_never_hang_up() -> None:
    situation = replace(TALKING, now=60.0)
    decision = policy().decide(fused(NUMBER, HISTORY, ("dialer.dead_air", 9.0, "dialer")), situation)
    assert decision is not None
    assert decision.action != "hang_up"


def test_a_caller_who_said_nothing_intelligible_is_never_hung_up_on() -> None:
    mumbling = replace(TALKING, heard_intelligible_speech=False, now=60.0)
    decision = policy().decide(fused(("playback.repeat", 9.0, "playback"), TALKS_ON, HISTORY), mumbling)
    assert decision is not None
    assert decision.action != "hang_up"


def test_who_speaks_of_an_emergency_is_never_hung_up_on_however_much_it_reads_like_a_sale() -> None:
    emergency = replace(TALKING, is_emergency=True, could_explain=True)
    for answered in range(6):
        asked = replace(emergency, questions_answered=answered, chances_taken=answered)
        assert policy().decide(fused(PATTER, TALKS_ON, NUMBER), asked) is None
    decision = policy().decide(fused(PATTER, TALKS_ON, NUMBER), replace(emergency, is_asked_out=True))
    assert decision is not None
    assert decision.action == "take_message"


def test_an_emergency_is_put_through_at_once() -> None:
    decision = policy().decide(fused(TALKS_ON, PERSON), replace(TALKING, is_emergency=True))
    assert decision is not None
    assert decision.action == "forward"


def test_a_caller_whose_last_call_we_lost_is_put_straight_through() -> None:
    decision = policy().decide(
        fused(NUMBER), Situation(0.0, 0, heard_intelligible_speech=False, was_lost=True)
    )
    assert decision is not None
    assert decision.action == "forward"


def test_the_anti_fraud_centre_is_never_hung_up_on_whatever_it_says() -> None:
    talking = replace(TALKING, is_protected_number=True, now=60.0)
    decision = policy().decide(fused(PATTER, TALKS_ON), talking)
    assert decision is not None
    assert decision.action != "hang_up"


def test_in_quiet_hours_a_person_leaves_a_message_and_an_emergency_is_put_through() -> None:
    quiet = policy(put_through=False)
    person = quiet.decide(fused(PERSON), TALKING)
    emergency = quiet.decide(fused(PERSON), replace(TALKING, is_emergency=True))
    assert person is not None
    assert emergency is not None
    assert (person.action, person.label) == ("take_message", "person")
    assert emergency.action == "forward"


@pytest.mark.parametrize("unsure", ["forward", "take_message"])
def test_an_internal_failure_does_what_unsure_does(unsure: str) -> None:
    decision = policy(unsure=unsure).decide(fused(PATTER, TALKS_ON), replace(TALKING, failure="recognition"))
    assert decision is not None
    assert decision.action == unsure


def test_a_notice_is_delivered_although_it_is_a_recording() -> None:
    decision = policy().decide(fused(TALKS_ON, ("notice", -3.0, "wanted")), replace(TALKING, notice=3.0))
    assert decision is not None
    assert (decision.action, decision.label) == ("take_message", "notice")


def test_what_is_only_like_a_notice_must_behave_like_a_recording_too() -> None:
    words: tuple[tuple[str, float, Axis], ...] = (
        ("notice.meaning", -4.0, "wanted"),
        ("wanted.meaning", -1.0, "wanted"),
    )
    spoken = policy().decide(fused(*words), TALKING)
    assert spoken is None, "it may be a nurse who speaks formally"
    played = policy().decide(fused(*words, TALKS_ON), TALKING)
    assert played is not None
    assert (played.action, played.label) == ("take_message", "notice")


def test_a_person_who_answers_is_put_through() -> None:
    decision = policy().decide(fused(PERSON), TALKING)
    assert decision is not None
    assert (decision.action, decision.label) == ("forward", "person")


def test_a_person_answers_two_questions_at_most() -> None:
    calm = fused(("responsive.fits", -0.6, "wanted"))
    assert policy().decide(calm, replace(TALKING, questions_answered=1, chances_taken=1)) is None
    decision = policy().decide(calm, replace(TALKING, questions_answered=2, chances_taken=2))
    assert decision is not None
    assert decision.action == "forward"


def test_a_caller_of_whom_nothing_is_known_is_put_through_once_he_answered_all_and_a_refusal() -> None:
    asked = replace(TALKING, could_explain=True)
    needed = LIMITS.questions + next(at for at, limit in enumerate(LIMITS.neutral_at) if limit > 0)
    assert (
        policy().decide(fused(), replace(asked, questions_answered=needed - 1, chances_taken=needed - 1))
        is None
    )
    decision = policy().decide(fused(), replace(asked, questions_answered=needed, chances_taken=needed))
    assert decision is not None
    assert decision.action == "forward"


def test_one_whose_every_answer_is_a_sale_needs_less_proof_but_a_slow_person_does_not_pay_for_it() -> None:
    enough = LIMITS.hang_up_at * LIMITS.share_after[-1]
    answered = replace(
        TALKING,
        could_explain=True,
        questions_answered=len(LIMITS.share_after) - 1,
        chances_taken=len(LIMITS.share_after) - 1,
    )
    said: tuple[tuple[str, float, Axis], ...] = (
        ("patter.meaning", enough - 0.5, "patter"),
        ("answers.sell", 0.6, "patter"),
    )
    decision = policy().decide(fused(*said), answered)
    assert decision is not None
    assert decision.action == "hang_up"
    assert policy().decide(fused(*said), replace(answered, questions_answered=1, chances_taken=1)) is None
    slow: tuple[tuple[str, float, Axis], ...] = (said[0], ("responsive.delay", 0.7, "unresponsive"))
    assert policy().decide(fused(*slow), answered) is None


def test_nobody_waits_for_the_deadline_when_there_is_nothing_left_to_ask() -> None:
    asked_out = replace(TALKING, questions_answered=1, chances_taken=1, is_asked_out=True)
    for pieces, action in (((), "forward"), ((("patter.meaning", 1.5, "patter"),), "take_message")):
        fusion = fused(*pieces)
        assert policy().decide(fusion, replace(asked_out, is_asked_out=False)) is None
        decision = policy().decide(fusion, asked_out)
        assert decision is not None
        assert decision.action == action


def test_whoever_leaves_every_question_unanswered_has_had_his_chances() -> None:
    enough = LIMITS.hang_up_at * LIMITS.share_after[LIMITS.persistent_after]
    said: tuple[tuple[str, float, Axis], ...] = (
        ("patter.meaning", enough - 0.5, "patter"),
        ("refusal.pushes_on", 0.6, "patter"),
    )
    silent = replace(TALKING, could_explain=True, unanswered=LIMITS.persistent_after)
    assert policy().decide(fused(*said), silent) is None
    asked_out = replace(silent, is_asked_out=True)
    mumbling = replace(asked_out, unanswered=0)
    milder = fused(("patter.meaning", enough - 0.7, "patter"), said[1])
    for fusion, situation, action in (
        (fused(*said), asked_out, "hang_up"),
        (fused(*said), mumbling, "take_message"),
        (milder, asked_out, "take_message"),
    ):
        decision = policy().decide(fusion, situation)
        assert decision is not None
        assert decision.action == action


def test_whoever_is_heard_badly_is_hung_up_on_at_higher_odds_however_often_he_answered() -> None:
    said: tuple[tuple[str, float, Axis], ...] = (
        ("patter.meaning", LIMITS.hang_up_at, "patter"),
        ("refusal.pushes_on", 0.5, "patter"),
    )
    answered = replace(
        TALKING,
        could_explain=True,
        questions_answered=len(LIMITS.share_after),
        chances_taken=len(LIMITS.share_after),
    )
    for hearing, is_hung_up_on in ((1.0, True), (LIMITS.well_heard, True), (0.75, False)):
        decision = policy().decide(fused(*said), replace(answered, hearing=hearing))
        assert (decision is not None and decision.action == "hang_up") == is_hung_up_on
    surer = fused(*said, ("answers.sell", 1.0, "patter"))
    decision = policy().decide(surer, replace(answered, hearing=0.75))
    assert decision is not None
    assert decision.action == "hang_up"


def test_what_sounds_like_an_announcement_needs_more_proof_until_it_let_all_questions_pass() -> None:
    sold: tuple[tuple[str, float, Axis], ...] = (
        ("notice.meaning", -4.0, "wanted"),
        ("patter.meaning", LIMITS.hang_up_at - 0.5, "patter"),
        ("refusal.pushes_on", 0.6, "patter"),
    )
    refused = replace(TALKING, could_explain=True)
    silent = replace(refused, is_asked_out=True, unanswered=LIMITS.persistent_after)
    assert fused(*sold).notice > LIMITS.likely_notice
    assert policy().decide(fused(*sold), refused) is None
    for situation, action in ((replace(silent, unanswered=1), "take_message"), (silent, "hang_up")):
        decision = policy().decide(fused(*sold), situation)
        assert decision is not None
        assert decision.action == action


def test_silence_until_the_deadline_is_unsure_and_put_through() -> None:
    silent = Situation(now=60.0, questions_answered=0, heard_intelligible_speech=False)
    decision = policy().decide(fused(), silent)
    assert decision is not None
    assert (decision.action, decision.label) == ("forward", "unsure")


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["number.plan", "history.refused", "dialer.dead_air", "dialer.ringback"]),
            st.floats(-20, 20),
        ),
        max_size=8,
    ),
    st.floats(0, 100),
    st.booleans(),
)
def test_nothing_but_the_callers_own_audio_can_hang_up(
    pieces: list[tuple[str, float]], now: float, intelligible: bool
) -> None:
    fusion = fused(*((source, llr, "number") for source, llr in pieces))
    decision = policy().decide(fusion, Situation(now, 3, intelligible))
    assert decision is None or decision.action != "hang_up"


@settings(deadline=None)
@given(st.floats(-20, 20), st.floats(0, 100), st.booleans())
@example(20.0, 8.0, True)
def test_no_single_family_but_words_can_hang_up(llr: float, now: float, intelligible: bool) -> None:
    limit = LIMITS.hang_up_at
    # He has had every chance to explain himself: there is no margin on the limit.
    situation = Situation(now, 3, intelligible, could_explain=True)
    reached = set()
    for source, entry in MODEL.sources.items():
        if entry.family in WORDS_FAMILIES:
            continue
        fusion = fused((source, llr, "patter"))
        decision = policy().decide(fusion, situation)
        assert decision is None or decision.action != "hang_up"
        if fusion.log_odds >= limit:
            reached.add(entry.family)
    assert reached >= {"known", "refusal"} or llr < limit, "the odds alone suffice, and are not enough"


def test_who_explains_himself_gets_no_discount() -> None:
    situation = replace(TALKING, could_explain=True, questions_answered=3, chances_taken=3)
    firm: tuple[tuple[str, float, Axis], ...] = (
        ("patter.meaning", 2.0, "patter"),
        ("number.plan", 0.6, "number"),
    )
    insists = policy().decide(fused(*firm, ("refusal.pushes_on", 0.2, "patter")), situation)
    explains = policy().decide(fused(*firm, ("refusal.explains", -0.2, "patter")), situation)
    assert insists is not None
    assert insists.action == "hang_up"
    assert explains is None


def test_what_sounds_like_an_announcement_is_hung_up_on_only_against_much_proof() -> None:
    situation = replace(TALKING, could_explain=True)
    notice: tuple[str, float, Axis] = ("notice.meaning", -4.0, "wanted")
    strong = LIMITS.hang_up_at + 0.4 * LIMITS.notice_margin
    words: tuple[str, float, Axis] = ("patter.meaning", strong, "patter")
    decision = policy().decide(fused(notice, words, TALKS_ON), situation)
    assert decision is None or decision.action != "hang_up"
    without = policy().decide(fused(words, TALKS_ON), situation)
    assert without is not None
    assert without.action == "hang_up"


def test_nobody_is_put_through_in_mid_sentence() -> None:
    assert policy().decide(fused(PERSON), replace(TALKING, is_speaking=True)) is None
    decision = policy().decide(fused(PERSON), TALKING)
    assert decision is not None
    assert decision.action == "forward"


@pytest.mark.parametrize("pieces", [(), (PATTER, TALKS_ON), (PERSON,)], ids=["nothing", "unwanted", "wanted"])
@pytest.mark.parametrize("unsure", ["forward", "take_message"])
def test_another_assistants_message_is_taken_whatever_the_evidence(
    pieces: tuple[tuple[str, float, Axis], ...], unsure: Literal["forward", "take_message"]
) -> None:
    assistant = replace(TALKING, is_assistant=True, questions_answered=2, chances_taken=2, could_explain=True)
    for now in (3.0, 60.0):
        decision = policy(unsure=unsure).decide(fused(*pieces), replace(assistant, now=now))
        assert decision is not None
        assert (decision.action, decision.label) == ("take_message", "unsure")


def test_an_emergency_goes_before_an_assistant() -> None:
    decision = policy().decide(fused(), replace(TALKING, is_assistant=True, is_emergency=True))
    assert decision is not None
    assert decision.action == "forward"


def test_an_interruption_or_one_moment_is_no_chance_to_explain_oneself() -> None:
    proof = fused((PATTER[0], 2.2, PATTER[2]), ("playback.through_interruption", 0.9, "playback"))
    asked = replace(TALKING, could_explain=True, questions_answered=LIMITS.settled_after)
    assert policy().decide(proof, replace(asked, chances_taken=1)) is None
    assert hangs_up(proof, replace(asked, chances_taken=LIMITS.settled_after))
