from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from detector.call import CallInfo, NumberHistory
from detector.decision.verdict import Action, Axes, Verdict
from detector.stores.store import Store

At = Callable[[float], datetime]
NUMBER = "13800138000"


def add_call(store: Store, name: str, when: datetime, action: Action = "none", **more: Any) -> None:
    store.begin_call(CallInfo(name, number=more.get("number", NUMBER)), when)
    if action != "none":
        store.set_verdict(name, Verdict("unsure", action, 0.5, Axes(0, 0, 0), 1.0, 1.0, "a test"))
    if action == "forward":
        store.end_call(name, more.get("ended", "forwarded"), when)


def test_an_unknown_number_has_no_history(store: Store, at: At) -> None:
    add_call(store, "other", at(0), number="95588")
    assert store.history(NUMBER, at(100)) == NumberHistory()


@pytest.mark.parametrize("withheld", [None, "", "anonymous", "sip:anonymous@anonymous.invalid"])
def test_withheld_numbers_share_no_history(store: Store, at: At, withheld: str | None) -> None:
    add_call(store, "a", at(0), number=withheld)
    assert store.history(withheld, at(100)) == NumberHistory()


def test_every_spelling_of_a_number_is_the_same_caller(store: Store, at: At) -> None:
    add_call(store, "a", at(0), number="+86 138-0013-8000")
    add_call(store, "b", at(10), number="sip:013800138000@gateway.example")
    history = store.history("008613800138000", at(100))
    assert (history.calls, history.since_last_call) == (2, 90.0)


def test_what_was_done_and_when(store: Store, at: At) -> None:
    add_call(store, "a", at(0), "forward")
    add_call(store, "b", at(100), "hang_up")
    store.record_refusal("b", at(110))
    add_call(store, "c", at(200), "forward")
    history = store.history(NUMBER, at(300))
    assert history == NumberHistory(
        calls=3,
        since_last_call=100.0,
        since_refusal=190.0,
        since_hang_up=200.0,
        put_through=2,
        lost_by_us=False,
        one_ring_calls=0,
        attempts=1,  # three calls within two minutes of each other
    )


def test_the_call_that_comes_in_now_is_not_its_own_history(store: Store, at: At) -> None:
    add_call(store, "now", at(100))
    assert store.history(NUMBER, at(100)) == NumberHistory()


def test_only_the_last_call_counts_as_lost(store: Store, at: At) -> None:
    add_call(store, "a", at(0))
    store.mark_lost("a", at(5))
    assert store.history(NUMBER, at(10)).lost_by_us
    add_call(store, "b", at(20), "forward")
    assert not store.history(NUMBER, at(30)).lost_by_us


DAY = 86400.0


@pytest.mark.parametrize(("apart", "is_luck"), [(60.0, False), (DAY - 60, False), (DAY + 60, True)])
def test_who_loses_two_calls_within_a_day_is_screened_like_anybody(
    store: Store, at: At, apart: float, is_luck: bool
) -> None:
    for name, when in (("a", 0.0), ("b", apart)):
        add_call(store, name, at(when))
        store.mark_lost(name, at(when + 5))
    add_call(store, "another's", at(apart), number="13900139000")
    store.mark_lost("another's", at(apart + 5))
    assert store.history(NUMBER, at(apart + 30)).lost_by_us is is_luck
    assert store.history("13900139000", at(apart + 30)).lost_by_us


@pytest.mark.parametrize(
    ("answered", "ended", "reason", "one_ring"),
    [
        (None, 4.0, "caller_hung_up", 1),  # gone before the answer
        (2.0, 4.9, "caller_hung_up", 1),
        (2.0, 5.1, "caller_hung_up", 0),
        (2.0, 3.0, "hung_up", 0),  # we did
        (2.0, 3.0, "forwarded", 0),
    ],
)
def test_one_ring_calls(
    store: Store, at: At, answered: float | None, ended: float, reason: Any, one_ring: int
) -> None:
    add_call(store, "a", at(0))
    if answered is not None:
        store.answer_call("a", at(answered))
    store.end_call("a", reason, at(ended))
    assert store.history(NUMBER, at(60)).one_ring_calls == one_ring


def test_a_clock_set_back_gives_no_negative_times(store: Store, at: At) -> None:
    add_call(store, "a", at(0))
    store.record_refusal("a", at(500))
    assert store.history(NUMBER, at(100)).since_refusal == 0.0


def related(store: Store, when: datetime, number: str = "17012349999") -> tuple[int, float | None, bool]:
    history = store.history(number, when)
    return history.related_calls, history.since_related_refusal, history.related_put_through


def test_calls_of_the_same_block_in_the_last_half_hour_are_related(store: Store, at: At) -> None:
    add_call(store, "long ago", at(-1801), "hang_up", number="17012340001")
    add_call(store, "a", at(0), "hang_up", number="17012340001")
    add_call(store, "b", at(60), number="17012340002")
    store.record_refusal("b", at(90))
    add_call(store, "another block", at(70), "hang_up", number="17012350002")
    add_call(store, "itself", at(80), "hang_up", number="17012349999")
    assert related(store, at(100)) == (2, 10.0, False)
    assert related(store, at(100), "17012350001") == (1, 30.0, False)
    assert related(store, at(100), "13800138000") == (0, None, False)


def test_a_related_number_that_was_put_through_is_known(store: Store, at: At) -> None:
    add_call(store, "a", at(0), "hang_up", number="01069123001")
    add_call(store, "b", at(60), "forward", number="01069123002")
    assert related(store, at(100), "01069123003") == (2, 100.0, True)


def test_redials_and_single_rings_are_no_attempts(store: Store, at: At) -> None:
    for count, when in enumerate((0, 50, 100, 300, 600)):
        add_call(store, str(count), at(when))
        store.answer_call(str(count), at(when))
        store.end_call(str(count), "caller_hung_up", at(when + (2 if when == 300 else 20)))
    history = store.history(NUMBER, at(900))
    assert (history.calls, history.one_ring_calls, history.attempts) == (5, 1, 2)
    assert store.history(NUMBER, at(600 + 4 * 3600 + 1)).attempts == 0


def test_what_the_user_says_of_a_call_outweighs_what_was_done_with_it(store: Store, at: At) -> None:
    add_call(store, "mistaken", at(0), "hang_up")
    store.record_refusal("mistaken", at(10))
    add_call(store, "let in", at(100), "forward")
    before = store.history(NUMBER, at(200))
    assert (before.since_hang_up, before.since_refusal, before.put_through) == (200.0, 190.0, 1)
    store.rate("mistaken", "wanted")
    mended = store.history(NUMBER, at(200))
    assert (mended.since_hang_up, mended.since_refusal, mended.put_through) == (None, None, 2)
    store.rate("mistaken", None)
    assert store.history(NUMBER, at(200)) == before
    store.rate("let in", "unwanted")
    assert store.history(NUMBER, at(200)).put_through == 0


def test_a_call_that_was_lost_excuses_nobody_of_whom_the_user_says_that_he_is_unwanted(
    store: Store, at: At
) -> None:
    add_call(store, "lost", at(0))
    store.mark_lost("lost", at(5))
    assert store.history(NUMBER, at(60)).lost_by_us
    store.rate("lost", "unwanted")
    assert not store.history(NUMBER, at(60)).lost_by_us


def test_who_was_to_be_put_through_and_was_not_has_been_wanted_by_nobody_yet(store: Store, at: At) -> None:
    add_call(store, "nobody there", at(0), "forward", ended="message_taken")
    add_call(store, "hung up", at(10), "forward", ended="caller_hung_up")
    assert store.history(NUMBER, at(60)).put_through == 0
    add_call(store, "through", at(20), "forward")
    assert store.history(NUMBER, at(60)).put_through == 1
