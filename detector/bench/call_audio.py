"""Recordings of calls of a wanted length, put together from a scenario's clips.

The caller's channel alone: his utterances in their order with pauses for the other side, again from the start where
they do not suffice, over his background noise and through A-law.
"""

from pathlib import Path

import numpy as np

from detector.agents.channel import Channel
from detector.agents.clips import Clips
from detector.agents.scenario import Scenario
from detector.audio.files import write_wav
from detector.audio.frames import SAMPLE_RATE, Samples

__all__ = ["build_call", "write_call"]

PAUSES = (0.8, 2.5)
"""Seconds between two utterances: the other side speaks."""


def build_call(
    scenario: Scenario, clips: Clips, seconds: float, *, snr: float = 20.0, seed: int = 0
) -> Samples:
    """Return `seconds` of the caller's side (int16, 8 kHz)."""
    rng = np.random.default_rng((seed, int.from_bytes(scenario.id.encode(), "big") % 2**32))
    wanted = round(seconds * SAMPLE_RATE)
    pieces: list[Samples] = []
    length, said = 0, 0
    while length < wanted:
        text = scenario.utterances[said % len(scenario.utterances)]
        pause = np.zeros(round(rng.uniform(*PAUSES) * SAMPLE_RATE), np.int16)
        again = said // len(scenario.utterances)
        pieces += [pause, clips.clip(scenario, text, again, seed)]
        length += len(pieces[-1]) + len(pieces[-2])
        said += 1
    channel = Channel(
        scenario.noise if scenario.noise != "none" else "office", snr=snr, seed=seed, name=scenario.id
    )
    return channel.apply(np.concatenate(pieces)[:wanted])


def write_call(
    folder: Path, scenario: Scenario, clips: Clips, seconds: float, *, snr: float = 20.0, seed: int = 0
) -> Path:
    """Write such a recording as an A-law WAV file and return its path."""
    path = folder / f"{scenario.id}-{seconds:.0f}s.wav"
    write_wav(path, build_call(scenario, clips, seconds, snr=snr, seed=seed), encoding="alaw")
    return path
