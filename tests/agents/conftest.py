"""Scenarios with tones for clips, so that a test sees in the audio what is said."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from detector.agents.clips import Clips, clip_name
from detector.agents.scenario import Scenario
from detector.audio.frames import SAMPLE_RATE

BASE = Scenario(
    id="test-person",
    language="zh",
    wanted=True,
    caller="person",
    category="friend",
    number="13800000000",
    display_name=None,
    connect_silence=0.5,
    barge_in="stops",
    reply_delay=(0.5, 0.0),
    opening=("opening",),
    waits_for_greeting=False,
    replies={
        "greeting": ("to the greeting",),
        "ask_name": ("first name", "second name"),
        "ask_callee": (),
        "other": ("other one", "other two"),
    },
    repeats_take=False,
    hangs_up_after=None,
    noise="none",
)
CLIP_SECONDS = 2.0

MakeScenario = Callable[..., Scenario]


@pytest.fixture
def make() -> MakeScenario:
    def change(**changes: Any) -> Scenario:
        return dataclasses.replace(BASE, **changes)

    return change


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Clips]:
    """Record every utterance of a scenario as a tone of its own, with any number of takes."""

    def write(scenario: Scenario, takes: int = 1, seconds: float = CLIP_SECONDS) -> Clips:
        time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        for number, text in enumerate(scenario.utterances):
            for take in range(takes):
                tone = 8000 * np.sin(2 * np.pi * (300 + 37 * number + 500 * take) * time)
                path = tmp_path / f"{clip_name(scenario.id, text, take)}.wav"
                soundfile.write(path, tone.astype(np.int16), SAMPLE_RATE, subtype="PCM_16")
        return Clips(tmp_path)

    return write
