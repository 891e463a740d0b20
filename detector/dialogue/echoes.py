"""What the agent's own words look like, so that their echo on a bad line is not taken for the caller.

Computed once for each prompt as the prompts are loaded: the engine itself reads no file.
"""

from collections.abc import Mapping

from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE
from detector.dialogue.prompts import PromptLibrary
from detector.signals.fingerprint import FingerprintExtractor
from detector.signals.landmarks import Landmarks

__all__ = ["landmarks_of_prompts"]


def landmarks_of_prompts(prompts: PromptLibrary) -> Mapping[str, Landmarks]:
    """Return the landmarks of every prompt by its id, in seconds after its start. Raises AudioFileError."""
    found = {}
    for prompt in prompts.prompts:
        samples = read_clip(prompt.path)
        extractor = FingerprintExtractor()
        extractor.push(samples)
        found[prompt.id] = extractor.landmarks(0.0, len(samples) / SAMPLE_RATE)
    return found
