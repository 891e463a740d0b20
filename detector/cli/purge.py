"""`detector purge`: taking away what the store holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Optional

import typer

if TYPE_CHECKING:
    from detector.config.settings import Settings
    from detector.stores.records import Erased

__all__ = ["purge"]

_ONE: Final = {"calls": "call", "recordings": "recording", "list_entries": "list entry"}


def purge(
    config: Annotated[Path, typer.Option(help="The configuration file of the service; it names the store.")],
    number: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Erase everything that is kept of this number, however new."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete calls older than `store.retention_days` and recordings older than `store.audio_retention_days`.

    With --number everything of one caller is erased: calls, words, recordings, messages, list entries. There is no
    way back, so it asks first. Entries of the configuration and of the files that it names are yours to take out.
    """
    from detector.cli.opening import open_existing

    store, settings = open_existing(config)
    now = datetime.now(UTC)
    with store:
        if number is not None:
            if not yes:
                typer.confirm(f"Erase everything that is kept of {number}?", abort=True)
            _tell(store.forget(number), "this number")
            _warn_of_what_stays(settings, number)
            return
        kept = settings.store.retention_days
        if not yes:
            days = "for ever" if kept is None else f"{kept} days"
            typer.confirm(
                f"Calls are kept {days}, recordings {settings.store.audio_retention_days} days. Delete what is older?",
                abort=True,
            )
        _tell(store.purge_audio(now - timedelta(days=settings.store.audio_retention_days)), "recordings")
        if kept is not None:
            _tell(store.purge(now - timedelta(days=kept)), "calls")


def _tell(erased: Erased, of: str) -> None:
    """Say how much went, kind by kind; `of`: what was looked through, where it was nothing."""
    counts = ", ".join(
        f"{count} {_ONE[name] if count == 1 else name.replace('_', ' ')}"
        for name, count in erased.as_mapping().items()
        if count
    )
    typer.echo(f"deleted: {counts or f'nothing of {of}'}")


def _warn_of_what_stays(settings: Settings, number: str) -> None:
    """Say so where files that are not ours to change still name a number."""
    from detector.config.options import list_entries
    from detector.number_plan import normalize

    spelled = normalize(number)
    count = sum(each.value == spelled for each in list_entries(settings))
    if count:
        entries = "an entry" if count == 1 else f"{count} entries"
        typer.echo(
            f"the configuration, or a file that it names, still has {entries} of this number; take it out there",
            err=True,
        )
