"""`detector simulate`: play scenarios against the agent, in process."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from detector.agents.scenario import Scenario

__all__ = ["simulate"]


def simulate(
    scenarios: Annotated[
        Path, typer.Argument(metavar="SCENARIOS.jsonl", help="Callers, one JSON object a line.")
    ],
    clips: Annotated[Path, typer.Option(help="Folder of the utterances' clips.")],
    snr: Annotated[float, typer.Option(help="dB of speech over the scenario's background noise.")] = 30.0,
    loss: Annotated[float, typer.Option(min=0.0, max=0.5, help="Share of packets lost.")] = 0.0,
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
    from detector.cli.progress import output_console, progress_bar

    loaded = load_scenarios(scenarios)
    for error in loaded.errors:
        typer.echo(f"detector: {error}", err=True)
    failed = bool(loaded.errors)
    chosen = loaded.scenarios[:limit]
    settings = _Settings(clips, snr, loss, seed, model)
    console = output_console()
    with progress_bar(console, "simulating", len(chosen), wanted=not as_json) as advance:
        for scenario, outcome in zip(chosen, _play(chosen, settings, jobs), strict=True):
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


@dataclass(frozen=True, slots=True)
class _Settings:
    """What a process needs to play calls; travels to worker processes."""

    clips: Path
    snr: float
    loss: float
    seed: int
    model: str | None


def _play(scenarios: tuple[Scenario, ...], settings: _Settings, jobs: int) -> Iterator[dict[str, Any] | str]:
    """Play the calls in the order of the file; yield each one's row, or in words what was wrong with it."""
    from detector.cli.in_parallel import ProcessDied, in_parallel

    if not scenarios:
        return
    # What is wrong with a model or a prompt is told once, here, and not by every process.
    _prepare(settings)
    if min(jobs, len(scenarios)) == 1:
        yield from map(_play_one, scenarios)
        return
    outcomes = in_parallel(_play_one, scenarios, jobs, partial(_prepare, settings))
    for scenario, outcome in zip(scenarios, outcomes, strict=True):
        if isinstance(outcome, ProcessDied):
            yield f"scenario {scenario.id}: the process that played it died; is there enough memory? Try --jobs 1"
        else:
            yield outcome


_simulator: Any = None


def _prepare(settings: _Settings) -> None:
    """Load the engine's parts and recognition once a process."""
    global _simulator  # noqa: PLW0603 - a worker process has one simulator
    from detector.agents.clips import Clips
    from detector.agents.recognition_cache import RecognitionCache
    from detector.agents.simulator import Simulator
    from detector.cli.parts import load_parts, load_transcriber
    from detector.screener import ScreenerOptions
    from detector.speech.latency import LatencyModel
    from detector.speech.model_files import cache_dir

    transcriber = load_transcriber(settings.model, threads=1)
    cache = RecognitionCache(
        cache_dir() / "simulated-transcripts.sqlite", transcriber.transcribe, transcriber.name
    )
    _simulator = Simulator(
        load_parts(),
        ScreenerOptions(),
        cache,
        LatencyModel.load().seconds,
        Clips(settings.clips),
        snr=settings.snr,
        loss=settings.loss,
        seed=settings.seed,
    )


def _play_one(scenario: Scenario) -> dict[str, Any] | str:
    from detector.errors import DetectorError, where

    try:
        record = _simulator.run(scenario)
    except DetectorError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - one scenario of many; the others are played all the same
        return f"scenario {scenario.id}: could not be played, please report this ({where(error)})"
    about = {name: getattr(scenario, name) for name in ("id", "wanted", "caller", "category")}
    return {**about, **record.to_json(), "agent_acts": record.acts_to_json()}


def _show(console: Console, scenario: Scenario, row: dict[str, Any]) -> None:
    decided = "undecided" if row["decided_at"] is None else f"{row['decided_at']:5.1f} s"
    kind = f"{scenario.caller}, {scenario.category}"
    console.print(
        f"{scenario.id:40} {kind:32} {row['label']:12} {row['action']:13} {decided}",
        markup=False,
        soft_wrap=True,
    )
