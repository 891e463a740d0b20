"""`detector evaluate` on the real command line: files, exit codes, and one line for whatever is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detector.resources import fixtures_dir, models_dir

Run = Callable[..., Any]
DEMO = fixtures_dir() / "demo"


def calls_file(path: Path, *actions: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    rows = [
        {
            "id": f"demo-{at}",
            "wanted": False,
            "label": "scam",
            "action": action,
            "unwanted": 0.9,
            "decided_at": 5.0,
        }
        for at, action in enumerate(actions)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.end_to_end
def test_scenarios_are_played_as_simulate_plays_them(run: Run, tmp_path: Path) -> None:
    scenarios, out = DEMO / "scenarios.jsonl", tmp_path / "out"
    played = run("evaluate", scenarios, "--out", out, "--limit", "1", "--leave-out", "--jobs", "1")
    assert played.code == 0
    assert "wanted callers" in played.output
    written = [json.loads(line) for line in (out / "calls.jsonl").read_text("utf-8").splitlines()]
    simulated = run(
        "simulate", scenarios, "--clips", DEMO / "clips", "--limit", "1", "--json"
    ).output.splitlines()
    assert [
        {key: row[key] for key in json.loads(line)} for row, line in zip(written, simulated, strict=True)
    ] == [json.loads(line) for line in simulated]
    assert all(row["why"] and row["language"] for row in written)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))
    assert metrics["calls"] == 1
    assert metrics["about"]["condition"] == {"snr": 30.0, "loss": 0.0, "seed": 0, "without": None}
    left_out = {one["without"]: one["calls"] for one in metrics["left_out"]}
    assert left_out["patter"] == 1
    assert (tmp_path / "out" / "runs" / "30db-0loss-without-patter.jsonl").is_file()
    assert (tmp_path / "out" / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.end_to_end
def test_the_weights_that_are_named_bring_their_thresholds(run: Run, tmp_path: Path) -> None:
    weights = json.loads((models_dir() / "fusion.json").read_text("utf-8"))
    weights["sequential_test"]["thresholds"]["hang_up_at"] = 40.0
    own = tmp_path / "own.json"
    own.write_text(json.dumps(weights), "utf-8")
    actions = []
    for name, more in (("shipped", ()), ("own", ("--fusion", own))):
        out = tmp_path / name
        assert run("evaluate", DEMO / "scenarios.jsonl", "--out", out, "--limit", "1", *more).code == 0
        actions.append(json.loads((out / "calls.jsonl").read_text("utf-8"))["action"])
    assert actions == ["hang_up", "take_message"]


@pytest.mark.end_to_end
def test_a_missing_clip_is_an_error_unless_only_what_is_rendered_is_asked_for(
    run: Run, tmp_path: Path
) -> None:
    lines = (DEMO / "scenarios.jsonl").read_text("utf-8").splitlines()
    renamed = json.loads(lines[0]) | {"id": "without-clips"}
    scenarios = tmp_path / "set.jsonl"
    scenarios.write_text("\n".join([json.dumps(renamed), lines[0]]), "utf-8")
    arguments = ("evaluate", scenarios, "--clips", DEMO / "clips", "--jobs", "1", "--json", "--out")
    strict = run(*arguments, tmp_path / "strict")
    assert strict.code == 1
    assert len(strict.errors) == 1
    assert "scenario without-clips: no clip of" in strict.errors[0]
    assert json.loads(strict.output)["about"]["failed"] == 1
    assert json.loads(strict.output)["calls"] == 1
    rendered = run(*arguments, tmp_path / "rendered", "--only-rendered")
    assert (rendered.code, rendered.errors) == (0, [])
    assert json.loads(rendered.output)["about"]["skipped"] == 1


@pytest.mark.end_to_end
def test_recordings_are_judged_and_every_bad_line_of_the_labels_is_named(
    run: Run, write_wav: Callable[..., Path], tmp_path: Path
) -> None:
    write_wav("silence.wav", 3.0)
    (tmp_path / "text.wav").write_text("no audio")
    labels = tmp_path / "labels.tsv"
    labels.write_text(
        "file\twanted\nsilence.wav\tyes\ntext.wav\tno\ngone.wav\tno\nsilence.wav\tperhaps\n", "utf-8"
    )
    outcome = run("evaluate", "--recordings", labels, "--out", tmp_path / "out", "--jobs", "1")
    assert outcome.code == 1
    assert [error.partition(": ")[2].split(": ")[0] for error in outcome.errors] == [
        f"{labels}:4",
        f"{labels}:5",
        str(tmp_path / "text.wav"),
    ]
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))
    assert (metrics["calls"], metrics["about"]["failed"], metrics["errors"]) == (1, 3, [])


def test_calls_that_are_there_are_compared_with_an_earlier_run(run: Run, tmp_path: Path) -> None:
    calls_file(tmp_path / "old" / "calls.jsonl", "forward", "forward", "hang_up")
    new = calls_file(tmp_path / "new.jsonl", "hang_up", "forward", "hang_up")
    outcome = run(
        "evaluate", "--calls", new, "--compare", tmp_path / "old", "--out", tmp_path / "out", "--json"
    )
    assert (outcome.code, outcome.errors) == (0, [])
    change = json.loads(outcome.output)["comparison"]["shares"]["unwanted, hung up on"]
    assert (change["before"]["count"], change["after"]["count"], change["new"]) == (1, 2, ["demo-0"])
    assert json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8")) == json.loads(outcome.output)
    shown = run("evaluate", "--calls", new, "--out", tmp_path / "out")
    assert "No wanted caller was played" in shown.output
    assert "report.html" in shown.output


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "nothing to evaluate: name scenario files, or --calls, or --recordings"),
        (("--calls", "old/calls.jsonl", "--grid"), 2, "--grid plays scenarios"),
        (("--calls", "old/calls.jsonl", "--recordings", "x.tsv"), 2, "--recordings stands alone"),
        (("--calls", "old/calls.jsonl", "--compare", "out"), 2, "would be overwritten: choose another --out"),
        (("--calls", "gone.jsonl"), 1, "gone.jsonl: cannot be read (No such file"),
        (
            ("--calls", "old/calls.jsonl", "--compare", "gone"),
            2,
            "--compare gone is not there: name the folder that an earlier run wrote by --out",
        ),
        (
            ("--calls", "old/calls.jsonl", "--compare", "."),
            2,
            "--compare . holds no calls.jsonl: name the folder",
        ),
        ((str(DEMO / "scenarios.jsonl"), "--clips", "gone"), 2, "--clips gone: cannot be read (No such file"),
        (("--recordings", "gone.tsv"), 1, "gone.tsv: cannot be read (No such file"),
        (("gone.jsonl",), 1, "gone.jsonl: cannot be read (No such file"),
        (
            (str(DEMO / "scenarios.jsonl"), "--fusion", "gone.json"),
            2,
            "gone.json: fusion weights cannot be read",
        ),
    ],
)
def test_what_cannot_be_is_one_line(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    calls_file(tmp_path / "old" / "calls.jsonl", "forward")
    outcome = run("evaluate", "--out", "out", *arguments)
    assert outcome.code == code
    assert len(outcome.errors) == 1
    assert message in outcome.errors[0]


def test_a_share_of_packets_is_not_taken_for_per_cent(run: Run, tmp_path: Path) -> None:
    refused = run("evaluate", DEMO / "scenarios.jsonl", "--out", tmp_path / "out", "--loss", "0.02")
    assert refused.code == 2
    assert refused.errors == ["detector: --loss 0.02: per cent are meant here; try --loss 2"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("source", "options", "named"),
    [
        ("--calls", ("--snr", "8", "--limit", "1"), "--limit, --snr: these calls were judged already"),
        ("--calls", ("--fusion", "weights.json"), "--fusion: these calls were judged already"),
        ("--recordings", ("--seed", "0", "--loss", "2"), "--loss, --seed: recordings are as they are"),
    ],
)
def test_options_that_would_change_nothing_are_refused(
    run: Run, tmp_path: Path, source: str, options: tuple[str, ...], named: str
) -> None:
    file = calls_file(tmp_path / "rows" / "calls.jsonl", "hang_up")
    refused = run("evaluate", source, file, "--out", tmp_path / "out", *options)
    assert refused.code == 2
    assert refused.errors == [f"detector: {named}, so this would change nothing; leave it out"]


def test_recordings_are_judged_with_the_weights_that_are_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text(
        f"file\twanted\n{next((DEMO / 'clips').glob('*.wav'))}\tno\n", "utf-8"
    )
    missing = tmp_path / "no-weights.json"
    refused = run(
        "evaluate", "--recordings", tmp_path / "labels.tsv", "--out", tmp_path / "out", "--fusion", missing
    )
    assert refused.code == 2
    assert "no-weights.json" in refused.errors[0]


def test_weights_without_thresholds_are_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    weights = json.loads((models_dir() / "fusion.json").read_text("utf-8"))
    del weights["sequential_test"]
    (tmp_path / "old.json").write_text(json.dumps(weights), "utf-8")
    arguments = (DEMO / "scenarios.jsonl", "--out", tmp_path / "out", "--fusion", tmp_path / "old.json")
    refused = run("evaluate", *arguments)
    assert refused.code == 2
    assert refused.errors == [
        f"detector: {tmp_path / 'old.json'}: fusion weights are not valid: sequential_test is missing"
    ]
