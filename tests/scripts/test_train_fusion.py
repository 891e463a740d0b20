"""Training writes weights and leaves what was set by hand; while calls are observed, their odds decide nothing."""

import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detector.decision.fusion import Fusion, FusionModel
from detector.decision.policy import Policy, Situation
from detector.resources import models_dir
from detector.signals.evidence import Evidence

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = FusionModel.load()


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    sys.path.insert(0, str(ROOT / "scripts"))
    yield importlib.import_module("train_fusion")
    sys.path.remove(str(ROOT / "scripts"))


def test_training_writes_weights_and_leaves_the_thresholds_as_they_were_written(
    script: Any, tmp_path: Path
) -> None:
    path = tmp_path / "fusion.json"
    shutil.copy(models_dir() / "fusion.json", path)
    before = json.loads(path.read_text("utf-8"))
    before["sequential_test"]["thresholds"]["hang_up_at"] = 3.1
    trained = replace(
        SHIPPED, sources={name: replace(entry, weight=0.123) for name, entry in SHIPPED.sources.items()}
    )
    script.write(path, trained, json.loads(json.dumps(before)), {"how": "a test"})
    after = json.loads(path.read_text("utf-8"))
    assert {entry["weight"] for entry in after["sources"].values()} == {0.123}
    assert after["made"] == {"how": "a test"}
    untouched = before.keys() - {"sources", "made"}
    assert {key: after[key] for key in untouched} == {key: before[key] for key in untouched}
    assert FusionModel.load(path).thresholds == replace(SHIPPED.thresholds, hang_up_at=3.1)


def test_written_anew_without_a_change_the_shipped_file_is_the_same_to_the_byte(
    script: Any, tmp_path: Path
) -> None:
    content = (models_dir() / "fusion.json").read_text("utf-8")
    before = json.loads(content)
    script.write(tmp_path / "fusion.json", SHIPPED, before, before["made"])
    assert (tmp_path / "fusion.json").read_text("utf-8") == content


@pytest.mark.parametrize("llr", [-9.0, 9.0])
def test_who_is_observed_is_neither_hung_up_on_nor_put_through_however_clear_he_is(
    script: Any, llr: float
) -> None:
    policy = Policy(SHIPPED.thresholds, script.observing().policy)
    fusion = Fusion(SHIPPED)
    fusion.add(
        Evidence(source, llr, 1.0, 1.0, "words", "patter")
        for source in ("patter.meaning", "refusal.pushes_on")
    )
    for answered in range(5):
        asked = Situation(
            20.0, answered, heard_intelligible_speech=True, chances_taken=answered, could_explain=True
        )
        assert policy.decide(fusion, asked) is None


def test_axes_are_fitted_where_wanted_and_unwanted_callers_are_as_frequent(script: Any) -> None:
    shares = script.axes_fit.KINDS
    assert shares["person"] + shares["notice"] == pytest.approx(0.5)
    assert sum(shares.values()) == pytest.approx(1.0)


def test_an_axis_has_a_weight_for_every_source_that_its_fit_names(script: Any) -> None:
    for axis, sources in script.axes_fit.SOURCES.items():
        shipped = getattr(SHIPPED.axes, axis).sources
        assert set(shipped) == set(sources)
        assert all(
            (shipped[name] <= 0) if name in script.axes_fit.REVERSED else (shipped[name] >= 0)
            for name in sources
        )


def test_trained_axes_are_written_beside_the_weights(script: Any, tmp_path: Path) -> None:
    path = tmp_path / "fusion.json"
    before = json.loads((models_dir() / "fusion.json").read_text("utf-8"))
    axes = replace(SHIPPED.axes, playback=replace(SHIPPED.axes.playback, prior=-3.0))
    script.write(path, replace(SHIPPED, axes=axes), before, {"how": "a test"})
    assert FusionModel.load(path).axes == axes
