#!/usr/bin/env python3
"""Train the weights of fusion, models/fusion.json, from simulated calls.

    scripts/train_fusion SCENARIOS.jsonl… --intent FILE --rows FILE [--clips DIR --snr 15] [--out FILE]

Every scenario is played once, with a detector that listens and asks but never decides, so that all evidence of a call
is seen; then the weights are fitted (see fusion_fit.py) and measured in folds that share no scenario and no voice.
Without --clips the calls are rehearsed (see rehearsal.py): every scenario counts, but recognition is simulated too.
The rows of the calls are kept in --rows; with --reuse they are read from there instead of being played again.
--intent names a text model that has not seen the scenarios (`scripts/train_text_model.py --without-scenarios --out
DIR`), for one that has would look surer than it is. Needs the extra `training`.

The same calls give the same weights.
"""

import argparse
import datetime as dt
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

import axes_fit
import fusion_fit as fitting
from casting import FOLDS, fold_of
from detector.agents.scenario import Scenario, load_scenarios
from detector.cli.playing import PlaySettings, play
from detector.decision.axes import AXES
from detector.decision.fusion import FusionModel
from detector.decision.policy import PolicyOptions
from detector.evaluation.conditions import Condition
from detector.resources import models_dir
from detector.screener import ScreenerOptions
from rehearsal import rehearse

OBSERVED_SECONDS = 32.0


def observing() -> ScreenerOptions:
    """Settings of a detector that never decides.

    Only emergencies, notices, assistants and having nothing left to ask end a call before its time.
    """
    shipped = FusionModel.load().thresholds
    never = replace(shipped, hang_up_at=np.inf, forward_at=(-np.inf,), questions=99)
    return ScreenerOptions(policy=PolicyOptions(deadline=OBSERVED_SECONDS, thresholds=never))


def observe(scenarios: Sequence[Scenario], settings: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Play or rehearse every scenario; yield rows as `simulate --json` prints them."""
    options = observing()
    rows: Iterator[dict[str, Any] | str]
    if settings.clips is None:
        rows = iter(rehearse(scenarios, options, settings.intent, settings.seed, settings.jobs))
    else:
        played = PlaySettings(settings.clips, options=options, intent=settings.intent)
        condition = Condition(settings.snr, 0.0, settings.seed)
        rows = play([(one, condition) for one in scenarios], played, settings.jobs)
    for row in track(rows, "playing", len(scenarios), console=Console(stderr=True)):
        if isinstance(row, str):
            print(row, file=sys.stderr)
        else:
            yield row


def measured(model: FusionModel, paths: Sequence[fitting.Path]) -> dict[str, float]:
    """Figures of `model` on calls: at every moment, and when all was known."""
    samples = fitting.samples_of(paths, model)
    values = fitting.log_odds(samples, model)
    margin = np.where(samples.unwanted > 0, values, -values)
    end = samples.last
    high, low = values[end & (samples.unwanted > 0)], values[end & (samples.unwanted == 0)]
    above = (high[:, None] > low[None, :]).mean() + 0.5 * (high[:, None] == low[None, :]).mean()
    return {
        "log_loss": round(
            float(samples.weights @ np.logaddexp(0, -margin)) / float(samples.weights.sum()), 4
        ),
        "area_under_roc_at_end": round(float(above), 4),
        "expected_calibration_error": round(
            fitting.calibration_error(values, samples.unwanted, samples.weights), 4
        ),
    }


def in_folds(model: FusionModel, paths: Sequence[fitting.Path]) -> dict[str, Any]:
    """Measure weights on the scenarios and voices that they were not fitted on."""
    rows = []
    for fold in range(FOLDS):
        trained = fitting.fit(fitting.samples_of([one for one in paths if one.fold != fold], model), model)
        rows.append(measured(trained, [one for one in paths if one.fold == fold]))
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}


def text_model_hash(settings: Path | None) -> str:
    """SHA-256 of the weights of the text model in whose rehearsals the evidence was seen."""
    weights = (settings or models_dir() / "intent.json").with_suffix(".onnx")
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def write(out: Path, model: FusionModel, before: dict[str, Any], made: dict[str, Any]) -> None:
    """Write the weights of `model` into what the file held before.

    Caps and the thresholds of the sequential test were set by hand, with a date of their own, and stay.
    """
    for name, entry in before["sources"].items():
        entry["weight"] = model.sources[name].weight
    before["axes"] = {name: getattr(model.axes, name).as_json() for name in AXES}
    before["made"], before["prior"] = made, model.prior
    out.write_text(json.dumps(before, indent=1, ensure_ascii=False) + "\n", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenarios", type=Path, nargs="+")
    parser.add_argument("--clips", type=Path, help="play rendered clips; without it the calls are rehearsed")
    parser.add_argument(
        "--intent", type=Path, help="settings of a text model that has not seen the scenarios"
    )
    parser.add_argument("--snr", type=float, default=15.0, help="dB of speech over the background")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rows", type=Path, required=True, help="where the calls are kept, JSON lines")
    parser.add_argument("--reuse", action="store_true", help="read --rows instead of playing")
    parser.add_argument("--out", type=Path, default=models_dir() / "fusion.json")
    options = parser.parse_args()
    if not options.reuse:
        wanted = [one for path in options.scenarios for one in load_scenarios(path).scenarios]
        rows = list(observe(wanted, options))
        lines = (
            json.dumps(row, ensure_ascii=False) + "\n" for row in sorted(rows, key=lambda row: row["id"])
        )
        options.rows.write_text("".join(lines), "utf-8")
    content = options.rows.read_bytes()
    paths = [fitting.Path.of_row(row, fold_of(row["id"])) for row in map(json.loads, content.splitlines())]
    before = json.loads(options.out.read_text("utf-8"))
    model = FusionModel.load(options.out)
    trained = replace(fitting.fit(fitting.samples_of(paths, model), model), axes=axes_fit.fit_axes(paths))
    made = {
        "how": "scripts/train_fusion: non-negative logistic regression over the moments of simulated calls; "
        "caps set by hand",
        "data": {
            "scenarios": [path.name for path in options.scenarios],
            "calls": len(paths),
            "unwanted": sum(path.unwanted for path in paths),
            "speech": "carrier speech, simulated recognition"
            if options.clips is None
            else f"{options.snr:g} dB",
            "text_model_sha256": text_model_hash(options.intent),
            "rows_sha256": hashlib.sha256(content).hexdigest(),
        },
        "seed": options.seed,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "figures": {
            "on calls of other scenarios and voices": in_folds(model, paths),
            "weights before, all calls": measured(model, paths),
            "weights after, all calls": measured(trained, paths),
            "axes, on calls of other scenarios and voices": axes_fit.in_folds(paths),
        },
    }
    write(options.out, trained, before, made)
    print(json.dumps(made["figures"], indent=1))
    for name, entry in trained.sources.items():
        print(f"{entry.weight:7.3f}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
