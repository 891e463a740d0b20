"""`detector evaluate`: the figures of the detector on simulated calls, or on recordings whose callers are known."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from detector.errors import ConfigurationError

if TYPE_CHECKING:
    from detector.evaluation.evaluation import Evaluation

__all__ = ["evaluate"]

TABLE_WIDTH = 130
"""Columns in a file or a pipe; a terminal has its own."""
_LEAST_PER_CENT = 0.1
"""Of packets lost: less is a share, as `detector simulate` wants it."""


def evaluate(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for calls.jsonl, metrics.json and report.html.")],
    scenarios: Annotated[
        Optional[list[Path]],  # noqa: UP045 - typer reads it at run time
        typer.Argument(
            metavar="SCENARIOS.jsonl…",
            help="Callers to play, one JSON object a line; with --calls none is played, they only say what made "
            "each caller hard.",
        ),
    ] = None,
    clips: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Folder of the utterances' clips (default: clips/ beside the scenarios)."),
    ] = None,
    snr: Annotated[
        Optional[list[float]],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            metavar="DB", help="dB of speech over the noise [30]; repeated: the first is the main run."
        ),
    ] = None,
    loss: Annotated[
        Optional[list[float]],  # noqa: UP045 - typer reads it at run time
        typer.Option(metavar="PERCENT", min=0, max=50, help="Per cent of packets lost [0]; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same calls.")] = 0,
    limit: Annotated[
        Optional[int],  # noqa: UP045 - typer reads it at run time
        typer.Option(min=1, help="Play only the first N."),
    ] = None,
    only_rendered: Annotated[
        bool, typer.Option("--only-rendered", help="Leave out, and count, scenarios without all their clips.")
    ] = False,
    grid: Annotated[
        bool, typer.Option("--grid", help="Also 30, 15, 8 dB x 0, 2, 5 % loss, on a fixed 100 of the calls.")
    ] = False,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="Also play all calls without each kind of evidence in turn.")
    ] = False,
    compare: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(metavar="OTHER_DIR", help="An earlier --out: what changed since, tested call by call."),
    ] = None,
    fusion: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Other weights of the evidence, with their thresholds, than those that ship."),
    ] = None,
    intent: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            help="Settings of another text model than the one that ships: one that has not seen the calls."
        ),
    ] = None,
    calls: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            metavar="CALLS.jsonl",
            help="Play nothing; judge rows of `simulate --json`, or of `screen --json` with 'wanted' added.",
        ),
    ] = None,
    recordings: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            metavar="LABELS.tsv", help="Judge your own recordings; columns: file, wanted, and more."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Calls at once (default: one a core).")] = os.cpu_count()
    or 1,
    model: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Recognition model: a faster-whisper directory or hub name."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="metrics.json on standard output.")] = False,
) -> None:
    """Measure the detector: who is hung up on, who is put through, how soon, and every error with its evidence.

    Plays scenarios with the default settings, on a virtual clock; or takes calls that were judged already (--calls)
    and plays nothing; or your own recordings whose callers you know (--recordings). Shares come with exact 95 %
    intervals.

    Writes into --out: calls.jsonl (a row a call, as simulate gives), metrics.json, report.html (one file, for a
    browser). Transcripts are cached, so a second run is quick. Exit code 1 if an input could not be judged: it is
    named on standard error, the figures are those of the others.
    """
    from detector.cli.evaluation_runs import Request, run_evaluation
    from detector.cli.given import given_options

    request = Request(
        scenarios=tuple(scenarios or ()),
        clips=clips,
        snr=tuple(snr or (30.0,)),
        loss=tuple(_share(value) for value in loss or (0.0,)),
        seed=seed,
        limit=limit,
        only_rendered=only_rendered,
        grid=grid,
        leave_out=leave_out,
        compare=compare,
        fusion=fusion,
        intent=intent,
        calls=calls,
        recordings=recordings,
        jobs=jobs,
        model=model,
        given=given_options(context),
    )
    found = run_evaluation(request, out, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        _show(found, out)
    if found.about.failed:
        raise typer.Exit(1)


def _share(per_cent: float) -> float:
    if 0.0 < per_cent < _LEAST_PER_CENT:
        raise ConfigurationError(
            f"--loss {per_cent:g}: per cent are meant here; try --loss {100 * per_cent:g}"
        )
    return per_cent / 100


def _show(found: Evaluation, out: Path) -> None:
    from detector.cli.progress import output_console
    from detector.evaluation import tables

    console = output_console()
    figures = found.figures
    for line in tables.headline_lines(figures):
        console.print(line, markup=False, soft_wrap=True)
    console.print()
    if not console.is_terminal:
        console.width = TABLE_WIDTH
    for title, by in (("by kind", figures.by_caller), ("by category", figures.by_category)):
        for kind, wanted in (("Unwanted", False), ("Wanted", True)):
            groups = [group for group in by if group.wanted == wanted]
            if groups:
                console.print(tables.outcome_table(f"{kind} callers, {title}", groups))
    console.print(tables.timing_table("Seconds and questions: median to 90 %", figures.by_caller))
    if figures.naming.kinds:
        console.print(tables.naming_table(figures.naming))
        for line in tables.naming_lines(figures.naming):
            console.print(line, markup=False, soft_wrap=True)
    for table in tables.beside_tables(found):
        console.print(table)
    console.print()
    for line in tables.closing_lines(found, out):
        console.print(line, markup=False, soft_wrap=True)
