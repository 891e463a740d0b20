"""Voices of rendered scenarios: the same in every run, and none shared between folds."""

import importlib.util
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from detector.call import Language


@pytest.fixture(scope="module")
def casting() -> Any:
    path = Path(__file__).resolve().parents[2] / "scripts" / "casting.py"
    spec = importlib.util.spec_from_file_location("casting", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["casting"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_base_voice_is_shared_between_folds(casting: Any, language: Language) -> None:
    folds: dict[str, set[int]] = defaultdict(set)
    counts: dict[int, int] = defaultdict(int)
    for number in range(600):
        name = f"scenario-{number}"
        voice = casting.cast(name, language)
        assert sum(weight for _, weight in voice.blend) == pytest.approx(1)
        counts[casting.fold_of(name)] += 1
        for base, _ in voice.blend:
            folds[base].add(casting.fold_of(name))
    assert all(len(found) == 1 for found in folds.values())
    assert "zf_xiaoni" not in folds
    assert sorted(counts) == [0, 1, 2]
    assert min(counts.values()) > 150


def test_a_scenario_keeps_its_voice_and_another_has_another(casting: Any) -> None:
    assert str(casting.cast("one", "zh")) == "zm_yunxi:0.96+zf_xiaoxiao:0.04@1.109^1.017"
    assert len({str(casting.cast(f"scenario-{number}", "zh")) for number in range(300)}) == 300


def test_takes_differ_in_speed_only(casting: Any) -> None:
    voice = casting.cast("one", "zh")
    first, second, third = (voice.take(number) for number in range(3))
    assert first == voice
    assert len({first.speed, second.speed, third.speed}) == 3
    assert first.blend == second.blend == third.blend
    assert first.pitch == second.pitch
