from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone

import pytest

from detector.agents.record import Turn
from detector.call import CallInfo
from detector.decision.verdict import Axes, Verdict
from detector.errors import StoreConflict
from detector.signals.evidence import Evidence
from detector.stores.records import CallDetail
from detector.stores.store import Store

At = Callable[[float], datetime]
EVIDENCE = Evidence("patter.lexicon", 1.5, 2.0, 4.25, "贷款, 额度", "patter")
VERDICT = Verdict("recording", "hang_up", 0.97, Axes(0.9, 0.8, 0.7), 9.0, 8.5, "two kinds agree", (EVIDENCE,))


def test_a_call_comes_back_as_it_was_written(store: Store, at: At) -> None:
    store.begin_call(CallInfo("a", number="+86 138 0013 8000", display_name="小王"), at(0))
    store.answer_call("a", at(2))
    store.add_turn("a", Turn("caller", 3.0, 5.0, "您好，要贷款吗"))
    store.add_turn("a", Turn("agent", 0.0, 2.5, "您好，我是自动语音助理"))
    store.add_evidence("a", EVIDENCE)
    store.set_verdict("a", VERDICT)
    store.record_refusal("a", at(12))
    store.end_call("a", "hung_up", at(14))

    detail = store.call("a")
    assert detail is not None
    call = detail.call
    assert (call.number, call.display_name) == ("13800138000", "小王")
    assert (call.started_at, call.answered_at, call.ended_at) == (at(0), at(2), at(14))
    assert call.started_at.tzinfo is not None
    assert (call.label, call.action, call.unwanted, call.decided_at) == ("recording", "hang_up", 0.97, 8.5)
    assert call.axes == VERDICT.axes
    assert call.reason == "two kinds agree"
    assert (call.end_reason, call.refused_at, call.lost) == ("hung_up", at(12), False)
    assert [turn.speaker for turn in detail.turns] == ["agent", "caller"]
    assert detail.turns[1] == Turn("caller", 3.0, 5.0, "您好，要贷款吗")
    assert detail.evidence == (EVIDENCE,)


def test_a_call_without_a_verdict_has_no_axes(store: Store, at: At) -> None:
    store.begin_call(CallInfo("a"), at(0))
    detail = store.call("a")
    assert detail is not None
    assert (detail.call.number, detail.call.axes, detail.call.label, detail.call.ended_at) == (
        "",
        None,
        None,
        None,
    )
    assert store.call("b") is None


def test_times_of_other_zones_are_the_same_instant(store: Store, at: At) -> None:
    in_china = at(0).astimezone(timezone(timedelta(hours=8)))
    store.begin_call(CallInfo("a"), in_china)
    detail = store.call("a")
    assert detail is not None
    assert detail.call.started_at == at(0)
    assert detail.call.started_at.utcoffset() == timedelta(0)


def test_calls_are_listed_newest_first_and_can_be_narrowed(store: Store, at: At) -> None:
    for index, number in enumerate(["13800138000", "95588", "013800138000"]):
        store.begin_call(CallInfo(str(index), number=number), at(index * 60))

    def ids(found: Iterable[CallDetail]) -> list[str]:
        return [detail.call.id for detail in found]

    assert ids(store.calls()) == ["2", "1", "0"]
    assert ids(store.calls(number="+8613800138000")) == ["2", "0"]
    assert ids(store.calls(since=at(60))) == ["2", "1"]
    assert ids(store.calls(until=at(60))) == ["0"]
    assert ids(store.calls(limit=1)) == ["2"]


def test_a_change_of_an_unknown_call_is_a_conflict(store: Store, at: At) -> None:
    with pytest.raises(StoreConflict, match="not in the store"):
        store.answer_call("nobody", at(0))
    with pytest.raises(StoreConflict, match="does not fit") as caught:
        store.add_turn("nobody", Turn("caller", 0.0, 1.0, "secret words"))
    assert "secret words" not in str(caught.value)


def test_an_id_can_be_used_only_once(store: Store, at: At) -> None:
    store.begin_call(CallInfo("a", number="13800138000"), at(0))
    with pytest.raises(StoreConflict) as caught:
        store.begin_call(CallInfo("a", number="13800138001"), at(1))
    assert "\n" not in str(caught.value)
    assert "13800138001" not in str(caught.value)


def test_after_a_crash_open_calls_of_this_agent_are_lost(store: Store, at: At) -> None:
    for name in ("ended", "open"):
        store.begin_call(CallInfo(name, number="13800138000"), at(0))
    store.end_call("ended", "forwarded", at(5))
    assert store.recover(at(100)) == 1
    assert store.recover(at(101)) == 0
    detail = store.call("open")
    assert detail is not None
    assert (detail.call.lost, detail.call.end_reason, detail.call.ended_at) == (True, "lost", at(100))
    assert store.history("13800138000", at(200)).calls == 2


def test_messages_are_unread_until_marked(store: Store, at: At) -> None:
    store.begin_call(CallInfo("a", number="13800138000"), at(0))
    first = store.add_message("a", "请回电", at(30))
    second = store.add_message("a", "快递放门口了", at(40))
    store.mark_read(first, at(50))
    assert [(each.id, each.text, each.number) for each in store.messages(unread_only=True)] == [
        (second, "快递放门口了", "13800138000")
    ]
    assert [each.read_at for each in store.messages()] == [None, at(50)]
    with pytest.raises(StoreConflict):
        store.mark_read(999, at(60))


def test_a_rating_can_be_given_and_taken_back(store: Store, at: At) -> None:
    store.begin_call(CallInfo("a"), at(0))
    store.rate("a", "unwanted")
    detail = store.call("a")
    assert detail is not None
    assert detail.call.rating == "unwanted"
    store.rate("a", None)
    detail = store.call("a")
    assert detail is not None
    assert detail.call.rating is None


def test_stored_values_hide_persons_in_their_repr(store: Store, at: At) -> None:
    store.begin_call(CallInfo("a", number="13800138000", display_name="小王"), at(0))
    store.add_turn("a", Turn("caller", 0.0, 1.0, "我叫王芳"))
    store.add_message("a", "请回电", at(1))
    shown = repr(store.call("a")) + repr(store.messages())
    assert not any(secret in shown for secret in ("13800138000", "小王", "王芳", "请回电"))
