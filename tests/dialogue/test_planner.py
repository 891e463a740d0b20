"""The agent greets, lets the caller finish, asks what tells most, and never says the same words twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from detector.dialogue.acts import Act
from detector.dialogue.planner import Floor, Planner, PlannerOptions
from detector.dialogue.prompts import Prompt, PromptLibrary

QUIET = Floor(
    now=1.0,
    caller_speaking=False,
    caller_silent_since=0.0,
    speaking_since=None,
    pending_transcripts=0,
    turns_since_act=0,
    understood=False,
    log_odds=0.0,
    purpose_known=False,
)


@pytest.fixture
def planner() -> Planner:
    prompts = [
        Prompt(f"zh-{act}-{number}", act, "zh", f"{act} {number}", 2.0, Path("none.wav"))
        for act in Act
        for number in range(2)
    ]
    return Planner(PromptLibrary(prompts), "zh")


def say(planner: Planner, act: Act, start: float, end: float) -> None:
    prompt = planner.say(act, start)
    assert prompt is not None
    planner.ended(prompt.id, end)


def test_a_quiet_line_is_greeted_at_once(planner: Planner) -> None:
    assert planner.plan(replace(QUIET, now=0.1)) is None
    assert planner.plan(replace(QUIET, now=0.4)) is Act.GREETING


def test_a_caller_who_speaks_first_is_heard_before_the_greeting(planner: Planner) -> None:
    talking = replace(QUIET, caller_speaking=True, speaking_since=0.2)
    assert planner.plan(replace(talking, now=1.0)) is None
    assert planner.plan(replace(talking, now=3.1)) is Act.GREETING


def test_nothing_is_said_while_the_agent_itself_speaks(planner: Planner) -> None:
    planner.say(Act.GREETING, 0.5)
    assert planner.plan(replace(QUIET, now=1.5)) is None


def test_the_caller_is_asked_only_once_he_has_finished_and_all_is_transcribed(planner: Planner) -> None:
    say(planner, Act.GREETING, 0.5, 4.0)
    said = replace(QUIET, now=6.3, caller_silent_since=6.0, turns_since_act=1, understood=True)
    assert planner.plan(said) is None, "he may go on"
    assert planner.plan(replace(said, now=6.6, pending_transcripts=1)) is None, "not all is heard"
    assert planner.plan(replace(said, now=6.6, caller_speaking=True)) is None, "he does go on"
    assert planner.plan(replace(said, now=6.6)) is Act.ASK_PURPOSE


def test_a_caller_who_spoke_during_the_greeting_may_answer_it_yet(planner: Planner) -> None:
    say(planner, Act.GREETING, 0.5, 4.0)
    before = replace(QUIET, caller_silent_since=2.5, turns_since_act=1, understood=True)
    assert planner.plan(replace(before, now=4.6)) is None
    assert planner.plan(replace(before, now=5.5)) is Act.ASK_PURPOSE


def test_what_could_not_be_understood_is_asked_again_only_once(planner: Planner) -> None:
    say(planner, Act.GREETING, 0.5, 4.0)
    mumbled = replace(QUIET, now=7.0, caller_silent_since=6.0, turns_since_act=1)
    assert planner.plan(mumbled) is Act.ASK_REPEAT
    say(planner, Act.ASK_REPEAT, 7.0, 8.0)
    assert planner.plan(replace(mumbled, now=11.0, caller_silent_since=10.0)) is not Act.ASK_REPEAT


def test_silence_after_the_greeting_is_answered_by_a_question(planner: Planner) -> None:
    say(planner, Act.GREETING, 0.5, 4.0)
    patience = PlannerOptions().patience
    assert planner.plan(replace(QUIET, now=4.0 + patience - 0.1)) is None
    assert planner.plan(replace(QUIET, now=4.0 + patience + 0.1)) is Act.ASK_CALLEE


def test_an_offer_is_refused_once_and_then_asked_about(planner: Planner) -> None:
    say(planner, Act.GREETING, 0.5, 4.0)
    said = replace(QUIET, now=7.0, caller_silent_since=6.0, turns_since_act=1, understood=True, log_odds=2.0)
    assert planner.plan(said) is Act.ASK_PURPOSE, "what he wants is not known yet"
    offered = replace(said, purpose_known=True)
    assert planner.plan(offered) is Act.REFUSE
    say(planner, Act.REFUSE, 7.0, 9.0)
    offered = replace(offered, now=12.0, caller_silent_since=11.0)
    assert planner.plan(offered) is Act.ASK_CALLEE
    say(planner, Act.ASK_CALLEE, 12.0, 13.0)
    assert planner.plan(replace(offered, now=17.0, caller_silent_since=16.0)) is Act.ASK_PURPOSE
    say(planner, Act.ASK_PURPOSE, 17.0, 18.0)
    assert planner.plan(replace(offered, now=22.0, caller_silent_since=21.0)) is Act.HOLD
    say(planner, Act.HOLD, 22.0, 23.0)
    assert planner.plan(replace(offered, now=27.0, caller_silent_since=26.0)) is Act.CHALLENGE


def test_with_keys_a_key_is_asked_for_in_place_of_the_trivial_question(planner: Planner) -> None:
    planner.options = PlannerOptions(press_key=True)
    for act, start in ((Act.GREETING, 0.5), (Act.REFUSE, 7.0), (Act.ASK_CALLEE, 12.0)):
        say(planner, act, start, start + 1.5)
    offered = replace(QUIET, turns_since_act=1, understood=True, log_odds=2.0, purpose_known=True)
    assert planner.plan(replace(offered, now=17.0, caller_silent_since=16.0)) is Act.PRESS_KEY
    say(planner, Act.PRESS_KEY, 17.0, 19.0)
    answered = replace(offered, now=22.0, caller_silent_since=21.0)
    assert planner.plan(answered) is Act.ASK_PURPOSE, "what he says instead is a reply like any"
    say(planner, Act.ASK_PURPOSE, 22.0, 23.0)
    assert planner.plan(replace(answered, now=27.0, caller_silent_since=26.0)) is not Act.CHALLENGE


def test_who_looks_for_the_key_is_given_longer_than_who_is_silent(planner: Planner) -> None:
    planner.options = options = PlannerOptions(press_key=True)
    say(planner, Act.GREETING, 0.5, 4.0)
    say(planner, Act.PRESS_KEY, 17.0, 19.0)
    searching = replace(QUIET, caller_silent_since=16.0, log_odds=2.0, purpose_known=True)
    assert options.key_patience > options.patience
    assert planner.plan(replace(searching, now=19.0 + options.patience + 0.1)) is None
    assert planner.plan(replace(searching, now=19.0 + options.key_patience + 0.1)) is not None


def test_the_seed_says_which_key_is_asked_for_and_any_seed_will_do() -> None:
    library, keys = PromptLibrary.load(), []
    for seed in (*range(9), -1, 2**64):
        prompt = Planner(library, "zh", seed=seed).say(Act.PRESS_KEY, 1.0)
        assert prompt is not None
        keys.append(prompt.key)
    assert sorted(filter(None, keys[:9])) == list("123456789")
    assert None not in keys
    greeting = Planner(library, "zh", seed=5).say(Act.GREETING, 1.0)
    assert greeting is not None
    assert greeting.id == "zh-greeting-1", "nothing else is left to chance"


def test_a_turn_answers_what_had_been_heard_when_it_began(planner: Planner) -> None:
    say(planner, Act.GREETING, 0.5, 4.0)
    say(planner, Act.REFUSE, 7.0, 9.0)
    assert planner.act_before(0.6) is None
    assert planner.act_before(3.0) is Act.GREETING
    assert planner.act_before(7.3) is Act.GREETING, "he had begun before he could know"
    assert planner.act_before(8.5) is Act.REFUSE


def test_who_is_not_suspicious_is_not_refused(planner: Planner) -> None:
    say(planner, Act.GREETING, 0.5, 4.0)
    said = replace(QUIET, now=7.0, caller_silent_since=6.0, turns_since_act=1, understood=True)
    assert planner.plan(replace(said, purpose_known=True)) is Act.ASK_CALLEE
    assert planner.plan(replace(said, purpose_known=True, log_odds=0.6)) is not Act.REFUSE, (
        "before any question"
    )


def test_a_caller_who_talks_on_is_interrupted_once(planner: Planner) -> None:
    say(planner, Act.GREETING, 0.5, 4.0)
    talking = replace(QUIET, caller_speaking=True, speaking_since=1.0)
    assert planner.plan(replace(talking, now=9.5)) is None, "nothing speaks against him"
    assert planner.plan(replace(talking, now=8.0, log_odds=0.6)) is None
    assert planner.plan(replace(talking, now=9.5, log_odds=0.6)) is Act.INTERRUPT
    assert planner.plan(replace(talking, now=14.5)) is Act.INTERRUPT
    say(planner, Act.INTERRUPT, 14.5, 16.0)
    assert planner.plan(replace(talking, now=40.0)) is None


def test_a_monologue_that_offers_something_is_interrupted_by_the_refusal(planner: Planner) -> None:
    say(planner, Act.GREETING, 0.5, 4.0)
    offering = replace(
        QUIET, now=9.5, caller_speaking=True, speaking_since=1.0, purpose_known=True, log_odds=2.0
    )
    assert planner.plan(offering) is Act.REFUSE
    say(planner, Act.REFUSE, 9.5, 11.0)
    assert planner.plan(replace(offering, now=40.0)) is None, "once"


def test_the_plainer_the_offer_the_sooner_it_is_cut_short(planner: Planner) -> None:
    say(planner, Act.GREETING, 0.5, 4.0)
    options = planner.options
    talking = replace(QUIET, caller_speaking=True, speaking_since=1.0, purpose_known=True)
    soon = replace(talking, now=4.0 + options.offer_monologue + 0.1)
    assert planner.plan(replace(soon, log_odds=options.plain_offer_at - 0.1)) is None
    assert planner.plan(replace(soon, log_odds=options.plain_offer_at)) is Act.REFUSE


def test_a_caller_of_bad_repute_who_has_offered_nothing_yet_is_not_cut_short_sooner(planner: Planner) -> None:
    say(planner, Act.GREETING, 0.5, 4.0)
    soon = replace(QUIET, now=7.0, caller_speaking=True, speaking_since=1.0, log_odds=2.5)
    assert planner.plan(soon) is None


def test_no_wording_comes_twice(planner: Planner) -> None:
    first, second = planner.say(Act.ASK_NAME, 1.0), planner.say(Act.ASK_NAME, 2.0)
    assert first is not None
    assert second is not None
    assert first.id != second.id
    assert planner.say(Act.ASK_NAME, 3.0) is None


@pytest.mark.parametrize(
    ("log_odds", "most"), [(0.0, PlannerOptions().most_questions), (0.9, PlannerOptions().most_of_suspects)]
)
def test_nobody_is_asked_without_end(planner: Planner, log_odds: float, most: int) -> None:
    say(planner, Act.GREETING, 0.5, 4.0)
    now, asked = 6.0, 0
    for _ in range(20):
        said = replace(QUIET, now=now, caller_silent_since=now - 1, turns_since_act=1, understood=True)
        act = planner.plan(replace(said, log_odds=log_odds))
        assert planner.is_at_a_loss == (act is None)
        if act is None:
            break
        say(planner, act, now, now + 1)
        now, asked = now + 4, asked + act.examines
    assert asked == most
    planner.plan(replace(QUIET, now=now, caller_speaking=True))
    assert not planner.is_at_a_loss


def test_a_prompt_whose_end_nobody_reports_does_not_silence_the_agent(planner: Planner) -> None:
    planner.say(Act.GREETING, 0.5)
    assert planner.plan(replace(QUIET, now=12.0)) is not None


@pytest.mark.parametrize(
    ("act", "explains"),
    [(Act.GREETING, False), (Act.INTERRUPT, False), (Act.REFUSE, True), (Act.ASK_PURPOSE, True)],
)
def test_only_a_question_or_a_refusal_gives_a_caller_the_chance_to_explain(
    planner: Planner, act: Act, explains: bool
) -> None:
    say(planner, act, 1.0, 3.0)
    assert not planner.has_given_a_turn(4.0), "too soon"
    assert planner.has_given_a_turn(6.0) == explains
