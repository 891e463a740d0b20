"""What `detector evaluate` runs: scenarios under their conditions, or recordings, or nothing but a file of calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from detector.cli.evaluation_plan import CALLS_FILE, Plan, circumstances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detector.agents.scenario import Scenario
    from detector.evaluation.calls import JudgedCall
    from detector.evaluation.evaluation import Evaluation

__all__ = ["Request", "run_evaluation"]

_OF_PLAYING = frozenset({"--snr", "--loss", "--seed", "--clips", "--only-rendered"})
"""Options that say how scenarios are played."""
_OF_JUDGING = frozenset({"--fusion", "--intent", "--model", "--limit"})
"""And those that say with what they are judged."""


@dataclass(frozen=True, slots=True)
class Request:
    """The options of the command line. `loss` in shares."""

    scenarios: tuple[Path, ...]
    clips: Path | None
    snr: tuple[float, ...]
    loss: tuple[float, ...]
    seed: int
    limit: int | None
    only_rendered: bool
    grid: bool
    leave_out: bool
    compare: Path | None
    fusion: Path | None
    intent: Path | None
    calls: Path | None
    recordings: Path | None
    jobs: int
    model: str | None
    given: frozenset[str] = frozenset()
    """Names of the options that were given."""


def run_evaluation(request: Request, out: Path, *, quiet: bool) -> Evaluation:
    """Run what is asked for, write the files into `out` and return the figures.

    Raises ConfigurationError where the options do not go together, InputError where nothing could be judged.
    """
    import json

    from detector.evaluation.calls import write_rows
    from detector.evaluation.page import render_report

    _check(request)
    # What is wrong with the folder is told before anything is played.
    before = _earlier(request, out)
    out.mkdir(parents=True, exist_ok=True)
    if request.calls is not None:
        found = _of_calls(request)
    elif request.recordings is not None:
        found = _of_recordings(request, quiet)
    else:
        found = _of_scenarios(request, out, quiet)
    if before is not None:
        from detector.evaluation.compare import compare

        found = replace(found, comparison=compare(before, found.figures.calls, str(request.compare)))
    write_rows(out / CALLS_FILE, [call.row for call in found.figures.calls])
    content = json.dumps(found.as_json(), indent=2, ensure_ascii=False)
    (out / "metrics.json").write_text(content + "\n", encoding="utf-8")
    (out / "report.html").write_text(render_report(found), encoding="utf-8")
    return found


def _check(request: Request) -> None:
    from detector.errors import ConfigurationError

    given = [bool(request.scenarios), request.recordings is not None, request.calls is not None]
    if not any(given):
        raise ConfigurationError("nothing to evaluate: name scenario files, or --calls, or --recordings")
    if sum(given) > 1 and (request.recordings is not None or not request.scenarios):
        raise ConfigurationError("--recordings stands alone: neither scenarios nor --calls go with it")
    if not request.scenarios or request.calls is not None:
        for name, asked in (("--grid", request.grid), ("--leave-out", request.leave_out)):
            if asked:
                raise ConfigurationError(f"{name} plays scenarios: name a scenario file, without --calls")
    useless = (
        _OF_PLAYING if request.recordings else _OF_PLAYING | _OF_JUDGING if request.calls else frozenset()
    )
    if unused := sorted(request.given & useless):
        what = "recordings are as they are" if request.recordings else "these calls were judged already"
        raise ConfigurationError(f"{', '.join(unused)}: {what}, so this would change nothing; leave it out")


def _earlier(request: Request, out: Path) -> tuple[JudgedCall, ...] | None:
    from detector.errors import ConfigurationError
    from detector.evaluation.calls import read_calls

    if request.compare is None:
        return None
    if request.compare.resolve() == out.resolve():
        raise ConfigurationError(f"--compare {request.compare} would be overwritten: choose another --out")
    path = request.compare / CALLS_FILE if request.compare.is_dir() else request.compare
    if not path.is_file():
        lacks = f"holds no {CALLS_FILE}" if request.compare.is_dir() else "is not there"
        raise ConfigurationError(
            f"--compare {request.compare} {lacks}: name the folder that an earlier run wrote by --out"
        )
    return tuple(read_calls(path))


def _about(request: Request, source: str, files: Sequence[Path], **more: Any) -> Any:
    from datetime import UTC, datetime

    import detector
    from detector.decision.fusion import FusionModel
    from detector.evaluation.evaluation import About

    fusion = "as shipped" if request.fusion is None else str(request.fusion)
    if request.intent is not None:
        fusion = f"{fusion}, text model {request.intent}"
    day = datetime.now(UTC).date().isoformat()
    names = tuple(map(str, files))
    at = FusionModel.load(request.fusion).thresholds.hang_up_at
    return About(source, names, detector.__version__, day, at, fusion=fusion, **more)


def _of_calls(request: Request) -> Evaluation:
    """Judge rows that are there already; scenarios, where named, say what made each caller hard."""
    from detector.evaluation.calls import call_from_row, read_calls
    from detector.evaluation.evaluation import Evaluation
    from detector.evaluation.metrics import figures_of

    assert request.calls is not None  # noqa: S101 - asked by the caller of this
    calls = read_calls(request.calls)
    known = {scenario.id: circumstances(scenario) for scenario in _scenarios(request)[0]}
    calls = [
        call_from_row({**call.row, **known[call.id]}, call.id) if call.id in known else call for call in calls
    ]
    return Evaluation(_about(request, "calls", [request.calls]), figures_of(calls))


def _scenarios(request: Request) -> tuple[list[Scenario], int]:
    """Return the scenarios of all files, and how many lines were wrong: each is named."""
    from detector.agents.scenario import load_scenarios
    from detector.errors import ScenarioError

    found: dict[str, Scenario] = {}
    failed = 0
    for path in request.scenarios:
        loaded = load_scenarios(path)
        again = [one.id for one in loaded.scenarios if found.setdefault(one.id, one) is not one]
        problems = [
            *loaded.errors,
            *(ScenarioError(f"{path}: scenario {name} stands in an earlier file too") for name in again),
        ]
        for problem in problems:
            typer.echo(f"detector: {problem}", err=True)
        failed += len(problems)
    return list(found.values()), failed


def _of_scenarios(request: Request, out: Path, quiet: bool) -> Evaluation:
    from detector.cli.playing import clips_folder
    from detector.evaluation.conditions import Condition
    from detector.evaluation.evaluation import Evaluation

    scenarios, failed = _scenarios(request)
    clips = clips_folder(request.clips, request.scenarios[0])
    scenarios, skipped = _rendered(scenarios, clips) if request.only_rendered else (scenarios, 0)
    scenarios = scenarios[: request.limit]
    main = Condition(request.snr[0], request.loss[0], request.seed)
    plan = Plan(request, main, scenarios, out)
    failed += plan.play(clips, quiet)
    about = _about(request, "scenarios", request.scenarios, condition=main, failed=failed, skipped=skipped)
    return Evaluation(
        about,
        plan.figures(main),
        lines=plan.beside(plan.lines),
        grid=plan.beside(plan.grid, few=True),
        left_out=plan.beside(plan.left_out),
    )


def _rendered(scenarios: list[Scenario], clips: Path) -> tuple[list[Scenario], int]:
    from detector.agents.clips import Clips
    from detector.errors import ScenarioError

    library = Clips(clips)
    kept = []
    for scenario in scenarios:
        try:
            library.check(scenario)
        except ScenarioError:
            continue
        kept.append(scenario)
    return kept, len(scenarios) - len(kept)


def _of_recordings(request: Request, quiet: bool) -> Evaluation:
    from detector.cli.evaluation_recordings import judge_recordings
    from detector.errors import InputError
    from detector.evaluation.calls import call_from_row
    from detector.evaluation.evaluation import Evaluation
    from detector.evaluation.metrics import figures_of

    assert request.recordings is not None  # noqa: S101 - asked by the caller of this
    rows, failed = judge_recordings(
        request.recordings,
        request.model,
        request.jobs,
        request.limit,
        fusion=request.fusion,
        intent=request.intent,
        quiet=quiet,
    )
    if not rows:
        raise InputError(f"{request.recordings}: no recording could be judged")
    about = _about(request, "recordings", [request.recordings], failed=failed)
    return Evaluation(about, figures_of([call_from_row(row, row["id"]) for row in rows]))
