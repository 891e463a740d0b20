"""Between the decision and the end of a call everybody gets a sentence, and every call ends."""

from dataclasses import replace
from pathlib import Path

import pytest

from detector.dialogue.acts import Act
from detector.dialogue.closing import Closing, ClosingOptions
from detector.dialogue.planner import Floor, Planner
from detector.dialogue.prompts import Prompt, PromptLibrary

QUIET = Floor(10.0, False, 9.0, None, 0, 0, True, 0.0, True)


@pytest.fixture
def planner() -> Planner:
    return Planner(
        PromptLibrary(Prompt(f"zh-{act}", act, "zh", act, 2.0, Path("none.wav")) for act in Act), "zh"
    )


@pytest.fixture
def closing(planner: Planner) -> Closing:
    return Closing(planner, ClosingOptions())


def play(planner: Planner, act: object, start: float) -> None:
    assert isinstance(act, Act)
    prompt = planner.say(act, start)
    assert prompt is not None
    planner.ended(prompt.id, start + prompt.seconds)


def test_a_person_hears_that_he_is_connected_before_he_is(planner: Planner, closing: Closing) -> None:
    closing.begin("forward", 10.0, "person")
    act = closing.plan(QUIET)
    assert act is Act.CONNECTING
    planner.say(act, 10.0)
    assert closing.plan(replace(QUIET, now=11.0)) is None
    planner.ended("zh-connecting", 12.0)
    assert closing.plan(replace(QUIET, now=12.0)) == "forward"


def test_an_unwanted_caller_hears_a_refusal_first(planner: Planner, closing: Closing) -> None:
    closing.begin("hang_up", 10.0, "telemarketer")
    act = closing.plan(QUIET)
    assert act is Act.REFUSE
    play(planner, act, 10.0)
    parting = closing.plan(replace(QUIET, now=12.0))
    assert parting is Act.GOODBYE
    play(planner, parting, 12.0)
    assert closing.plan(replace(QUIET, now=14.0)) == "hang_up"


def test_whoever_was_refused_before_is_not_refused_again(planner: Planner, closing: Closing) -> None:
    play(planner, Act.REFUSE, 8.0)
    closing.begin("hang_up", 10.0, "telemarketer")
    assert closing.plan(QUIET) is Act.GOODBYE


def test_a_prompt_under_way_is_stopped_first(planner: Planner, closing: Closing) -> None:
    planner.say(Act.ASK_NAME, 9.5)
    closing.begin("forward", 10.0, "person")
    assert closing.plan(QUIET) == "stop_speaking"
    assert closing.plan(QUIET) is None
    planner.ended("zh-ask_name", 10.1)
    assert closing.plan(QUIET) is Act.CONNECTING


def test_a_closing_prompt_waits_a_moment_for_the_caller_to_pause(closing: Closing) -> None:
    closing.begin("forward", 10.0, "person")
    talking = replace(QUIET, caller_speaking=True)
    assert closing.plan(talking) is None
    assert closing.plan(replace(talking, now=11.6)) is Act.CONNECTING


def test_a_notice_is_listened_to_without_a_word(closing: Closing) -> None:
    closing.begin("take_message", 10.0, "notice")
    assert closing.plan(QUIET) == "take_message"
    talking = replace(QUIET, now=15.0, caller_speaking=True)
    assert closing.plan(talking) is None
    done = replace(QUIET, now=24.1, caller_silent_since=20.0)
    assert closing.plan(done) == "hang_up"


def test_a_message_is_asked_for_heard_and_confirmed(planner: Planner, closing: Closing) -> None:
    closing.begin("take_message", 10.0, "unsure")
    play(planner, closing.plan(QUIET), 10.0)
    assert closing.plan(replace(QUIET, now=12.0)) == "take_message"
    assert closing.plan(replace(QUIET, now=14.0)) is None, "he has not begun yet"
    assert closing.plan(replace(QUIET, now=18.0, caller_silent_since=16.0)) is None, "he may go on"
    act = closing.plan(replace(QUIET, now=20.1, caller_silent_since=16.0, turns_since_act=2))
    assert act is Act.MESSAGE_TAKEN
    play(planner, act, 20.1)
    assert closing.plan(replace(QUIET, now=22.2, caller_silent_since=16.0)) == "hang_up"


def ask_for_a_message(planner: Planner, closing: Closing) -> None:
    """From 12.0 s on the caller may leave one."""
    closing.begin("take_message", 10.0, "unsure")
    play(planner, closing.plan(QUIET), 10.0)
    assert closing.plan(replace(QUIET, now=12.0)) == "take_message"


def test_who_says_nothing_is_told_that_there_is_no_message(planner: Planner, closing: Closing) -> None:
    ask_for_a_message(planner, closing)
    assert closing.plan(replace(QUIET, now=19.9)) is None
    act = closing.plan(replace(QUIET, now=20.0))
    assert act is Act.NO_MESSAGE
    play(planner, act, 20.0)
    assert closing.plan(replace(QUIET, now=22.0)) == "hang_up"


@pytest.mark.parametrize("silent_since", [11.5, 14.0], ids=["while he was asked", "after it"])
def test_what_was_said_is_a_message_though_not_a_word_was_recognized(
    planner: Planner, closing: Closing, silent_since: float
) -> None:
    ask_for_a_message(planner, closing)
    spoke = replace(QUIET, now=20.0, caller_silent_since=silent_since, turns_since_act=1, understood=False)
    assert closing.plan(spoke) is Act.MESSAGE_TAKEN


def test_who_still_speaks_when_his_time_is_over_has_left_a_message(
    planner: Planner, closing: Closing
) -> None:
    ask_for_a_message(planner, closing)
    late = 12.0 + ClosingOptions().message_longest
    assert closing.plan(replace(QUIET, now=late, caller_speaking=True)) is Act.MESSAGE_TAKEN


def test_who_begins_as_he_is_told_that_there_is_no_message_leaves_one_after_all(
    planner: Planner, closing: Closing
) -> None:
    ask_for_a_message(planner, closing)
    play(planner, closing.plan(replace(QUIET, now=20.0)), 20.0)
    assert closing.plan(replace(QUIET, now=22.0, caller_speaking=True)) is None
    spoke = replace(QUIET, now=23.0, caller_silent_since=22.7, turns_since_act=1)
    assert closing.plan(spoke) is None, "he may go on"
    act = closing.plan(replace(spoke, now=26.8))
    assert act is Act.MESSAGE_TAKEN
    play(planner, act, 26.8)
    assert closing.plan(replace(QUIET, now=28.8)) == "hang_up"


def test_the_echo_of_the_last_words_is_no_message(planner: Planner, closing: Closing) -> None:
    ask_for_a_message(planner, closing)
    play(planner, closing.plan(replace(QUIET, now=20.0)), 20.0)
    assert closing.plan(replace(QUIET, now=22.0, caller_speaking=True)) is None
    assert closing.plan(replace(QUIET, now=22.4, caller_silent_since=22.1)) == "hang_up"


def test_a_message_without_end_is_ended(closing: Closing) -> None:
    closing.begin("take_message", 10.0, "notice")
    closing.plan(QUIET)
    talking = replace(QUIET, caller_speaking=True)
    longest = ClosingOptions().message_longest
    assert closing.plan(replace(talking, now=10.0 + longest - 1)) is None
    assert closing.plan(replace(talking, now=10.0 + longest + 1)) == "hang_up"


def test_a_prompt_whose_end_nobody_reports_does_not_keep_the_call_open(
    planner: Planner, closing: Closing
) -> None:
    play(planner, Act.REFUSE, 5.0)
    closing.begin("hang_up", 10.0)
    act = closing.plan(QUIET)
    assert isinstance(act, Act)
    planner.say(act, 10.0)
    assert closing.plan(replace(QUIET, now=14.5)) is None
    assert closing.plan(replace(QUIET, now=14.6)) == "hang_up"
