"""Speech-like sound without words: what a talker across the room sounds like.

A pulse train of harmonics whose pitch wanders, shaped by two or three formants that jump from vowel to vowel a few
times a second, with hisses for consonants and pauses between phrases.
"""

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE

__all__ = ["talker"]

Wave = NDArray[np.float64]

CONTROL_STEP = 80
"""Samples between two values of pitch and formants: 10 ms."""
VOWELS = np.array(
    [
        (730, 1090, 2440),
        (530, 1840, 2480),
        (270, 2290, 3010),
        (570, 840, 2410),
        (300, 870, 2240),
        (490, 1350, 1690),
    ]
)
"""First three formants in Hz of English and Mandarin vowels (Peterson and Barney, 1952, male talkers)."""
BANDWIDTHS = np.array([80.0, 110.0, 160.0])
HIGHEST = 3400.0
HARMONICS = 22


def talker(length: int, chance: np.random.Generator) -> Wave:
    """Return `length` samples of one talker's murmur (float64, 8 kHz), RMS about 1 while he talks."""
    steps = length // CONTROL_STEP + 2
    pitch, formants, voiced, hissing = _controls(steps, chance)
    knots = np.arange(steps) * CONTROL_STEP
    when = np.arange(length)
    phase = 2 * np.pi * np.cumsum(np.interp(when, knots, pitch)) / SAMPLE_RATE
    out = np.zeros(length)
    # The harmonics are powers of the fundamental as a rotating pointer: cheaper than a sine each.
    fundamental = np.exp(1j * phase)
    pointer = np.ones(length, np.complex128)
    for order in range(1, HARMONICS + 1):
        frequency = order * pitch
        pointer *= fundamental
        gain = _formant_gain(frequency, formants) * voiced / order**0.5
        gain[frequency > HIGHEST] = 0
        if gain.any():
            out += np.interp(when, knots, gain) * pointer.imag
    hiss = np.diff(chance.standard_normal(length + 1)) * np.interp(when, knots, hissing)
    spoken = out[out != 0]
    level = float(np.sqrt(np.mean(spoken**2))) if len(spoken) else 1.0
    return out / level + 0.15 * hiss


def _formant_gain(frequency: Wave, formants: Wave) -> Wave:
    gain = np.zeros_like(frequency)
    for column, bandwidth in enumerate(BANDWIDTHS):
        distance = (frequency - formants[:, column]) / bandwidth
        gain += 0.6**column / np.sqrt(1 + distance**2)
    return gain


def _controls(steps: int, chance: np.random.Generator) -> tuple[Wave, Wave, Wave, Wave]:
    """Return pitch (Hz), formants (Hz, shape (steps, 3)), voicing and hiss (0 to 1), each 10 ms."""
    size = chance.uniform(0.95, 1.2)
    base = chance.uniform(95, 220)
    pitch = np.full(steps, base)
    formants = np.tile(VOWELS[0] * size, (steps, 1)).astype(np.float64)
    voiced = np.zeros(steps)
    hissing = np.zeros(steps)
    step = int(chance.integers(0, 80))
    while step < steps:
        end_of_phrase = step + int(chance.uniform(60, 350))
        while step < min(end_of_phrase, steps):
            consonant, vowel = int(chance.integers(2, 8)), int(chance.integers(8, 22))
            hissing[step : step + consonant] = chance.random() < 0.6
            step += consonant
            part = slice(step, step + vowel)
            count = len(voiced[part])
            voiced[part] = np.hanning(vowel + 2)[1 : count + 1] * chance.uniform(0.5, 1)
            pitch[part] = base * chance.uniform(0.85, 1.25) * np.linspace(1, chance.uniform(0.85, 1.1), count)
            formants[part] = VOWELS[chance.integers(len(VOWELS))] * size
            step += vowel
        step += int(chance.uniform(30, 160))
    return pitch, formants, voiced, hissing
