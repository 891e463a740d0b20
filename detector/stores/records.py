"""What the store gives out: calls, messages and counts, as plain values.

Fields that hold a number, a name or words are left out of `repr`, so that no log line shows them by accident.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from detector.agents.record import Turn
from detector.decision.verdict import Action, Axes, Label
from detector.signals.evidence import Evidence

__all__ = ["CallDetail", "EndReason", "Erased", "Rating", "StoredCall", "StoredMessage"]

EndReason = Literal[
    "caller_hung_up",
    "hung_up",
    "forwarded",
    "message_taken",
    "no_message",
    "rejected",
    "no_media",
    "too_long",
    "lost",
]
Rating = Literal["wanted", "unwanted"]


@dataclass(frozen=True, slots=True)
class StoredCall:
    """One call. Times of day are aware datetimes in UTC."""

    id: str
    agent: str
    """The service that took the call, where several share a store."""
    started_at: datetime
    number: str = field(repr=False)
    """As `number_plan.normalize` spells it; empty where it was withheld."""
    display_name: str | None = field(repr=False)
    answered_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason | None
    label: Label | None
    action: Action | None
    unwanted: float | None
    """Probability."""
    axes: Axes | None
    decided_at: float | None
    """Seconds after answer."""
    reason: str | None
    lost: bool
    """It ended because something of ours broke."""
    refused_at: datetime | None
    """When the caller was told that there is no interest; None where he was put through all the same."""
    audio_path: str | None
    """Below the folder of recordings; None where none is kept."""
    rating: Rating | None
    """What the user said of it afterwards."""


@dataclass(frozen=True, slots=True)
class CallDetail:
    call: StoredCall
    turns: tuple[Turn, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message that a caller left."""

    id: int
    call_id: str
    taken_at: datetime
    number: str = field(repr=False)
    text: str = field(repr=False)
    audio_path: str | None
    """Where it can be heard: a recording of its own, else that of the whole call; None where neither is kept."""
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Erased:
    """What a purge or an erasure took away."""

    calls: int = 0
    recordings: int = 0
    list_entries: int = 0

    def as_mapping(self) -> Mapping[str, int]:
        return {"calls": self.calls, "recordings": self.recordings, "list_entries": self.list_entries}
