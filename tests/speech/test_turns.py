"""Turns begin with speech, end with silence, and are cut at their quietest point when they are long."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.speech.turns import SpeechBegan, SpeechEnded, SpeechPaused, TurnOptions, TurnSegmenter

STEP = 0.02


Found = list[SpeechBegan | SpeechPaused | SpeechEnded]


def run(
    flags: Iterable[tuple[float, bool | None]], options: TurnOptions | None = None, level: float = -20.0
) -> Found:
    segmenter = TurnSegmenter(options)
    found: Found = []
    for seconds, flag in flags:
        for _ in range(round(seconds / STEP)):
            found += segmenter.process(STEP, is_speech=flag, level=level if flag else -60.0)
    return found + list(segmenter.finish())


def ended(found: Found) -> list[SpeechEnded]:
    return [item for item in found if isinstance(item, SpeechEnded)]


def test_a_turn_spans_its_speech_with_a_short_lead_in_and_lead_out() -> None:
    found = run([(1.0, False), (2.0, True), (1.0, False)])
    began = found[0]
    assert isinstance(began, SpeechBegan)
    assert began.media_time == pytest.approx(1.0)
    turn = ended(found)[0]
    assert turn.speech_start == pytest.approx(1.0)
    assert turn.speech_end == pytest.approx(3.0)
    assert turn.start == pytest.approx(0.8)
    assert turn.end == pytest.approx(3.1)
    assert not turn.is_cut


def test_a_click_is_no_turn() -> None:
    assert run([(1.0, False), (0.06, True), (1.0, False)]) == []


def test_a_short_word_is_a_turn() -> None:
    assert len(ended(run([(1.0, False), (0.3, True), (1.0, False)]))) == 1


def test_a_breath_does_not_end_a_turn() -> None:
    assert len(ended(run([(1.0, True), (0.2, False), (1.0, True), (1.0, False)]))) == 1


def test_a_pause_that_may_end_a_turn_foretells_that_turn() -> None:
    found = run([(1.0, True), (0.2, False), (1.0, True), (1.0, False)])
    pauses = [item for item in found if isinstance(item, SpeechPaused)]
    (turn,) = ended(found)
    assert [pause.end for pause in pauses] == [pytest.approx(1.1), pytest.approx(turn.end)]
    assert (pauses[-1].start, pauses[-1].end) == (turn.start, turn.end)


def test_a_pause_ends_a_turn_and_the_next_one_does_not_overlap_it() -> None:
    turns = ended(run([(1.0, True), (0.36, False), (1.0, True), (1.0, False)]))
    assert len(turns) == 2
    assert turns[1].start >= turns[0].end


def test_a_recording_that_never_pauses_is_cut_and_nothing_of_it_is_lost() -> None:
    turns = ended(run([(15.0, True)]))
    assert [turn.is_cut for turn in turns] == [True, True, False]
    for before, after in itertools.pairwise(turns):
        assert after.start == pytest.approx(before.end)
    assert turns[-1].end == pytest.approx(15.0, abs=0.05)
    assert max(turn.end - turn.start for turn in turns) <= TurnOptions().longest + STEP


def test_a_long_turn_is_cut_where_it_is_quietest() -> None:
    segmenter = TurnSegmenter()
    found: Found = []
    for step in range(round(6.5 / STEP)):
        dip = 4.9 <= step * STEP < 5.0
        found += segmenter.process(STEP, is_speech=True, level=-45.0 if dip else -20.0)
    assert ended(found)[0].end == pytest.approx(4.95, abs=0.04)


def test_unknown_voice_activity_neither_starts_nor_ends_a_turn() -> None:
    assert run([(3.0, None)]) == []
    turns = ended(run([(1.0, True), (0.2, None), (1.0, True), (1.0, False)]))
    assert len(turns) == 1


def test_a_turn_that_is_open_when_the_call_ends_is_closed() -> None:
    turn = ended(run([(1.0, False), (1.0, True)]))[0]
    assert turn.end == pytest.approx(2.0, abs=0.11)


@given(st.lists(st.tuples(st.floats(0.02, 4.0), st.sampled_from([True, False, None])), max_size=12))
def test_turns_come_in_order_and_never_overlap(flags: list[tuple[float, bool | None]]) -> None:
    total = sum(round(seconds / STEP) * STEP for seconds, _ in flags)
    turns = ended(run(flags))
    for turn in turns:
        assert 0 <= turn.start <= turn.speech_start <= turn.end <= total + 0.1
    for before, after in itertools.pairwise(turns):
        assert before.end <= after.start + 1e-6
