"""Earlier calls: a refused dialer comes round again, a person in need tries again."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.call import CallInfo, NumberHistory
from detector.signals.evidence import Evidence
from detector.signals.history import history_evidence

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def observe(history: NumberHistory) -> dict[str, Evidence]:
    evidence = history_evidence(CallInfo("c", "13811220457", history=history), arrived=0.1)
    assert len({piece.source for piece in evidence}) == len(evidence)
    return {piece.source: piece for piece in evidence}


def total(history: NumberHistory) -> float:
    return sum(piece.llr for piece in observe(history).values())


def test_a_first_call_says_nothing() -> None:
    assert observe(NumberHistory()) == {}


def test_a_call_again_after_a_refusal() -> None:
    history = NumberHistory(calls=1, since_last_call=2 * DAY, since_refusal=2 * DAY)
    piece = observe(history)["history.refused"]
    assert piece == Evidence("history.refused", 1.5, 0.0, 0.1, "refused 2 days ago", "number")


def test_a_person_refused_by_mistake_rings_again_at_once() -> None:
    history = NumberHistory(calls=1, since_last_call=MINUTE, since_refusal=MINUTE, since_hang_up=MINUTE)
    assert total(history) <= 0.3


def test_old_refusals_fade() -> None:
    llrs = [
        observe(NumberHistory(calls=1, since_last_call=s, since_refusal=s))["history.refused"].llr
        for s in (DAY, 60 * DAY, 400 * DAY)
    ]
    assert llrs == sorted(llrs, reverse=True)
    assert llrs[-1] < 0.5 < llrs[0]


def test_a_refusal_counts_half_where_the_number_was_put_through_as_well() -> None:
    once = NumberHistory(calls=2, since_last_call=DAY, since_refusal=DAY, put_through=1)
    assert total(once) == pytest.approx(0.75)


def test_refusal_and_hang_up_of_one_call_count_once() -> None:
    both = NumberHistory(calls=1, since_last_call=DAY, since_refusal=DAY, since_hang_up=DAY)
    assert set(observe(both)) == {"history.refused"}


def test_a_call_after_we_hung_up() -> None:
    history = NumberHistory(calls=1, since_last_call=DAY, since_hang_up=DAY)
    assert 0.5 < observe(history)["history.hung_up_on"].llr < 1.5


@pytest.mark.parametrize("since", [5 * MINUTE, 20 * MINUTE, 3 * HOUR])
@pytest.mark.parametrize("calls", [1, 3, 5])
def test_a_person_in_need_tries_again_after_a_while(since: float, calls: int) -> None:
    piece = observe(NumberHistory(calls=calls, since_last_call=since))["history.tries_again"]
    assert piece.llr < 0
    assert piece.axis == "wanted"


@pytest.mark.parametrize("since", [0.0, 5.0, 60.0, 119.0])
def test_redialling_at_once_earns_nothing(since: float) -> None:
    assert total(NumberHistory(calls=2, since_last_call=since)) == 0


def test_trying_again_earns_nothing_after_a_refusal_or_for_one_ring_calls() -> None:
    refused = NumberHistory(calls=2, since_last_call=HOUR, since_refusal=HOUR)
    rings = NumberHistory(calls=3, since_last_call=HOUR, one_ring_calls=3)
    assert "history.tries_again" not in observe(refused)
    assert "history.tries_again" not in observe(rings)
    assert total(rings) > 1


def test_one_ring_once_is_a_misdial() -> None:
    assert total(NumberHistory(calls=1, since_last_call=DAY, one_ring_calls=1)) <= 0.2


def test_a_burst_of_calls_that_came_to_nothing() -> None:
    assert observe(NumberHistory(calls=9, since_last_call=HOUR))["history.burst"].llr > 0
    assert "history.burst" not in observe(NumberHistory(calls=9, since_last_call=HOUR, put_through=3))


def test_a_number_that_was_put_through_before() -> None:
    once = total(NumberHistory(calls=1, since_last_call=DAY, put_through=1))
    often = total(NumberHistory(calls=4, since_last_call=DAY, put_through=4))
    assert often < once < 0


def test_a_caller_whose_call_we_lost() -> None:
    piece = observe(NumberHistory(calls=1, since_last_call=30.0, lost_by_us=True))["history.lost_by_us"]
    assert (piece.llr, piece.axis) == (-1.0, "wanted")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(900.0, "15 minutes ago"), (20.0, "just now"), (HOUR, "1 hour ago"), (5 * DAY, "5 days ago")],
)
def test_times_in_words(seconds: float, words: str) -> None:
    history = NumberHistory(calls=1, since_last_call=seconds, since_refusal=seconds)
    assert observe(history)["history.refused"].detail == f"refused {words}"


def related(since: float, calls: int = 1, **more: Any) -> NumberHistory:
    return NumberHistory(related_calls=calls, since_related_refusal=since, **more)


def test_a_number_of_the_block_that_was_just_turned_away_is_suspicious() -> None:
    piece = observe(related(3 * MINUTE, calls=2))["history.related_burst"]
    assert piece.axis == "number"
    assert piece.detail == "2 calls from related numbers, one turned away 3 minutes ago"
    assert 0.3 < piece.llr < 0.7, "never enough by itself to be one of two kinds that hang up"
    later, many = total(related(20 * MINUTE)), total(related(3 * MINUTE, calls=4))
    assert 0 < later < piece.llr < many


def test_an_office_with_many_lines_is_no_burst() -> None:
    assert total(related(MINUTE, calls=5, related_put_through=True)) == 0
    assert total(NumberHistory(related_calls=5)) == 0, "none of them was turned away"
    assert total(related(HOUR)) == 0, "long ago"
    assert total(related(MINUTE, calls=1, put_through=1)) < 0


def test_attempts_count_and_not_redials() -> None:
    once, twice = (
        total(NumberHistory(calls=4, since_last_call=5 * MINUTE, attempts=count)) for count in (1, 2)
    )
    assert twice < once < 0
    assert total(NumberHistory(calls=2, since_last_call=5 * MINUTE, attempts=0)) == 0


times = st.one_of(st.none(), st.floats(0, 1e9))
counts = st.integers(0, 1000)


@settings(deadline=None)
@given(
    st.builds(
        NumberHistory,
        counts,
        times,
        times,
        times,
        counts,
        st.booleans(),
        counts,
        st.one_of(st.none(), counts),
        counts,
        times,
        st.booleans(),
    )
)
def test_history_alone_stays_bounded(history: NumberHistory) -> None:
    assert -2.5 <= total(history) <= 4.0
    for piece in observe(history).values():
        assert piece.axis == ("number" if piece.llr > 0 else "wanted")
