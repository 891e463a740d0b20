"""Background noise of a caller's surroundings, synthesized: no recording is needed, every seed sounds different.

    office   murmur of several talkers at some distance, now and then keys     (a call centre)
    street   traffic rumble, vehicles that pass, now and then a horn
    car      engine harmonics, road noise                                       (hands-free)
    home_tv  one talker and music, dulled by the room
    wind     gusts of low noise on the microphone

It is made in stretches of 16 s, blended over 1 s, each with an RMS of 1; the channel scales it.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from detector.agents.murmur import talker
from detector.agents.scenario import Noise
from detector.audio.frames import SAMPLE_RATE

__all__ = ["Background"]

Wave = NDArray[np.float64]

STRETCH_SECONDS = 16
BLEND_SECONDS = 1


class Background:
    """An endless background; pieces of any size join without a seam.

    No stretch is heard twice, in a call or between calls: what repeats in a call is the caller's doing.
    """

    def __init__(self, kind: Noise, seed: int) -> None:
        self._make = _MAKERS[kind] if kind != "none" else None
        self._chance = np.random.default_rng(seed)
        self._ready: Wave = np.zeros(0)
        self._overhang: Wave = np.zeros(0)

    def next(self, count: int) -> Wave:
        """Return the next `count` samples (float64, shape (count,)), zeros where the kind is "none"."""
        if self._make is None:
            return np.zeros(count)
        while len(self._ready) < count:
            self._ready = np.concatenate([self._ready, self._stretch(self._make)])
        taken, self._ready = self._ready[:count], self._ready[count:]
        return taken

    def _stretch(self, make: "_Maker") -> Wave:
        """Make the next stretch and blend its beginning with the end of the one before, at equal power."""
        blend = BLEND_SECONDS * SAMPLE_RATE
        raw = make(STRETCH_SECONDS * SAMPLE_RATE, self._chance)
        raw /= np.sqrt(np.mean(raw**2))
        if len(self._overhang):
            share = np.sqrt(np.linspace(0, 1, blend))
            raw[:blend] = raw[:blend] * share + self._overhang * share[::-1]
        self._overhang = raw[-blend:].copy()
        return np.asarray(raw[:-blend])


def _shaped(length: int, chance: np.random.Generator, gain: Callable[[Wave], Wave]) -> Wave:
    """Return Gaussian noise with the spectrum `gain` (amplitude over Hz), RMS 1."""
    spectrum = np.fft.rfft(chance.standard_normal(length))
    frequency: Wave = np.fft.rfftfreq(length, 1 / SAMPLE_RATE).astype(np.float64)
    shaped = np.fft.irfft(spectrum * gain(frequency), length)
    return np.asarray(shaped / np.sqrt(np.mean(shaped**2)))


def _telephone(frequency: Wave, lowest: float) -> Wave:
    """High-pass of the telephone's microphone, 2nd order."""
    return frequency**2 / (frequency**2 + lowest**2)


def _swell(length: int, chance: np.random.Generator, every: float, depth: float) -> Wave:
    """Return a slow random loudness curve: log-normal, `depth` dB deviation, a new value `every` seconds."""
    count = int(length / SAMPLE_RATE / every) + 3
    knots = np.arange(count) * every * SAMPLE_RATE
    return np.asarray(10 ** (np.interp(np.arange(length), knots, chance.normal(0, depth, count)) / 20))


def _bursts(length: int, chance: np.random.Generator, rate: float, make: Callable[[], Wave]) -> Wave:
    """Return sounds made by `make`, `rate` a second on average at random times."""
    out = np.zeros(length)
    for start in chance.integers(length, size=chance.poisson(rate * length / SAMPLE_RATE)):
        sound = make()[: length - start]
        out[start : start + len(sound)] += sound
    return out


def _office(length: int, chance: np.random.Generator) -> Wave:
    talkers = np.zeros(length)
    for _ in range(int(chance.integers(5, 8))):
        talkers += talker(length, chance) * 10 ** (chance.uniform(-9, 0) / 20)

    def key() -> Wave:
        decay = np.exp(-np.arange(160) / 25)
        return np.asarray(chance.standard_normal(160) * decay * chance.uniform(0.2, 0.8))

    air = _shaped(length, chance, lambda f: _telephone(f, 150) / (1 + f / 300))
    return np.asarray(talkers / np.sqrt(np.mean(talkers**2)) + 0.25 * air + _bursts(length, chance, 2.0, key))


def _street(length: int, chance: np.random.Generator) -> Wave:
    rumble = _shaped(length, chance, lambda f: _telephone(f, 120) / (1 + (f / 350) ** 1.5))

    def vehicle() -> Wave:
        seconds = chance.uniform(2, 5)
        count = int(seconds * SAMPLE_RATE)
        shape = np.exp(-0.5 * ((np.arange(count) / count - 0.5) / 0.16) ** 2)
        tyres = _shaped(count, chance, lambda f: _telephone(f, 250) / (1 + (f / 1200) ** 2))
        return np.asarray(tyres * shape * chance.uniform(0.8, 2.2))

    def horn() -> Wave:
        count = int(chance.uniform(0.15, 0.6) * SAMPLE_RATE)
        time = np.arange(count) / SAMPLE_RATE
        pitch = chance.uniform(380, 480)
        tone = sum(
            np.sin(2 * np.pi * pitch * ratio * time) / (1 + k) for k, ratio in enumerate((1, 1.26, 2, 3))
        )
        return np.asarray(tone * np.hanning(count) ** 0.3 * chance.uniform(0.3, 1.2))

    swelling = rumble * _swell(length, chance, 1.5, 2.5)
    return swelling + _bursts(length, chance, 0.25, vehicle) + _bursts(length, chance, 0.04, horn)


def _car(length: int, chance: np.random.Generator) -> Wave:
    turns = 28 * _swell(length, chance, 3.0, 0.9)
    phase = 2 * np.pi * np.cumsum(turns) / SAMPLE_RATE
    engine = sum(np.sin(order * phase + order) / order for order in range(4, 16, 2))
    road = _shaped(length, chance, lambda f: _telephone(f, 140) / (1 + (f / 280) ** 2))
    return np.asarray(0.35 * engine + road * _swell(length, chance, 0.8, 1.5))


def _home_tv(length: int, chance: np.random.Generator) -> Wave:
    voice = talker(length, chance)
    music = np.zeros(length)
    scale = 220 * 2 ** (np.array([0, 2, 4, 7, 9, 12, 14, 16]) / 12)
    start = 0
    while start < length:
        count = min(int(chance.uniform(0.2, 0.7) * SAMPLE_RATE), length - start)
        time = np.arange(count) / SAMPLE_RATE
        pitch = chance.choice(scale)
        note = sum(np.sin(2 * np.pi * pitch * order * time) / order for order in (1, 2, 3, 4))
        music[start : start + count] += note * np.exp(-3 * time)
        start += count
    mixed = voice / np.sqrt(np.mean(voice**2)) + 0.5 * music / np.sqrt(np.mean(music**2))
    spectrum = np.fft.rfft(mixed)
    spectrum *= 1 / (1 + (np.fft.rfftfreq(length, 1 / SAMPLE_RATE) / 900) ** 2)
    dulled = np.fft.irfft(spectrum, length)
    room = _shaped(length, chance, lambda f: _telephone(f, 150) / (1 + f / 300))
    return np.asarray(dulled / np.sqrt(np.mean(dulled**2)) + 0.15 * room)


def _wind(length: int, chance: np.random.Generator) -> Wave:
    low = _shaped(length, chance, lambda f: _telephone(f, 60) / (1 + (f / 160) ** 2.2))
    return np.asarray(low * _swell(length, chance, 0.35, 5.0) * _swell(length, chance, 2.0, 4.0))


_Maker = Callable[[int, np.random.Generator], Wave]
_MAKERS: dict[str, _Maker] = {
    "office": _office,
    "street": _street,
    "car": _car,
    "home_tv": _home_tv,
    "wind": _wind,
}
