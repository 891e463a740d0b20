"""Clips: the recorded utterances of scenarios, found by name.

A clip is named after what is said in it, by whom and at which go: see `clip_name`. A person who says a string more
often than there are takes says it at another speed, so that he never sounds like a recording.
"""

import hashlib
from pathlib import Path

import numpy as np

from detector.agents.scenario import Scenario
from detector.audio.files import read_clip
from detector.audio.frames import Samples
from detector.errors import AudioFileError, ScenarioError

__all__ = ["SUFFIXES", "Clips", "altered", "clip_name"]

SUFFIXES = (".wav", ".opus")
LEAST_ALTERATION = 0.03
MOST_ALTERATION = 0.06
"""Change of speed for a string said once more than there are takes of it."""


def clip_name(scenario_id: str, utterance: str, take: int) -> str:
    """Return the file name of a clip without its suffix; takes count from 0."""
    return hashlib.sha1(f"{scenario_id}|{utterance}|{take}".encode(), usedforsecurity=False).hexdigest()[:16]


def altered(samples: Samples, factor: float) -> Samples:
    """Play `samples` (int16, shape (n,)) `factor` times as fast."""
    import soxr  # noqa: PLC0415 - only the repetitions of persons need it

    quicker = soxr.resample(samples.astype(np.float32), factor, 1.0, quality="HQ")
    clipped: Samples = np.clip(np.rint(quicker), -32768, 32767).astype(np.int16)
    return clipped


class Clips:
    """The clips in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, scenario_id: str, utterance: str, take: int) -> Path | None:
        """Return the file of one take, None where there is none."""
        stem = self._folder / clip_name(scenario_id, utterance, take)
        return next((path for suffix in SUFFIXES if (path := stem.with_suffix(suffix)).is_file()), None)

    def takes(self, scenario_id: str, utterance: str) -> int:
        """Return how many takes there are, counted from 0 without a gap."""
        take = 0
        while self.path(scenario_id, utterance, take) is not None:
            take += 1
        return take

    def check(self, scenario: Scenario) -> None:
        """Raise ScenarioError where one of its utterances has no clip, before anything is played."""
        for utterance in scenario.utterances:
            if self.path(scenario.id, utterance, 0) is None:
                raise self._missing(scenario, utterance)

    def clip(self, scenario: Scenario, utterance: str, said_before: int, seed: int) -> Samples:
        """Return `utterance` as the caller says it after having said it `said_before` times (int16, shape (n,)).

        Raises ScenarioError, naming scenario and utterance, where the clip is missing or cannot be read.
        """
        take = 0 if scenario.repeats_take else said_before
        available = self.takes(scenario.id, utterance)
        path = self.path(scenario.id, utterance, min(take, available - 1)) if available else None
        if path is None:
            raise self._missing(scenario, utterance)
        try:
            samples = read_clip(path)
        except AudioFileError as error:
            raise ScenarioError(f"scenario {scenario.id}: clip of {utterance!r}: {error}") from error
        if take < available:
            return samples
        return altered(samples, _alteration(scenario.id, utterance, take - available, seed))

    def _missing(self, scenario: Scenario, utterance: str) -> ScenarioError:
        name = clip_name(scenario.id, utterance, 0)
        return ScenarioError(
            f"scenario {scenario.id}: no clip of {utterance!r}: {self._folder} holds neither "
            f"{name}.wav nor {name}.opus; render the clips of this scenario"
        )


def _alteration(scenario_id: str, utterance: str, repetition: int, seed: int) -> float:
    """Return a factor of speed between 3 and 6 % off, by turns slower and faster so that no two are alike."""
    digest = hashlib.sha256(f"{seed}|{scenario_id}|{utterance}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    change = generator.uniform(LEAST_ALTERATION, MOST_ALTERATION, size=repetition + 1)[repetition]
    slower_first = bool(digest[8] & 1)
    return float(1 - change if (repetition % 2 == 0) == slower_first else 1 + change)
