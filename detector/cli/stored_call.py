"""A call as the store holds it, for the eye and for other programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from detector.agents.record import judged_to_json
from detector.cli.show import fate, print_axes, print_talk, verdict_markup
from detector.console.terminal import clock_time, printable
from detector.decision.verdict import Verdict
from detector.errors import InputError
from detector.number_plan import classify

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from rich.console import Console

    from detector.stores.records import CallDetail, EndReason, StoredCall, StoredMessage
    from detector.stores.store import Store

__all__ = ["call_line", "call_row", "call_to_json", "find_call", "message_line", "print_call"]

_ID: Final = 8
"""Characters of an id that a list shows; among ids drawn at random they hardly ever meet twice."""
_WITHHELD: Final = "(withheld)"
_AS_DECIDED: Final = {"forward": "forwarded", "take_message": "message_taken", "hang_up": "hung_up"}
"""How a call ends that went as its action says."""
_ENDED: Final[Mapping[EndReason, str]] = {
    "caller_hung_up": "caller hung up",
    "hung_up": "hung up",
    "forwarded": "forwarded",
    "message_taken": "message taken",
    "no_message": "no message was left",
    "rejected": "declined",
    "no_media": "no audio came",
    "too_long": "cut off as too long",
    "lost": "lost, something of ours broke",
}
_ROW: Final = (
    "id",
    "started_at",
    "number",
    "label",
    "action",
    "unwanted",
    "decided_at",
    "reason",
    "end_reason",
    "lost",
)


def find_call(store: Store, written: str) -> CallDetail:
    """Return the call of this id, or the only one whose id begins so. Raises InputError."""
    if (exact := store.call(written)) is not None:
        return exact
    found = store.call_ids(written, limit=2)
    if len(found) > 1:
        raise InputError(
            f"--call {written!r}: several calls begin so, such as {' and '.join(found)}; write more of the id"
        )
    detail = store.call(found[0]) if found else None
    if detail is None:
        raise InputError(f"--call {written!r}: the store has no such call; `detector report` shows their ids")
    return detail


def call_row(call: StoredCall) -> dict[str, Any]:
    """A call in short, as one row of a list."""
    row = {name: getattr(call, name) for name in _ROW}
    for name, digits in (("unwanted", 4), ("decided_at", 2)):
        row[name] = None if row[name] is None else round(row[name], digits)
    return row


def call_to_json(
    detail: CallDetail, messages: tuple[StoredMessage, ...], recording: str | None
) -> dict[str, Any]:
    """All that is kept of a call; `recording`: where its audio lies."""
    call = detail.call
    left = ("id", "taken_at", "text", "read_at")
    return {
        **{name: getattr(call, name) for name in ("id", "started_at", "answered_at", "ended_at")},
        **{name: getattr(call, name) for name in ("number", "display_name")},
        **judged_to_json(_verdict(detail), detail.evidence, detail.turns),
        **{name: getattr(call, name) for name in ("end_reason", "lost", "refused_at", "rating")},
        "messages": [{name: asdict(each)[name] for name in left} for each in messages],
        "audio_path": recording,
    }


def call_line(call: StoredCall) -> str:
    return (
        f"{call.id[:_ID]:{_ID}}  {_local(call.started_at)}  {call.number or _WITHHELD:16} "
        f"{fate(call.label, call.action):28} {_why(call)}{_said(call)}"
    ).rstrip()


def _said(call: StoredCall) -> str:
    return "" if call.rating is None else f"; you say: {call.rating}"


def message_line(message: StoredMessage) -> str:
    """A message under the id of its call, with a star where it is new."""
    new = "*" if message.read_at is None else " "
    return (
        f"{message.call_id[:_ID]:{_ID}}  {_local(message.taken_at)} {new} {message.number or _WITHHELD:16} "
        f"{_in_one_line(message.text)}"
    )


def print_call(
    console: Console, detail: CallDetail, messages: tuple[StoredMessage, ...], recording: str | None
) -> None:
    """Print all that is kept of a call; `recording`: where its audio lies."""
    call = detail.call
    name = f" {printable(call.display_name)}" if call.display_name else ""
    console.print(
        f"[bold]{printable(call.id)}[/bold]  {_local(call.started_at)}  "
        f"{printable(call.number) or _WITHHELD}{name}  [dim]{printable(classify(call.number).display)}[/dim]",
        soft_wrap=True,
    )
    verdict = _verdict(detail)
    if verdict is None:
        console.print(
            f"  [dim]not judged{f': {printable(call.reason)}' if call.reason else ''}[/dim]", soft_wrap=True
        )
    else:
        why = verdict.reason if verdict.is_final else _why(call)
        console.print(f"  {verdict_markup(verdict, why)}", soft_wrap=True)
        print_axes(console, verdict.axes)
    console.print(f"  {_end(call)}")
    if call.rating is not None:
        console.print(f"  you say: {call.rating}")
    print_talk(console, detail.turns, detail.evidence)
    for message in messages:
        console.print(f"  [yellow]message[/yellow]  {printable(_in_one_line(message.text))}", soft_wrap=True)
    if recording is not None:
        console.print(f"  recording: {printable(recording)}", soft_wrap=True)


def _local(moment: datetime) -> str:
    """A time of day as the clock on the wall shows it."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _verdict(detail: CallDetail) -> Verdict | None:
    call = detail.call
    if call.label is None or call.action is None or call.unwanted is None or call.axes is None:
        return None
    if call.decided_at == 0.0:
        return None  # nobody listened to it
    at = call.decided_at
    return Verdict(
        call.label,
        call.action,
        call.unwanted,
        call.axes,
        media_time=at or 0.0,
        decided_at=at,
        reason=call.reason or "",
        evidence=detail.evidence,
    )


def _why(call: StoredCall) -> str:
    """The reason of what was done, and how the call ended where that is not what its action says."""
    ended = None if call.end_reason is None else _ENDED[call.end_reason]
    if call.action == "none" and call.decided_at == 0.0:  # by a list, or for want of time
        return "; ".join(text for text in (call.reason, ended) if text)
    if call.action == "none":
        if call.end_reason == "caller_hung_up":
            return f"{ended} before it was decided"
        return "not decided" if ended is None else f"not decided; {ended}"
    if call.action is not None and _AS_DECIDED[call.action] == call.end_reason:
        ended = None
    return "; ".join(text for text in (call.reason, ended) if text)


def _end(call: StoredCall) -> str:
    if call.ended_at is None or call.end_reason is None:
        return "not ended, or its end was never written down"
    began = call.answered_at or call.started_at
    since = "it was answered" if call.answered_at else "it came in"
    return f"{_ENDED[call.end_reason]}, {clock_time((call.ended_at - began).total_seconds())} after {since}"


def _in_one_line(text: str) -> str:
    return " / ".join(text.splitlines())
