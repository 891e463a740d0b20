"""Rendered utterances as a telephone line delivers them, each time another way, to train recognition on.

Pace and pitch are changed a little, a background of any kind lies behind two of three utterances, the line has noise of
its own, a gain, A-law, and one call of four loses packets. Nothing is heard the same way twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from casting import fold_of
from detector.agents.background import Background
from detector.agents.channel import SPEECH_DBFS
from detector.agents.clips import Clips
from detector.agents.packet_loss import PacketLoss
from detector.agents.scenario import Noise, load_scenarios
from detector.agents.voice_line import LINE_NOISE_DBFS
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.call import Language
from detector.speech.trimming import trim_silence

__all__ = ["PACES", "TelephoneLine", "Utterance", "read_utterances"]

KINDS: tuple[Noise, ...] = ("office", "street", "car", "home_tv", "wind")
BACKGROUNDS = 10
"""Stretches of each kind."""
STRETCH_SECONDS = 15
QUIET = 0.4
"""Share of utterances without a background."""
SNR = (6.0, 28.0)
"""dB."""
PACES = (0.92, 1.1)
GAINS = (-14.0, 4.0)
"""dB."""
LOSSY, MOST_LOST = 0.25, 0.06
"""Share of calls that lose packets, and the largest share of packets."""


@dataclass(frozen=True, slots=True)
class Utterance:
    text: str
    language: Language
    samples: Samples


def read_utterances(scenarios: Sequence[Path], clips: Path, folds: Sequence[int]) -> Iterator[Utterance]:
    """Yield every rendered utterance of the scenarios in `folds` (see `casting`), two takes where there are two."""
    rendered = Clips(clips)
    for path in scenarios:
        for scenario in load_scenarios(path).scenarios:
            if fold_of(scenario.id) not in folds:
                continue
            for text in scenario.utterances:
                for take in range(2):
                    clip = rendered.path(scenario.id, text, take)
                    if clip is not None:
                        yield Utterance(text, scenario.language, read_clip(clip))


class TelephoneLine:
    """One line after the other, all drawn from the seed."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        self._backgrounds = {
            kind: [
                Background(kind, int(self._chance.integers(1 << 62))).next(STRETCH_SECONDS * SAMPLE_RATE)
                for _ in range(BACKGROUNDS)
            ]
            for kind in KINDS
        }

    def said(self, samples: Samples) -> Samples:
        """Return what arrives of an utterance (int16, shape (n,), 8 kHz), trimmed as recognition trims it."""
        import soxr  # noqa: PLC0415 - as the detector itself imports it

        chance = self._chance
        paced = soxr.resample(samples.astype(np.float32), chance.uniform(*PACES), 1.0)
        return trim_silence(self._sent(paced.astype(np.float64), chance.uniform(*SNR)))

    def silent(self, seconds: float) -> Samples:
        """Return `seconds` in which nobody speaks."""
        nobody = np.zeros(round(seconds * SAMPLE_RATE))
        return self._sent(nobody, self._chance.uniform(0.0, 15.0))

    def _sent(self, sound: NDArray[np.float64], snr: float) -> Samples:
        chance = self._chance
        if chance.random() >= QUIET:
            sound = sound + self._background(len(sound)) * 32768 * 10 ** ((SPEECH_DBFS - snr) / 20)
        sound = sound + chance.standard_normal(len(sound)) * 32768 * 10 ** (LINE_NOISE_DBFS / 20)
        sound = sound * 10 ** (chance.uniform(*GAINS) / 20)
        arrived = decode_alaw(encode_alaw(np.clip(np.rint(sound), -32768, 32767).astype(np.int16)))
        if chance.random() < LOSSY:
            share = chance.uniform(0.0, MOST_LOST)
            arrived = PacketLoss(share, seed=int(chance.integers(1 << 30))).apply(arrived)
        return arrived

    def _background(self, count: int) -> NDArray[np.float64]:
        stretches = self._backgrounds[KINDS[self._chance.integers(len(KINDS))]]
        stretch = stretches[self._chance.integers(len(stretches))]
        repeated = np.tile(stretch, -(-count // len(stretch)))
        start = int(self._chance.integers(len(repeated) - count + 1))
        return repeated[start : start + count]
