"""What recognition learns from: each utterance through another line, and only the voices that were asked for."""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from detector.agents.clips import clip_name
from detector.audio.frames import SAMPLE_RATE
from detector.bench.clips import synthetic_voices

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "audio_fixtures" / "scenarios" / "development-1.jsonl"


@pytest.fixture(scope="module")
def telephone_speech() -> Any:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module("telephone_speech")
    finally:
        sys.path.pop(0)


def test_the_same_seed_gives_the_same_lines_and_no_two_are_alike(telephone_speech: Any) -> None:
    said = synthetic_voices()[0].samples
    line, again = telephone_speech.TelephoneLine(7), telephone_speech.TelephoneLine(7)
    first, second = line.said(said), line.said(said)
    assert np.array_equal(first, again.said(said))
    assert np.array_equal(second, again.said(said))
    assert first.shape != second.shape or not np.array_equal(first, second)


def test_what_was_said_is_all_there(telephone_speech: Any) -> None:
    said = synthetic_voices()[0].samples
    line = telephone_speech.TelephoneLine(1)
    for _ in range(10):
        heard = line.said(said)
        assert heard.dtype == np.int16
        assert 0.6 < len(heard) / len(said) < 1.15
    assert len(line.silent(1.5)) == 1.5 * SAMPLE_RATE


def test_utterances_come_with_their_words_from_the_folds_asked_for(
    telephone_speech: Any, tmp_path: Path
) -> None:
    scenarios = telephone_speech.load_scenarios(SCENARIOS).scenarios[:12]
    for scenario in scenarios:
        samples = np.full(800, 1 + telephone_speech.fold_of(scenario.id), np.int16)
        name = clip_name(scenario.id, scenario.utterances[0], 0)
        soundfile.write(tmp_path / f"{name}.wav", samples, SAMPLE_RATE)
    for folds in ([0], [0, 1], [2]):
        read = list(telephone_speech.read_utterances([SCENARIOS], tmp_path, folds))
        expected = [one for one in scenarios if telephone_speech.fold_of(one.id) in folds]
        assert [one.text for one in read] == [one.utterances[0] for one in expected]
        assert {int(one.samples[0]) - 1 for one in read} == {
            telephone_speech.fold_of(one.id) for one in expected
        }
