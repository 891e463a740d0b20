"""`detector answer`: the answering service."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import URL

    from detector.config.settings import Settings
    from detector.console.line_writer import LineWriter
    from detector.sip.options import SipOptions

__all__ = ["answer"]


def answer(
    config: Annotated[
        Path, typer.Option(help="The configuration file; docs/agent.example.toml explains every key.")
    ],
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Show on this terminal what is said, found and decided, as it happens."),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help=(
                "Only check the configuration, the models, the addresses, the store and the folder of recordings. "
                "A port in use is told and is no error: the service may be running."
            ),
        ),
    ] = False,
) -> None:
    """Answer unknown callers: greet, listen, ask, then put through, take a message or hang up.

    Registers at the SIP provider, router or exchange that the configuration names and runs until it is stopped
    (Ctrl-C or SIGTERM; calls that are up are put through first, or leave a message). Exit code 2 where the
    configuration is wrong or a port is in use.
    """
    from detector.config import load_settings
    from detector.console.line_writer import LineWriter

    settings = load_settings(config)
    # One terminal, stopped with Ctrl-S, holds up both.
    with LineWriter(sys.stderr) as log_lines, LineWriter(sys.stdout if watch else None) as shown:
        logging.basicConfig(
            level=settings.log.level.upper(),
            format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
            stream=log_lines,
        )
        # Alembic tells of every start; only its troubles are news.
        logging.getLogger("alembic").setLevel(logging.WARNING)
        _answer(config, settings, shown if watch else None, only_check=check)


def _answer(config: Path, settings: Settings, shown: LineWriter | None, *, only_check: bool) -> None:
    from rich.console import Console

    from detector.cli.parts import load_parts, load_transcriber
    from detector.config import placed
    from detector.config.options import list_entries, sip_options, store_url
    from detector.console.terminal import TerminalConsole

    with placed(config):
        workers, store = sip_options(settings, os.environ), store_url(settings, os.environ)
    list_entries(settings)
    parts = load_parts(settings.lexicon.file, settings.prompts.directory)
    recognition = settings.recognition
    transcriber = load_transcriber(recognition.model, recognition.threads, recognition.workers)
    if only_check:
        _look_around(config, settings, workers, store)
        return
    from detector.service.running import run_service

    console = (
        None if shown is None else TerminalConsole(Console(file=cast("IO[str]", shown), highlight=False))
    )
    asyncio.run(run_service(settings, os.environ, parts, transcriber, console))


def _look_around(config: Path, settings: Settings, workers: Sequence[SipOptions], store: URL) -> None:
    """Check what lies outside the configuration: addresses, recordings, the store."""
    from detector.config import placed
    from detector.sip.listening import addresses_in_use
    from detector.stores.database import Database
    from detector.stores.recordings import Recordings

    with placed(config):
        taken = addresses_in_use(workers)
        if settings.store.keep_audio and settings.store.recordings is not None:
            Recordings(settings.store.recordings).check()
    Database(store, only_look=True).close()
    for address in taken:
        typer.echo(f"{config}: {address} is in use, by a service that runs already or by another program")
    typer.echo(f"{config}: in order")
