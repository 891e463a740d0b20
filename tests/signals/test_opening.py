"""How a call opens, by voice activity and levels alone."""

import math
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detector.signals.evidence import Evidence
from detector.signals.opening import OpeningExtractor

Step = tuple[float, bool | None, float]
"""Seconds, speech, dBFS."""


def play(
    extractor: OpeningExtractor, steps: Iterable[Step], start: float = 0.0, block: float = 0.02
) -> list[Evidence]:
    """Feed steps in blocks of `block` seconds."""
    found, samples = [], round(start * 8000)
    for seconds, is_speech, level in steps:
        left = round(seconds * 8000)
        while left:
            take = min(left, round(block * 8000))
            found += extractor.receive_activity(samples / 8000, take / 8000, is_speech, level)
            samples, left = samples + take, left - take
    return found


def sources(evidence: list[Evidence]) -> list[str]:
    return [piece.source for piece in evidence]


def total(evidence: list[Evidence]) -> float:
    return sum(piece.llr for piece in evidence)


def greeted(greeting: float = 3.0) -> OpeningExtractor:
    """Return an extractor in a call whose greeting runs from 0.3 s on, while the caller waits."""
    extractor = OpeningExtractor()
    play(extractor, [(0.3, False, -60.0)])
    extractor.receive_agent("started", 0.3)
    assert play(extractor, [(greeting, False, -60.0)], 0.3) == []
    extractor.receive_agent("ended", 0.3 + greeting)
    return extractor


def test_a_person_waits_for_the_greeting_to_end() -> None:
    extractor = greeted(greeting=6.0)
    assert play(extractor, [(0.8, False, -60.0), (2.0, True, -25.0), (3.0, False, -60.0)], 6.3) == []
    assert extractor.waited == pytest.approx(1.1)
    assert extractor.first_speech == pytest.approx(7.1)


def test_who_begins_in_the_middle_of_the_greeting_was_connected_late() -> None:
    extractor = OpeningExtractor()
    play(extractor, [(0.3, False, -60.0)])
    extractor.receive_agent("started", 0.3)
    found = play(extractor, [(1.8, False, -60.0), (2.0, True, -25.0)], 0.3)
    assert sources(found) == ["dialer.late_start"]
    assert found[0].detail == "began 2.1 s after the answer, in the middle of the greeting"


@pytest.mark.parametrize("silence", [0.2, 0.7])
def test_who_says_hello_at_once_was_not(silence: float) -> None:
    extractor = OpeningExtractor()
    play(extractor, [(0.3, False, -60.0)])
    extractor.receive_agent("started", 0.3)
    assert play(extractor, [(silence, False, -60.0), (2.0, True, -25.0)], 0.3) == []


def test_the_old_and_slow_are_hardly_burdened() -> None:
    found = play(greeted(), [(2.6, False, -55.0), (2.0, True, -25.0), (3.0, False, -55.0)], 3.3)
    assert total(found) <= 0.2


def test_dead_air_after_the_greeting_is_reported_while_it_lasts() -> None:
    found = play(greeted(), [(9.0, False, -60.0)], 3.3)
    assert sources(found) == ["dialer.dead_air", "dialer.dead_air"]
    assert found[0].arrived == pytest.approx(7.0, abs=0.03)  # 0.3 s before the greeting count as well
    assert found[0].detail == "4 s of dead air"


def test_dead_air_of_a_recorded_call_without_an_agent() -> None:
    found = play(OpeningExtractor(), [(3.0, False, -60.0), (2.0, True, -25.0)])
    assert sources(found) == ["dialer.dead_air"]
    assert found[0].media_time == pytest.approx(3.0)


def test_silence_alone_never_weighs_much() -> None:
    assert total(play(greeted(), [(300.0, False, -60.0)], 3.3)) < 1.0


def test_a_cough_is_no_first_word() -> None:
    extractor = greeted()
    play(extractor, [(0.5, False, -60.0), (0.1, True, -30.0), (1.0, False, -60.0)], 3.3)
    assert extractor.first_speech is None


def test_unknown_voice_activity_says_nothing() -> None:
    assert play(greeted(), [(20.0, None, -30.0)], 3.3) == []


def test_another_background_after_dead_air() -> None:
    steps = [(1.6, False, -62.0), (2.0, True, -25.0), (1.5, False, -45.0)]
    (piece,) = play(OpeningExtractor(), steps)
    assert (piece.source, piece.axis) == ("dialer.background", "dialer")
    assert piece.detail == "the background rose by 17 dB when the caller came on the line"


def test_a_line_that_was_dead_silent_before_weighs_more() -> None:
    room = [(1.6, False, -62.0), (2.0, True, -25.0), (1.5, False, -45.0)]
    nothing = [(1.6, False, -96.0), (2.0, True, -25.0), (1.5, False, -45.0)]
    assert total(play(OpeningExtractor(), nothing)) > total(play(OpeningExtractor(), room))


@pytest.mark.parametrize("after", [-53.0, -60.0, -80.0])
def test_the_same_or_a_quieter_background_says_nothing(after: float) -> None:
    steps = [(1.6, False, -60.0), (2.0, True, -25.0), (3.0, False, after)]
    assert play(OpeningExtractor(), steps) == []


def test_echo_right_after_speech_is_no_background() -> None:
    speech_with_echo = [(0.5, True, -25.0), (0.14, False, -35.0)] * 12
    assert play(OpeningExtractor(), [(1.6, False, -60.0), *speech_with_echo, (2.0, False, -60.0)]) == []


def test_a_click_just_before_the_first_word() -> None:
    steps = [(1.8, False, -60.0), (0.04, False, -20.0), (0.5, False, -60.0), (1.0, True, -25.0)]
    (piece,) = play(OpeningExtractor(), steps)
    assert piece.source == "dialer.click"
    assert piece.media_time == pytest.approx(1.8)


@pytest.mark.parametrize(
    "steps",
    [
        [(0.5, False, -60.0), (0.04, False, -20.0), (0.3, False, -60.0), (1.0, True, -25.0)],  # no dead air
        [(1.2, False, -60.0), (0.5, False, -20.0), (0.5, False, -60.0), (1.0, True, -25.0)],  # too long
        [(1.1, False, -60.0), (0.04, False, -45.0), (0.5, False, -60.0), (1.0, True, -25.0)],  # too soft
        [(1.9, False, -60.0), (0.06, False, -30.0), (1.0, True, -25.0)],  # the first consonant
    ],
)
def test_what_is_no_click(steps: list[Step]) -> None:
    assert play(OpeningExtractor(), steps) == []


def test_ringing_after_the_answer_is_a_transfer() -> None:
    extractor = OpeningExtractor()
    assert extractor.receive_tone("ringback", 0.2) == []  # the tail of our own
    # and what comes later is the dialer's all the same
    (piece,) = extractor.receive_tone("ringback", 65.0, arrived=66.0)
    assert piece == Evidence(
        "dialer.ringback", 0.7, 65.0, 66.0, "ringing tone at 1:05, after the answer", "dialer"
    )
    assert extractor.receive_tone("ringback", 70.0) == []


def test_other_tones() -> None:
    extractor = OpeningExtractor()
    assert sources(extractor.receive_tone("fax_cng", 2.0)) == ["dialer.fax"]
    assert extractor.receive_tone("dtmf", 3.0) == []
    assert extractor.receive_tone("busy", 3.0) == []


def babble_levels(voices: int, seed: int) -> list[float]:
    """Levels of 20 ms of `voices` talkers around -40 dBFS; 8 of them fluctuate like 8 real speakers."""
    rng = np.random.default_rng(seed)
    power = np.zeros(400)
    for _ in range(voices):
        syllables = 10 ** (rng.normal(-10, 5, 60) / 10)
        power += np.repeat(syllables, 10)[rng.integers(0, 10) :][:400]
    return [10 * math.log10(p / power.mean()) - 40.0 for p in power]


def test_murmur_of_a_call_centre() -> None:
    heard = [
        play(OpeningExtractor(), [(0.02, False, v) for v in babble_levels(8, seed)]) for seed in range(10)
    ]
    hits = sum("dialer.murmur" in sources(found) for found in heard)
    assert hits >= 6


@pytest.mark.parametrize("level", [-40.0, -65.0])
def test_steady_noise_is_no_murmur(level: float) -> None:
    rng = np.random.default_rng(1)
    steps = [(0.02, False, level + v) for v in rng.normal(0, 0.5, 500)]
    assert "dialer.murmur" not in sources(play(OpeningExtractor(), steps))


def test_soft_babble_is_any_room() -> None:
    steps = [(0.02, False, v - 25.0) for v in babble_levels(8, seed=0)]
    assert "dialer.murmur" not in sources(play(OpeningExtractor(), steps))


step = st.tuples(
    st.integers(1, 200).map(lambda n: n * 0.02),
    st.sampled_from([True, False, False, None]),
    st.floats(-96, -5),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(step, max_size=12), st.sampled_from([0.01, 0.03, 0.1]))
@example([(2.5, False, -5.0), (0.2, True, -5.0)], 0.01)
@example([(0.6, False, -15.0), (0.2, True, -5.0), (0.92, False, -5.0)], 0.1)
def test_blocks_of_any_length_tell_the_same(steps: list[Step], block: float) -> None:
    def heard(length: float) -> list[tuple[str, float, str]]:
        found = play(OpeningExtractor(), steps, block=length)
        assert all(a.arrived <= b.arrived + 1e-9 for a, b in pairwise(found))
        assert total(found) <= 2.0
        return sorted((piece.source, piece.llr, piece.detail) for piece in found)

    assert heard(0.02) == heard(block)
