"""What is played for an evaluation: every scenario under every condition that was asked for, each once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detector.agents.scenario import Scenario
    from detector.cli.evaluation_runs import Request
    from detector.cli.playing import PlaySettings
    from detector.evaluation.calls import JudgedCall
    from detector.evaluation.conditions import Condition
    from detector.evaluation.evaluation import Beside

__all__ = ["CALLS_FILE", "Plan", "circumstances"]

CALLS_FILE = "calls.jsonl"


def circumstances(scenario: Scenario) -> Mapping[str, str]:
    """What a row of `simulate` does not say of the caller."""
    return {"language": scenario.language, "noise": scenario.noise, "why": scenario.why}


class Plan:
    """Which scenarios are played under which conditions; each pair once."""

    def __init__(self, request: Request, main: Condition, scenarios: list[Scenario], out: Path) -> None:
        from detector.decision.fusion import FusionModel
        from detector.evaluation import conditions

        self._request = request
        self._main = main
        self._scenarios = scenarios
        self._out = out
        lines = [replace(main, snr=snr, loss=loss) for snr in request.snr for loss in request.loss]
        self.lines = [line for line in lines if line != main]
        self.grid = conditions.grid(main) if request.grid else []
        self._model = FusionModel.load(request.fusion)
        self.left_out = conditions.leave_out(main, self._model) if request.leave_out else []
        self._few = conditions.fixed_subset(scenarios)
        self._found: dict[Condition, dict[str, JudgedCall]] = {}
        self._problems: dict[str, None] = {}

    def play(self, clips: Path, quiet: bool) -> int:
        """Play all of it; return how many calls could not be played, each of which is named."""
        from detector.cli.playing import PlaySettings

        settings = PlaySettings(clips, self._request.model, self._request.fusion, self._request.intent)
        pairs = [
            (scenario, condition) for condition in (self._main, *self.lines) for scenario in self._scenarios
        ]
        pairs += [(scenario, condition) for condition in self.grid for scenario in self._few]
        self._play(list(dict.fromkeys(pairs)), settings, "simulating", quiet)
        self._play(self._without(), settings, "leaving out", quiet)
        for problem in self._problems:
            typer.echo(f"detector: {problem}", err=True)
        return len(self._problems)

    def _without(self) -> list[tuple[Scenario, Condition]]:
        """Return what must be played to leave evidence out; a call that had none of a family goes the same way."""
        from detector.evaluation.conditions import families_in

        played = self._found.get(self._main, {})
        pairs = []
        for scenario in self._scenarios:
            call = played.get(scenario.id)
            if call is None:
                continue
            families = families_in(self._model, (piece["source"] for piece in call.row["evidence"]))
            for condition in self.left_out:
                if condition.without in families:
                    pairs.append((scenario, condition))
                else:
                    self._keep(condition, call)
        return pairs

    def _play(
        self, pairs: list[tuple[Scenario, Condition]], settings: PlaySettings, what: str, quiet: bool
    ) -> None:
        from detector.cli.playing import play
        from detector.cli.progress import output_console, progress_bar
        from detector.evaluation.calls import call_from_row

        outcomes = play(pairs, settings, self._request.jobs)
        with progress_bar(output_console(), what, len(pairs), wanted=not quiet) as advance:
            for (scenario, condition), outcome in zip(pairs, outcomes, strict=True):
                if isinstance(outcome, str):
                    self._problems[outcome] = None
                else:
                    row = {**outcome, **circumstances(scenario)}
                    self._keep(condition, call_from_row(row, scenario.id))
                advance()

    def _keep(self, condition: Condition, call: JudgedCall) -> None:
        """Write each call down at once: hours of calls must not be lost with the last of them."""
        from detector.evaluation.calls import write_rows

        path = self._out / CALLS_FILE
        if condition != self._main:
            path = self._out / "runs" / f"{condition.name}.jsonl"
            path.parent.mkdir(exist_ok=True)
        calls = self._found.setdefault(condition, {})
        write_rows(path, [call.row], append=bool(calls))
        calls[call.id] = call

    def figures(self, condition: Condition) -> Any:
        from detector.errors import InputError
        from detector.evaluation.metrics import figures_of

        if condition not in self._found:
            raise InputError(f"no call could be played at {condition.words}: there is nothing to report")
        return figures_of(list(self._found[condition].values()))

    def beside(self, conditions: list[Condition], *, few: bool = False) -> tuple[Beside, ...]:
        """Return the figures of these runs against the main one; `few`: of the fixed subset alone."""
        from detector.evaluation.compare import compare
        from detector.evaluation.evaluation import Beside
        from detector.evaluation.metrics import figures_of

        main = list(self._found.get(self._main, {}).values())
        chosen = {scenario.id for scenario in (self._few if few else self._scenarios)}
        found = []
        for condition in conditions:
            calls = [call for call in self._found.get(condition, {}).values() if call.id in chosen]
            if calls:
                comparison = compare(main, calls, condition.words, resamples=0)
                found.append(Beside(condition, figures_of(calls), comparison))
        return tuple(found)
