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
ORDERS = np.arange(1, 23)
"""Harmonics of the voice, the fundamental first."""
PERIOD_SAMPLES = 1024
"""Of a table with one period; a power of two. The nearest value errs by 0.06 rad of the 20th harmonic at most."""
SINES = np.sin(2 * np.pi * np.outer(ORDERS, np.arange(PERIOD_SAMPLES) / PERIOD_SAMPLES)).astype(np.float32)
ROWS_AT_ONCE = 8
"""Of a matrix product: a larger one is spread over threads, whose waiting costs ten times what it takes."""
BLEND = np.arange(CONTROL_STEP) / CONTROL_STEP


def talker(length: int, chance: np.random.Generator) -> Wave:
    """Return `length` samples of one talker's murmur (float64, 8 kHz), RMS about 1 while he talks."""
    steps = length // CONTROL_STEP + 2
    pitch, formants, voiced, hissing = _controls(steps, chance)
    # Harmonics whose gains move in a straight line from step to step are the blend of the two steps' waveforms,
    # so two look-ups a sample replace an oscillator for every harmonic.
    sounding = np.flatnonzero(voiced)
    waveforms = np.zeros((len(sounding) + 1, PERIOD_SAMPLES), np.float32)
    waveforms[1:] = _waveforms(pitch[sounding], formants[sounding], voiced[sounding])
    row = np.zeros(steps, np.intp)  # row 0 is silence
    row[sounding] = np.arange(1, len(sounding) + 1)
    heard = np.flatnonzero(row[:-1] + row[1:])

    turns = np.cumsum(_per_sample(pitch)).reshape(-1, CONTROL_STEP)[heard] * (PERIOD_SAMPLES / SAMPLE_RATE)
    position = (turns + 0.5).astype(np.intp) & (PERIOD_SAMPLES - 1)
    before = waveforms.take(position + row[heard, np.newaxis] * PERIOD_SAMPLES)
    after = waveforms.take(position + row[heard + 1, np.newaxis] * PERIOD_SAMPLES)
    out = np.zeros((steps - 1, CONTROL_STEP))
    out[heard] = before + (after - before) * BLEND
    spoken = out[heard]
    level = float(np.sqrt(np.mean(spoken**2))) if len(heard) else 1.0

    hiss = np.diff(chance.standard_normal(length + 1)) * _per_sample(hissing)[:length]
    return out.ravel()[:length] / level + 0.15 * hiss


def _per_sample(control: Wave) -> Wave:
    """Return a curve of values each 10 ms as one of a value a sample, straight lines between them."""
    return (control[:-1, np.newaxis] + np.diff(control)[:, np.newaxis] * BLEND).ravel()


def _waveforms(pitch: Wave, formants: Wave, voiced: Wave) -> NDArray[np.float32]:
    """Return one period of the sound at each step, shape (steps, PERIOD_SAMPLES)."""
    frequency = pitch[:, np.newaxis] * ORDERS
    gain = np.zeros_like(frequency)
    for column, bandwidth in enumerate(BANDWIDTHS):
        distance = (frequency - formants[:, column, np.newaxis]) / bandwidth
        gain += 0.6**column / np.sqrt(1 + distance**2)
    gain *= (frequency <= HIGHEST) * voiced[:, np.newaxis] / ORDERS**0.5
    narrow = gain.astype(np.float32)
    waveforms = np.empty((len(narrow), PERIOD_SAMPLES), np.float32)
    for row in range(0, len(narrow), ROWS_AT_ONCE):
        part = slice(row, row + ROWS_AT_ONCE)
        np.matmul(narrow[part], SINES, out=waveforms[part])
    return waveforms


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
