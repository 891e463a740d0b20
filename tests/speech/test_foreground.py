"""Voices in the room behind the caller are not the caller."""

import numpy as np
import pytest

from detector.speech.foreground import Foreground


def levels(mean: float, count: int, spread: float = 3.0, seed: int = 0) -> list[float]:
    return list(np.random.default_rng(seed).normal(mean, spread, count))


def share(foreground: Foreground, given: list[float]) -> float:
    return sum(foreground.is_foreground(level) for level in given) / len(given)


def test_a_caller_alone_is_heard_from_his_first_word_on() -> None:
    assert share(Foreground(), levels(-22, 200)) > 0.98


def test_a_murmur_behind_the_caller_is_not_him() -> None:
    foreground = Foreground()
    share(foreground, levels(-20, 100))
    assert share(foreground, levels(-37, 200, seed=1)) < 0.1


def test_a_caller_who_turns_a_little_from_the_telephone_is_still_heard() -> None:
    foreground = Foreground()
    share(foreground, levels(-20, 100))
    assert share(foreground, levels(-26, 100, seed=2)) > 0.95


@pytest.mark.parametrize("first", [-40.0, -50.0])
def test_a_murmur_before_the_first_word_does_not_hide_the_caller(first: float) -> None:
    foreground = Foreground()
    share(foreground, levels(first, 200))
    assert share(foreground, levels(-20, 100, seed=3)) > 0.95
    assert share(foreground, levels(first, 100, seed=4)) < 0.2


def test_pauses_within_syllables_do_not_cut_a_word() -> None:
    foreground = Foreground()
    share(foreground, levels(-20, 60))
    assert all(foreground.is_foreground(level) for level in [-20, -34, -35, -33, -19] * 5)


def test_in_a_loud_room_the_voices_of_others_are_not_the_caller() -> None:
    """A murmur that comes within 11 dB of his level, as in a crowded office; he waits for an answer, then speaks."""
    foreground = Foreground()
    share(foreground, levels(-20, 60))
    share(foreground, levels(-29, 150, spread=1.5, seed=1))
    assert share(foreground, levels(-29, 200, spread=1.5, seed=2)) < 0.1
    assert share(foreground, levels(-20, 100, seed=3)) > 0.95
    assert share(foreground, levels(-29, 100, spread=1.5, seed=4)) < 0.1


def test_one_long_sentence_is_no_loud_room() -> None:
    foreground = Foreground()
    share(foreground, levels(-20, 400))
    assert share(foreground, levels(-26, 100, seed=2)) > 0.95


def test_in_a_quiet_room_a_caller_may_lower_his_voice() -> None:
    foreground = Foreground()
    share(foreground, levels(-20, 60))
    for level in levels(-60, 200, seed=1):
        foreground.pause(level)
    assert share(foreground, levels(-28, 100, seed=2)) > 0.95
