"""`detector report` and `detector purge`: what the store holds, and taking it away again."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from sqlalchemy import URL

    from detector.config.settings import Settings
    from detector.stores.records import CallDetail
    from detector.stores.store import Store

__all__ = ["purge", "report"]

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
    since = datetime.now(UTC) - timedelta(days=days)
    store, _ = _open(config)
    with store:
        rows = _messages(store, since) if messages else [_call(detail) for detail in store.calls(since=since)]
    if not rows and not as_json:
        typer.echo(f"no {'messages' if messages else 'calls'} in the last {days} days")
    for row in rows:
        typer.echo(json.dumps(row, ensure_ascii=False, default=str) if as_json else _line(row))


def purge(
    config: Config,
    number: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Erase everything that is kept of this number, however new."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete calls older than `store.retention_days` and recordings older than `store.audio_retention_days`.

    With --number everything of one caller is erased: calls, words, recordings, messages, list entries. There is no
    way back, so it asks first.
    """
    store, settings = _open(config)
    now = datetime.now(UTC)
    with store:
        if number is not None:
            if not yes:
                typer.confirm("Erase everything that is kept of this number?", abort=True)
            _told(store.forget(number))
            return
        kept = settings.store.retention_days
        if not yes:
            days = "for ever" if kept is None else f"{kept} days"
            typer.confirm(
                f"Calls are kept {days}, recordings {settings.store.audio_retention_days} days. Delete what is older?",
                abort=True,
            )
        _told(store.purge_audio(now - timedelta(days=settings.store.audio_retention_days)), of="recordings")
        if kept is not None:
            _told(store.purge(now - timedelta(days=kept)), of="calls")


def _open(config: Path) -> tuple[Store, Settings]:
    from detector.config import load_settings
    from detector.config.options import store_url
    from detector.stores.store import Store

    settings = load_settings(config)
    address = store_url(settings, os.environ)
    if (place := _missing(address)) is not None:
        typer.echo(
            f"detector: {place}: no such store yet; the service makes it when it first starts", err=True
        )
        raise typer.Exit(1)
    return Store(address, recordings=settings.store.recordings), settings


def _missing(url: URL) -> str | None:
    """Return the file of the store where there is none: looking at it should not make it."""
    in_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return url.database if in_file and not Path(str(url.database)).exists() else None


def _told(erased: Any, of: str = "this number") -> None:
    """Say how much went, kind by kind; `of`: what was looked through, where it was nothing."""
    counts = ", ".join(
        f"{count} {name.replace('_', ' ')}" for name, count in erased.as_mapping().items() if count
    )
    typer.echo(f"deleted: {counts or f'nothing of {of}'}")


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
