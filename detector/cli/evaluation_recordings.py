"""Judging recordings whose callers are known, in several processes, as `detector screen` would."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from detector.evaluation.labels import LabelledRecording

__all__ = ["judge_recordings"]


def judge_recordings(
    labels: Path,
    model: str | None,
    jobs: int,
    limit: int | None,
    *,
    fusion: Path | None = None,
    intent: Path | None = None,
    quiet: bool,
) -> tuple[list[dict[str, Any]], int]:
    """Return a row for each recording that the table of `labels` names, and how many lines failed: each is named."""
    from detector.cli.in_parallel import ProcessDied, in_parallel
    from detector.cli.progress import output_console, progress_bar
    from detector.errors import InputError
    from detector.evaluation.labels import read_labels

    found = read_labels(labels)
    problems = [str(error) for error in found.errors]
    recordings = found.recordings[:limit]
    if not recordings:
        raise InputError(f"{problems[0]} (and no other line can be used)")
    # What is wrong with a model is told once, here, and not by every process.
    prepare = partial(_prepare, model, fusion, intent)
    prepare()
    rows: list[dict[str, Any]] = []
    with progress_bar(output_console(), "judging", len(recordings), wanted=not quiet) as advance:
        alone = min(jobs, len(recordings)) == 1
        outcomes = (
            map(_judge_one, recordings) if alone else in_parallel(_judge_one, recordings, jobs, prepare)
        )
        for recording, outcome in zip(recordings, outcomes, strict=True):
            if isinstance(outcome, ProcessDied):
                problems.append(f"{recording.path}: the process that judged it died; try --jobs 1")
            elif isinstance(outcome, str):
                problems.append(outcome)
            else:
                rows.append(outcome)
            advance()
    for problem in problems:
        typer.echo(f"detector: {problem}", err=True)
    return rows, len(problems)


_replay: Any = None


def _prepare(model: str | None, fusion: Path | None, intent: Path | None) -> None:
    global _replay  # noqa: PLW0603 - a worker process has one
    from detector.cli.screen import DEADLINE, load_replay

    _replay = load_replay(
        full=False,
        caller_channel=None,
        language="auto",
        deadline=DEADLINE,
        model=model,
        threads=1,
        lexicon=None,
        fusion=fusion,
        intent=intent,
    )


def _judge_one(recording: LabelledRecording) -> dict[str, Any] | str:
    from detector.cli.screen import judge

    replay = replace(_replay, caller_channel=recording.caller_channel)
    if recording.language is not None:
        replay = replace(replay, options=replace(replay.options, languages=(recording.language,)))
    outcome = judge(replay, recording.path)
    if isinstance(outcome, Exception):
        return str(outcome)
    return {
        "id": recording.name,
        "wanted": recording.wanted,
        "caller": recording.caller,
        "category": recording.category,
        "language": recording.language,
        **outcome.record.to_json(),
        "judged": outcome.judged,
        "seconds": round(outcome.seconds, 2),
        "heard": round(outcome.heard, 2),
        "notes": list(outcome.notes),
    }
