"""Measure voice activity on hand-labelled speech, through A-law at 8 kHz, clean and in noise.

    scripts/eval_vad.py --data DIR [--choose]

DIR holds `ten_vad/` (WAV files and `.scv` labels: name, then start, end, flag, ...) and `noise/noise*.wav`.
Thresholds are chosen on the odd clips (`--choose` prints the search), figures are of the even ones.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from detector.audio.files import read_clip
from detector.audio.frames import Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.audio.silero import WINDOW_SAMPLES
from detector.audio.vad import VadOptions, VoiceActivityDetector, VoiceDecision
from detector.corpora.speech import SpeechSpan, ten_vad

FRAME = 80
SNR_DB = 10.0
Flags = NDArray[np.bool_]
Detect = Callable[[Samples], Flags]


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled clip. `labels`: speech or not for each 10 ms."""

    number: int
    condition: str
    samples: Samples
    labels: Flags


def mix(speech: Samples, labels: Flags, noise: Samples) -> Samples:
    """Return `speech` with `noise` 10 dB below the power of its labelled stretches."""
    spoken = speech[: len(labels) * FRAME].astype(float)[np.repeat(labels, FRAME)]
    hiss = np.resize(noise, len(speech)).astype(float)
    gain = np.sqrt(np.mean(spoken**2) / np.mean(hiss**2)) * 10 ** (-SNR_DB / 20)
    mixed: Samples = np.clip(np.rint(speech + gain * hiss), -32768, 32767).astype(np.int16)
    return mixed


def flags_of(spans: tuple[SpeechSpan, ...], frames: int) -> Flags:
    labels = np.zeros(frames, bool)
    for span in spans:
        labels[round(span.start * 100) : round(span.end * 100)] = span.is_speech
    return labels


def load(data: Path) -> Iterator[Clip]:
    noises = [(path.stem, read_clip(path)) for path in sorted((data / "noise").glob("noise*.wav"))]
    for labelled in ten_vad(data / "ten_vad"):
        number = int(labelled.path.stem.rsplit("-", 1)[1])
        clean = read_clip(labelled.path)
        labels = flags_of(labelled.spans, len(clean) // FRAME)
        yield Clip(number, "clean", decode_alaw(encode_alaw(clean)), labels)
        for name, noise in noises:
            yield Clip(number, name, decode_alaw(encode_alaw(mix(clean, labels, noise))), labels)


def webrtc_alone(mode: int) -> Detect:
    def detect(samples: Samples) -> Flags:
        vad = webrtcvad.Vad(mode)
        starts = range(0, len(samples) // FRAME * FRAME, FRAME)
        return np.array([vad.is_speech(samples[start : start + FRAME].tobytes(), 8000) for start in starts])

    return detect


def decisions(samples: Samples, options: VadOptions | None = None) -> list[VoiceDecision]:
    """Feed 20 ms at a time, as a call does."""
    detector = VoiceActivityDetector(options)
    return [d for start in range(0, len(samples), 160) for d in detector.push(samples[start : start + 160])]


def spread(flags: list[bool], frames: int) -> Flags:
    """Return the flags of windows of 32 ms as flags of frames of 10 ms, by the middle of the frame."""
    window = np.minimum((np.arange(frames) * FRAME + FRAME // 2) // WINDOW_SAMPLES, len(flags) - 1)
    return np.array(flags)[window]


def ours(samples: Samples) -> Flags:
    return spread([bool(d.is_speech) for d in decisions(samples)], len(samples) // FRAME)


def score(clips: list[Clip], detect: Detect) -> tuple[float, float, float]:
    """Return precision, recall and F1 over all frames of `clips`."""
    hit = false = missed = 0
    for clip in clips:
        heard = detect(clip.samples)[: len(clip.labels)]
        labels = clip.labels[: len(heard)]
        hit += int(np.sum(heard & labels))
        false += int(np.sum(heard & ~labels))
        missed += int(np.sum(~heard & labels))
    return hit / max(1, hit + false), hit / max(1, hit + missed), 2 * hit / max(1, 2 * hit + false + missed)


def hysteresis(probabilities: list[float], begin: float, end: float) -> list[bool]:
    flags: list[bool] = []
    for probability in probabilities:
        flags.append(probability >= (end if flags and flags[-1] else begin))
    return flags


def choose(clips: list[Clip]) -> None:
    """Print F1, clean and in noise, for pairs of thresholds over the same probabilities."""
    heard = {
        (c.number, c.condition): [d.probability or 0.0 for d in decisions(c.samples, VadOptions(0.5, 0.5))]
        for c in clips
    }
    by_samples = {id(c.samples): heard[c.number, c.condition] for c in clips}
    for begin, end in itertools.product((0.2, 0.3, 0.4, 0.5, 0.6), (0.1, 0.15, 0.2, 0.3, 0.4)):
        if end > begin:
            continue

        def detect(samples: Samples, begin: float = begin, end: float = end) -> Flags:
            return spread(hysteresis(by_samples[id(samples)], begin, end), len(samples) // FRAME)

        for condition, part in split(clips):
            precision, recall, f1 = score(part, detect)
            print(f"{begin:.2f} {end:.2f}  {condition:6} {precision:.3f} {recall:.3f} {f1:.3f}")


def split(clips: list[Clip]) -> list[tuple[str, list[Clip]]]:
    clean = [clip for clip in clips if clip.condition == "clean"]
    return [("clean", clean), ("noisy", [clip for clip in clips if clip.condition != "clean"])]


def report(clips: list[Clip], data: Path) -> None:
    print(f"{len({clip.number for clip in clips})} clips, A-law, 8 kHz; frames of 10 ms")
    print("detector   condition  precision recall F1")
    detectors: list[tuple[str, Detect]] = [(f"webrtcvad {mode}", webrtc_alone(mode)) for mode in range(4)]
    for name, detect in [*detectors, ("detector", ours)]:
        for condition, part in split(clips):
            precision, recall, f1 = score(part, detect)
            print(f"{name:11}  {condition:6}  {precision:.3f}  {recall:.3f}  {f1:.3f}")
    for name, detect in [*detectors[1:], ("detector", ours)]:
        shares = [
            detect(decode_alaw(encode_alaw(read_clip(path)))).mean()
            for path in sorted((data / "noise").glob("noise*.wav"))
        ]
        print(f"{name:11}  noise alone called speech: {' '.join(f'{share:.3f}' for share in shares)}")


def cost(clips: list[Clip]) -> None:
    """Print milliseconds of CPU for a second of audio, fed in blocks of 20 ms."""
    calls = {name: np.concatenate([clip.samples for clip in part]) for name, part in split(clips)}
    noise = np.random.default_rng(1).normal(0, 10, 8000 * 60)
    calls["quiet"] = np.rint(noise).astype(np.int16)
    for name, samples in calls.items():
        decisions(samples[:8000])
        begun = time.process_time()
        decisions(samples)
        spent = time.process_time() - begun
        print(f"{name:6} {1000 * spent / (len(samples) / 8000):.2f} ms of CPU for a second of audio")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with ten_vad/ and noise/")
    parser.add_argument("--choose", action="store_true", help="search thresholds on the odd clips")
    arguments = parser.parse_args()
    data: Path = arguments.data
    if not any((data / "ten_vad").glob("*.wav")) or not any((data / "noise").glob("noise*.wav")):
        print(f"{data}: holds no ten_vad/*.wav or no noise/noise*.wav; name the data folder", file=sys.stderr)
        return 2
    clips = list(load(data))
    if arguments.choose:
        choose([clip for clip in clips if clip.number % 2])
    held_out = [clip for clip in clips if clip.number % 2 == 0]
    report(held_out, data)
    cost(held_out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
