"""A mono recording: whose voices are in it."""

import numpy as np

from detector.agents.mono import find_voices
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE
from detector.resources import fixtures_dir


def test_one_voice_is_the_only_one_and_silence_has_none() -> None:
    prompts = sorted((fixtures_dir() / "prompts").glob("zh-*.wav"))[:4]
    pause = np.random.default_rng(0).integers(-8, 9, SAMPLE_RATE).astype(np.int16)
    audio = np.concatenate([part for path in prompts for part in (pause, read_clip(path))])
    blocks = [audio[start : start + 160] for start in range(0, len(audio), 160)]
    assert find_voices(blocks, 60.0).voices.count == 1
    assert find_voices([pause], 60.0).voices.count == 0
