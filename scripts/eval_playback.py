"""Measure how well audio played twice is told from words said twice.

    scripts/eval_playback.py --takes DIR [--takes DIR ...] [--data DIR] [--seed N]

`--takes`: clips named NAME_TAKE.wav. The same NAME is the same text by the same voice; each TAKE of it was
spoken anew (another speed, a slightly different voice). `--data`: holds `aishell3/*.flac`, one clip a speaker.
Each trial is a call of three turns: a clip, another one, and the clip again or another take of it. Every turn
passes its own channel: level, sub-sample delay, noise, A-law, lost packets that are concealed.
Clips under 2.5 s are left out. Thresholds were chosen on the even clips: believe the figures of the odd ones.
"""

import argparse
import io
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.signals.fingerprint import FingerprintExtractor
from detector.signals.matching import HashIndex, Stretch, best_match
from detector.signals.repeats import SelfMatcher

PACKET = 160
LEAST_SAMPLES = round(2.5 * SAMPLE_RATE)
LEVEL_DBFS = -22.0
Wave = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a turn goes through. `snr` in dB (white noise), `loss` as a share of packets, `seconds` kept."""

    name: str
    snr: float = 40.0
    loss: float = 0.0
    seconds: float | None = None
    codec: str | None = None


CONDITIONS = (
    Condition("A-law"),
    Condition("15 dB", 15),
    Condition("15 dB, 2 % loss", 15, 0.02),
    Condition("15 dB, 5 % loss", 15, 0.05),
    Condition("8 dB", 8),
    Condition("8 dB, 2 % loss", 8, 0.02),
    Condition("2.5 s", 40, 0, 2.5),
    Condition("2.5 s, 15 dB, 2 % loss", 15, 0.02, 2.5),
    Condition("GSM full rate, 20 dB, 2 % loss", 20, 0.02, None, "GSM610"),
    Condition("Opus, middle rate, 20 dB", 20, 0, None, "OPUS"),
    Condition("Opus, lowest rate, 20 dB", 20, 0, None, "OPUS-LOWEST"),
)
HARD = CONDITIONS[2]


class Channel:
    """A telephone line that never treats two turns alike."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def carry(self, clip: Samples, condition: Condition) -> Samples:
        wave = _delayed(clip.astype(float), self._random.uniform(0, PACKET))
        wave *= 10 ** ((LEVEL_DBFS + self._random.uniform(-8, 4)) / 20) * 32768 / np.sqrt(np.mean(wave**2))
        noise = np.sqrt(np.mean(wave**2)) * 10 ** (-condition.snr / 20)
        samples = _to_int16(wave + noise * self._random.standard_normal(len(wave)))
        if condition.codec is not None:
            samples = _through(samples, condition.codec)
        return self._lose(decode_alaw(encode_alaw(samples)), condition.loss)

    def _lose(self, samples: Samples, share: float) -> Samples:
        """Replace lost packets by the last one, softer each time."""
        kept = samples.copy()
        lost = 0
        for at in range(PACKET, len(kept) - PACKET, PACKET):
            lost = lost + 1 if self._random.random() < share else 0
            if lost:
                kept[at : at + PACKET] = kept[at - PACKET : at] * max(0.0, 1 - 0.2 * lost)
        return kept


def _delayed(wave: Wave, samples: float) -> Wave:
    """Delay by any fraction of a sample, in the frequency domain."""
    padded = np.concatenate([wave, np.zeros(2 * PACKET)])
    turns = np.fft.rfftfreq(len(padded)) * samples
    delayed: Wave = np.fft.irfft(np.fft.rfft(padded) * np.exp(-2j * np.pi * turns), len(padded))
    return delayed


def _to_int16(wave: Wave) -> Samples:
    return np.clip(np.rint(wave), -32768, 32767).astype(np.int16)


def _through(samples: Samples, codec: str) -> Samples:
    container = "OGG" if codec.startswith("OPUS") else "WAV"
    level = {"OPUS": 0.5, "OPUS-LOWEST": 1.0}.get(codec)
    buffer = io.BytesIO()
    subtype = codec.partition("-")[0]
    soundfile.write(buffer, samples, SAMPLE_RATE, format=container, subtype=subtype, compression_level=level)
    buffer.seek(0)
    decoded, _ = soundfile.read(buffer, dtype="int16")
    return np.asarray(decoded, np.int16)


@dataclass(frozen=True, slots=True)
class Trial:
    """The outcome of one call: what was found, and the best stretch before any threshold."""

    even: bool
    found: bool
    best: Stretch | None


def call(channel: Channel, turns: Sequence[Samples], condition: Condition, *, even: bool) -> Trial:
    """Play three turns; the third is the question."""
    extractor, matcher = FingerprintExtractor(), SelfMatcher()
    ends = [0.0]
    for turn in turns:
        extractor.push(channel.carry(turn, condition))
        extractor.push(np.zeros(SAMPLE_RATE // 2, np.int16))
        ends.append(extractor.seconds)
    spans = [extractor.landmarks(ends[at], ends[at + 1]) for at in range(3)]
    found = [matcher.hear(span) for span in spans]
    best = best_match(spans[2], spans[0].peaks, HashIndex.of(spans[0]))
    return Trial(even, bool(found[2]), best)


def middle(clip: Samples, seconds: float | None) -> Samples:
    """Return the middle of the clip, which is speech, or all of it."""
    if seconds is None or len(clip) <= seconds * SAMPLE_RATE:
        return clip
    start = (len(clip) - round(seconds * SAMPLE_RATE)) // 2
    return clip[start : start + round(seconds * SAMPLE_RATE)]


def read_takes(folders: Sequence[Path]) -> dict[str, dict[str, Samples]]:
    takes: dict[str, dict[str, Samples]] = defaultdict(dict)
    for folder in folders:
        for path in sorted(folder.glob("*_*.wav")):
            name, _, take = path.stem.rpartition("_")
            takes[name][take] = read_clip(path)
    return long_enough(takes)


def long_enough(takes: dict[str, dict[str, Samples]]) -> dict[str, dict[str, Samples]]:
    return {name: clips for name, clips in takes.items() if min(map(len, clips.values())) >= LEAST_SAMPLES}


def faster(clip: Samples, factor: float) -> Samples:
    """Play the clip `factor` faster, its pitch with it."""
    at = np.arange(0, len(clip) - 1, factor)
    return _to_int16(np.interp(at, np.arange(len(clip)), clip.astype(float)))


def same(takes: dict[str, dict[str, Samples]], condition: Condition, channel: Channel) -> Iterator[Trial]:
    names = sorted(takes)
    for at, name in enumerate(names):
        clip = middle(next(iter(takes[name].values())), condition.seconds)
        between = next(iter(takes[names[at - 1]].values()))
        yield call(channel, [clip, between, clip], condition, even=at % 2 == 0)


def retakes(takes: dict[str, dict[str, Samples]], condition: Condition, channel: Channel) -> Iterator[Trial]:
    names = sorted(takes)
    for at, name in enumerate(names):
        first, *others = takes[name].values()
        between = next(iter(takes[names[at - 1]].values()))
        for other in (*others, faster(first, 1.03), faster(first, 0.96)):
            yield call(channel, [first, between, other], condition, even=at % 2 == 0)


def different(
    takes: dict[str, dict[str, Samples]], condition: Condition, channel: Channel
) -> Iterator[Trial]:
    clips = [next(iter(takes[name].values())) for name in sorted(takes)]
    for at in range(len(clips)):
        for step in (1, 2, 7):
            third = clips[(at + 2 * step) % len(clips)]
            if third is clips[at]:
                continue
            yield call(
                channel, [clips[at], clips[(at + step) % len(clips)], third], condition, even=at % 2 == 0
            )


def report(name: str, trials: Sequence[Trial]) -> None:
    """Print how many were found in each half, and the extremes of the stretches of 1.6 s and more."""
    halves = [[trial for trial in trials if trial.even is even] for even in (True, False)]
    shares = [f"{sum(trial.found for trial in half):4}/{len(half):<4}" for half in halves]
    long = [trial.best for trial in trials if trial.best is not None and trial.best.seconds >= 1.6]
    extremes = "none of 1.6 s"
    if long:
        coherence = [stretch.coherence for stretch in long]
        strong = [stretch.strong_share for stretch in long]
        extremes = (
            f"{len(long)} of 1.6 s: coherence {min(coherence):.2f} to {max(coherence):.2f}, "
            f"strong share {min(strong):.2f} to {max(strong):.2f}"
        )
    print(f"{name:42} even {shares[0]} odd {shares[1]} {extremes}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--takes", type=Path, action="append", default=[])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    takes = read_takes(arguments.takes)
    corpora = {"takes": takes} if takes else {}
    if arguments.data is not None:
        paths = sorted(arguments.data.glob("aishell3/*.flac"))
        people = long_enough({path.stem: {"0": read_clip(path)} for path in paths})
        if people:
            corpora["people"] = people
    if not corpora:
        print(
            "eval_playback: no clips; give --takes DIR with NAME_TAKE.wav or --data DIR with aishell3/",
            file=sys.stderr,
        )
        return 2
    for corpus, clips in corpora.items():
        channel = Channel(arguments.seed)
        print(f"{corpus}: {len(clips)} clips\nfound, of the same audio played twice")
        for condition in CONDITIONS:
            report(f"  {condition.name}", list(same(clips, condition, channel)))
        print("found, of what is not the same audio (each is an error)")
        for condition in (CONDITIONS[0], HARD):
            report(f"  said again, {condition.name}", list(retakes(clips, condition, channel)))
            report(f"  other words, {condition.name}", list(different(clips, condition, channel)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
