"""`detector simulate`: play scenarios against the agent, in process."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

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

    loaded = load_scenarios(scenarios)
    for error in loaded.errors:
        typer.echo(f"detector: {error}", err=True)
    failed = bool(loaded.errors)
    chosen = loaded.scenarios[:limit]
    settings = _Settings(clips, snr, loss, seed, model, jobs)
    rows = _play(chosen, settings, progress=not as_json and sys.stderr.isatty())
    for scenario, outcome in rows:
        if isinstance(outcome, str):
            failed = True
            typer.echo(f"detector: {outcome}", err=True)
        elif as_json:
            print(json.dumps(outcome, ensure_ascii=False), flush=True)  # noqa: T201 - the command's output
        else:
            _show(scenario, outcome)
    if failed:
        raise typer.Exit(1)


class _Settings:
    """What a process needs to play calls; travels to worker processes."""

    def __init__(self, clips: Path, snr: float, loss: float, seed: int, model: str | None, jobs: int) -> None:
        self.clips, self.snr, self.loss, self.seed = clips, snr, loss, seed
        self.model, self.jobs = model, jobs


def _play(
    scenarios: tuple[Scenario, ...], settings: _Settings, *, progress: bool
) -> Iterator[tuple[Scenario, dict[str, Any] | str]]:
    """Play the calls in parallel processes, in the order of the file."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    from rich.progress import track

    if not scenarios:
        return
    jobs = min(settings.jobs, len(scenarios))
    # What is wrong with a model or a prompt is told once, here, and not by every process.
    _prepare(settings)
    if jobs == 1:
        outcomes: Any = map(_play_one, scenarios)
        yield from zip(scenarios, outcomes, strict=True)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_prepare, initargs=(settings,)) as pool:
        results = pool.map(_play_one, scenarios)
        pairs = zip(scenarios, results, strict=True)
        yield from track(pairs, "simulating", total=len(scenarios), transient=True) if progress else pairs


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
    from detector.errors import DetectorError

    try:
        record = _simulator.run(scenario)
    except DetectorError as error:
        return str(error)
    about = {name: getattr(scenario, name) for name in ("id", "wanted", "caller", "category")}
    return {**about, **record.to_json(), "agent_acts": record.acts_to_json()}


def _show(scenario: Scenario, row: dict[str, Any]) -> None:
    decided = "undecided" if row["decided_at"] is None else f"{row['decided_at']:5.1f} s"
    kind = f"{scenario.caller}, {scenario.category}"
    typer.echo(f"{scenario.id:40} {kind:32} {row['label']:12} {row['action']:13} {decided}")
