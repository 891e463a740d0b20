import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from detector.agents.record import Turn
from detector.call import CallInfo
from detector.errors import RecordingError, StoreError
from detector.stores.store import Store
from detector.stores.writer import StoreReport, StoreWriter

At = Callable[[float], datetime]


class BrokenStore(Store):
    """Fails as often as told, and counts what it was asked."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.failures = 0
        self.tries = 0
        self.gate = threading.Event()
        self.gate.set()

    def answer_call(self, call_id: str, now: datetime) -> None:
        self.tries += 1
        self.gate.wait(10)
        if self.failures > 0:
            self.failures -= 1
            raise StoreError("the disk is full; free space there")
        super().answer_call(call_id, now)


def answer(store: Store, call_id: str, now: datetime) -> None:
    store.answer_call(call_id, now)


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[BrokenStore]:
    with BrokenStore(tmp_path / "calls.sqlite3") as store:
        yield store


@contextmanager
def writing(store: Store, capacity: int = 1000) -> Iterator[tuple[StoreWriter, list[StoreReport]]]:
    reports: list[StoreReport] = []
    writer = StoreWriter(store, reports.append, capacity=capacity, retry_seconds=(0.0, 0.0))
    try:
        yield writer, reports
    finally:
        assert writer.close()


def test_writes_arrive_in_order(broken: BrokenStore, at: At) -> None:
    with writing(broken) as (writer, reports):
        assert writer.submit(Store.begin_call, CallInfo("a"), at(0))
        for index in range(50):
            assert writer.submit(Store.add_turn, "a", Turn("caller", index, index + 1.0, str(index)))
        assert writer.submit(Store.end_call, "a", "forwarded", at(9))
        assert writer.flush(10)
        detail = broken.call("a")
        assert detail is not None
        assert [turn.text for turn in detail.turns] == [str(index) for index in range(50)]
        assert detail.call.end_reason == "forwarded"
    assert reports == []


def test_a_write_that_fails_is_tried_again(broken: BrokenStore, at: At) -> None:
    broken.begin_call(CallInfo("a"), at(0))
    broken.failures = 2
    with writing(broken) as (writer, reports):
        writer.submit(answer, "a", at(1))
        assert writer.flush(10)
    assert broken.tries == 3
    assert reports == []
    detail = broken.call("a")
    assert detail is not None
    assert detail.call.answered_at == at(1)


def test_a_broken_store_is_reported_once_and_when_it_works_again(broken: BrokenStore, at: At) -> None:
    broken.begin_call(CallInfo("a"), at(0))
    broken.failures = 7
    with writing(broken) as (writer, reports):
        for _ in range(3):  # 3 tries, then 2 each while it is known to be broken
            writer.submit(answer, "a", at(1))
        assert writer.flush(10)
        assert "disk is full" in str(writer.error)
        writer.submit(answer, "a", at(2))
        assert writer.flush(10)
        assert writer.lost_writes == 0
        assert writer.error is None
    assert [(report.error is None, report.lost_writes) for report in reports] == [(False, 0), (True, 0)]


def test_what_could_not_be_written_is_written_in_order_when_the_store_works_again(
    broken: BrokenStore, at: At
) -> None:
    broken.begin_call(CallInfo("a"), at(0))
    broken.failures = 8
    writer = StoreWriter(broken, retry_seconds=(), again_seconds=0.01)
    for seconds in (1, 2, 3):
        writer.submit(answer, "a", at(seconds))
    for _ in range(500):
        if not broken.failures and writer.error is None:
            break
        time.sleep(0.01)
    assert writer.flush(10)
    detail = broken.call("a")
    assert detail is not None
    assert detail.call.answered_at == at(3), "the last one was written last"
    assert writer.lost_writes == 0
    assert writer.close()


def test_a_write_that_never_works_holds_up_the_others_no_longer_than_one_try(
    broken: BrokenStore, at: At, caplog: pytest.LogCaptureFixture
) -> None:
    def never(_store: Store) -> None:
        raise StoreError("no such table")

    broken.begin_call(CallInfo("a"), at(0))
    with writing(broken) as (writer, _reports):
        writer.submit(never)
        writer.submit(Store.add_message, "a", "call me back", at(1))
        assert writer.flush(10)
        assert [each.text for each in broken.messages()] == ["call me back"]
        assert (writer.lost_writes, writer.error) == (1, None)
    assert "fails although the store works" in caplog.text


def test_what_is_still_kept_when_the_service_ends_is_counted_as_lost(
    broken: BrokenStore, at: At, caplog: pytest.LogCaptureFixture
) -> None:
    broken.failures = 100
    writer = StoreWriter(broken, retry_seconds=())
    for _ in range(3):
        writer.submit(answer, "a", at(1))
    assert writer.close()
    assert writer.lost_writes == 3
    assert "lost with the end of the service: 3" in caplog.text


def test_a_conflict_is_neither_retried_nor_an_outage(broken: BrokenStore, at: At) -> None:
    with writing(broken) as (writer, reports):
        writer.submit(answer, "nobody", at(1))
        assert writer.flush(10)
        assert (broken.tries, writer.error, writer.lost_writes) == (1, None, 1)
    assert reports == []


def test_a_recording_that_cannot_be_kept_is_no_outage_of_the_store(
    broken: BrokenStore, caplog: pytest.LogCaptureFixture
) -> None:
    def save(_store: Store) -> None:
        raise RecordingError("/recordings: a recording cannot be written (Permission denied)")

    with writing(broken) as (writer, reports):
        writer.submit(save)
        assert writer.flush(10)
        assert (writer.error, writer.lost_writes) == (None, 1)
    assert reports == []
    assert "a recording is not kept: /recordings" in caplog.text


def test_a_stuck_store_never_blocks_the_caller(broken: BrokenStore, at: At) -> None:
    broken.begin_call(CallInfo("a"), at(0))
    broken.gate.clear()
    with writing(broken, capacity=10) as (writer, reports):
        began = time.monotonic()
        accepted = [writer.submit(answer, "a", at(1)) for _ in range(1000)]
        assert time.monotonic() - began < 1.0
        assert 10 <= sum(accepted) <= 11  # one is being written
        assert not writer.flush(0.05)
        broken.gate.set()
        assert writer.flush(10)
        assert writer.lost_writes == 1000 - sum(accepted)
    assert reports[0].error is not None
    assert "queue" in str(reports[0].error)
    assert reports[-1].error is None


def test_an_unforeseen_error_is_survived_and_its_words_stay_out_of_the_log(
    broken: BrokenStore, at: At, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(_store: Store, text: str) -> None:
        raise ValueError(text)

    with caplog.at_level(logging.DEBUG), writing(broken) as (writer, reports):
        writer.submit(stumble, "call 13800138000")
        writer.submit(Store.begin_call, CallInfo("a"), at(0))
        assert writer.flush(10)
    assert broken.call("a") is not None
    assert "ValueError" in str(reports[0].error)
    assert "13800138000" not in caplog.text + str(reports)


def test_closing_writes_what_is_queued_and_then_refuses(broken: BrokenStore, at: At) -> None:
    writer = StoreWriter(broken)
    writer.submit(Store.begin_call, CallInfo("a"), at(0))
    assert writer.close()
    assert broken.call("a") is not None
    assert not writer.submit(answer, "a", at(1))


def test_closing_does_not_wait_for_a_broken_store(broken: BrokenStore, at: At) -> None:
    broken.begin_call(CallInfo("a"), at(0))
    broken.failures = 1000
    writer = StoreWriter(broken, retry_seconds=(30.0, 30.0))
    writer.submit(answer, "a", at(1))
    began = time.monotonic()
    assert writer.close(5.0)
    assert time.monotonic() - began < 5.0
