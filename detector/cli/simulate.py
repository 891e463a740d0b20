"""`detector simulate`: play scenarios against the agent, in process."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from detector.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from detector.evaluation.calls import JudgedCall

__all__ = ["simulate"]

_MOST_LOSS = 0.5
_WIDTH = 111
"""Columns of a row before the mark."""


def simulate(
    scenarios: Annotated[
        Path, typer.Argument(metavar="SCENARIOS.jsonl", help="Callers, one JSON object a line.")
    ],
    clips: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Folder of the utterances' clips (default: clips/ beside the scenarios)."),
    ] = None,
    snr: Annotated[
        float, typer.Option(metavar="DB", help="dB of speech over the scenario's background noise.")
    ] = 30.0,
    loss: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of packets lost, at most 0.5: 0.02 is 2 %.")
    ] = 0.0,
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

    A row ends with what is wrong where the call should have ended otherwise; the last line counts these.
    A scenario that cannot be run prints no row and is named on standard error; the exit code is then 1. Transcripts
    are cached by the audio's hash, so a second run of the same calls takes seconds.
    """
    from detector.agents.scenario import load_scenarios
    from detector.cli.playing import PlaySettings, clips_folder, play
    from detector.cli.progress import output_console, progress_bar
    from detector.evaluation.conditions import Condition

    if not 0 <= loss <= _MOST_LOSS:
        raise ConfigurationError(
            f"--loss {loss:g}: a share of the packets is meant here, 0.02 for 2 %, at most {_MOST_LOSS:g}"
        )
    loaded = load_scenarios(scenarios)
    folder = clips_folder(clips, scenarios)
    for error in loaded.errors:
        typer.echo(f"detector: {error}", err=True)
    failed = bool(loaded.errors)
    chosen = loaded.scenarios[:limit]
    condition = Condition(snr, loss, seed, jitter / 1000)
    settings = PlaySettings(folder, model, real_latency=real_latency)
    outcomes = play([(scenario, condition) for scenario in chosen], settings, jobs)
    console = output_console()
    table = _Rows(console)
    with progress_bar(console, "simulating", len(chosen), wanted=not as_json) as advance:
        for outcome in outcomes:
            if isinstance(outcome, str):
                failed = True
                typer.echo(f"detector: {outcome}", err=True)
            elif as_json:
                print(json.dumps(outcome, ensure_ascii=False), flush=True)  # noqa: T201 - the command's output
            else:
                table.show(outcome)
            advance()
    table.sum_up(of=len(chosen))
    if failed:
        raise typer.Exit(1)


class _Rows:
    """A line a call for people to read, with what is wrong with its end, and a count of these."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._calls: list[JudgedCall] = []

    def show(self, row: Mapping[str, Any]) -> None:
        from detector.evaluation.calls import call_from_row

        if not self._calls:
            self._print(_line("scenario", "caller", "judged", "action", "decided"))
        call = call_from_row(row, row["id"])
        self._calls.append(call)
        decided = "undecided" if call.decided_at is None else f"{call.decided_at:5.1f} s"
        line = _line(call.id, f"{call.caller}, {call.category}", call.label, call.action, decided)
        wrong = _what_is_wrong(call)
        self._print(f"{line:{_WIDTH}} {wrong}" if wrong else line, "bold red" if _is_worst(call) else None)

    def sum_up(self, of: int) -> None:
        """Count what was shown; `of` calls were to be played."""
        if not self._calls:
            return
        wrong = [call for call in self._calls if call.is_error]
        worst = sum(map(_is_worst, wrong))
        through = sum(not call.wanted and call.action == "forward" for call in wrong)
        count, right = len(self._calls), len(self._calls) - len(wrong)
        told = (
            f"{count} {'call' if count == 1 else 'calls'}: {right} ended as they should, {len(wrong)} wrong"
        )
        if wrong:
            other = len(wrong) - worst - through
            told += f" ({worst} wanted hung up on, {through} unwanted put through, {other} other)"
        if missing := of - len(self._calls):
            told += f"; {missing} could not be played"
        self._print(told)

    def _print(self, line: str, style: str | None = None) -> None:
        self._console.print(line, style=style, markup=False, soft_wrap=True)


def _line(*cells: str) -> str:
    return "{:40} {:32} {:12} {:13} {}".format(*cells).rstrip()


def _is_worst(call: JudgedCall) -> bool:
    return call.wanted and call.action == "hang_up"


def _what_is_wrong(call: JudgedCall) -> str:
    """Return a mark for a call that should have ended otherwise, nothing for any other."""
    from detector.evaluation.call_details import ACTION_WORDS

    if not call.is_error:
        return ""
    mark = "UNFORGIVABLE" if _is_worst(call) else "wrong"
    return f"{mark}: {'wanted' if call.wanted else 'unwanted'}, {ACTION_WORDS[call.action]}"
