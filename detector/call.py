"""What is known of a call before anybody has spoken."""

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Attestation", "CallInfo", "Language", "NumberHistory", "NumberTag"]

Language = Literal["zh", "en"]
Attestation = Literal["A", "B", "C"]


@dataclass(frozen=True, slots=True)
class NumberHistory:
    """What the store knows of this number, gathered before the call is answered.

    Times are seconds before this call, None where it never happened.
    """

    calls: int = 0
    since_last_call: float | None = None
    since_refusal: float | None = None
    since_hang_up: float | None = None
    put_through: int = 0
    lost_by_us: bool = False
    """The last call of this number ended because of us, as no other within a day: put him straight through."""
    one_ring_calls: int = 0
    attempts: int | None = None
    """Calls of the last hours in which the caller stayed on the line, redials at once counted as one; None: not
    known."""
    related_calls: int = 0
    """Calls within the last half hour from other numbers of the same block (`number_plan.block_of`)."""
    since_related_refusal: float | None = None
    """Since one of these was refused or hung up on."""
    related_put_through: bool = False
    """One of these was put through: an office has many lines."""


@dataclass(frozen=True, slots=True)
class NumberTag:
    """What somebody takes a number for."""

    text: str = field(repr=False)
    is_own: bool = True
    """The user's own tag; else from a list that somebody else keeps."""


@dataclass(frozen=True, slots=True)
class CallInfo:
    """A call as the network presents it. Every text here comes from the caller and is not trusted."""

    call_id: str
    number: str | None = field(default=None, repr=False)
    """The presented number as SIP shows it, None or "anonymous" where it is withheld."""
    display_name: str | None = field(default=None, repr=False)
    asserted_number: str | None = field(default=None, repr=False)
    """From P-Asserted-Identity (RFC 3325), where a trusted network set it."""
    diverted_from: str | None = field(default=None, repr=False)
    """From Diversion (RFC 5806)."""
    attestation: Attestation | None = None
    """STIR/SHAKEN attestation level as claimed; it never overrides anything else."""
    history: NumberHistory = NumberHistory()
    tag: NumberTag | None = None
