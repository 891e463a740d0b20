"""Clips with their words: real speakers in a folder of the user's, synthetic voices that ship."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.audio.resample import resample
from detector.call import Language
from detector.corpora.speech import aishell3
from detector.errors import AudioFileError
from detector.resources import fixtures_dir

__all__ = ["SpokenClip", "read_samples", "real_speakers", "synthetic_voices"]


@dataclass(frozen=True, slots=True)
class SpokenClip:
    """Speech as a telephone line delivers it, and what is said."""

    speaker: str
    samples: Samples
    """int16, shape (n,), 8 kHz, through A-law."""
    text: str
    language: Language

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


def real_speakers(data: Path) -> list[SpokenClip]:
    """Read the clips of `data`/aishell3, ordered by speaker. Raises InputError where they are not there."""
    clips = sorted(aishell3(data / "aishell3"), key=lambda clip: clip.speaker)
    return [SpokenClip(clip.speaker, read_samples(clip.path), clip.text, "zh") for clip in clips]


def synthetic_voices() -> list[SpokenClip]:
    """Read the prompts that ship, whose words are known; none where they were not rendered."""
    return list(_prompts(fixtures_dir() / "prompts"))


def _prompts(folder: Path) -> Iterator[SpokenClip]:
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return
    content = json.loads(manifest.read_text(encoding="utf-8"))
    for entry in content["prompts"] if isinstance(content, dict) else content:
        voice = json.dumps(entry.get("voice"), sort_keys=True)
        yield SpokenClip(voice, read_samples(folder / entry["file"]), entry["text"], entry["language"])


def read_samples(path: Path) -> Samples:
    """Read a short clip and send it through the telephone line: 8 kHz, A-law.

    Raises AudioFileError where it cannot be read.
    """
    import soundfile  # noqa: PLC0415 - heavy

    try:
        audio, rate = soundfile.read(path, dtype="int16", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise AudioFileError(f"{path}: cannot be read ({' '.join(str(error).split())[:120]})") from None
    mono = np.asarray(audio.astype(np.int32).mean(axis=1), np.int16)
    return decode_alaw(encode_alaw(resample(mono, rate, SAMPLE_RATE)))
