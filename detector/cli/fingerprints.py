"""`detector fingerprints`: the same audio in several calls or recordings, and taking it elsewhere without the audio."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from detector.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from detector.stores.fingerprints import FingerprintStore

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="The same audio in several calls or recordings: campaigns, what they are, export and import.",
    rich_markup_mode=None,
)

Config = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads it at run time
    typer.Option(help="The configuration file of the service; it names the store."),
]
File = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads it at run time
    typer.Option(help="Or a file that `detector screen --fingerprints` made."),
]


@app.command()
def campaigns(
    config: Config = None,
    file: File = None,
    least: Annotated[int, typer.Option(min=1, help="Leave out campaigns of fewer calls.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the campaigns, the largest first: how many calls, from how many numbers, and what they were."""
    with _open(config, file) as prints:
        found = prints.campaigns(least)
    if not found and not as_json:
        typer.echo(f"no campaign yet: the same audio in at least {least} calls makes one")
    for each in found:
        numbers = f"{each.numbers} number{'' if each.numbers == 1 else 's'}"
        line = f"campaign {each.id}: {each.calls} calls from {numbers}: {each.label}"
        typer.echo(json.dumps(asdict(each)) if as_json else line)


@app.command()
def label(
    campaign: Annotated[int, typer.Argument(help="Its number, as `campaigns` shows it.")],
    what: Annotated[Literal["unwanted", "notice", "wanted", "unlabelled"], typer.Argument()],
    config: Config = None,
    file: File = None,
) -> None:
    """Say what a campaign is. A notice (a school, a parcel locker) never speaks against its next caller.

    Its calls count accordingly for their numbers as well, as with `detector report --rate`.
    """
    with _open(config, file) as prints:
        count = prints.label_campaign(campaign, what)
    if not count:
        raise InputError(f"campaign {campaign}: there is none of this number; `campaigns` lists them")
    typer.echo(f"campaign {campaign}: {count} calls are {what}")


@app.command("export")
def export_(
    config: Config = None,
    file: File = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Where to (default: standard output)."),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Those without a label, too.")] = False,
) -> None:
    """Write fingerprints down, one JSON object a line: no audio, no number, no time, no words."""
    with _open(config, file) as prints, contextlib.ExitStack() as stack:
        target = None if out is None else stack.enter_context(out.open("w", encoding="utf-8"))
        count = 0
        for count, line in enumerate(prints.export_lines(unlabelled=all_), start=1):  # noqa: B007 - told below
            typer.echo(line, file=target)
    typer.echo(f"{count} fingerprints", err=True)


@app.command("import")
def import_(
    sources: Annotated[list[Path], typer.Argument(metavar="FILE…", help="What `export` wrote.")],
    config: Config = None,
    file: File = None,
) -> None:
    """Read fingerprints from elsewhere, into a new file if there is none.

    Where a line is none, nothing of its file is kept (exit code 1).
    """
    with _open(config, file, is_new_allowed=True) as prints:
        for source in sources:
            try:
                with source.open(encoding="utf-8") as lines:
                    count = prints.import_lines(lines, str(source))
            except UnicodeDecodeError:
                raise InputError(f"{source}: not UTF-8, so no exported fingerprints") from None
            typer.echo(f"{source}: {count} new fingerprints")


@contextlib.contextmanager
def _open(
    config: Path | None, file: Path | None, *, is_new_allowed: bool = False
) -> Iterator[FingerprintStore]:
    """Open the store that is meant. Raises ConfigurationError, InputError or StoreError."""
    from detector.stores.database import Database
    from detector.stores.fingerprints import FingerprintStore

    database = Database(_address(config, file, is_new_allowed=is_new_allowed))
    try:
        yield FingerprintStore(database)
    finally:
        database.close()


def _address(config: Path | None, file: Path | None, *, is_new_allowed: bool) -> Path | URL:
    from detector.cli.opening import existing_store_url
    from detector.config import load_settings
    from detector.config.options import store_url

    if (config is None) == (file is None):
        raise ConfigurationError("say which fingerprints: --config FILE (the service's) or --file FILE")
    if file is not None:
        if not (file.exists() or is_new_allowed):
            raise ConfigurationError(
                f"{file}: no such file; `detector screen --fingerprints` or `detector fingerprints import` makes one"
            )
        return file
    assert config is not None  # noqa: S101 - one of them is given
    settings = load_settings(config)
    return store_url(settings, os.environ) if is_new_allowed else existing_store_url(settings)
