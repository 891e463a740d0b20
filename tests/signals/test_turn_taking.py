"""Who speaks when: interruptions, monologues and the timing of replies."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.signals.evidence import Evidence
from detector.signals.turn_taking import TurnTakingExtractor

Span = tuple[float, float]
Prompt = tuple[float, float, str]


def play(
    talk: Sequence[Span], prompts: Sequence[Prompt], until: float, block: float = 0.02
) -> list[Evidence]:
    """Play a call: when the caller talks, and when the agent says which act (seconds after answer)."""
    extractor, found = TurnTakingExtractor(), []
    edges = sorted(
        [(start, "started", act) for start, _, act in prompts]
        + [(end, "ended", act) for _, end, act in prompts]
    )
    samples, step = 0, round(block * 8000)
    while samples < until * 8000:
        now = samples / 8000
        while edges and edges[0][0] <= now + 1e-9:
            _, state, act = edges.pop(0)
            assert state in ("started", "ended")
            found += extractor.receive_agent("started" if state == "started" else "ended", now, act)
        middle = now + block / 2
        is_speech = any(start <= middle < end for start, end in talk)
        found += extractor.receive_activity(now, step / 8000, is_speech)
        samples += step
    return found


def sources(evidence: list[Evidence]) -> list[str]:
    return [piece.source for piece in evidence]


def total(evidence: list[Evidence]) -> float:
    return sum(piece.llr for piece in evidence)


def exchange(delays: Sequence[float], talk: float = 1.5) -> tuple[list[Span], list[Prompt], float]:
    """Prompts of 2 s, each answered after one of `delays`."""
    spans, prompts, now = [], [], 0.4
    acts = ["greeting", "ask_purpose", "ask_name", "ask_callee", "challenge", "ask_repeat"]
    for act, delay in zip(acts, delays, strict=False):
        prompts.append((now, now + 2.0, act))
        spans.append((now + 2.0 + delay, now + 2.0 + delay + talk))
        now += 2.0 + delay + talk + 0.6
    return spans, prompts, now + 0.5


# Interruptions.


def test_a_recording_talks_on_while_it_is_spoken_to() -> None:
    found = play([(1.0, 30.0)], [(8.0, 10.0, "interrupt")], 30.0)
    through = [piece for piece in found if piece.source == "playback.through_interruption"]
    assert [piece.arrived for piece in through] == pytest.approx([10.5, 13.0], abs=0.03)
    assert {piece.axis for piece in through} == {"playback"}
    assert through[0].detail == "talked on for 2.5 s while being spoken to"
    assert total(through) > 1.0


@pytest.mark.parametrize("length", [1.1, 1.4, 2.1])
@pytest.mark.parametrize("reply", [0.2, 0.4])
def test_who_stops_for_a_prompt_and_replies_at_once_has_not_talked_through_it(
    length: float, reply: float
) -> None:
    end = 5.0 + length
    found = play([(1.0, 5.5), (end + reply, end + reply + 6.0)], [(5.0, end, "refuse")], 20.0)
    assert "playback.through_interruption" not in sources(found)


def test_pauses_between_the_sentences_of_a_recording_are_no_stopping() -> None:
    talk = [(start, start + 2.4) for start in (1.0, 4.0, 7.0, 10.0, 13.0, 16.0)]  # 0.6 s between them
    found = play(talk, [(9.2, 11.2, "interrupt")], 20.0)
    assert "playback.yielded" not in sources(found)
    assert "playback.through_interruption" in sources(found)


def test_a_person_stops_at_once() -> None:
    found = play([(1.0, 5.4)], [(5.0, 7.0, "interrupt")], 9.0)
    (piece,) = found
    assert (piece.source, piece.llr) == ("playback.yielded", -0.5)
    assert piece.detail == "stopped 0.4 s after being spoken to"


def test_a_person_who_finishes_the_phrase_is_not_burdened() -> None:
    for stop in (6.0, 6.5, 6.9):
        found = play([(1.0, stop)], [(5.0, 7.0, "interrupt")], 10.0)
        assert total(found) == pytest.approx(-0.2)


def test_an_old_person_who_needs_a_while_says_nothing_either_way() -> None:
    found = play([(1.0, 7.3)], [(5.0, 7.0, "interrupt")], 10.0)
    assert found == []


def test_who_has_just_finished_was_not_interrupted() -> None:
    found = play([(1.0, 5.0)], [(5.02, 7.0, "ask_name"), (9.0, 9.3, "other")], 12.0)
    assert "playback.yielded" not in sources(found)


def test_a_prompt_that_was_cut_at_once_interrupts_nobody() -> None:
    found = play([(1.0, 20.0)], [(5.0, 5.4, "ask_name")], 20.0)
    assert found == []


def test_a_caller_who_has_hardly_begun_is_not_interrupted() -> None:
    found = play([(4.84, 9.0)], [(5.0, 7.0, "ask_name")], 12.0)
    assert found == []


def test_a_recording_that_has_just_begun_its_next_sentence_talks_on() -> None:
    found = play([(1.0, 4.1), (4.7, 12.0)], [(5.0, 7.0, "ask_name")], 13.0)
    assert sources(found) == ["playback.through_interruption"] * 2


def test_a_person_who_has_just_begun_stops_as_well() -> None:
    found = play([(4.7, 5.4)], [(5.0, 7.0, "ask_name")], 9.0)
    assert sources(found) == ["playback.yielded"]


def test_interruptions_stop_counting() -> None:
    prompts = [(float(start), start + 2.0, "interrupt") for start in range(5, 60, 8)]
    found = play([(1.0, 70.0)], prompts, 70.0)
    assert 2.0 < total(found) < 3.5


# Monologues.


def test_a_recording_talks_through_the_greeting() -> None:
    found = play([(0.6, 14.0)], [(0.4, 4.4, "greeting")], 14.0)
    (piece,) = found
    assert (piece.source, piece.axis) == ("playback.monologue", "playback")
    assert piece.detail == "talked for 6 s without a pause, through the greeting"
    assert piece.arrived == pytest.approx(6.6, abs=0.03)


@pytest.mark.parametrize(
    "talk",
    [
        [(0.4, 1.0), (2.6, 3.2), (4.8, 12.0)],  # 喂? 喂? and then the matter
        [(0.4, 3.9)],  # stops when he notices
        [(5.0, 15.0)],  # waits, then talks at length
        [(0.4, 5.2), (7.0, 9.0)],  # ends soon after
    ],
)
def test_people_who_talk_at_the_greeting_are_no_monologue(talk: list[Span]) -> None:
    found = play(talk, [(0.4, 4.4, "greeting")], 16.0)
    assert "playback.monologue" not in sources(found)


# Replies.


@pytest.mark.parametrize("delay", [0.3, 1.4])
def test_a_reply_is_timed_from_the_last_word(delay: float) -> None:
    (piece,) = play(*exchange([delay]))
    assert (piece.source, piece.detail) == ("responsive.delay", f"1 reply, after {delay} s")


def test_a_dialer_replies_after_the_same_delay_each_time() -> None:
    found = play(*exchange([1.10, 1.14, 1.07, 1.12]))
    assert set(sources(found)) == {"responsive.delay"}
    assert total(found) == pytest.approx(2.2)
    assert found[-1].axis == "unresponsive"
    assert found[1].detail == "2 replies, after 1.1 s"


def test_a_live_person_is_quick() -> None:
    found = play(*exchange([0.2, 0.6, 0.4]))
    assert set(sources(found)) == {"responsive.delay"}
    assert total(found) == pytest.approx(-0.66, abs=0.05)


def test_the_old_are_slow_but_never_constant() -> None:
    found = play(*exchange([1.9, 3.1, 2.2, 1.2]))
    assert total(found) <= 0


def test_quick_replies_differ_by_little_and_prove_nothing() -> None:
    found = play(*exchange([0.22, 0.20, 0.24, 0.21]))
    assert total(found) <= 0


def test_people_seldom_look_constant() -> None:
    rng = random.Random(7)
    totals = []
    for _ in range(60):
        delays = [max(0.05, rng.gauss(0.6, 0.25)) for _ in range(3)]
        totals.append(total(play(*exchange(delays), block=0.04)))
    assert sum(value > 0.5 for value in totals) <= 0.1 * len(totals)


def test_dialers_mostly_do() -> None:
    rng = random.Random(7)
    totals = [total(play(*exchange([rng.gauss(1.1, 0.04) for _ in range(3)]), block=0.04)) for _ in range(30)]
    assert sum(value > 0.5 for value in totals) >= 0.9 * len(totals)


def test_a_reply_that_begins_before_the_question_ends_has_no_latency() -> None:
    found = play([(4.0, 6.0)], [(2.0, 4.4, "ask_name")], 8.0)
    assert "responsive.delay" not in sources(found)


def test_talk_that_begins_as_the_question_ends_is_no_reply_to_it() -> None:
    found = play([(4.45, 6.0)], [(2.0, 4.4, "ask_name")], 8.0)
    assert "responsive.delay" not in sources(found)


def test_no_reply_to_questions_weighs_something_but_is_no_proof() -> None:
    prompts = [(float(start), start + 2.0, "ask_name") for start in range(1, 50, 8)]
    found = play([], prompts, 55.0)
    assert sources(found) == ["responsive.no_reply"] * 3
    assert total(found) <= 2.5


@pytest.mark.parametrize("act", ["greeting", "hold", "refuse", "goodbye"])
def test_silence_after_other_acts_is_nothing(act: str) -> None:
    assert play([], [(1.0, 3.0, act)], 12.0) == []


def test_a_stutter_is_one_reply() -> None:
    talk = [(3.4, 3.6), (3.75, 3.95), (4.1, 4.3), (4.5, 6.0)]
    (piece,) = play(talk, [(1.0, 3.0, "ask_name")], 8.0)
    assert piece.detail == "1 reply, after 0.4 s"


def test_unknown_voice_activity_goes_on_as_before() -> None:
    extractor = TurnTakingExtractor()
    for step in range(100):
        extractor.receive_activity(step * 0.02, 0.02, None)
    assert extractor.receive_agent("started", 2.0, "ask_name") == []
    assert extractor.receive_agent("ended", 4.0, "ask_name") == []


def test_an_end_without_a_start_is_ignored() -> None:
    assert TurnTakingExtractor().receive_agent("ended", 1.0, "greeting") == []


cells = st.integers(0, 150).map(lambda n: n * 0.12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells), max_size=5), st.lists(st.tuples(cells, cells), max_size=3))
def test_blocks_of_any_length_tell_the_same(talk: list[Span], said: list[Span]) -> None:
    acts = ["greeting", "interrupt", "ask_name"]
    prompts, free = [], 0.0
    for act, (start, end) in zip(acts, sorted(said), strict=False):
        if free <= start < end:
            prompts.append((start, end, act))
            free = end + 0.12

    def heard(block: float) -> list[tuple[str, float]]:
        found = play(talk, prompts, 24.0, block)
        assert total(found) <= 4.0
        return [(piece.source, piece.llr) for piece in found]

    assert heard(0.02) == heard(0.01) == heard(0.03)
