"""Fitting the latency model to what recognition took on this machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from detector.bench.clips import SpokenClip
from detector.bench.recognition import cpu_seconds
from detector.speech.latency import LatencyModel
from detector.speech.transcript import Transcriber, Transcript

__all__ = ["LatencyFit", "Timing", "fit", "time_clips"]

_SHARES = (0.35, 0.7, 1.0)
"""Each clip is cut to these shares, so that length and words vary."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One stretch of speech, what was heard, and what that took."""

    speech: float
    """Seconds."""
    transcript: Transcript
    taken: float
    """Processor seconds."""


@dataclass(frozen=True, slots=True)
class LatencyFit:
    model: LatencyModel
    timings: int
    second_passes: int
    rms: float
    """Root mean square of what the model misses, in seconds."""
    p95: float
    """Seconds that 95 % of the timings lie within."""

    def as_json(self) -> dict[str, Any]:
        model = self.model
        return {
            "coefficients": {name: round(getattr(model, name), 4) for name in LatencyModel.__slots__},
            "timings": self.timings,
            "second_passes": self.second_passes,
            "residual": {"rms": round(self.rms, 4), "p95": round(self.p95, 4)},
        }


def time_clips(clips: Sequence[SpokenClip], transcriber: Transcriber) -> list[Timing]:
    """Transcribe parts of every clip and return what each took; the first is run once more, to warm up."""
    transcriber.transcribe(clips[0].samples, clips[0].language)
    timings = []
    for clip in clips:
        for share in _SHARES:
            samples = clip.samples[: int(share * len(clip.samples))]
            start = cpu_seconds()
            transcript = transcriber.transcribe(samples, clip.language)
            timings.append(Timing(share * clip.seconds, transcript, cpu_seconds() - start))
    return timings


def fit(timings: Sequence[Timing]) -> LatencyFit:
    """Fit by least squares; a coefficient below zero makes no sense and is left out, the others fitted again."""
    matrix = np.array([_terms(timing) for timing in timings])
    taken = np.array([timing.taken for timing in timings])
    used = np.asarray(matrix.any(axis=0))
    weights = np.zeros(matrix.shape[1])
    while used.any():
        solved = np.linalg.lstsq(matrix[:, used], taken, rcond=None)[0]
        if (solved >= 0).all():
            weights[used] = solved
            break
        used[np.flatnonzero(used)[int(np.argmin(solved))]] = False
    missed = np.abs(matrix @ weights - taken)
    return LatencyFit(
        LatencyModel(*(float(weight) for weight in weights)),
        len(timings),
        sum(timing.transcript.passes > 1 for timing in timings),
        float(np.sqrt((missed**2).mean())),
        float(np.percentile(missed, 95)),
    )


def _terms(timing: Timing) -> list[float]:
    transcript = timing.transcript
    return [1.0, timing.speech, float(len(transcript.text)), float(transcript.passes > 1)]
