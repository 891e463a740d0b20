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
