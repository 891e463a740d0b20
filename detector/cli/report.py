"""`detector report`: what the store holds."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from detector.stores.records import CallDetail
    from detector.stores.store import Store

__all__ = ["report"]

_ENDS = {"forward": "forwarded", "take_message": "message_taken", "hang_up": "hung_up"}
"""How a call ends that went as its action says."""

Config = Annotated[Path, typer.Option(help="The configuration file of the service; it names the store.")]


def report(
    config: Config,
    days: Annotated[int, typer.Option(min=1, help="How far to look back.")] = 7,
    messages: Annotated[
        bool, typer.Option("--messages", help="Show the messages that callers left.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the calls of the last days, or the messages: who called, what it was taken for, what was done."""
    from detector.cli.opening import open_existing

    since = datetime.now(UTC) - timedelta(days=days)
    store, _ = open_existing(config)
    with store:
        rows = _messages(store, since) if messages else [_call(detail) for detail in store.calls(since=since)]
    if not rows and not as_json:
        typer.echo(f"no {'messages' if messages else 'calls'} in the last {days} days")
    for row in rows:
        typer.echo(json.dumps(row, ensure_ascii=False, default=str) if as_json else _line(row))


def _call(detail: CallDetail) -> dict[str, Any]:
    call = detail.call
    names = (
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
    return {name: getattr(call, name) for name in names}


def _messages(store: Store, since: datetime) -> list[dict[str, Any]]:
    return [asdict(message) for message in store.messages() if message.taken_at >= since]


def _line(row: dict[str, Any]) -> str:
    number = row.get("number") or "(withheld)"
    if "text" in row:
        return f"{_local(row['taken_at'])}  {number:16} {row['text']}"
    fate = f"{row['label'] or '-'} → {row['action'] or '-'}"
    why = "; ".join(text for text in (row["reason"], _became(row)) if text)
    return f"{_local(row['started_at'])}  {number:16} {fate:28} {why}"


def _became(row: dict[str, Any]) -> str | None:
    """How the call ended, where that is not what its action says."""
    ended = row["end_reason"]
    return None if ended is None or _ENDS.get(row["action"]) == ended else ended.replace("_", " ")


def _local(moment: datetime) -> str:
    """A time of day as the clock on the wall shows it."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
