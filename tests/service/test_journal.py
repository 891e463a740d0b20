"""What the history will say of a caller who was refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from detector.call import CallInfo
from detector.decision.verdict import Action, Axes, Verdict
from detector.dialogue.acts import Act
from detector.dialogue.prompts import PromptLibrary
from detector.events import Say
from detector.service.journal import Journal
from detector.stores.store import Store

if TYPE_CHECKING:
    from detector.stores.writer import StoreWriter


class _Writer:
    def __init__(self) -> None:
        self.submitted: list[Callable[..., Any]] = []

    def submit(self, change: Callable[..., Any], *_arguments: object) -> None:
        self.submitted.append(change)


@pytest.mark.parametrize(
    ("action", "is_on_file"), [("hang_up", True), ("take_message", True), ("none", True), ("forward", False)]
)
def test_whoever_is_put_through_in_the_end_is_not_on_file_as_refused(
    action: Action, is_on_file: bool
) -> None:
    writer = _Writer()
    journal = Journal(
        CallInfo("call"),
        cast("StoreWriter", writer),
        lambda: datetime(2026, 1, 1, tzinfo=UTC),
        keep_audio=False,
    )
    journal.event(Say(PromptLibrary.load().for_act(Act.REFUSE, "zh")[0], 8.0))
    decided_at = None if action == "none" else 14.0
    journal.event(Verdict("unsure", action, 0.5, Axes(0.0, 0.0, 0.0), 14.0, decided_at, "so it is"))
    journal.ended("caller_hung_up")
    assert (Store.record_refusal in writer.submitted) == is_on_file
