import hashlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from detector.agents.clips import Clips, altered, clip_name
from detector.agents.scenario import Scenario, load_scenarios
from detector.errors import ScenarioError
from detector.resources import fixtures_dir

Make = Callable[..., Scenario]
Record = Callable[..., Clips]


def test_a_clip_is_named_by_the_rule() -> None:
    expected = hashlib.sha1("a-b|喂？|1".encode(), usedforsecurity=False).hexdigest()[:16]
    assert clip_name("a-b", "喂？", 1) == expected


def test_takes_are_counted(make: Make, record: Record) -> None:
    scenario = make()
    clips = record(scenario, takes=3)
    assert clips.takes(scenario.id, "opening") == 3
    assert clips.takes(scenario.id, "never said") == 0
    assert clips.path(scenario.id, "opening", 3) is None


def test_a_recording_always_uses_its_first_take(make: Make, record: Record) -> None:
    scenario = make(repeats_take=True)
    clips = record(scenario, takes=2)
    first = clips.clip(scenario, "opening", 0, seed=0)
    assert all(np.array_equal(clips.clip(scenario, "opening", n, seed=n), first) for n in range(1, 4))


def test_a_person_without_takes_left_changes_his_speed_each_time(make: Make, record: Record) -> None:
    scenario = make()
    clips = record(scenario, takes=2)
    whole = len(clips.clip(scenario, "opening", 1, seed=0))
    lengths = [len(clips.clip(scenario, "opening", n, seed=0)) for n in range(2, 8)]
    for length in lengths:
        assert 0.029 <= abs(whole / length - 1) <= 0.061
    assert all(abs(a - b) > 0.05 * whole for a, b in itertools.pairwise(lengths))
    assert lengths == [len(clips.clip(scenario, "opening", n, seed=0)) for n in range(2, 8)]
    assert lengths != [len(clips.clip(scenario, "opening", n, seed=1)) for n in range(2, 8)]


def test_altering_speed_clips_instead_of_wrapping() -> None:
    square = np.tile(np.repeat(np.array([32767, -32768], np.int16), 40), 50)
    faster = altered(square, 1.05)
    assert len(faster) == pytest.approx(len(square) / 1.05, abs=2)
    middle = faster.astype(int)[200:-200]
    assert np.abs(np.diff(np.sign(middle[np.abs(middle) > 3000]))).sum() / 2 <= 100


def test_ogg_opus_is_read_too(make: Make, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    scenario = make(opening=("opening",), replies={})
    tone = (8000 * np.sin(np.arange(16000) / 3)).astype(np.int16)
    soundfile.write(
        tmp_path / f"{clip_name(scenario.id, 'opening', 0)}.opus", tone, 8000, format="OGG", subtype="OPUS"
    )
    samples = Clips(tmp_path).clip(scenario, "opening", 0, seed=0)
    assert samples.dtype == np.int16
    assert len(samples) == pytest.approx(16000, abs=200)


def test_a_missing_clip_names_scenario_and_utterance_before_anything_is_played(
    make: Make, record: Record
) -> None:
    scenario = make()
    clips = record(scenario)
    clips.check(scenario)
    path = clips.path(scenario.id, "second name", 0)
    assert path is not None
    path.unlink()
    with pytest.raises(ScenarioError, match="scenario test-person: no clip of 'second name'") as raised:
        clips.check(scenario)
    assert clip_name(scenario.id, "second name", 0) in str(raised.value)
    with pytest.raises(ScenarioError, match="'second name'"):
        clips.clip(scenario, "second name", 0, seed=0)


def test_a_broken_clip_names_scenario_and_utterance(make: Make, record: Record) -> None:
    scenario = make()
    clips = record(scenario)
    path = clips.path(scenario.id, "opening", 0)
    assert path is not None
    path.write_bytes(b"no audio")
    with pytest.raises(ScenarioError, match="scenario test-person: clip of 'opening': "):
        clips.clip(scenario, "opening", 0, seed=0)


def test_the_demonstration_clips_are_complete_and_those_of_the_manifest() -> None:
    folder = fixtures_dir() / "demo" / "clips"
    clips = Clips(folder)
    for scenario in load_scenarios(folder.parent / "scenarios.jsonl").scenarios:
        clips.check(scenario)
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]
    assert {row["file"] for row in rows} == {path.name for path in folder.glob("*.wav")}
    for row in rows:
        assert hashlib.sha256((folder / row["file"]).read_bytes()).hexdigest() == row["sha256"]
    assert sum(path.stat().st_size for path in folder.parent.rglob("*") if path.is_file()) < 6_000_000
    folds: dict[str, set[int]] = {}
    for row in rows:
        for part in row["voice"].split("@")[0].split("+"):
            folds.setdefault(part.split(":")[0], set()).add(row["fold"])
    assert all(len(found) == 1 for found in folds.values())
