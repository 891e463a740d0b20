"""`detector report`: the calls and messages that the store holds."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import typer

from detector.errors import ConfigurationError

if TYPE_CHECKING:
    from detector.config.settings import Settings
    from detector.stores.store import Store

__all__ = ["report"]

_DAYS = 7
_MOST_DAYS = 36_500


def report(
    config: Annotated[Path, typer.Option(help="The configuration file of the service; it names the store.")],
    days: Annotated[
        Optional[int],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            min=1, max=_MOST_DAYS, help=f"How far to look back (default: {_DAYS}; with --unread: for ever)."
        ),
    ] = None,
    call: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            metavar="ID", help="Show one call whole: its id as the list shows it, or how that begins."
        ),
    ] = None,
    rate: Annotated[
        Optional[Literal["wanted", "unwanted", "unrated"]],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            help="With --call: say what that call was, where the detector erred. Its number, and its audio in other "
            "calls, count accordingly from then on."
        ),
    ] = None,
    messages: Annotated[
        bool, typer.Option("--messages", help="Show the messages that callers left; * marks new ones.")
    ] = False,
    unread: Annotated[
        bool,
        typer.Option(
            "--unread", help="With --messages: only new ones; once shown so they are new no longer."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the calls of the last days, one of them whole, or the messages.

    The list tells who called, what it was taken for and what was done. One call whole is what both sides said, the
    evidence, the messages, and where its recording lies. Exit code 1 if there is no such call, or no store yet.
    """
    from detector.cli.opening import open_existing

    if unread and not messages:
        raise ConfigurationError("--unread is for messages; write --messages --unread")
    if rate is not None and as_json:
        raise ConfigurationError("--rate says what a call was and shows nothing; leave out --json")
    if rate is not None and call is None:
        raise ConfigurationError("--rate is for one call; name it by --call ID")
    if call is not None and (messages or days is not None):
        raise ConfigurationError("--call shows one call with its messages; leave out --messages and --days")
    store, settings = open_existing(config)
    with store:
        if call is not None and rate is not None:
            _rate(store, call, rate)
            return
        if call is not None:
            _one_call(store, settings, call, as_json=as_json)
            return
        back = days or (None if unread else _DAYS)
        since = None if back is None else datetime.now(UTC) - timedelta(days=back)
        if messages:
            count = _messages(store, settings, since, unread=unread, as_json=as_json)
        else:
            count = _calls(store, since, as_json=as_json)
    if not count and not as_json:
        kind = f"{'new ' if unread else ''}{'messages' if messages else 'calls'}"
        past = {None: "", 1: " in the last day"}.get(back, f" in the last {back} days")
        typer.echo(f"no {kind}{past}")


def _one_call(store: Store, settings: Settings, written: str, *, as_json: bool) -> None:
    from detector.cli.progress import output_console
    from detector.cli.stored_call import call_to_json, find_call, print_call

    detail = find_call(store, written)
    left = tuple(reversed(store.messages(call_id=detail.call.id)))
    recording = _recording(store, settings, detail.call.audio_path)
    if as_json:
        typer.echo(_json(call_to_json(detail, left, recording)))
    else:
        print_call(output_console(), detail, left, recording)


def _rate(store: Store, written: str, rating: Literal["wanted", "unwanted", "unrated"]) -> None:
    from detector.cli.stored_call import call_line, find_call

    call = find_call(store, written).call
    store.rate(call.id, None if rating == "unrated" else rating)
    typer.echo(f"{call_line(call)}\nfrom now on it counts as {rating}")


def _calls(store: Store, since: datetime | None, *, as_json: bool) -> int:
    from detector.cli.stored_call import call_line, call_row

    count = 0
    for count, detail in enumerate(store.calls(since=since), start=1):  # noqa: B007 - told by the caller
        typer.echo(_json(call_row(detail.call)) if as_json else call_line(detail.call))
    return count


def _messages(
    store: Store, settings: Settings, since: datetime | None, *, unread: bool, as_json: bool
) -> int:
    from detector.cli.stored_call import message_line

    found = [each for each in store.messages(unread_only=unread) if since is None or each.taken_at >= since]
    for each in found:
        if as_json:
            recording = _recording(store, settings, each.audio_path)
            typer.echo(_json(asdict(each) | {"audio_path": recording}))
        else:
            typer.echo(message_line(each))
        if unread:
            store.mark_read(each.id, datetime.now(UTC))
    return len(found)


def _recording(store: Store, settings: Settings, audio_path: str | None) -> str | None:
    """Return where a recording lies, as far as the configuration tells."""
    if audio_path is None or settings.store.recordings is None:
        return audio_path
    return str(store.recording(audio_path))


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, default=datetime.isoformat)
