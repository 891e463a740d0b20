"""`detector bench`: measure speed and accuracy against what a user would do instead."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

__all__ = ["bench"]


def bench(
    data: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Folder of corpora: real speakers in aishell3/ with a manifest.tsv."),
    ] = None,
    model: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Recognition model: a faster-whisper directory or hub name."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of recognition.")] = 1,
    calls: Annotated[
        bool,
        typer.Option(
            "--calls", help="Also judge whole calls, against transcribing them and searching keywords."
        ),
    ] = False,
    latency: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Fit a latency model for the simulator and write it to this file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Measure recognition on short windows against faster-whisper's own padded one, in one run, as ratios.

    Prints the machine and the versions. Without --data only synthetic voices are measured, which flatter.
    """
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.progress import Progress

    from detector.bench.report import run_bench, write_latency
    from detector.speech.model_files import recognition_model

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("measuring", total=None)
        report = run_bench(
            recognition_model(model),
            data,
            threads=threads,
            with_latency=latency is not None,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if latency is not None:
        write_latency(latency, report, datetime.now(UTC).date().isoformat())
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        for line in report.lines():
            typer.echo(line)
    del calls
