"""What is written down of a call: refusals, and its audio."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from detector.call import CallInfo
from detector.decision.verdict import Action, Axes, Verdict
from detector.dialogue.acts import Act
from detector.dialogue.prompts import PromptLibrary
from detector.errors import StoreError
from detector.events import Say
from detector.service.journal import Journal
from detector.stores.store import Store
from detector.stores.writer import StoreWriter


class _Writer:
    def __init__(self) -> None:
        self.submitted: list[Callable[..., Any]] = []
        self.audio: Any = None

    def submit(self, _in_its_call: Callable[..., Any], _row: Any, *of_a_call: Any) -> None:
        if of_a_call:  # the row itself comes with nothing
            change, arguments = of_a_call
            self.submitted.append(change)
            if change is Store.save_audio:
                self.audio = arguments[1]


def journal_of(writer: _Writer, *, keep_audio: bool = False) -> Journal:
    return Journal(
        CallInfo("call"),
        cast("StoreWriter", writer),
        lambda: datetime(2026, 1, 1, tzinfo=UTC),
        keep_audio=keep_audio,
    )


@pytest.mark.parametrize(
    ("action", "is_on_file"), [("hang_up", True), ("take_message", True), ("none", True), ("forward", False)]
)
def test_whoever_is_put_through_in_the_end_is_not_on_file_as_refused(
    action: Action, is_on_file: bool
) -> None:
    writer = _Writer()
    journal = journal_of(writer)
    journal.event(Say(PromptLibrary.load().for_act(Act.REFUSE, "zh")[0], 8.0))
    decided_at = None if action == "none" else 14.0
    journal.event(Verdict("unsure", action, 0.5, Axes(0.0, 0.0, 0.0), 14.0, decided_at, "so it is"))
    journal.ended("caller_hung_up")
    assert (Store.record_refusal in writer.submitted) == is_on_file


def test_audio_that_was_lost_is_silence_in_the_recording_so_that_its_times_are_those_of_the_turns() -> None:
    writer = _Writer()
    journal = journal_of(writer, keep_audio=True)
    for position in (160, 320, 960):
        journal.audio(np.full(160, 5, np.int16), position)
    journal.ended("caller_hung_up")
    assert len(writer.audio) == 1120
    assert [int(writer.audio[at]) for at in (0, 160, 479, 480, 959, 960)] == [0, 5, 5, 0, 0, 5]


def test_what_is_said_after_the_store_came_back_is_kept_although_the_call_began_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    with Store(tmp_path / "calls.sqlite3") as store:
        writer = StoreWriter(store, retry_seconds=())
        now = datetime(2026, 1, 1, tzinfo=UTC)
        with monkeypatch.context() as broken:
            broken.setattr(Store, "begin_call", full)
            journal = Journal(CallInfo("call", "13800138000"), writer, lambda: now, keep_audio=False)
            journal.answered()
            assert writer.flush(10)
        journal.event(Say(PromptLibrary.load().for_act(Act.GREETING, "zh")[0], 0.3))
        journal.ended("caller_hung_up")
        assert writer.close()
        (stored,) = store.calls()
        assert (stored.call.number, stored.call.answered_at) == ("13800138000", now)
        assert len(stored.turns) == 1


def test_a_call_goes_on_in_the_file_that_took_the_place_of_the_stores(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite3"
    with Store(path) as store:
        writer = StoreWriter(store, retry_seconds=())
        now = datetime(2026, 1, 1, tzinfo=UTC)
        journal = Journal(CallInfo("call", "13800138000"), writer, lambda: now, keep_audio=False)
        assert writer.flush(10)
        for each in tmp_path.glob("calls.sqlite3*"):
            each.unlink()
        journal.event(Say(PromptLibrary.load().for_act(Act.GREETING, "zh")[0], 0.3))
        journal.ended("caller_hung_up")
        assert writer.close()
        (stored,) = store.calls()
        assert (stored.call.end_reason, len(stored.turns)) == ("caller_hung_up", 1)


def test_what_the_user_erased_during_a_call_stays_erased(tmp_path: Path) -> None:
    with Store(tmp_path / "calls.sqlite3") as store:
        writer = StoreWriter(store, retry_seconds=())
        now = datetime(2026, 1, 1, tzinfo=UTC)
        journal = Journal(CallInfo("call", "13800138000"), writer, lambda: now, keep_audio=False)
        assert writer.flush(10)
        store.forget("13800138000")
        journal.ended("caller_hung_up")
        assert writer.close()
        assert list(store.calls()) == []


def test_a_transfer_that_reached_nobody_is_told_with_the_reason_why_it_was_tried(tmp_path: Path) -> None:
    with Store(tmp_path / "calls.sqlite3") as store:
        writer = StoreWriter(store, retry_seconds=())
        now = datetime(2026, 1, 1, tzinfo=UTC)
        journal = Journal(CallInfo("call", "13800138000"), writer, lambda: now, keep_audio=False)
        journal.event(Verdict("person", "forward", 0.1, Axes(0, 0, 0), 9.0, 9.0, "speaks like a person"))
        journal.unreached()
        journal.ended("message_taken")
        assert writer.close()
        (stored,) = store.calls()
        assert stored.call.reason == "speaks like a person; nobody could be reached"


def test_of_a_call_that_was_erased_while_it_was_up_no_recording_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    with Store(tmp_path / "calls.sqlite3", recordings=folder) as store:
        writer = StoreWriter(store, retry_seconds=())
        now = datetime(2026, 1, 1, tzinfo=UTC)
        journal = Journal(CallInfo("call", "13800138000"), writer, lambda: now, keep_audio=True)
        assert writer.flush(10)
        journal.audio(np.zeros(800, np.int16), 0)
        store.forget("13800138000")
        journal.ended("caller_hung_up")
        assert writer.close()
    assert not list(folder.rglob("*.wav"))
