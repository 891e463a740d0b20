"""`detector simulate`: play scenarios against the agent, in process."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from detector.agents.scenario import Scenario

__all__ = ["simulate"]


def simulate(
    scenarios: Annotated[
        Path, typer.Argument(metavar="SCENARIOS.jsonl", help="Callers, one JSON object a line.")
    ],
    clips: Annotated[Path, typer.Option(help="Folder of the utterances' clips.")],
    snr: Annotated[float, typer.Option(help="dB of speech over the scenario's background noise.")] = 30.0,
    loss: Annotated[float, typer.Option(min=0.0, max=0.5, help="Share of packets lost: 0.02 is 2 %.")] = 0.0,
    jitter: Annotated[
        float,
        typer.Option(metavar="MS", min=0, max=500, help="Milliseconds that packets are delayed, on average."),
    ] = 0.0,
    real_latency: Annotated[
        bool,
        typer.Option(
            "--real-latency",
            help="Let recognition take the time it takes here, uncached; without it a model says how long, and a "
            "seed gives the same calls on every machine.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Same seed, same calls.")] = 0,
    limit: Annotated[
        Optional[int],  # noqa: UP045 - typer reads it at run time
        typer.Option(min=1, help="Play only the first N."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Calls at once (default: one a core).")] = os.cpu_count()
    or 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line on standard output.")
    ] = False,
    model: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Recognition model: a faster-whisper directory or hub name."),
    ] = None,
) -> None:
    """Play scenarios against the agent with its default settings, on a virtual clock.

    A scenario that cannot be run prints no row and is named on standard error; the exit code is then 1. Transcripts
    are cached by the audio's hash, so a second run of the same calls takes seconds.
    """
    from detector.agents.scenario import load_scenarios
    from detector.cli.playing import PlaySettings, play
    from detector.cli.progress import output_console, progress_bar
    from detector.evaluation.conditions import Condition

    loaded = load_scenarios(scenarios)
    for error in loaded.errors:
        typer.echo(f"detector: {error}", err=True)
    failed = bool(loaded.errors)
    chosen = loaded.scenarios[:limit]
    condition = Condition(snr, loss, seed, jitter / 1000)
    settings = PlaySettings(clips, model, real_latency=real_latency)
    outcomes = play([(scenario, condition) for scenario in chosen], settings, jobs)
    console = output_console()
    with progress_bar(console, "simulating", len(chosen), wanted=not as_json) as advance:
        for scenario, outcome in zip(chosen, outcomes, strict=True):
            if isinstance(outcome, str):
                failed = True
                typer.echo(f"detector: {outcome}", err=True)
            elif as_json:
                print(json.dumps(outcome, ensure_ascii=False), flush=True)  # noqa: T201 - the command's output
            else:
                _show(console, scenario, outcome)
            advance()
    if failed:
        raise typer.Exit(1)


def _show(console: Console, scenario: Scenario, row: dict[str, Any]) -> None:
    decided = "undecided" if row["decided_at"] is None else f"{row['decided_at']:5.1f} s"
    kind = f"{scenario.caller}, {scenario.category}"
    console.print(
        f"{scenario.id:40} {kind:32} {row['label']:12} {row['action']:13} {decided}",
        markup=False,
        soft_wrap=True,
    )
