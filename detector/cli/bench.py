"""`detector bench`: measure speed and accuracy against what a user would do instead."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from detector.agents.clips import Clips
    from detector.agents.scenario import Scenario

__all__ = ["bench"]


def bench(
    data: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Folder of corpora: real speakers in aishell3/ with a manifest.tsv."),
    ] = None,
    recognition: Annotated[
        bool, typer.Option(help="Recognition on short windows against faster-whisper's padded one.")
    ] = True,
    calls: Annotated[
        bool,
        typer.Option("--calls", help="Whole recordings, against transcribing them and searching keywords."),
    ] = False,
    live: Annotated[
        Optional[int],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Real SIP calls, so many at once: how soon the agent replies."),
    ] = None,
    overhead: Annotated[
        bool, typer.Option("--overhead", help="What a call costs beside recognition.")
    ] = False,
    scenarios: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Scenarios for --calls, --live and --overhead (default: the demo's)."),
    ] = None,
    clips: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Their clips (default: the folder clips/ beside them)."),
    ] = None,
    limit: Annotated[
        Optional[int],  # noqa: UP045 - typer reads it at run time
        typer.Option(min=1, help="Take only so many scenarios."),
    ] = None,
    model: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Recognition model: a faster-whisper directory or hub name."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of recognition.")] = 1,
    latency: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Fit a latency model for the simulator and write it to this file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Measure this machine in one run, as ratios; prints the processor, its load and the versions.

    Without --data recognition is measured on synthetic voices alone, which flatter it.
    """
    from detector.resources import fixtures_dir

    found: dict[str, Any] = {}
    if recognition or latency is not None:
        found["recognition"] = _recognition(data, model, threads, latency)
    if calls or overhead or live is not None:
        path = scenarios or fixtures_dir() / "demo" / "scenarios.jsonl"
        folder = clips or path.parent / "clips"
        chosen, library = _callers(path, folder, limit)
        if overhead:
            found["overhead"] = _overhead(chosen, library)
        if calls:
            found["calls"] = _calls(chosen, library, model, threads)
        if live is not None:
            found["live"] = _live(path, folder, chosen, live)
    if as_json:
        typer.echo(json.dumps({name: report.as_json() for name, report in found.items()}, ensure_ascii=False))
        return
    for report in found.values():
        for line in report.lines():
            typer.echo(line)


def _recognition(data: Path | None, model: str | None, threads: int, latency: Path | None) -> Any:
    from datetime import UTC, datetime

    from detector.bench.report import run_bench, write_latency
    from detector.speech.model_files import recognition_model

    report = run_bench(
        recognition_model(model),
        data,
        threads=threads,
        with_latency=latency is not None,
        progress=_progress("recognizing"),
    )
    if latency is not None:
        write_latency(latency, report, datetime.now(UTC).date().isoformat())
    return report


def _callers(path: Path, folder: Path, limit: int | None) -> tuple[list[Scenario], Clips]:
    """Return the scenarios whose clips are all there, and their clips."""
    from detector.agents.clips import Clips
    from detector.agents.scenario import load_scenarios
    from detector.errors import InputError, ScenarioError

    library = Clips(folder)
    chosen, missing = [], 0
    for scenario in load_scenarios(path).scenarios:
        try:
            library.check(scenario)
        except ScenarioError:
            missing += 1
        else:
            chosen.append(scenario)
    if missing:
        typer.echo(f"{path}: {missing} scenarios are left out, their clips are not all there", err=True)
    if not chosen:
        raise InputError(f"{path}: no scenario has all its clips; render them with scripts/render_clips.py")
    return chosen[:limit], library


def _overhead(scenarios: list[Scenario], clips: Clips) -> Any:
    from detector.bench.overhead import measure_overhead
    from detector.cli.parts import load_parts

    return measure_overhead(scenarios, clips, load_parts())


def _calls(scenarios: list[Scenario], clips: Clips, model: str | None, threads: int) -> Any:
    from detector.bench.calls import compare_calls
    from detector.cli.parts import load_parts
    from detector.speech.model_files import recognition_model

    return compare_calls(
        scenarios,
        clips,
        load_parts(),
        recognition_model(model),
        threads=threads,
        progress=_progress("judging calls"),
    )


def _live(file: Path, clips: Path, scenarios: Iterable[Scenario], at_once: int) -> Any:
    from detector.bench.live import measure_live

    return measure_live(file, clips, list(scenarios), at_once)


def _progress(what: str) -> Callable[[int, int], None]:
    """A progress line on a terminal's standard error, nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda _done, _total: None

    def show(done: int, total: int) -> None:
        print(f"\r{what} {done}/{total} ", end="\n" if done == total else "", file=sys.stderr)  # noqa: T201

    return show
