"""Reply delays: a machine's pace is told from a person's, and no pace condemns."""

import random
from itertools import accumulate

import pytest

from detector.signals.reply_delay import MOST, delay_evidence


def test_nothing_was_replied_and_nothing_is_said() -> None:
    assert delay_evidence([]) == 0.0


@pytest.mark.parametrize("delays", [[0.3], [0.5], [0.3, 0.6], [0.2, 0.9, 0.4]])
def test_a_persons_pace_clears_of_being_a_machine_only(delays: list[float]) -> None:
    assert -0.7 <= delay_evidence(delays) < -0.3


def test_one_reply_after_a_second_is_a_hint_and_three_alike_are_proof() -> None:
    first, second, third = (delay_evidence(delays) for delays in accumulate([[1.1], [1.15], [1.08]]))
    assert 0.3 < first <= MOST[0]
    assert first < second <= third <= MOST[-1]


def test_the_order_of_delays_does_not_matter() -> None:
    assert delay_evidence([0.4, 1.1, 2.0]) == pytest.approx(delay_evidence([2.0, 0.4, 1.1]))


@pytest.mark.parametrize("slow", [2.0, 3.0, 3.9])
def test_a_slow_person_does_not_look_like_a_machine(slow: float) -> None:
    assert delay_evidence([slow]) < 0.2
    assert delay_evidence([slow, 0.5 * slow, 1.4]) < 0.2


def test_no_delays_say_more_than_the_bound_and_none_breaks_it() -> None:
    rng = random.Random(3)
    for _ in range(300):
        delays = [rng.uniform(0.0, 4.0) for _ in range(rng.randint(1, 12))]
        assert -0.7 <= delay_evidence(delays) <= MOST[-1]


def test_people_are_seldom_taken_for_machines() -> None:
    rng = random.Random(5)
    said = []
    for _ in range(400):
        mean, spread = max(0.2, rng.gauss(0.6, 0.3)), rng.uniform(0.2, 0.5)
        said.append(delay_evidence([max(0.05, rng.gauss(mean, spread)) for _ in range(3)]))
    assert sum(llr > 1.0 for llr in said) <= 0.05 * len(said)
