"""Measure how well the agent's echo is told from the caller.

    scripts/eval_echo.py --takes DIR [--seed N]

Every shipped prompt echoes at -20, -28 and -35 dB, 50 to 300 ms late, with two levels of noise, through A-law: which
part of it is found? And under each take of DIR (WAV, speech) at -20 dB: how much of the speech is taken for echo?
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.dialogue.echoes import landmarks_of_prompts
from detector.dialogue.prompts import PromptLibrary
from detector.signals.echo import EchoFinder
from detector.signals.fingerprint import FingerprintExtractor
from detector.signals.landmarks import Landmarks

LEVELS = (-20, -28, -35)
NOISES = (6, 20)
"""RMS in steps of int16."""
FOUND = 0.6


def line(
    prompt: Samples, start: int, level: float, noise: float, caller: Samples, random: np.random.Generator
) -> Landmarks:
    """Return what the caller's channel looks like where the echo begins at sample `start`."""
    wave = noise * random.standard_normal(max(start + len(prompt), len(caller)) + 800)
    wave[: len(caller)] += caller
    wave[start : start + len(prompt)] += 10 ** (level / 20) * prompt
    extractor = FingerprintExtractor()
    extractor.push(decode_alaw(encode_alaw(np.clip(np.rint(wave), -32768, 32767).astype(np.int16))))
    return extractor.landmarks(0, len(wave) / SAMPLE_RATE)


def share(heard: Landmarks, prompt: Landmarks, began: float) -> float:
    finder = EchoFinder()
    finder.prompt_started(prompt, began)
    return sum(end - start for start, end in finder.spans(heard)) / heard.seconds


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--takes", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    takes = [read_clip(path) for path in sorted(arguments.takes.glob("*.wav"))]
    if not takes:
        print(f"{arguments.takes}: no WAV files there; give --takes DIR", file=sys.stderr)
        return 2
    random = np.random.default_rng(arguments.seed)
    library = PromptLibrary.load()
    looks = landmarks_of_prompts(library)
    prompts = [(read_clip(prompt.path), looks[prompt.id]) for prompt in library.prompts]
    nobody = np.zeros(0, np.int16)
    for level in LEVELS:
        for noise in NOISES:
            shares = []
            for samples, look in prompts:
                began, late = random.uniform(0, 2), random.uniform(0.05, 0.3)
                heard = line(samples, round((began + late) * SAMPLE_RATE), level, noise, nobody, random)
                shares.append(share(heard.between(began + late, began + late + look.seconds), look, began))
            found = sum(each >= FOUND for each in shares)
            print(
                f"{level} dB, noise {noise}: {found} of {len(shares)} found; least {min(shares):.2f} of one"
            )
    taken = [
        share(
            line(samples, round((0.5 + random.uniform(0.05, 0.3)) * SAMPLE_RATE), -20, 6, take, random),
            look,
            0.5,
        )
        for samples, look in prompts
        for take in takes
    ]
    print(f"under speech: {np.mean(taken):.3f} of it taken for echo on average, {max(taken):.2f} at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
