"""How many voices speak in one channel, and which turn is whose.

Agglomerative clustering of turns by the Bayesian information criterion (Chen and Gopalakrishnan 1998, "Speaker,
environment and channel change detection and clustering via the Bayesian information criterion"): each turn is a cloud
of cepstra, and two clouds are one voice's where a single Gaussian describes them about as well as two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE, Samples

__all__ = ["Voices", "cepstra", "tell_voices_apart"]

Features = NDArray[np.float64]

WINDOW, HOP = 256, 80
BANDS, COEFFICIENTS = 24, 12
LOUD_DB = 25.0
"""Frames this far below the loudest of a turn are no speech of it."""
PENALTY = 1.75
"""Weight of the model's complexity; above 1 because the channel's noise makes turns differ, too."""
LEAST_SECONDS = 0.6
"""A shorter turn says too little of a voice: it goes to the nearer one afterwards."""


@dataclass(frozen=True, slots=True)
class Voices:
    """`labels[i]` is the voice of turn i, 0 for the one that speaks most; `seconds` of speech for each voice."""

    labels: tuple[int, ...]
    seconds: tuple[float, ...]
    margin: float
    """BIC difference of the last merge, per frame: how clearly the voices differ (negative: one voice)."""

    @property
    def count(self) -> int:
        return len(self.seconds)


def tell_voices_apart(turns: Sequence[Samples], penalty: float = PENALTY) -> Voices:
    """Assign each of `turns` (int16, 8 kHz) to one of one or two voices."""
    clouds = [cepstra(turn) for turn in turns]
    lengths = [len(turn) / SAMPLE_RATE for turn in turns]
    long = [
        i
        for i, seconds in enumerate(lengths)
        if seconds >= LEAST_SECONDS and len(clouds[i]) >= 2 * COEFFICIENTS
    ]
    if len(long) < 2:
        return Voices((0,) * len(turns), (sum(lengths),) if turns else (), 0.0)
    groups = [[i] for i in long]
    while len(groups) > 2:
        first, second, _ = _closest(groups, clouds, penalty)
        groups[first] += groups.pop(second)
    margin = _bic(_stack(groups[0], clouds), _stack(groups[1], clouds), penalty)
    if margin < 0:
        return Voices((0,) * len(turns), (sum(lengths),), margin)
    return _label(groups, clouds, lengths, margin)


def cepstra(samples: Samples) -> Features:
    """Return mel-frequency cepstra of the loud frames, shape (frames, COEFFICIENTS); level is left out."""
    if len(samples) < WINDOW:
        return np.zeros((0, COEFFICIENTS))
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hamming(WINDOW), axis=1)) ** 2
    energy = 10 * np.log10(power.sum(axis=1) + 1.0)
    bands = np.log(power[energy > energy.max() - LOUD_DB] @ _MEL.T + 1.0)
    return np.asarray(bands @ _COSINES.T, np.float64)


def _label(groups: list[list[int]], clouds: list[Features], lengths: list[float], margin: float) -> Voices:
    owner = {turn: number for number, group in enumerate(groups) for turn in group}
    models = [_gaussian(_stack(group, clouds)) for group in groups]
    for turn, cloud in enumerate(clouds):
        if turn not in owner:
            owner[turn] = int(np.argmax([_likelihood(cloud, model) for model in models]))
    seconds = [sum(lengths[turn] for turn, its in owner.items() if its == number) for number in (0, 1)]
    order = (0, 1) if seconds[0] >= seconds[1] else (1, 0)
    labels = tuple(order.index(owner[turn]) for turn in range(len(clouds)))
    return Voices(labels, (seconds[order[0]], seconds[order[1]]), margin)


def _closest(groups: list[list[int]], clouds: list[Features], penalty: float) -> tuple[int, int, float]:
    stacks = [_stack(group, clouds) for group in groups]
    pairs = [
        (_bic(stacks[i], stacks[j], penalty), i, j)
        for i in range(len(groups))
        for j in range(i + 1, len(groups))
    ]
    distance, first, second = min(pairs)
    return first, second, distance


def _bic(first: Features, second: Features, penalty: float) -> float:
    """BIC difference of two Gaussians against one, per frame; positive where two voices describe it better."""
    both = np.concatenate([first, second])
    total, width = len(both), both.shape[1]
    gain = total * _log_det(both) - len(first) * _log_det(first) - len(second) * _log_det(second)
    complexity = 0.5 * (width + 0.5 * width * (width + 1)) * np.log(total)
    return float((0.5 * gain - penalty * complexity) / total)


def _log_det(cloud: Features) -> float:
    covariance = np.cov(cloud, rowvar=False) + 1e-3 * np.eye(cloud.shape[1])
    return float(np.linalg.slogdet(covariance)[1])


def _gaussian(cloud: Features) -> tuple[Features, Features]:
    covariance = np.cov(cloud, rowvar=False) + 1e-3 * np.eye(cloud.shape[1])
    return cloud.mean(axis=0), np.asarray(np.linalg.inv(covariance), np.float64)


def _likelihood(cloud: Features, model: tuple[Features, Features]) -> float:
    """Negative mean Mahalanobis distance of the mean: enough to say which voice a short turn is nearer to."""
    if not len(cloud):
        return 0.0
    difference = cloud.mean(axis=0) - model[0]
    return -float(difference @ model[1] @ difference)


def _stack(group: list[int], clouds: list[Features]) -> Features:
    return np.concatenate([clouds[i] for i in group])


def _mel_filters() -> Features:
    def to_mel(hertz: float) -> float:
        return 2595 * float(np.log10(1 + hertz / 700))

    mels = np.linspace(to_mel(150), to_mel(3600), BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.asarray(np.maximum(0, np.minimum(rising, falling)), np.float64)


def _cosines() -> Features:
    steps = np.arange(1, COEFFICIENTS + 1)[:, None] * (np.arange(BANDS)[None] + 0.5) * np.pi / BANDS
    return np.asarray(np.cos(steps) * np.sqrt(2 / BANDS), np.float64)


_MEL = _mel_filters()
_COSINES = _cosines()
